"""The connectors under test: $CONNECTOR as `module:factory`, else those that need nothing else.

A factory is a context manager that gives a Bench.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from importlib import import_module

import pytest

from tests.connector.bench import Bench

BUILT_IN = {
    "rest": "tests.connector.rest_bench:rest",
    "rest-lookup": "tests.connector.rest_bench:rest_by_look_up",
    "rest-short-references": "tests.connector.rest_bench:rest_with_short_references",
    "rest-reference-server": "tests.connector.reference_bench:reference_server",
    "csv": "tests.connector.csv_bench:csv_acknowledged",
    "csv-unacknowledged": "tests.connector.csv_bench:csv_unacknowledged",
    "odoo": "tests.odoo.bench:odoo",
}
ALWAYS = ["rest", "rest-lookup", "rest-short-references", "rest-reference-server", "csv"]
CHOSEN = [os.environ["CONNECTOR"]] if os.environ.get("CONNECTOR") else ALWAYS


@pytest.fixture(scope="module", params=CHOSEN)
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    module, _, factory = BUILT_IN.get(request.param, request.param).partition(":")
    with getattr(import_module(module), factory)() as bench:
        yield bench
