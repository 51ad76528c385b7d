"""Read one location's stock: what speaks against using it, and what an operator may let through."""

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from inventory_sync.domain.cut import AppliedRule
from inventory_sync.domain.errors import (
    FatalError,
    RejectedError,
    RetriableError,
    SnapshotIncompleteError,
)
from inventory_sync.domain.guards import APPROVABLE, HoldKind
from inventory_sync.domain.holds import LocationHold
from inventory_sync.domain.locations import Location, Node
from inventory_sync.domain.manifest import Basis, LocationEntry
from inventory_sync.domain.snapshot_guards import GuardLimits
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
    approval,
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


ENTRY = LocationEntry(
    basis=Basis.SNAPSHOT, as_of=NOW, ledger_run_id="run-0", rows=1, units=10, node=Node(DC, DC)
)


def seen(
    reader: StockReader,
    place: Location | None = None,
    entry: LocationEntry | None = None,
    last: Mapping[str, Units] | None = None,
) -> StockSnapshot | LeftOut:
    """What a run makes of a location."""
    place = place or location()
    found = reader.judge(place, entry, reader.fetch(place, None), last)
    return found if isinstance(found, LeftOut) else found.snapshot


def rows_of(count: int, units: Units = 3) -> dict[str, Units]:
    return {f"P{number}": units for number in range(count)}


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

    def approve(self, kind: str, **fields: Any) -> None:
        self.store.approve([approval(HoldKind(kind), **fields)], OPERATOR)

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
                erp=found,
                event_log=FakeEventLog(),
                clock=FakeClock(NOW),
                observer=self.observer,
                fed=False,
            ),
            location_store=self.store,
            observer=self.observer,
            remaining_seconds=lambda: self.seconds_left,
        )

    def read(
        self,
        entry: LocationEntry | None = None,
        place: Location | None = None,
        last: Mapping[str, Units] | None = None,
    ) -> StockSnapshot | LeftOut:
        return seen(self.reader(), place, entry, last)

    def kinds(self) -> list[str]:
        return [hold.kind.value for hold in self.store.holds()[DC].holds]


def test_sound_stock_is_used() -> None:
    reading = Reading()

    assert reading.read(ENTRY) == snapshot()
    assert reading.store.holds() == {}


# Guards


@pytest.mark.parametrize(
    ("shown", "kind"),
    [
        ({}, "snapshot_empty"),
        (rows_of(20), "products_vanished"),
        (rows_of(50, units=1), "units_fell"),
        (rows_of(50, units=100), "units_rose"),
        (rows_of(50, units=Decimal("3.5")), "fractional"),
        (rows_of(50, units=1001), "absurd"),
    ],
)
def test_a_guard_holds_the_location_until_it_is_approved(
    shown: dict[str, Units], kind: str
) -> None:
    reading = Reading(shown)
    last = rows_of(50)

    found = reading.read(ENTRY, last=last)

    assert isinstance(found, LeftOut)
    assert (found.held, kind in found.reason) == (True, True)
    hold = reading.store.holds()[DC]
    assert kind in reading.kinds()
    assert (hold.since, hold.run_id) == (NOW, "run-1")
    assert reading.observer.notes[-1][0] == "location held"
    for each in reading.kinds():
        assert each in APPROVABLE
        reading.approve(each)
    assert reading.read(ENTRY, last=last) == snapshot(shown)


def test_a_row_that_is_not_believed_is_held_alone() -> None:
    reading = Reading({**rows_of(10), "P7": 1001})
    reader = reading.reader()

    found = reader.judge(location(), ENTRY, reader.fetch(location(), None), rows_of(10))

    assert not isinstance(found, LeftOut)
    assert (set(found.held), found.snapshot) == ({"P7"}, snapshot(rows_of(10)).without({"P7"}))
    assert (reader.left_out, reader.rows_held) == ({}, {DC: 1})
    [hold] = reading.store.holds()[DC].holds
    assert (hold.kind.value, hold.product_id, hold.units) == ("absurd", "P7", 1001)
    assert hold.figures == "1001 now, 3 at the last import"
    assert reading.observer.notes[-1][0] == "rows held"


def test_a_held_row_is_let_through_by_an_approval_of_that_row() -> None:
    reading = Reading({**rows_of(10), "P7": 1001})

    reading.approve("absurd")
    assert reading.read(last=rows_of(10)) == snapshot(rows_of(10)).without({"P7"})

    reading.approve("absurd", product_id="P7")
    assert reading.read(last=rows_of(10)) == snapshot({**rows_of(10), "P7": 1001})


def test_the_hold_of_a_row_clears_with_a_figure_that_is_believed() -> None:
    reading = Reading({**rows_of(10), "P7": 1001})
    first = reading.reader()
    seen(first, last=rows_of(10))
    first.clear_old_holds()
    assert DC in reading.store.holds()

    reading.erp.shown = snapshot(rows_of(10))
    second = reading.reader()
    seen(second, last=rows_of(10))
    second.clear_old_holds()

    assert reading.store.holds() == {}


@pytest.mark.parametrize("quantity", [-1, Decimal("-0.5"), -5_000_000])
def test_a_negative_row_holds_nothing(quantity: Units) -> None:
    shown = {**rows_of(10), "P7": quantity}

    assert Reading(shown).read(ENTRY, last=rows_of(10)) == snapshot(shown)


def test_an_incomplete_snapshot_is_held() -> None:
    reading = Reading(SnapshotIncompleteError("1 row of 2"))
    found = reading.read()

    assert found == LeftOut("held: snapshot_incomplete: 1 row of 2", held=True)
    assert reading.kinds() == ["snapshot_incomplete"]


def test_a_snapshot_that_is_dated_ahead_is_held() -> None:
    ahead = snapshot(as_of=NOW + HOUR + timedelta(microseconds=1))
    reading = Reading(ahead)

    assert isinstance(reading.read(ENTRY), LeftOut)
    assert reading.kinds() == ["snapshot_ahead"]
    assert Reading(snapshot(as_of=NOW + HOUR)).read(ENTRY) == snapshot(as_of=NOW + HOUR)


def test_stock_that_is_too_old_is_held_whatever_was_approved() -> None:
    old = snapshot(as_of=NOW - 36 * HOUR - timedelta(microseconds=1))
    reading = Reading(old)
    reading.approve("snapshot_stale")

    assert isinstance(reading.read(), LeftOut)
    assert reading.kinds() == ["snapshot_stale"]
    assert Reading(snapshot(as_of=NOW - 36 * HOUR)).read() == snapshot(as_of=NOW - 36 * HOUR)


def test_a_snapshot_older_than_the_last_one_used_is_held() -> None:
    older = snapshot(as_of=NOW - MINUTE)
    reading = Reading(older)

    found = reading.read(ENTRY)

    figures = (
        f"as of {NOW - MINUTE} less an apply lag of 0:00:00 (ApplyLagSeconds, or the ERP's own),"
        f" the last one showed all up to {NOW}"
    )
    assert found == LeftOut(f"held: snapshot_older: {figures}", held=True)
    assert Reading(snapshot(as_of=NOW)).read(ENTRY) == snapshot()


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
    reading = Reading(snapshot({"A": 1, "B": 2000}, as_of=NOW - MINUTE))

    reading.read(ENTRY, last={"A": 100})

    assert reading.kinds() == ["units_fell", "snapshot_older", "absurd"]


# Approvals


FELL: dict[str, Units] = {"A": 30}
BEFORE: dict[str, Units] = {"A": 100}


def test_an_approval_that_was_used_is_named_with_who_gave_it() -> None:
    reading = Reading(FELL)
    reading.approve("units_fell")
    reader = reading.reader()

    assert seen(reader, last=BEFORE) == snapshot(FELL)
    assert reader.used_approvals == {DC: "olga"}


def test_an_approval_ends_when_the_hold_that_it_was_for_clears() -> None:
    """Else one that is forgotten lets the next outage through."""
    reading = Reading(BEFORE)
    reading.approve("units_fell")
    reader = reading.reader()
    seen(reader, last=BEFORE)

    assert reader.used_approvals == {}
    assert reading.store.approvals() == {}

    reading.erp.shown = snapshot(FELL)
    assert isinstance(reading.read(last=BEFORE), LeftOut)


@pytest.mark.parametrize(
    "shown", [RetriableError("503"), snapshot(BEFORE, as_of=NOW - MINUTE)], ids=["down", "older"]
)
def test_an_approval_stands_while_nothing_was_read_that_could_clear_its_hold(
    shown: StockSnapshot | Exception,
) -> None:
    reading = Reading(shown)
    reading.approve("units_fell")

    reading.read(ENTRY, last=BEFORE)

    assert [a.kind for a in reading.store.approvals()[DC]] == ["units_fell"]


def test_the_approval_of_one_row_ends_while_another_row_stays_held() -> None:
    reading = Reading({**rows_of(10), "P7": 1001})
    reading.approve("absurd", product_id="P1")

    reading.read(last=rows_of(10))

    assert reading.store.approvals() == {}


@pytest.mark.parametrize(("kind", "at"), [("absurd", DC), ("units_fell", "NYC")])
def test_an_approval_of_another_kind_or_location_does_not_count(kind: str, at: str) -> None:
    reading = Reading(FELL)
    reading.approve(kind, location_id=at)

    assert isinstance(reading.read(last=BEFORE), LeftOut)


def test_an_approval_is_for_figures_no_worse_than_those_it_names() -> None:
    reading = Reading(FELL)
    reading.approve("units_fell", bound_units=30)
    assert reading.read(last=BEFORE) == snapshot(FELL)

    reading.approve("units_fell", bound_units=31)
    assert isinstance(reading.read(last=BEFORE), LeftOut)


def test_only_what_is_not_approved_is_named() -> None:
    reading = Reading({**rows_of(10, units=1), "NEW": 1001})
    reading.approve("units_fell")
    reading.read(last=rows_of(10, units=30))

    assert reading.kinds() == ["absurd"]


def test_an_approval_counts_for_a_day() -> None:
    reading = Reading(FELL)
    reading.approve("units_fell", at=NOW - DAY)
    assert reading.read(last=BEFORE) == snapshot(FELL)

    reading.approve("units_fell", at=NOW - DAY - timedelta(microseconds=1))
    reader = reading.reader()
    assert isinstance(seen(reader, last=BEFORE), LeftOut)
    reader.clear_old_holds()
    assert reading.store.approvals() == {}


def test_an_approval_with_an_end_lasts_until_then_whatever_clears() -> None:
    reading = Reading(BEFORE)
    reading.approve("units_fell", at=NOW - 9 * DAY, until=NOW, bound_units=30)
    reading.read(last=BEFORE)
    reading.erp.shown = snapshot(FELL)
    assert reading.read(last=BEFORE) == snapshot(FELL)

    reading.approve("units_fell", at=NOW - DAY, until=NOW - timedelta(microseconds=1))
    reader = reading.reader()
    assert isinstance(seen(reader, last=BEFORE), LeftOut)
    reader.clear_old_holds()
    assert reading.store.approvals() == {}


def test_an_approval_counts_for_runs_that_are_planned_after_it() -> None:
    reading = Reading(FELL)

    reading.approve("units_fell", at=NOW + timedelta(microseconds=1))

    assert isinstance(reading.read(last=BEFORE), LeftOut)


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

    assert isinstance(reading.read(ENTRY), LeftOut)
    assert reading.kinds() == [kind]


# Holds over time


def test_a_hold_remembers_since_when() -> None:
    reading = Reading({})
    reading.store.set_hold(LocationHold(location_id=DC, holds=(), since=NOW - DAY, run_id="run-0"))

    reading.read()

    hold = reading.store.holds()[DC]
    assert (hold.since, hold.run_id) == (NOW - DAY, "run-1")


@pytest.mark.parametrize(
    ("shown", "cleared"), [({"A": 1}, True), ({}, False), (RetriableError("503"), False)]
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


@pytest.mark.parametrize("error", [RetriableError("503"), RejectedError("404"), FatalError("401")])
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
