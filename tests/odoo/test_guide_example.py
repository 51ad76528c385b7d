"""NewStore's own example through the real functions and a running Odoo, import run included."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import Any

import pytest

from local.clock import LocalClock
from tests.integration.guide_example import RANGE, give_secret, play_guide_example
from tests.integration.story import story
from tests.odoo.bench import odoo

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not os.environ.get("ODOO"), reason="it takes minutes: `make test-odoo`"),
]


def test_guide_example() -> None:
    clock = LocalClock(datetime.now(UTC))
    with odoo() as bench, pytest.MonkeyPatch.context() as patch:
        variables: dict[str, Any] = {"ERP_CONNECTOR": "odoo"}
        address = bench.odoo.base_url
        with story(patch, clock=clock, **RANGE, **variables) as told:
            told.variables["ERP_BASE_URL"] = address
            give_secret(told, {"api_key": bench.odoo.keys["sync"], "database": "odoo"})
            play_guide_example(told, bench)
            domain = [("origin", "=like", "DC01:10:ff1%")]
            [delivery] = bench.books.call(
                "stock.picking", "search_read", domain=domain, fields=["state"]
            )
            assert delivery["state"] == "done"
