"""StockReader and AtpExports: the clients over HTTP and the fakes, alike."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from inventory_sync.adapters.http.authorized import AuthorizedHttp, SecretBearer
from inventory_sync.adapters.newstore.exports import NewStoreExports
from inventory_sync.adapters.newstore.stock import NewStoreStock
from inventory_sync.domain.atp import INSIGHTS_MAX, AtpKey, ExportState
from inventory_sync.domain.errors import BlockedError, RejectedError, RetriableError
from inventory_sync.ports.newstore import AtpExports, StockReader
from local.newstore.server import newstore_server
from tests.fakes.stock import BLOCKED_SECONDS, ModelExports, ModelStock
from tests.unit.adapters.http_support import (
    BLOCKING,
    LIMITS,
    StandingClock,
    json_http,
    secrets_account,
)
from tests.unit.local.newstore_builder import DC, KEY, OTHER_KEY, SKU, Newstore

ROW = AtpKey(SKU, DC)
NYC = "NYC"


@dataclass
class Contract:
    """The ports, the NewStore behind them, and the clock that both sides go by."""

    stock: StockReader
    exports: AtpExports
    newstore: Newstore
    clock: StandingClock

    def exported(self, *nodes: str, since: int | None = None) -> dict[str, dict[str, int]]:
        export = self.exports.export(self.exports.start(since))
        rows = self.exports.fetch(export, frozenset(nodes), lambda: True)
        return {node: dict(rows.of(node)) for node in nodes}


@pytest.fixture(params=["client", "fake"])
def contract(request: pytest.FixtureRequest) -> Iterator[Contract]:
    clock = StandingClock()
    newstore = Newstore(clients={"adapter": "secret"}, now=clock.now)
    model = newstore.model
    if request.param == "fake":
        yield Contract(ModelStock(model), ModelExports(model), newstore, clock)
        return
    model.tokens.expires_in_seconds = 86_400
    token = model.tokens.client_credentials("adapter", "secret")["access_token"]
    with (
        newstore_server(model) as server,
        secrets_account({"token": token}) as account,
        json_http(clock, BLOCKING) as http,
        json_http(clock, LIMITS) as plain,
    ):
        authorized = AuthorizedHttp(http, SecretBearer(account.secrets(clock), account.arn))
        yield Contract(
            NewStoreStock(authorized, base_url=server.base_url),
            NewStoreExports(authorized, plain, base_url=server.base_url),
            newstore,
            clock,
        )


def test_atp_is_what_is_left_and_never_below_none(contract: Contract) -> None:
    contract.newstore.model.set_imported(KEY, 5)
    contract.newstore.assign(units=2)
    contract.newstore.assign(units=2, key=OTHER_KEY)

    assert contract.stock.atp([ROW, AtpKey(SKU, NYC)]) == {ROW: 3, AtpKey(SKU, NYC): 0}


def test_insights_name_what_is_set_aside_and_reservations_may_be_missing(
    contract: Contract,
) -> None:
    contract.newstore.assign(units=2)
    without = contract.stock.insights(ROW)
    contract.newstore.model.reservations[KEY] = 3
    found = contract.stock.insights(ROW)

    assert [a.item_uuid for a in found.allocations] == ["ff1-i1", "ff1-i2"]
    assert (without.reservations, found.reservations) == (0, 3)
    assert found.complete


@pytest.mark.parametrize(("units", "complete"), [(999, True), (1000, False), (1001, False)])
def test_a_list_of_a_thousand_says_nothing_about_what_is_not_in_it(
    contract: Contract, units: int, complete: bool
) -> None:
    contract.newstore.assign(units=units)

    found = contract.stock.insights(ROW)

    assert len(found.allocations) == min(units, INSIGHTS_MAX)
    assert found.complete is complete


def test_so_says_a_list_of_reservations(contract: Contract) -> None:
    contract.newstore.model.reservations[KEY] = 1000

    assert not contract.stock.insights(ROW).complete


def test_safety_stock_is_of_rows(contract: Contract) -> None:
    contract.newstore.model.safety_stock[KEY] = 4

    found = contract.stock.safety_stock()

    assert (found.of(ROW), found.of(AtpKey(SKU, NYC))) == (4, 0)


def test_an_order_s_items_have_the_status_newstore_knows(contract: Contract) -> None:
    contract.newstore.assign(units=2)
    contract.newstore.model.complete("ff1", ["ff1-i1"])
    contract.newstore.model.fail("ff1", ["ff1-i2"])

    found = contract.stock.requested_items("order-1")

    assert [(i.fulfillment_request_id, i.item_id, i.status) for i in found] == [
        ("ff1", "ff1-i1", "shipped"),
        ("ff1", "ff1-i2", "rejected"),
    ]
    assert found[0].fulfillment_node_id == DC
    assert contract.stock.requested_items("order-99") == []


def test_an_export_has_all_rows_of_the_nodes_asked_for(contract: Contract) -> None:
    contract.newstore.model.set_imported(KEY, 5)
    contract.newstore.model.set_imported(OTHER_KEY, 7)
    contract.newstore.model.set_imported((DC, "SKU-2"), 1)

    assert contract.exported(DC, NYC) == {DC: {SKU: 5, "SKU-2": 1}, NYC: {SKU: 7}}
    assert contract.exported(NYC) == {NYC: {SKU: 7}}
    assert contract.exported("nowhere") == {"nowhere": {}}


def test_an_export_takes_its_time(contract: Contract) -> None:
    contract.newstore.model.atp_exports.seconds = 60
    export_id = contract.exports.start(None)
    before = contract.exports.export(export_id)
    contract.clock.sleep(60)

    after = contract.exports.export(export_id)

    assert (before.state, after.state) == (ExportState.PROCESSING, ExportState.FINISHED)


def test_an_export_that_failed_says_why(contract: Contract) -> None:
    contract.newstore.model.atp_exports.fail_next = "out of paper"

    export = contract.exports.export(contract.exports.start(None))

    assert (export.state, export.failure) == (ExportState.FAILED, "out of paper")


def test_since_a_cursor_only_what_has_changed_is_exported(contract: Contract) -> None:
    contract.newstore.model.set_imported(KEY, 5)
    contract.newstore.model.set_imported(OTHER_KEY, 7)
    first = contract.exports.export(contract.exports.start(None))
    cursor = first.cursor_after(None)
    assert cursor is not None

    assert contract.exported(DC, NYC, since=cursor) == {DC: {}, NYC: {}}
    contract.newstore.model.set_imported(OTHER_KEY, 6)
    assert contract.exported(DC, NYC, since=cursor) == {DC: {}, NYC: {SKU: 6}}


def test_an_export_without_changes_keeps_the_cursor(contract: Contract) -> None:
    contract.newstore.model.set_imported(KEY, 5)
    cursor = contract.exports.export(contract.exports.start(None)).cursor

    unchanged = contract.exports.export(contract.exports.start(cursor))

    assert unchanged.cursor == 0
    assert unchanged.cursor_after(cursor) == cursor


def test_an_unknown_export_is_refused(contract: Contract) -> None:
    with pytest.raises(RejectedError):
        contract.exports.export("no-such-export")


def test_without_time_no_file_is_read(contract: Contract) -> None:
    contract.newstore.model.set_imported(KEY, 5)
    export = contract.exports.export(contract.exports.start(None))

    with pytest.raises(RetriableError):
        contract.exports.fetch(export, frozenset({DC}), lambda: False)


def test_a_blocked_address_is_told_for_how_long_and_may_ask_again_then(
    contract: Contract,
) -> None:
    contract.newstore.model.request_limit.block()

    with pytest.raises(BlockedError) as blocked:
        contract.stock.atp([ROW])
    assert blocked.value.seconds == BLOCKED_SECONDS

    contract.clock.sleep(BLOCKED_SECONDS)
    assert contract.stock.atp([ROW]) == {ROW: 0}


def test_thirty_thousand_calls_in_five_minutes_are_allowed(contract: Contract) -> None:
    contract.newstore.model.request_limit.requests_max = 3
    for _ in range(3):
        contract.stock.atp([ROW])
    with pytest.raises(BlockedError):
        contract.stock.atp([ROW])
