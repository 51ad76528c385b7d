"""The ERP behind the connector that the settings choose."""

from dataclasses import replace
from typing import Any

import pytest

from inventory_sync.bootstrap.erp import ErpWiring
from inventory_sync.config import Environment, ErpSettings, OdooConnector
from inventory_sync.domain.errors import FatalError
from tests.fakes.observer import FakeObserver
from tests.unit.adapters.http_support import (
    Call,
    LocalServer,
    Reply,
    StandingClock,
    secrets_account,
)


class NoMap:
    """Nothing is named otherwise."""

    def locations(self) -> dict[str, Any]:
        return {}

    def skus(self) -> dict[str, str]:
        return {}


def test_odoos_secret_names_its_database_and_what_is_not_for_sale() -> None:
    asked: list[tuple[str, Any]] = []

    def answer(call: Call) -> Reply:
        asked.append((call.headers["X-Odoo-Database"], call.json))
        if "stock.warehouse/" in call.path:
            warehouse = {"id": 1, "lot_stock_id": [8, "S"], "out_type_id": [2, "D"]}
            return Reply([warehouse])
        kind = {"sequence_code": "OUT", "default_location_dest_id": [5, "C"]}
        types = [{"id": 2, "warehouse_id": [1, "D"], **kind}]
        return Reply(types if "stock.picking.type/" in call.path else [])

    secret = {"api_key": "key", "database": "shop", "not_for_sale": " Damaged,, To repair "}
    clock = StandingClock()
    locations: Any = NoMap()
    no_client: Any = None
    with secrets_account(secret) as account, LocalServer(answer) as server:
        variables = {
            "ERP_CONNECTOR": "odoo",
            "ERP_BASE_URL": "https://odoo.example",
            "ERP_SECRET_ARN": account.arn,
        }
        settings = settings_at(server.url, variables)
        secrets = account.secrets(clock)
        erp = ErpWiring(settings, secrets, locations, clock, FakeObserver(), no_client).stock()
        with pytest.raises(FatalError, match="'Damaged', and Odoo has no location"):
            erp.snapshot("DC01")
    database, body = asked[-1]
    assert database == "shop"
    assert body["domain"] == [["name", "in", ["Damaged", "To repair"]]]


def settings_at(url: str, variables: dict[str, str]) -> ErpSettings:
    """Settings take https only; the server on this machine speaks http."""
    settings = ErpSettings.read(Environment(variables))
    return replace(settings, connector=OdooConnector(url, variables["ERP_SECRET_ARN"]))
