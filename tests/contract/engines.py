"""The DynamoDB engines that the contract suites run on; what each gets wrong: docs/engines.md."""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from botocore.config import Config
from moto import mock_aws

from tests.aws import aws_session

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

ROOT = Path(__file__).resolve().parents[2]
DYNOXIDE = ROOT / "build" / "dynoxide-1.2.1" / "dynoxide"
"""Where tools/get_dynoxide.sh puts it."""
JAR_VARIABLE = "DYNAMODB_LOCAL_JAR"
START_SECONDS_MAX = 30.0


class EngineMissingError(Exception):
    """This machine has not got it; the text says how it would."""


@contextmanager
def moto() -> Iterator["DynamoDBClient"]:
    """In this process; empty at the end of the block."""
    with mock_aws():
        yield _moto_client()


@cache
def _moto_client() -> "DynamoDBClient":
    """Made once: that takes longer than a test."""
    return make_client()


@contextmanager
def dynoxide() -> Iterator["DynamoDBClient"]:
    """A process of its own, in memory."""
    if not DYNOXIDE.is_file():
        raise EngineMissingError("dynoxide is not there: `make engines` fetches it from npm")
    with _served(lambda port: [str(DYNOXIDE), "serve", "--port", port]) as client:
        yield client


@contextmanager
def dynamodb_local() -> Iterator["DynamoDBClient"]:
    """AWS's own, whose licence is the user's matter: never fetched, only used where named."""
    jar = os.environ.get(JAR_VARIABLE, "")
    if not jar:
        raise EngineMissingError(f"{JAR_VARIABLE} does not name the jar of DynamoDB Local")
    if not Path(jar).is_file() or shutil.which("java") is None:
        raise EngineMissingError(f"{JAR_VARIABLE} names no file, or there is no java")
    libraries = Path(jar).parent / "DynamoDBLocal_lib"
    java = ["java", f"-Djava.library.path={libraries}", "-jar", jar, "-inMemory", "-port"]
    with _served(lambda port: [*java, port]) as client:
        yield client


ENGINES: Mapping[str, Callable[[], AbstractContextManager["DynamoDBClient"]]] = {
    "moto": moto,
    "dynoxide": dynoxide,
    "dynamodb_local": dynamodb_local,
}


def required(name: str, environment: Mapping[str, str], npm: str | None) -> bool:
    """Whether the suites may not go without it: `make check`, or CI, where npm could fetch it."""
    if name == "dynamodb_local":
        return bool(environment.get(JAR_VARIABLE))
    asked = environment.get("ENGINES_REQUIRED") or environment.get("CI")
    return asked == "true" and npm is not None


def make_client(endpoint_url: str | None = None) -> "DynamoDBClient":
    """One attempt for each call, so that an engine's failure shows."""
    return aws_session().client(
        "dynamodb",
        endpoint_url=endpoint_url,
        config=Config(retries={"total_max_attempts": 1}, max_pool_connections=30),
    )


@contextmanager
def _served(command: Callable[[str], list[str]]) -> Iterator["DynamoDBClient"]:
    """Started on a free port of this machine only, and ended with the block."""
    port = _free_port()
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(command(str(port)), stdout=log, stderr=log)
        try:
            _await(port, process)
            client = make_client(f"http://127.0.0.1:{port}")
            yield client
            client.close()
        finally:
            process.terminate()
            process.wait(timeout=10)


def _await(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS_MAX
    while time.monotonic() < deadline and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.01)
    raise AssertionError(f"{process.args!r} does not listen, exit status {process.poll()}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
