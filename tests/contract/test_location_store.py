"""LocationStore and the operators' changes to it: the map, holds, approvals that count once."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Protocol

import pytest

from inventory_sync.adapters.codec import encode
from inventory_sync.adapters.dynamodb.audit import AuditedTable, Author
from inventory_sync.adapters.dynamodb.location_changes import LocationChanges
from inventory_sync.adapters.dynamodb.location_store import DynamoLocationStore
from inventory_sync.adapters.dynamodb.run_history import DynamoRunHistory
from inventory_sync.adapters.dynamodb.state_table import StateTable
from inventory_sync.adapters.dynamodb.unstored_completions import (
    RECEIVED_AT_UNKNOWN,
    DynamoUnstoredCompletions,
)
from inventory_sync.domain.errors import RejectedError
from inventory_sync.domain.guards import Hold, HoldKind
from inventory_sync.domain.holds import ALL_IMPORTS, Approval, LocationHold, OperatorHold, Resend
from inventory_sync.domain.inbound import QuarantinedCompletion, UnstoredCompletion
from inventory_sync.domain.locations import Location
from inventory_sync.ports.locations import LocationStore
from tests.builders import OPERATOR, approval
from tests.contract.builders import MINUTE, NOON
from tests.contract.conftest import Database
from tests.contract.engines import ENGINES
from tests.fakes.import_state import FakeLocationStore

DC = Location(location_id="DC01", fulfillment_node_id="DC01", store_id="", erp_location="100")
KOELN = Location(
    location_id="Köln #1/a",
    fulfillment_node_id="node-9",
    store_id="store-9",
    erp_location="ä 7",
    enabled=False,
    create=True,
)
APPROVAL = approval(figures="49 of 100 ü", why="stock-take ü", at=NOON)
OF_A_ROW = approval(
    HoldKind.ROW_ROSE, product_id="SKU ü", at=NOON, until=NOON + MINUTE, bound_units=5_000
)
HOLD = LocationHold(
    location_id="DC01",
    holds=(
        Hold(HoldKind.UNITS_FELL, "1 now, 99 before"),
        Hold(HoldKind.ABSURD, "2000000 now", 2_000_000, "SKU"),
    ),
    since=NOON,
    run_id="run-1",
)
HELD = OperatorHold(location_id="Köln #1/a", who="ops", why="stock-take ü", at=NOON)
PAUSED = OperatorHold(location_id=ALL_IMPORTS, who="ops", why="wrong figures", at=NOON + MINUTE)


class Changes(Protocol):
    """What operators do."""

    def put_locations(self, locations: Iterable[Location], author: Author) -> object: ...
    def approve(self, approvals: Iterable[Approval], author: Author) -> object: ...
    def revoke(self, approvals: Iterable[Approval], author: Author) -> object: ...
    def hold(self, hold: OperatorHold, author: Author) -> object: ...
    def resume(self, location_id: str, author: Author) -> bool: ...
    def request_resend(self, resend: Resend, author: Author) -> Resend: ...


@dataclass(frozen=True)
class Places:
    """What a run sees, and what operators change."""

    store: LocationStore
    changes: Changes


@pytest.fixture(params=["fake", *ENGINES])
def places(request: pytest.FixtureRequest, open_database: Callable[[str], Database]) -> Places:
    if request.param == "fake":
        fake = FakeLocationStore()
        return Places(fake, fake)
    database = open_database(request.param)
    state = StateTable(database.client, database.table("StateTable"))
    return Places(DynamoLocationStore(state), LocationChanges(state))


@pytest.fixture
def store(places: Places) -> LocationStore:
    return places.store


@pytest.fixture
def changes(places: Places) -> Changes:
    return places.changes


@pytest.fixture
def table(database: Database) -> StateTable:
    return StateTable(database.client, database.table("StateTable"))


def test_before_anything_is_loaded_all_is_empty(store: LocationStore) -> None:
    assert (store.locations(), store.approvals(), store.holds()) == ({}, {}, {})
    assert store.operator_holds() == {}


def test_locations_read_back_equal_by_their_id(store: LocationStore, changes: Changes) -> None:
    changes.put_locations([DC, KOELN], OPERATOR)

    assert store.locations() == {"DC01": DC, "Köln #1/a": KOELN}


def test_a_row_of_the_map_can_be_replaced(store: LocationStore, changes: Changes) -> None:
    changes.put_locations([DC], OPERATOR)
    changes.put_locations([replace(DC, enabled=False)], OPERATOR)

    assert store.locations() == {"DC01": replace(DC, enabled=False)}


def test_approvals_are_kept_by_location_one_for_each_guard(
    store: LocationStore, changes: Changes
) -> None:
    other = replace(APPROVAL, location_id="NYC")

    changes.approve([APPROVAL, OF_A_ROW, other], OPERATOR)

    assert store.approvals() == {"DC01": (OF_A_ROW, APPROVAL), "NYC": (other,)}


def test_a_later_approval_of_the_same_guard_replaces_the_earlier(
    store: LocationStore, changes: Changes
) -> None:
    again = replace(APPROVAL, at=NOON + MINUTE)
    changes.approve([APPROVAL], OPERATOR)

    changes.approve([again], OPERATOR)

    assert store.approvals() == {"DC01": (again,)}


def test_a_used_approval_counts_no_more(store: LocationStore, changes: Changes) -> None:
    changes.approve([APPROVAL, OF_A_ROW], OPERATOR)

    store.use_approval(APPROVAL, "run-1")

    assert store.approvals() == {"DC01": (OF_A_ROW,)}


def test_to_use_an_approval_twice_or_without_one_changes_nothing(
    store: LocationStore, changes: Changes
) -> None:
    """A finalization that was cut off is repeated."""
    changes.approve([APPROVAL], OPERATOR)

    store.use_approval(APPROVAL, "run-1")
    store.use_approval(APPROVAL, "run-1")
    store.use_approval(OF_A_ROW, "run-1")

    assert store.approvals() == {}


def test_to_end_or_use_an_approval_leaves_one_that_was_given_since(
    store: LocationStore, changes: Changes
) -> None:
    again = replace(APPROVAL, at=NOON + MINUTE)
    changes.approve([again], OPERATOR)

    store.end_approval(APPROVAL)
    store.use_approval(APPROVAL, "run-1")
    assert store.approvals() == {"DC01": (again,)}

    store.end_approval(again)
    store.end_approval(again)
    assert store.approvals() == {}


def test_a_revoked_approval_counts_no_more(store: LocationStore, changes: Changes) -> None:
    changes.approve([APPROVAL, OF_A_ROW], OPERATOR)

    changes.revoke([APPROVAL], OPERATOR)

    assert store.approvals() == {"DC01": (OF_A_ROW,)}
    with pytest.raises(RejectedError):
        changes.revoke([APPROVAL], OPERATOR)


def test_the_last_hold_of_a_location_stands_until_cleared(store: LocationStore) -> None:
    store.set_hold(replace(HOLD, run_id="run-0"))
    store.set_hold(HOLD)
    store.set_hold(replace(HOLD, location_id="NYC"))

    assert store.holds() == {"DC01": HOLD, "NYC": replace(HOLD, location_id="NYC")}

    store.clear_hold("DC01")
    store.clear_hold("DC01")

    assert list(store.holds()) == ["NYC"]


def test_rows_asked_for_again_stand_until_that_request_is_met(
    store: LocationStore, changes: Changes
) -> None:
    first = Resend(location_id="DC01", products=("SKU-1", "ü"), at=NOON)
    later = replace(first, products=(), at=NOON + MINUTE)
    changes.request_resend(first, OPERATOR)
    read = store.resends()
    changes.request_resend(later, OPERATOR)

    store.resend_done(first)

    assert (read, store.resends()) == ({"DC01": first}, {"DC01": later})
    store.resend_done(later)
    store.resend_done(later)
    assert store.resends() == {}


def test_what_is_asked_for_again_adds_up(store: LocationStore, changes: Changes) -> None:
    one = Resend(location_id="DC01", products=("SKU-2",), at=NOON)
    other = replace(one, products=("SKU-1", "SKU-2"), at=NOON + MINUTE)
    changes.request_resend(one, OPERATOR)

    wanted = changes.request_resend(other, OPERATOR)

    assert wanted == replace(other, products=("SKU-1", "SKU-2"))
    assert store.resends() == {"DC01": wanted}


def test_map_holds_and_approvals_do_not_mix(store: LocationStore, changes: Changes) -> None:
    changes.put_locations([DC], OPERATOR)
    store.set_hold(HOLD)
    changes.approve([APPROVAL], OPERATOR)

    store.clear_hold("DC01")
    store.use_approval(APPROVAL, "run-1")

    assert store.locations() == {"DC01": DC}


# Operators' holds


def test_operators_holds_stand_by_location_beside_the_pause_of_all(
    store: LocationStore, changes: Changes
) -> None:
    for hold in (HELD, PAUSED):
        changes.hold(hold, OPERATOR)

    assert store.operator_holds() == {"Köln #1/a": HELD, ALL_IMPORTS: PAUSED}
    assert store.holds() == {}


def test_an_operators_hold_outlives_the_guards_and_ends_by_itself_alone(
    store: LocationStore,
    changes: Changes,
) -> None:
    for hold in (HELD, PAUSED):
        changes.hold(hold, OPERATOR)

    store.clear_hold("Köln #1/a")
    assert changes.resume(ALL_IMPORTS, OPERATOR)
    assert not changes.resume("never held", OPERATOR)

    assert store.operator_holds() == {"Köln #1/a": HELD}


# What only a database can get wrong


def test_a_used_approval_is_kept_as_a_record_under_its_run(table: StateTable) -> None:
    store = DynamoLocationStore(table)
    LocationChanges(table).approve([APPROVAL], OPERATOR)
    [(item_id, unused)] = table.records("approval")

    store.use_approval(APPROVAL, "run-1")

    assert list(table.records("approval_used")) == [(f"run-1 {item_id}", unused)]


def test_rows_beyond_one_answer_are_all_found(table: StateTable) -> None:
    store = DynamoLocationStore(table)
    rows = {f"SKU-{n:03d}": "s" * 100_000 for n in range(12)}
    for product_id, sku in rows.items():
        table.put("product", product_id, sku)

    assert store.skus() == rows


@pytest.mark.parametrize(
    ("record", "named"),
    [
        ('{"location_id": "DC01"}', "fulfillment_node_id"),
        ('{"location_id": 5}', "location_id"),
        ('{"colour": "red", "location_id": "a", "fulfillment_node_id": "a", "store_id": "",'
         ' "erp_location": "a"}', "colour"),
        ('{"location_id": "a", "fulfillment_node_id": "a", "store_id": "", "erp_location": "a",'
         ' "create": "nobody"}', "create"),
        ("DC01;Hamburg", "JSON"),
    ],
)  # fmt: skip
def test_a_broken_row_is_named_with_its_field_and_is_not_enabled(
    table: StateTable, record: str, named: str, caplog: pytest.LogCaptureFixture
) -> None:
    table.put("location", "DC01", encode(DC))
    table.put("location", "NYC", record)

    found = DynamoLocationStore(table).locations()

    assert found["DC01"] == DC
    assert (found["NYC"].location_id, found["NYC"].enabled) == ("NYC", False)
    [line] = caplog.messages
    assert "location NYC" in line
    assert named in line


def test_a_broken_row_keeps_its_place_at_newstore(table: StateTable) -> None:
    """What NewStore has there is still rolled forward, under the node it has."""
    known = replace(DC, fulfillment_node_id="node-1", store_id="store-1")
    table.put("location", "DC01", encode(known).replace('"enabled": true', '"enabled": "maybe"'))

    [found] = DynamoLocationStore(table).locations().values()

    assert found == replace(known, enabled=False)


@pytest.mark.parametrize("broken", ["{}", "[]", "no JSON", '{"at": "0001-01-01"}', ""])
@pytest.mark.parametrize("kind", ["hold", "approval", "resend"])
def test_a_record_that_cannot_be_read_holds_up_no_other(
    table: StateTable, kind: str, broken: str, caplog: pytest.LogCaptureFixture
) -> None:
    store = DynamoLocationStore(table)
    store.set_hold(HOLD)
    LocationChanges(table).approve([APPROVAL], OPERATOR)
    resend = Resend(location_id="DC01", products=(), at=NOON)
    LocationChanges(table).request_resend(resend, OPERATOR)
    item: Any = {**StateTable.key(kind, "NYC"), "record": {"S": broken}}
    if not broken:
        item.pop("record")
    table.client.put_item(TableName=table.name, Item=item)

    assert set(store.holds()) == set(store.approvals()) == set(store.resends()) == {"DC01"}
    assert f"{kind} NYC" in caplog.text


def test_a_product_without_its_sku_is_not_mapped(table: StateTable) -> None:
    table.put("product", "A", "100-1")
    table.client.put_item(TableName=table.name, Item=StateTable.key("product", "B"))
    assert DynamoLocationStore(table).skus() == {"A": "100-1"}


@pytest.mark.parametrize(("item_id", "held"), [("location NYC", "NYC"), ("imports", ALL_IMPORTS)])
def test_an_operator_s_hold_that_cannot_be_read_holds_until_it_is_resumed(
    table: StateTable, item_id: str, held: str
) -> None:
    store = DynamoLocationStore(table)
    table.put("operator_hold", item_id, '{"who": 5}')

    assert set(store.operator_holds()) == {held}
    assert "cannot be read" in store.operator_holds()[held].why
    assert LocationChanges(table).resume(held, OPERATOR)
    assert store.operator_holds() == {}


def test_after_a_resend_that_cannot_be_read_another_means_all_rows(table: StateTable) -> None:
    table.put("resend", "DC01", "{}")
    resend = Resend(location_id="DC01", products=("SKU-1",), at=NOON)
    assert LocationChanges(table).request_resend(resend, OPERATOR).products == ()
    assert DynamoLocationStore(table).resends() == {"DC01": replace(resend, products=())}


@pytest.mark.parametrize("kind", ["run", "audit"])
def test_a_record_of_history_that_cannot_be_read_is_left_out_by_name(
    table: StateTable, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    table.put(kind, "broken", "{}")
    readers: dict[str, Any] = {
        "run": DynamoRunHistory(table).newest_first,
        "audit": AuditedTable(table).records,
    }
    assert list(readers[kind]()) == []
    assert f"{kind} broken" in caplog.text


UNKNOWN = UnstoredCompletion(location_id="", logical_timestamp=None)


@pytest.mark.parametrize(
    ("record", "completion", "received_at"),
    [
        ("not JSON", UNKNOWN, RECEIVED_AT_UNKNOWN),
        ("{}", UNKNOWN, RECEIVED_AT_UNKNOWN),
        ('{"completion": 5, "received_at": "2026-03-02T12:00:00.123456Z"}', UNKNOWN, NOON),
        (
            '{"completion": {"location_id": "NYC", "logical_timestamp": "x"}, "received_at": 1}',
            replace(UNKNOWN, location_id="NYC"),
            RECEIVED_AT_UNKNOWN,
        ),
        (
            '{"completion": {"location_id": 5, "logical_timestamp": 7}}',
            replace(UNKNOWN, logical_timestamp=7),
            RECEIVED_AT_UNKNOWN,
        ),
    ],
)
def test_a_completion_whose_record_cannot_be_read_goes_on_keeping_imports_back(
    table: StateTable,
    record: str,
    completion: UnstoredCompletion,
    received_at: datetime,
    caplog: pytest.LogCaptureFixture,
) -> None:
    table.put("unstored_completion", "broken", record)

    [found] = DynamoUnstoredCompletions(table).unresolved()

    assert found == QuarantinedCompletion(
        entry_id="broken", completion=completion, received_at=received_at
    )
    assert "unstored_completion broken" in caplog.text
