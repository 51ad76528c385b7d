"""RestErp and the simulator of an ERP: both sides read docs/erp-openapi.yaml alike."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import permutations
from typing import Any

import pytest

from inventory_sync.adapters.erp.ids import IdMap
from inventory_sync.adapters.erp.rest.connector import RestErp
from inventory_sync.adapters.erp.rest.snapshot import SnapshotLimits
from inventory_sync.adapters.http.authorized import AuthorizedHttp, SecretBearer
from inventory_sync.domain.erp import ChangeFeed, Dedupe
from inventory_sync.domain.errors import RejectedError, RetriableError, SnapshotIncompleteError
from inventory_sync.domain.stock import (
    Accepted,
    Acknowledgement,
    AllocationChange,
    AllocationState,
    MovementLine,
    Rejection,
    StockMovement,
    TryLater,
    Unknown,
    movement_of,
)
from inventory_sync.domain.units import UnitId
from local.erp.model import ErpModel
from local.erp.server import erp_server
from local.http_server import Garbling
from tests.builders import event
from tests.fakes.unit_owners import FakeUnitOwners
from tests.unit.adapters.http_support import (
    SecretsAccount,
    StandingClock,
    json_http,
    secrets_account,
)
from tests.unit.local.clock import Clock

DC = "DC01"
KEY = (DC, "SKU-1")
WHEN = datetime(2026, 1, 15, 10, tzinfo=UTC)
IDS = IdMap({"Hamburg": DC}, {"shirt": "SKU-1"})
UNREADABLE: tuple[Garbling, ...] = ("html", "truncated_json", "empty_body", "wrong_shape")


@pytest.fixture(scope="module")
def account() -> Iterator[SecretsAccount]:
    with secrets_account({"token": "erp-token"}) as account:
        yield account


@contextmanager
def talking(
    account: SecretsAccount, ids: IdMap | None = None, **settings: Any
) -> Iterator[tuple[RestErp, ErpModel]]:
    """The client, and the ERP it talks to with 10 units in stock."""
    model = ErpModel(Clock(), **settings)
    model.set_stock(KEY, 10)
    clock = StandingClock()
    with erp_server(model, "erp-token") as server, json_http(clock) as http:
        credentials = SecretBearer(account.secrets(clock), account.arn)
        yield (
            RestErp(
                AuthorizedHttp(http, credentials),
                clock,
                base_url=server.base_url,
                apply_lag=timedelta(0),
                ids=ids or IdMap(),
                snapshot_limits=SnapshotLimits(page_rows=2),
            ),
            model,
        )


def movement(
    number: int = 1, location_id: str = DC, product_id: str = "SKU-1", item_id: str = ""
) -> StockMovement:
    unit = UnitId("ff/1", item_id or f"item-{number}")
    return StockMovement(
        movement_id=f"{location_id}:{number}:ff/1",
        location_id=location_id,
        occurred_at=WHEN,
        order_id="order-1",
        fulfillment_request_id="ff/1",
        logical_timestamp=number,
        lines=(MovementLine(unit, product_id),),
    )


def change(
    logical_timestamp: int, state: AllocationState = AllocationState.ALLOCATED
) -> AllocationChange:
    return AllocationChange(
        fulfillment_request_id="ff/1",
        location_id=DC,
        logical_timestamp=logical_timestamp,
        state=state,
        items=(("item-1", "SKU-1"),),
    )


def test_capabilities_are_those_the_erp_has(account: SecretsAccount) -> None:
    with talking(account, dedupe="lookup", bulk_max=7, apply_lag_seconds=90) as (client, _):
        capabilities = client.capabilities()
    assert (capabilities.dedupe, capabilities.bulk_max) == (Dedupe.LOOKUP, 7)
    assert capabilities.apply_lag == timedelta(seconds=90)


def test_movements_are_booked_once_and_found(account: SecretsAccount) -> None:
    with talking(account, bulk_max=2) as (client, model):
        movements = [movement(number) for number in (1, 2, 3)]
        first = client.post_movements(movements)
        assert client.post_movements(movements) == first
        assert [client.look_up(m.movement_id) for m in movements] == first
        assert all(isinstance(outcome, Acknowledgement) for outcome in first)
        assert model.on_hand(KEY) == 7


def test_other_content_under_a_booked_reference_is_rejected(account: SecretsAccount) -> None:
    with talking(account) as (client, _):
        client.post_movements([movement()])
        [outcome] = client.post_movements([movement(product_id="SKU-2")])
    assert isinstance(outcome, Rejection)


def test_other_units_under_a_booked_reference_are_rejected(account: SecretsAccount) -> None:
    with talking(account) as (client, model):
        client.post_movements([movement()])
        [outcome] = client.post_movements([movement(item_id="another")])
        assert model.on_hand(KEY) == 9
    assert isinstance(outcome, Rejection)


@pytest.mark.parametrize("order", list(permutations((1, 2, 3))))
def test_two_movements_of_one_request_have_disjoint_units(
    account: SecretsAccount, order: tuple[int, ...]
) -> None:
    """Though its events list again what has left before, and whatever order they come in."""
    owners = FakeUnitOwners()
    with talking(account) as (client, model):
        for shipped in order:
            cumulative = event(shipped, *["SKU-1"] * shipped, fulfillment_request_id="ff1")
            owned = owners.own(cumulative, WHEN).owned
            client.post_movements([movement_of(cumulative, owned)] if owned else [])
        assert model.booked_units == {("ff1", f"ff1-{number}"): 1 for number in (1, 2, 3)}
        assert (model.on_hand(KEY), model.double_booked_units) == (7, 0)


def test_movement_the_erp_has_not_is_none(account: SecretsAccount) -> None:
    with talking(account) as (client, _):
        assert client.look_up("DC01:1:ff/1") is None


@pytest.mark.parametrize("booked", [True, False])
def test_404_of_a_gateway_is_no_answer_to_a_look_up(account: SecretsAccount, booked: bool) -> None:
    with talking(account, dedupe="lookup") as (client, model):
        client.post_movements([movement()] * booked)
        model.faults.refuse_next(status=404, call="get_movement")
        assert isinstance(client.look_up(movement().movement_id), Unknown)
        assert (client.look_up(movement().movement_id) is not None) == booked


def test_refused_and_busy_products_do_not_hold_up_the_others(account: SecretsAccount) -> None:
    with talking(account) as (client, model):
        model.rejected_products["bad"] = "unknown sku"
        model.busy_products["busy"] = "locked"
        outcomes = client.post_movements(
            [movement(1, product_id="bad"), movement(2, product_id="busy"), movement(3)]
        )
    assert outcomes[:2] == [Rejection("unknown sku"), TryLater("locked")]
    assert isinstance(outcomes[2], Acknowledgement)


@pytest.mark.parametrize("applied", [True, False])
def test_lost_answer_is_unknown_and_the_look_up_tells(
    account: SecretsAccount, applied: bool
) -> None:
    with talking(account) as (client, model):
        model.faults.lose_next_answer(call="post_movements", applied=applied)
        [outcome] = client.post_movements([movement()])
        assert isinstance(outcome, Unknown)
        assert (client.look_up(movement().movement_id) is not None) == applied


@pytest.mark.parametrize("garbling", [*UNREADABLE, "wrong_content_length"])
def test_garbled_answer_to_a_post_is_unknown(account: SecretsAccount, garbling: Garbling) -> None:
    with talking(account) as (client, model):
        model.faults.garble_next(garbling, call="post_movements")
        [outcome] = client.post_movements([movement()])
        assert isinstance(outcome, Unknown)
        assert model.on_hand(KEY) == 9


def test_erp_that_is_throttled_is_asked_again_and_one_that_is_down_is_unknown(
    account: SecretsAccount,
) -> None:
    with talking(account) as (client, model):
        model.faults.refuse_next(status=429, retry_after_seconds=2, call="post_movements")
        [first] = client.post_movements([movement()])
        model.faults.refuse_next(status=503, call="post_movements")
        [second] = client.post_movements([movement(2)])
    assert (type(first), type(second)) == (Acknowledgement, Unknown)


def test_latest_allocation_change_wins_whatever_the_order(account: SecretsAccount) -> None:
    with talking(account) as (client, model):
        released = change(9, AllocationState.RELEASED)
        assert client.change_allocations([change(8), released, change(7)]) == [Accepted()] * 3
        assert model.allocated(KEY) == 0
        client.change_allocations([change(10)])
        assert model.allocated(KEY) == 1


def test_erp_without_reservations_rejects_allocations(account: SecretsAccount) -> None:
    with talking(account, reservations=False) as (client, _):
        assert not client.capabilities().reservations
        [outcome] = client.change_allocations([change(1)])
    assert isinstance(outcome, Rejection)


@pytest.mark.parametrize("consistent", [True, False])
def test_snapshot_spans_pages(account: SecretsAccount, consistent: bool) -> None:
    with talking(account, consistent_snapshot=consistent) as (client, model):
        for number in range(2, 6):
            model.set_stock((DC, f"SKU-{number}"), number)
        snapshot = client.snapshot(DC)
    others = {f"SKU-{number}": number for number in range(2, 6)}
    assert snapshot.on_hand_units == {"SKU-1": 10, **others}


def test_snapshot_holds_what_was_acknowledged_before_it_and_nothing_later(
    account: SecretsAccount,
) -> None:
    with talking(account) as (client, _):
        [before] = client.post_movements([movement(1)])
        snapshot = client.snapshot(DC)
        [after] = client.post_movements([movement(2)])
    assert isinstance(before, Acknowledgement)
    assert isinstance(after, Acknowledgement)
    assert before.applied_at <= snapshot.as_of < after.applied_at
    assert snapshot.on_hand_units == {"SKU-1": 9}


def test_ids_are_mapped_both_ways(account: SecretsAccount) -> None:
    with talking(account, IDS) as (client, model):
        client.post_movements([movement(1, "Hamburg", "shirt")])
        assert client.snapshot("Hamburg").on_hand_units == {"shirt": 9}
        assert model.on_hand(KEY) == 9


def test_location_without_stock_is_an_empty_snapshot(account: SecretsAccount) -> None:
    with talking(account) as (client, model):
        model.add_location("NYC")
        assert client.snapshot("NYC").on_hand_units == {}


def test_unknown_location_is_rejected(account: SecretsAccount) -> None:
    with talking(account) as (client, _), pytest.raises(RejectedError):
        client.snapshot("nowhere")


def test_fraction_is_kept_for_the_guard(account: SecretsAccount) -> None:
    with talking(account) as (client, model):
        model.show_instead(KEY, 2.5)
        assert client.snapshot(DC).on_hand_units == {"SKU-1": Decimal("2.5")}


@pytest.mark.parametrize("figure", ["many", None, [], True])
def test_figure_that_is_none_makes_its_row_unreadable(
    account: SecretsAccount, figure: object
) -> None:
    with talking(account) as (client, model):
        model.show_instead(KEY, figure)
        snapshot = client.snapshot(DC)
    assert snapshot.unreadable.keys() == {"SKU-1"}
    assert "SKU-1" not in snapshot.on_hand_units


def test_truncated_or_circling_snapshot_is_refused(account: SecretsAccount) -> None:
    with talking(account) as (client, model):
        model.truncate_next_snapshot()
        with pytest.raises(SnapshotIncompleteError):
            client.snapshot(DC)
        model.repeat_next_cursor()
        with pytest.raises(SnapshotIncompleteError):
            client.snapshot(DC)
        assert client.snapshot(DC).on_hand_units == {"SKU-1": 10}


@pytest.mark.parametrize("garbling", UNREADABLE)
def test_garbled_pages_are_retriable(account: SecretsAccount, garbling: Garbling) -> None:
    with talking(account) as (client, model):
        model.faults.garble_next(garbling, calls=3, call="get_stock")
        with pytest.raises(RetriableError):
            client.snapshot(DC)


@pytest.mark.parametrize("feed", [ChangeFeed.SEQUENCE, ChangeFeed.TIMESTAMP])
def test_changes_since_a_cursor_are_named_and_their_rows_read(
    account: SecretsAccount, feed: ChangeFeed
) -> None:
    with talking(account, IDS, change_feed=feed.value) as (client, model):
        assert client.capabilities().change_feed is feed
        start = client.changes("Hamburg", None)
        model.receive((DC, "SKU-2"), 5)
        [booked] = client.post_movements([movement(1, "Hamburg", "shirt")])
        found = client.changes("Hamburg", start.cursor)
        rows = client.read("Hamburg", found.product_ids)
    assert (start.product_ids, start.complete) == (frozenset(), True)
    assert (found.product_ids, found.complete) == (frozenset({"shirt", "SKU-2"}), True)
    assert rows.on_hand_units == {"shirt": 9, "SKU-2": 5}
    assert isinstance(booked, Acknowledgement)
    assert start.as_of < booked.applied_at <= found.as_of < rows.as_of


def test_many_changes_are_read_to_their_end(account: SecretsAccount) -> None:
    with talking(account, change_feed="sequence") as (client, model):
        start = client.changes(DC, None)
        for number in range(250):
            model.receive((DC, f"P-{number}"), number)
        found = client.changes(DC, start.cursor)
        assert len(found.product_ids) == 250
        assert client.changes(DC, found.cursor).product_ids == frozenset()


def test_feed_that_forgot_the_cursor_is_not_complete(account: SecretsAccount) -> None:
    with talking(account, change_feed="sequence") as (client, model):
        start = client.changes(DC, None)
        model.receive(KEY, 1)
        model.changes.forget()
        found = client.changes(DC, start.cursor)
        assert (found.complete, found.product_ids) == (False, frozenset())
        model.receive((DC, "SKU-2"), 1)
        assert client.changes(DC, found.cursor).product_ids == {"SKU-2"}


def test_more_products_than_one_call_takes_are_read_all_the_same(
    account: SecretsAccount,
) -> None:
    with talking(account) as (client, model):
        products = frozenset(f"P-{number}" for number in range(1_001))
        model.receive((DC, "P-1000"), 4)
        model.receive((DC, "P-1"), 3)
        assert client.read(DC, products).on_hand_units == {"P-1": 3, "P-1000": 4}


def test_changes_and_rows_of_an_unknown_location_are_rejected(account: SecretsAccount) -> None:
    with talking(account, change_feed="sequence") as (client, _):
        with pytest.raises(RejectedError):
            client.changes("nowhere", None)
        with pytest.raises(RejectedError):
            client.read("nowhere", frozenset({"SKU-1"}))


@pytest.mark.parametrize("garbling", UNREADABLE)
def test_garbled_changes_and_rows_are_retriable(
    account: SecretsAccount, garbling: Garbling
) -> None:
    with talking(account, change_feed="sequence") as (client, model):
        model.faults.garble_next(garbling, calls=3, call="get_changes")
        with pytest.raises(RetriableError):
            client.changes(DC, None)
        model.faults.garble_next(garbling, calls=3, call="read_stock")
        with pytest.raises(RetriableError):
            client.read(DC, frozenset({"SKU-1"}))
