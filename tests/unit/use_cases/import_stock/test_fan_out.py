"""Reads that fan out: what is asked for, what an import takes of it, and what it must not take."""

from dataclasses import replace
from datetime import timedelta

import pytest

from inventory_sync.domain.errors import RetriableError, SnapshotIncompleteError
from inventory_sync.domain.guards import HoldKind
from inventory_sync.domain.holds import ALL_IMPORTS, OperatorHold
from inventory_sync.domain.import_run import ImportRun, RunState
from inventory_sync.domain.manifest import Basis, LocationEntry
from inventory_sync.domain.stock import StockSnapshot
from inventory_sync.domain.stock_reads import FEED_FOR, ReadPlan, StockRead
from inventory_sync.use_cases.import_stock.import_stock import Tick, TickOutcome
from tests.builders import MINUTE, NOW, OPERATOR, SKU
from tests.fakes.kept_reads import FakeReadExecutions
from tests.unit.use_cases.import_world import SETTLE, ImportWorld, TestedNewStore

PLACES = ("L1", "L2", "L3")


def world(*places: str, change_feed: str = "none") -> ImportWorld:
    found = ImportWorld(*(places or PLACES), fan_out=True, change_feed=change_feed)
    for place in found.places:
        found.erp_model.set_stock((place, SKU), 10)
    return found


def tick(found: ImportWorld, *only: str, full: bool = False, ended: str = "") -> Tick:
    importer = found.importer()
    return importer(lambda: 900.0, full=full, only=frozenset(only), ended_plan=ended)


def plan_of(found: ImportWorld) -> ReadPlan:
    plan = found.runs.head().reads
    assert plan is not None
    return plan


def read_next(found: ImportWorld, *, again: bool = False) -> tuple[str, ...]:
    """The engine reads the next batch of the last plan."""
    plan = plan_of(found)
    batch = found.executions.waiting[plan].pop(0)
    found.reader()(plan, batch, lambda: 900.0, again=again)
    return batch


def read_all(found: ImportWorld) -> Tick:
    """The engine reads what is left of the last plan, and says so."""
    while found.executions.waiting[plan_of(found)]:
        read_next(found)
    return tick(found, ended=plan_of(found).plan_id)


def ended(found: Tick) -> ImportRun:
    assert found.run is not None
    assert found.run.ended, found
    return found.run


def entries(found: ImportWorld) -> dict[str, LocationEntry]:
    run_id = found.runs.head().finished_run_id
    assert run_id is not None
    return dict(found.files.manifest(run_id).locations)


def test_a_tick_asks_for_reads_and_the_import_follows_once_they_are_made() -> None:
    found = world()

    first = tick(found)
    run = ended(read_all(found))

    assert first.outcome is TickOutcome.READING
    assert run.state is RunState.FINALIZED
    assert run.snapshots == 3
    assert found.newstore_model.on_hand(("L2", SKU)) == 10


def test_in_a_full_refresh_a_read_serves_until_its_location_has_its_turn() -> None:
    found = world()
    tick(found)
    read_all(found)
    found.build_settings = found.with_archive(200)
    found.import_settings = replace(found.import_settings, job_spacing=timedelta(0))
    found.clock.advance(60)

    sent = [ended(tick(found, full=True)).rows, *(ended(tick(found)).rows for _ in range(3))]

    assert (sum(sent), max(sent)) == (3, 2)
    assert all(entry.refreshed_at for entry in entries(found).values())
    assert list(found.executions.waiting) == [plan_of(found)]


@pytest.mark.parametrize("seconds_a_read", [1, 99, 101])
def test_a_round_of_reads_begins_where_the_last_one_has_ended_at_each_location(
    seconds_a_read: int,
) -> None:
    found = world()
    tick(found)
    for _ in range(3):
        planned_at = plan_of(found).planned_at
        found.erp.on_read = lambda _: found.clock.advance(seconds_a_read)
        read_all(found)
        if plan_of(found).planned_at == planned_at:
            found.clock.advance((planned_at + 5 * MINUTE - found.clock.now()).total_seconds())
            tick(found)
        assert len(found.executions.waiting[plan_of(found)]) == 3


def test_in_a_long_round_what_was_read_is_imported_though_the_next_reads_have_just_begun() -> None:
    found = world()
    tick(found)
    read_all(found)
    found.clock.advance(6 * MINUTE)
    tick(found)
    found.clock.advance(6 * MINUTE)
    while found.executions.waiting[plan_of(found)]:
        read_next(found)

    run = ended(tick(found))

    assert len(found.executions.waiting[plan_of(found)]) == 3
    assert run.snapshots == 3


def test_reads_that_end_while_an_import_holds_the_lease_are_followed_by_others_all_the_same() -> (
    None
):
    found = world()
    tick(found)
    read_all(found)
    found.clock.advance(6 * MINUTE)
    tick(found)
    before = plan_of(found)
    found.clock.advance(6 * MINUTE)
    found.erp_model.set_stock(("L1", SKU), 9)
    read_next(found)

    class EndReads(TestedNewStore):
        def start_job(self, job_id: str, source_uri: str) -> None:
            super().start_job(job_id, source_uri)
            while found.executions.waiting[before]:
                read_next(found)

    found.newstore = EndReads(found)
    tick(found)

    assert plan_of(found) != before


def test_the_import_itself_asks_the_erp_for_no_stock() -> None:
    found = world()
    tick(found)
    while found.executions.waiting[plan_of(found)]:
        read_next(found)
    found.erp.snapshots_read.clear()

    tick(found, ended=plan_of(found).plan_id)

    assert found.erp.snapshots_read == []


def test_long_reads_hold_up_no_import_and_what_is_not_read_is_rolled_forward() -> None:
    found = world()
    tick(found)
    read_all(found)
    found.clock.advance(6 * MINUTE)
    tick(found)
    found.erp_model.set_stock(("L1", SKU), 7)
    found.erp_model.set_stock(("L2", SKU), 7)
    assert read_next(found) == ("L1",)
    found.clock.advance(6 * MINUTE)

    run = ended(tick(found))

    assert run.snapshots == 1
    assert run.left_out == {}
    assert {key: entry.basis for key, entry in entries(found).items()} == {
        "L1": Basis.SNAPSHOT,
        "L2": Basis.ROLLED_FORWARD,
        "L3": Basis.ROLLED_FORWARD,
    }
    assert found.newstore_model.on_hand(("L1", SKU)) == 7
    assert found.newstore_model.on_hand(("L2", SKU)) == 10


def test_only_one_plan_is_under_way() -> None:
    found = world()
    tick(found)
    before = plan_of(found)
    found.clock.advance(60 * MINUTE)

    tick(found)

    assert plan_of(found) == before
    assert list(found.executions.waiting) == [before]


def test_an_execution_that_was_stopped_leaves_its_reads_and_the_next_makes_the_rest() -> None:
    found = world()
    tick(found)
    assert read_next(found) == ("L1",)
    found.executions.waiting[plan_of(found)].clear()
    found.clock.advance(4 * MINUTE)
    found.kept.keep("L1", replace(kept(found, "L1"), version=""))
    found.clock.advance(2 * MINUTE)

    tick(found)

    assert found.executions.waiting[plan_of(found)] == [("L2",), ("L3",)]


def kept(found: ImportWorld, location_id: str) -> StockRead:
    read = found.kept.read(location_id)
    assert isinstance(read, StockRead)
    return read


def test_a_plan_that_was_never_begun_is_made_again() -> None:
    """The tick died after it had named the plan."""
    found = world()
    tick(found)
    found.executions.waiting.clear()
    found.clock.advance(6 * MINUTE)

    tick(found)

    assert len(found.executions.waiting[plan_of(found)]) == 3


def test_no_location_is_read_twice_within_five_minutes() -> None:
    found = world()
    tick(found)
    read_all(found)
    found.clock.advance(4 * MINUTE)
    before = plan_of(found)

    tick(found)

    assert plan_of(found) == before


def test_what_has_waited_longest_comes_first_and_what_was_never_imported_before_it() -> None:
    found = world("L1", "L2")
    tick(found)
    plan = plan_of(found)
    found.executions.waiting[plan].reverse()
    read_next(found)
    found.clock.advance(1)
    read_all(found)
    new = found.location_store.locations()["L1"]
    added = replace(new, location_id="L9", fulfillment_node_id="L9", store_id="L9")
    found.location_store.put_locations([added], OPERATOR)
    found.clock.advance(6 * MINUTE)

    tick(found)

    assert found.executions.waiting[plan_of(found)] == [("L9",), ("L2",), ("L1",)]


@pytest.mark.parametrize("how", ["disabled", "held"])
def test_what_is_not_to_be_imported_is_not_read(how: str) -> None:
    found = world()
    place = found.location_store.locations()["L2"]
    if how == "disabled":
        found.location_store.put_locations([replace(place, enabled=False)], OPERATOR)
    else:
        hold = OperatorHold(location_id="L2", who="olga", why="a count", at=NOW)
        found.location_store.hold(hold, OPERATOR)

    tick(found)
    found.reader()(plan_of(found), ("L2", "gone"), lambda: 900.0)

    assert found.executions.waiting[plan_of(found)] == [("L1",), ("L3",)]
    assert found.erp.snapshots_read == []


def test_while_imports_are_paused_nothing_is_read() -> None:
    found = world()
    pause = OperatorHold(location_id=ALL_IMPORTS, who="olga", why="go-live", at=NOW)
    found.location_store.hold(pause, OPERATOR)

    assert tick(found).outcome is TickOutcome.PAUSED
    assert found.executions.waiting == {}


def test_an_operator_s_run_for_a_few_locations_reads_them_itself() -> None:
    found = world()

    run = ended(tick(found, "L2"))

    assert found.erp.snapshots_read == ["L2"]
    assert run.snapshots == 1


def test_an_engine_out_of_reach_holds_up_no_import() -> None:
    found = world()
    tick(found)
    read_all(found)
    found.clock.advance(6 * MINUTE)
    found.executions = OutOfReach()

    run = ended(tick(found))

    assert run.state is RunState.FINALIZED
    assert "stock not read" in [message for message, _ in found.observer.notes]
    found.clock.advance(6 * MINUTE)
    assert tick(found).outcome is TickOutcome.ENDED


class OutOfReach(FakeReadExecutions):
    """An engine that answers nothing."""

    def under_way(self, plan: ReadPlan) -> bool:
        raise RetriableError("state machine: ThrottlingException")


def test_the_oldest_read_is_counted() -> None:
    found = world()
    tick(found)
    read_all(found)
    found.clock.advance(90 * MINUTE)

    tick(found)

    assert found.observer.counts["OldestReadSeconds"] == 5400


def test_a_location_that_was_imported_and_has_no_kept_read_has_no_age() -> None:
    found = world()
    tick(found)
    read_all(found)
    found.kept._kept.pop("L2")
    found.clock.advance(90 * MINUTE)

    tick(found)

    assert found.observer.counts["OldestReadSeconds"] == 5400


# What an import must not take


def test_a_read_from_before_the_last_import_that_comes_late_is_not_used() -> None:
    """Its plan was given up; another has read the location since, and events were closed."""
    found = world("L1")
    tick(found)
    late = StockRead(StockSnapshot("L1", found.clock.now(), {SKU: 99}), None, found.clock.now())
    found.clock.advance(1)
    read_all(found)
    found.clock.advance(6 * MINUTE)
    found.kept.keep("L1", late)

    tick(found, ended=plan_of(found).plan_id, full=True)

    assert found.newstore_model.on_hand(("L1", SKU)) == 10


def test_a_read_of_a_location_never_imported_serves_for_a_settle_window() -> None:
    found = world("L1")
    now = found.clock.now()
    found.kept.keep("L1", StockRead(StockSnapshot("L1", now, {SKU: 99}), None, now))
    found.clock.advance(SETTLE + timedelta(seconds=1))

    run = ended(tick(found, full=True))

    assert run.snapshots == 0


def test_an_older_moment_in_a_newer_read_is_the_erp_s_fault_and_held() -> None:
    found = world("L1")
    tick(found)
    read_all(found)
    found.clock.advance(6 * MINUTE)
    tick(found)
    found.erp.shown["L1"] = StockSnapshot("L1", NOW - 60 * MINUTE, {SKU: 99})

    read_all(found)

    [hold] = found.location_store.holds()["L1"].holds
    assert hold.kind is HoldKind.SNAPSHOT_OLDER


def test_the_same_read_serves_again_where_rows_wait_to_be_sent() -> None:
    found = world("L1")
    tick(found)
    read_all(found)
    found.clock.advance(6 * MINUTE)

    run = ended(tick(found, full=True))

    assert run.snapshots == 1
    assert run.rows == 1


# What the reader makes of failures


def test_a_batch_that_was_read_in_part_is_called_again_and_reads_the_rest() -> None:
    found = world()
    tick(found)
    plan = plan_of(found)
    found.erp.shown["L2"] = RetriableError("503")
    with pytest.raises(RetriableError, match="1 of 3 locations"):
        found.reader()(plan, PLACES, lambda: 900.0)
    del found.erp.shown["L2"]
    found.erp.snapshots_read.clear()

    assert found.reader()(plan, PLACES, lambda: 900.0, again=True) == 1
    assert found.erp.snapshots_read == ["L2"]


def test_without_time_nothing_is_begun() -> None:
    found = world()
    tick(found)

    with pytest.raises(RetriableError, match="3 of 3 locations"):
        found.reader()(plan_of(found), PLACES, lambda: 299.0)

    assert found.erp.snapshots_read == []


def test_why_a_location_could_not_be_read_is_said_by_the_import() -> None:
    found = world("L1", "L2")
    tick(found)
    found.erp.shown["L1"] = RetriableError("503")
    with pytest.raises(RetriableError):
        read_next(found)

    run = ended(read_all(found))

    assert run.left_out == {"L1": "the ERP could not be read: 503"}


def test_a_snapshot_that_does_not_add_up_is_held_as_in_an_import_s_own_read() -> None:
    found = world("L1")
    tick(found)
    found.erp.shown["L1"] = SnapshotIncompleteError("1 row of 2")
    with pytest.raises(RetriableError):
        read_next(found)

    tick(found, ended=plan_of(found).plan_id)

    [hold] = found.location_store.holds()["L1"].holds
    assert hold.kind is HoldKind.SNAPSHOT_INCOMPLETE


# With a change feed


def imported(found: ImportWorld) -> None:
    tick(found)
    read_all(found)
    found.clock.advance(6 * MINUTE)
    found.erp.snapshots_read.clear()


def test_with_a_feed_only_changes_are_read() -> None:
    found = world("L1", change_feed="sequence")
    imported(found)
    found.erp_model.set_stock(("L1", SKU), 4)

    tick(found)
    read_all(found)

    assert found.erp.snapshots_read == []
    assert found.newstore_model.on_hand(("L1", SKU)) == 4


def test_all_rows_are_read_once_a_day_and_where_a_full_run_asks_for_it() -> None:
    found = world("L1", change_feed="sequence")
    imported(found)
    tick(found, full=True)
    read_all(found)
    assert found.erp.snapshots_read == ["L1"]
    found.clock.advance(FEED_FOR)

    tick(found)
    read_all(found)

    assert found.erp.snapshots_read == ["L1", "L1"]


def test_all_rows_are_read_where_an_import_finishes_while_a_feed_is_read() -> None:
    """That import may have closed events whose rows the feed does not name."""
    found = world("L1", change_feed="sequence")
    imported(found)
    tick(found)
    head = found.runs.head()
    changes = found.erp.changes

    def finishing(location_id: str, cursor: str | None) -> object:
        manifest = found.files.manifest(str(head.finished_run_id))
        found.files.save_manifest(replace(manifest, run_id="another"))
        lease = found.leases.acquire(now=found.clock.now(), until=found.clock.now() + MINUTE)
        assert lease is not None
        other = replace(found.runs.head(), finished_run_id="another")
        found.runs.save(other, lease=lease, now=found.clock.now())
        found.leases.release(lease)
        found.erp.changes = changes  # type: ignore[method-assign]
        return changes(location_id, cursor)

    found.erp.changes = finishing  # type: ignore[method-assign, assignment]

    read_next(found)

    assert found.erp.snapshots_read == ["L1"]
