"""Read one location's stock: what speaks against using it, and what an operator may let through."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from inventory_sync.domain.cut import AppliedRule
from inventory_sync.domain.errors import (
    RejectedError,
    RetriableError,
    SnapshotIncompleteError,
)
from inventory_sync.domain.guards import APPROVABLE, GuardLimits
from inventory_sync.domain.holds import Approval, LocationHold
from inventory_sync.domain.locations import Location, Node
from inventory_sync.domain.manifest import Basis, LocationEntry
from inventory_sync.domain.stock import StockSnapshot, Units
from inventory_sync.ports.erp import Erp
from inventory_sync.use_cases.import_stock.build_import.context import ErpTerms
from inventory_sync.use_cases.import_stock.build_import.read_stock import LeftOut, StockReader
from inventory_sync.use_cases.import_stock.build_import.settings import BuildSettings
from inventory_sync.use_cases.import_stock.build_import.stock_source import StockSource
from tests.builders import (
    DC,
    HOUR,
    MINUTE,
    NOW,
    OPERATOR,
    import_context,
    listed,
    location,
    run,
    snapshot,
)
from tests.fakes.clock import FakeClock
from tests.fakes.event_log import FakeEventLog
from tests.fakes.import_state import FakeLocationStore
from tests.fakes.observer import FakeObserver

DAY = 24 * HOUR


class ShownErp:
    """An ERP that shows what it is told to."""

    def __init__(self, shown: StockSnapshot | Exception) -> None:
        self.shown = shown
        self.reads = 0

    def snapshot(self, location_id: str) -> StockSnapshot:
        self.reads += 1
        if isinstance(self.shown, Exception):
            raise self.shown
        return self.shown


def last_entry(rows: int = 1, units: int = 10) -> LocationEntry:
    return LocationEntry(
        basis=Basis.SNAPSHOT,
        as_of=NOW,
        ledger_run_id="run-0",
        rows=rows,
        units=units,
        node=Node(DC, DC),
    )


def seen(
    reader: StockReader, place: Location | None = None, entry: LocationEntry | None = None
) -> StockSnapshot | LeftOut:
    """What a run makes of a location."""
    place = place or location()
    found = reader.judge(place, entry, reader.fetch(place, None))
    return found if isinstance(found, LeftOut) else found.snapshot


class Reading:
    """A reader over what one location shows."""

    def __init__(self, shown: StockSnapshot | Exception | dict[str, Units] | None = None) -> None:
        if shown is None or isinstance(shown, dict):
            shown = snapshot(shown)
        self.erp = ShownErp(shown)
        self.store = FakeLocationStore()
        self.observer = FakeObserver()
        self.listed = listed(DC)
        self.seconds_left = 120.0
        self.erp_failure = ""
        self.run_id = "run-1"

    def approve(self, *kinds: str, ago: timedelta = timedelta(0), at: str = DC) -> None:
        approval = Approval(location_id=at, kinds=kinds, who="olga", why="a count", at=NOW - ago)
        self.store.approve(approval, OPERATOR)

    def reader(self) -> StockReader:
        erp: Any = self.erp
        found: Erp = erp
        settings = BuildSettings(
            first_logical_timestamp=0,
            settle=15 * MINUTE,
            other_channel_lags={},
            guards=GuardLimits(quantity_units_max=1000),
        )
        context = import_context(
            run=run(run_id=self.run_id),
            settings=settings,
            listed=self.listed,
            erp=ErpTerms(AppliedRule(), failure=self.erp_failure),
            approvals=self.store.approvals(),
            held_before=self.store.holds(),
            operator_holds=self.store.operator_holds(),
        )
        return StockReader(
            context=context,
            source=StockSource(
                erp=found, event_log=FakeEventLog(), clock=FakeClock(NOW), fed=False
            ),
            location_store=self.store,
            observer=self.observer,
            remaining_seconds=lambda: self.seconds_left,
        )

    def read(
        self, entry: LocationEntry | None = None, place: Location | None = None
    ) -> StockSnapshot | LeftOut:
        return seen(self.reader(), place, entry)

    def kinds(self) -> list[str]:
        return [hold.kind.value for hold in self.store.holds()[DC].holds]


def test_sound_stock_is_used() -> None:
    reading = Reading()

    assert reading.read(last_entry()) == snapshot()
    assert reading.store.holds() == {}


# Guards


@pytest.mark.parametrize(
    ("shown", "kind", "figures"),
    [
        ({}, "snapshot_empty", "the ERP listed no row"),
        ({"A": 9}, "rows_fell", "1 now, 50 at the last import; allowed fall 50%"),
        (
            {f"P{n}": 1 for n in range(40)},
            "units_fell",
            "40 now, 100 at the last import; allowed fall 50%",
        ),
        (
            {**{f"P{n}": 3 for n in range(49)}, "A": -1},
            "negative",
            "1 of 50 rows, the first 'A': -1",
        ),
        (
            {**{f"P{n}": 3 for n in range(49)}, "A": Decimal("1.5")},
            "fractional",
            "1 of 50 rows, the first 'A': 1.5",
        ),
        (
            {**{f"P{n}": 3 for n in range(49)}, "A": 1001},
            "absurd",
            "1 of 50 rows, the first 'A': 1001",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) and " " not in value else "",
)
def test_a_guard_holds_the_location_with_its_reason_and_figures_until_it_is_approved(
    shown: dict[str, Units], kind: str, figures: str
) -> None:
    reading = Reading(shown)
    entry = last_entry(rows=50, units=9 if kind == "rows_fell" else 100)

    assert reading.read(entry) == LeftOut(f"held: {kind}: {figures}", held=True)

    hold = reading.store.holds()[DC]
    assert [(h.kind.value, h.figures) for h in hold.holds] == [(kind, figures)]
    assert (hold.since, hold.run_id) == (NOW, "run-1")
    assert reading.observer.notes[-1][0] == "location held"
    assert kind in APPROVABLE
    reading.approve(kind)
    assert reading.read(entry) == snapshot(shown)


def test_an_incomplete_snapshot_is_held() -> None:
    reading = Reading(SnapshotIncompleteError("1 row of 2"))
    found = reading.read()

    assert found == LeftOut("held: snapshot_incomplete: 1 row of 2", held=True)
    assert reading.kinds() == ["snapshot_incomplete"]


def test_a_snapshot_far_ahead_of_our_clock_is_held() -> None:
    reading = Reading(snapshot(as_of=NOW + timedelta(days=365)))

    assert reading.read(last_entry()) != snapshot(as_of=NOW + timedelta(days=365))
    assert reading.kinds() == ["snapshot_ahead"]


def test_a_snapshot_older_than_the_last_one_used_is_held() -> None:
    older = snapshot(as_of=NOW - MINUTE)
    reading = Reading(older)

    found = reading.read(last_entry())

    figures = (
        f"as of {NOW - MINUTE} less an apply lag of 0:00:00, the last one showed all up to {NOW}"
    )
    assert found == LeftOut(f"held: snapshot_older: {figures}", held=True)
    assert Reading(snapshot(as_of=NOW)).read(last_entry()) == snapshot()


def test_a_location_that_newstore_does_not_know_is_held_and_not_even_read() -> None:
    reading = Reading()
    reading.listed = {}

    found = reading.read()

    assert isinstance(found, LeftOut)
    assert (reading.kinds(), reading.erp.reads) == (["unknown_location"], 0)
    reading.approve("unknown_location")
    assert isinstance(reading.read(), LeftOut)
    assert reading.read(place=location(create=True)) == snapshot()


def test_a_location_that_is_not_mapped_is_held() -> None:
    reading = Reading()
    reader = reading.reader()

    reader.hold_unread(DC)

    assert reading.kinds() == ["mapping_missing"]
    assert reader.left_out[DC].held
    assert seen(reader) == reader.left_out[DC]
    assert reading.erp.reads == 0


def test_every_guard_that_trips_is_named() -> None:
    reading = Reading(snapshot({"A": -1}, as_of=NOW - MINUTE))

    reading.read(last_entry(units=100))

    assert reading.kinds() == ["negative", "units_fell", "snapshot_older"]


# Approvals


def test_an_approval_that_was_used_is_named_with_who_gave_it() -> None:
    reading = Reading({"A": -1})
    reading.approve("negative", "absurd")
    reader = reading.reader()

    assert seen(reader) == snapshot({"A": -1})
    assert reader.used_approvals == {DC: "olga"}


def test_an_approval_that_was_not_needed_is_not_used() -> None:
    reading = Reading()
    reading.approve("negative")
    reader = reading.reader()
    seen(reader)

    assert reader.used_approvals == {}


def test_an_approval_of_another_kind_does_not_count() -> None:
    reading = Reading({"A": -1})
    reading.approve("absurd")

    assert isinstance(reading.read(), LeftOut)


def test_an_approval_of_another_location_does_not_count() -> None:
    reading = Reading({"A": -1})
    reading.approve("negative", at="NYC")

    assert isinstance(reading.read(), LeftOut)


def test_only_what_is_not_approved_is_named() -> None:
    reading = Reading({"A": -1, "B": 1001})
    reading.approve("negative")
    reading.read()

    assert reading.kinds() == ["absurd"]


def test_an_approval_counts_for_a_day() -> None:
    reading = Reading({"A": -1})
    reading.approve("negative", ago=DAY)
    assert reading.read() == snapshot({"A": -1})

    reading.approve("negative", ago=DAY + timedelta(microseconds=1))
    assert isinstance(reading.read(), LeftOut)


def test_an_approval_counts_for_runs_that_are_planned_after_it() -> None:
    reading = Reading({"A": -1})

    reading.approve("negative", ago=-timedelta(microseconds=1))

    assert isinstance(reading.read(), LeftOut)


@pytest.mark.parametrize(
    ("shown", "kind"),
    [
        (SnapshotIncompleteError("1 row of 2"), "snapshot_incomplete"),
        (snapshot(as_of=NOW - MINUTE), "snapshot_older"),
    ],
)
def test_what_is_wrong_at_its_source_is_held_whatever_was_approved(
    shown: StockSnapshot | Exception, kind: str
) -> None:
    reading = Reading(shown)
    reading.approve(kind)

    assert isinstance(reading.read(last_entry()), LeftOut)
    assert reading.kinds() == [kind]


# Holds over time


def test_a_hold_remembers_since_when() -> None:
    reading = Reading({"A": -1})
    reading.store.set_hold(LocationHold(location_id=DC, holds=(), since=NOW - DAY, run_id="run-0"))

    reading.read()

    hold = reading.store.holds()[DC]
    assert (hold.since, hold.run_id) == (NOW - DAY, "run-1")


@pytest.mark.parametrize(
    ("shown", "cleared"), [({"A": 1}, True), ({"A": -1}, False), (RetriableError("503"), False)]
)
def test_a_hold_is_cleared_once_a_snapshot_passes(
    shown: dict[str, Units] | Exception, cleared: bool
) -> None:
    reading = Reading(shown)
    reading.store.set_hold(LocationHold(location_id=DC, holds=(), since=NOW, run_id="run-0"))
    reader = reading.reader()
    seen(reader)

    reader.clear_old_holds()

    assert (DC not in reading.store.holds()) is cleared


def test_the_hold_of_a_location_that_is_imported_no_more_is_cleared() -> None:
    reading = Reading()
    reading.store.set_hold(LocationHold(location_id="OLD", holds=(), since=NOW, run_id="run-0"))

    reading.reader().clear_old_holds()

    assert reading.store.holds() == {}


# Left out without being held


@pytest.mark.parametrize("error", [RetriableError("503"), RejectedError("404")])
def test_a_location_that_cannot_be_read_is_left_out_not_held(error: Exception) -> None:
    reading = Reading(error)

    assert reading.read() == LeftOut(f"the ERP could not be read: {error}")
    assert reading.store.holds() == {}
    assert reading.observer.counts["LocationsUnreadable"] == 1


def test_without_the_erps_word_on_its_lag_nothing_is_read() -> None:
    reading = Reading()
    reading.erp_failure = "503"

    assert reading.read() == LeftOut("the ERP could not be read: 503")
    assert reading.erp.reads == 0


def test_without_time_for_the_rest_of_the_run_nothing_is_read() -> None:
    reading = Reading()
    reading.seconds_left = 119.9

    assert reading.read() == LeftOut("no time left in this run")
    assert reading.erp.reads == 0


def test_what_was_left_out_stays_so_for_the_run() -> None:
    reading = Reading(RetriableError("503"))
    reader = reading.reader()
    first = seen(reader)
    reading.erp.shown = snapshot()

    assert seen(reader) == first
    assert reader.left_out == {DC: first}
    assert reading.erp.reads == 1
