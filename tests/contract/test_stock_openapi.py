"""Stock and orders: client and simulator held against NewStore's files, operation by operation."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import UUID

import pytest

from inventory_sync.adapters.newstore.exports import NewStoreExports
from inventory_sync.adapters.newstore.stock import NewStoreStock
from inventory_sync.domain.atp import AtpKey
from inventory_sync.domain.errors import RejectedError
from tests.contract.newstore import connection
from tests.contract.openapi import Exchange, load
from tests.unit.local.newstore_builder import DC, KEY, SKU, Newstore

ORDER = str(UUID(int=1))
ROW = AtpKey(SKU, DC)
USED = {
    "integration-order-management-stock_availability_api": {"POST /v0/availabilities"},
    "integration-order-management-stock_insights_api": {"GET /v0/stock/insights"},
    "integration-order-management-stock_api_v1": {"GET /v1/stock/safety_stock"},
    "integration-order-management-fulfillment_request_api": {
        "GET /v0/fulfillment_requests/{order_uuid}"
    },
    "integration-order-management-availability_export_api": {
        "POST /v0/d/availabilities/bulk",
        "GET /v0/d/availabilities/bulk/{group_name_or_availability_export_id}",
    },
}
"""The operations that are called, by NewStore's file."""


@dataclass
class Wire:
    """The clients, the NewStore they talk to, and what went over the wire."""

    stock: NewStoreStock
    exports: NewStoreExports
    newstore: Newstore
    exchanges: list[Exchange]


@contextmanager
def wire() -> Iterator[Wire]:
    with connection() as to:
        yield Wire(
            NewStoreStock(to.authorized, base_url=to.base_url),
            NewStoreExports(to.authorized, to.http, base_url=to.base_url),
            to.newstore,
            to.exchanges,
        )


def read(wire: Wire) -> None:
    """Every call, of rows with and without anything set aside; exports in each of their states."""
    model = wire.newstore.model
    wire.stock.insights(ROW)
    model.set_imported(KEY, 1)
    model.safety_stock[KEY] = 2
    model.reservations[KEY] = 3
    for number in (2, 3):
        items = [(str(UUID(int=100 * number + n)), SKU) for n in range(2)]
        model.assign(str(UUID(int=number)), ORDER, DC, items)
    model.complete(str(UUID(int=2)), [str(UUID(int=200))])
    model.fail(str(UUID(int=2)), [str(UUID(int=201))])
    wire.stock.atp([ROW])
    wire.stock.insights(ROW)
    wire.stock.safety_stock()
    wire.stock.requested_items(ORDER)
    wire.stock.requested_items(str(UUID(int=9)))
    for fault, seconds in (("", 0), ("out of paper", 0), ("", 60)):
        model.atp_exports.fail_next, model.atp_exports.seconds = fault, seconds
        export = wire.exports.export(wire.exports.start(None))
    wire.exports.start(export.cursor)
    with pytest.raises(RejectedError):
        wire.exports.export("unknown")


@pytest.mark.parametrize("name", USED)
def test_what_is_read_back_is_as_newstore_documents_it(name: str) -> None:
    api = load(name)
    with wire() as over:
        read(over)
    ours = [exchange for exchange in over.exchanges if api.operation(exchange)]

    assert api.faults(ours) == []
    assert api.called(ours) == USED[name]


def test_no_call_is_in_none_of_newstores_files() -> None:
    apis = [load(name) for name in USED]
    with wire() as over:
        read(over)

    assert [str(e) for e in over.exchanges if not any(api.operation(e) for api in apis)] == []
