"""What is read of a location, with a change feed and without."""

from datetime import datetime
from typing import Any

import pytest

from inventory_sync.domain.erp import Changes
from inventory_sync.domain.errors import RejectedError, RetriableError, SnapshotIncompleteError
from inventory_sync.domain.events import FulfillmentEvent
from inventory_sync.domain.stock import StockSnapshot
from inventory_sync.domain.stock_reads import StockRead
from inventory_sync.use_cases.import_stock.build_import.stock_source import (
    READ_PRODUCTS_MAX,
    Known,
    StockSource,
)
from tests.builders import DC, ITEMS_ASSIGNED, MINUTE, NOW, event
from tests.fakes.clock import FakeClock
from tests.fakes.event_log import FakeEventLog
from tests.fakes.observer import FakeObserver

EVERYTHING = {"A": 1, "B": 2, "C": 3}
SINCE = NOW - 60 * MINUTE
KNOWN = Known({"A": 10, "B": 20, "C": 30}, "cursor-1", SINCE)


class FedErp:
    """As much of an ERP as a source asks; `asked` has the calls in order."""

    def __init__(self, *changed: str, complete: bool = True, read_at: datetime = NOW) -> None:
        self.changed = frozenset(changed)
        self.complete = complete
        self.read_at = read_at
        self.asked: list[Any] = []
        self.fault: Exception | None = None
        self.read_fault: Exception | None = None
        self.clock = FakeClock(NOW)
        self.observer = FakeObserver()

    def changes(self, location_id: str, cursor: str | None) -> Changes:
        self.asked.append(("changes", cursor))
        if self.fault:
            raise self.fault
        self.clock.advance(MINUTE)
        return Changes(
            product_ids=self.changed, cursor="cursor-2", as_of=NOW, complete=self.complete
        )

    def snapshot(self, location_id: str) -> StockSnapshot:
        self.asked.append("snapshot")
        self.clock.advance(MINUTE)
        return StockSnapshot(location_id, NOW + MINUTE, EVERYTHING)

    def read(self, location_id: str, product_ids: frozenset[str]) -> StockSnapshot:
        self.asked.append(("read", set(product_ids)))
        if self.read_fault:
            raise self.read_fault
        rows = {p: EVERYTHING[p] for p in product_ids if p in EVERYTHING}
        return StockSnapshot(location_id, self.read_at, rows)


def read(erp: Any, known: Known | None, *events: FulfillmentEvent, fed: bool = True) -> StockRead:
    log = FakeEventLog()
    for found in events:
        log.append(found, b"{}", NOW)
    source = StockSource(erp=erp, event_log=log, clock=erp.clock, observer=erp.observer, fed=fed)
    answer = source.read(DC, known)
    assert isinstance(answer, StockRead)
    return answer


ALL = StockSnapshot(DC, NOW + MINUTE, EVERYTHING)


def test_without_a_feed_everything_is_read() -> None:
    erp = FedErp("A")

    assert read(erp, KNOWN, fed=False) == StockRead(ALL, None, NOW)
    assert erp.asked == ["snapshot"]


def test_at_first_everything_is_read_after_it_is_known_where_the_feed_stands() -> None:
    erp = FedErp()

    assert read(erp, None) == StockRead(ALL, "cursor-2", NOW, NOW)
    assert erp.asked == [("changes", None), "snapshot"]


def test_only_what_has_changed_is_read() -> None:
    erp = FedErp("B")

    found = read(erp, KNOWN)

    assert found == StockRead(
        StockSnapshot(DC, NOW, {"A": 10, "B": 2, "C": 30}), "cursor-2", NOW, SINCE
    )
    assert erp.asked == [("changes", "cursor-1"), ("read", {"B"})]


def test_where_nothing_has_changed_nothing_is_read() -> None:
    erp = FedErp()

    found = read(erp, KNOWN)

    assert found == StockRead(StockSnapshot(DC, NOW, KNOWN.on_hand_units), "cursor-2", NOW, SINCE)
    assert erp.asked == [("changes", "cursor-1")]


def test_what_the_erp_lists_no_more_is_gone() -> None:
    erp = FedErp("B", "X")
    known = Known({"A": 10, "X": 5}, "cursor-1")

    assert read(erp, known).snapshot.on_hand_units == {"A": 10, "B": 2}


def test_products_of_open_completed_events_are_read_though_the_feed_is_silent() -> None:
    erp = FedErp()
    shipped = event(5, "C", "C")
    assigned = event(4, "A", name=ITEMS_ASSIGNED)

    found = read(erp, KNOWN, shipped, assigned)

    assert found.snapshot.on_hand_units == {"A": 10, "B": 20, "C": 3}
    assert erp.asked[1:] == [("read", {"C"})]


@pytest.mark.parametrize("earlier", [MINUTE, -MINUTE])
def test_the_stock_is_as_of_the_earlier_of_the_two_readings(earlier: Any) -> None:
    found = read(FedErp("A", read_at=NOW - earlier), KNOWN)

    assert found.snapshot.as_of == min(NOW, NOW - earlier)


def test_a_feed_that_does_not_reach_back_means_reading_everything() -> None:
    erp = FedErp("A", complete=False)

    assert read(erp, KNOWN) == StockRead(ALL, "cursor-2", NOW, NOW)


FAULTS = [
    RejectedError("GET /v1/changes: 404"),
    RetriableError("GET /v1/changes: expected a JSON object, got html"),
    SnapshotIncompleteError("the rows are of location 'X'"),
]


@pytest.mark.parametrize("fault", FAULTS, ids=str)
@pytest.mark.parametrize("known", [KNOWN, None])
def test_where_the_feed_cannot_be_read_everything_is_read_and_it_is_said(
    fault: Exception, known: Known | None
) -> None:
    """The next run asks the feed where it stands, as at first."""
    erp = FedErp("A")
    erp.fault = fault

    assert read(erp, known) == StockRead(ALL, None, NOW)
    said = {"location_id": DC, "reason": str(fault)}
    assert erp.observer.notes == [("change feed not used", said)]


@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_where_the_changed_rows_cannot_be_read_everything_is_read(fault: Exception) -> None:
    erp = FedErp("A")
    erp.read_fault = fault

    assert read(erp, KNOWN) == StockRead(ALL, "cursor-2", NOW, NOW)
    assert [message for message, _ in erp.observer.notes] == ["change feed not used"]


def test_where_very_much_has_changed_everything_is_read() -> None:
    most = [f"P{n}" for n in range(READ_PRODUCTS_MAX)]

    assert read(FedErp(*most), KNOWN).snapshot.on_hand_units["A"] == 10
    assert read(FedErp(*most, "one more"), KNOWN) == StockRead(ALL, "cursor-2", NOW, NOW)
