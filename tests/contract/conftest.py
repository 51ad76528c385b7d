"""Each port's implementations side by side: a test that names one of these runs on all."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from tests.aws import create_table
from tests.contract.engines import ENGINES, EngineMissingError, required

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

SERVED = ("dynoxide", "dynamodb_local")
"""Engines that take calls from several threads at once, as DynamoDB does; moto has no lock."""


@dataclass(frozen=True)
class Database:
    """An engine, and tables of the template's shape for one test."""

    engine: str
    client: "DynamoDBClient"

    def table(self, logical_name: str) -> str:
        """A new one's name; longer than 11 characters (docs/engines.md)."""
        name = f"{logical_name}-{uuid4().hex[:8]}"
        create_table(self.client, logical_name, name)
        return name


@pytest.fixture(scope="session")
def served() -> Iterator[Callable[[str], "DynamoDBClient"]]:
    """Starts each engine at its first use, once for all tests of this process."""
    clients: dict[str, DynamoDBClient] = {}
    with ExitStack() as stack:

        def start(name: str) -> "DynamoDBClient":
            if name not in clients:
                clients[name] = stack.enter_context(ENGINES[name]())
            return clients[name]

        yield start


@pytest.fixture
def open_database(served: Callable[[str], "DynamoDBClient"]) -> Iterator[Callable[[str], Database]]:
    """A database by its engine's name; skips the test where this machine has not got it."""
    with ExitStack() as stack:

        def opened(name: str) -> Database:
            if name == "moto":
                return Database(name, stack.enter_context(ENGINES[name]()))
            try:
                return Database(name, served(name))
            except EngineMissingError as error:
                if required(name, os.environ, shutil.which("npm")):
                    pytest.fail(f"required here: {error}")
                pytest.skip(str(error))

        yield opened


@pytest.fixture(params=ENGINES)
def database(request: pytest.FixtureRequest, open_database: Callable[[str], Database]) -> Database:
    """Every engine."""
    return open_database(request.param)


@pytest.fixture(params=SERVED)
def parallel_database(
    request: pytest.FixtureRequest, open_database: Callable[[str], Database]
) -> Database:
    """Every engine that can be asked for two things at once."""
    return open_database(request.param)
