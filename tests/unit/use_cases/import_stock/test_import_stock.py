"""Import: one run at a time, from any point on; only a finished import moves the watermark."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from inventory_sync.domain.errors import (
    FatalError,
    InvariantError,
    LeaseLostError,
    RetriableError,
    SnapshotIncompleteError,
)
from inventory_sync.domain.import_head import ImportHead, Lease
from inventory_sync.domain.import_run import ImportRun, RunLimits, RunState
from inventory_sync.use_cases.import_stock.import_stock import (
    ImportStockSettings,
    Tick,
    TickOutcome,
)
from inventory_sync.use_cases.import_stock.plan_run import FULL_EVERY
from local.newstore.availabilities import ImportFinding
from local.newstore.job import JobFaults
from tests.builders import DC, HOUR, MINUTE, NOW, SKU, STORE
from tests.unit.use_cases.import_world import ImportWorld, started

KEY = (DC, SKU)


def stocked(*places: str, **settings: Any) -> ImportWorld:
    world = ImportWorld(*places, **settings)
    for place in world.places:
        world.stock(10, at=place)
    return world


def states(world: ImportWorld) -> list[RunState]:
    return [run.state for run in world.runs.history.values()]


# From tick to commit


def test_one_tick_can_take_a_run_from_plan_to_end() -> None:
    world = stocked()

    tick = world.tick()

    assert tick.outcome is TickOutcome.ENDED
    assert states(world) == [RunState.FINALIZED]
    assert world.jobs() == ["finished"]
    head = world.runs.head()
    assert tick.run is not None
    assert (head.finished_run_id, head.unfinished_run_id) == (tick.run.run_id, None)
    assert head.last_finished_at == world.clock.now()
    assert (world.observer.counts["RunsFinished"], world.observer.counts["RowsSent"]) == (1, 1)


def test_a_run_is_named_by_its_time_and_fencing_token() -> None:
    run = stocked().import_now()

    assert run.run_id == "20260302T090600Z-00000001"
    assert run.planned_at == NOW + 6 * MINUTE


def test_a_slow_job_is_waited_for_within_a_tick_as_long_as_allowed() -> None:
    world = stocked()
    world.newstore_model.jobs.job_seconds = 40

    assert world.tick().outcome is TickOutcome.ENDED


def test_a_slower_job_is_left_to_the_next_tick() -> None:
    world = stocked()
    world.newstore_model.jobs.job_seconds = 120
    before = world.clock.now()

    tick = world.tick()

    assert (tick.outcome, tick.detail) == (TickOutcome.WAITING, "NewStore has not ended the job")
    assert states(world) == [RunState.STARTED]
    assert world.clock.now() - before <= 6 * MINUTE + timedelta(seconds=60)
    assert world.observer.counts["JobAgeSeconds"] == 60
    assert world.tick().outcome is TickOutcome.ENDED


def test_the_first_run_is_full_and_the_next_a_delta_unless_asked() -> None:
    world = started()

    assert [run.full for run in world.runs.history.values()] == [True]
    assert not world.import_now().full
    assert world.import_now(full=True).full


def test_a_full_refresh_that_its_schedule_missed_is_made_up_for() -> None:
    world = started()

    world.clock.advance(FULL_EVERY - 7 * MINUTE)
    assert not world.import_now().full
    assert world.import_now().full


def test_a_run_that_broke_off_before_its_files_were_whole_is_planned_anew() -> None:
    world = started()
    world.seconds_left = 10
    broken_off = world.tick(full=True).run
    world.seconds_left = 900

    run = world.import_now()

    assert broken_off is not None
    assert (broken_off.state, run.state) == (RunState.PLANNED, RunState.FINALIZED)
    assert run.run_id != broken_off.run_id
    assert run.full


def test_a_run_that_read_nothing_has_brought_nothing_up_to_date() -> None:
    world = started()
    before = world.runs.head().last_finished_at
    world.ship(12)
    world.settle()
    world.erp.shown[DC] = RetriableError("503")

    assert world.import_now().state is RunState.FINALIZED

    assert world.runs.head().last_finished_at == before


def test_a_run_under_way_stays_what_it_was_planned_as() -> None:
    world = started()
    world.stock(9)
    world.newstore_model.jobs.job_seconds = 120
    world.tick()

    run = world.tick(full=True).run

    assert run is not None
    assert not run.full


# Every answer that may be lost


@pytest.mark.parametrize("fault", ["create_answer_lost", "too_many_jobs_but_kept"])
def test_a_job_whose_creation_was_not_answered_is_adopted(fault: str) -> None:
    world = stocked()
    world.faults.plan(fault)

    assert world.tick().outcome is TickOutcome.RETRY
    assert states(world) == [RunState.UPLOADED]
    assert world.tick().outcome is TickOutcome.ENDED
    assert world.jobs() == ["finished"]


def test_where_newstore_has_too_many_jobs_the_next_tick_tries_again() -> None:
    world = stocked()
    world.faults.plan("too_many_jobs")

    assert world.tick().outcome is TickOutcome.RETRY
    assert world.tick().outcome is TickOutcome.ENDED


def test_a_start_that_was_not_answered_is_not_repeated() -> None:
    world = stocked()
    world.newstore_model.jobs.job_seconds = 1000
    world.faults.plan("start_answer_lost")

    assert world.tick().outcome is TickOutcome.RETRY
    assert states(world) == [RunState.CREATED]
    world.tick()
    assert states(world) == [RunState.STARTED]
    world.tick()
    assert world.tick().outcome is TickOutcome.ENDED
    assert world.newstore_model.jobs.jobs_too_close == 0


def test_a_job_that_finished_before_its_start_was_answered_commits() -> None:
    world = stocked()
    world.faults.plan("start_answer_lost")
    world.tick()

    assert world.tick().outcome is TickOutcome.ENDED
    assert world.on_hand() == 10


def test_where_newstore_is_out_of_reach_nothing_changes() -> None:
    world = stocked()
    world.faults.plan("newstore_down", 1)

    tick = world.tick()

    assert (tick.outcome, tick.detail) == (TickOutcome.RETRY, "503")
    assert (tick.run, states(world)) == (None, [])
    assert world.take_lease() is not None


# Jobs that fail


def fail_next_run(world: ImportWorld) -> ImportRun:
    world.stock(20)
    world.newstore_model.jobs.fail_next_job()
    return world.import_now()


def test_a_failed_job_fails_its_run_and_the_watermark_stays() -> None:
    world = started()
    finished = world.runs.head()
    world.ship(12)
    world.settle()

    run = fail_next_run(world)

    assert (run.state, run.failure) == (
        RunState.FAILED,
        "NewStore failed the job: internal error",
    )
    head = world.runs.head()
    assert (head.watermark, head.finished_run_id) == (0, finished.finished_run_id)
    assert head.unfinished_run_id == run.run_id
    assert world.observer.counts["RunsFailed"] == 1


def test_the_errors_of_a_failed_job_are_kept_and_noted() -> None:
    world = started()
    finding = ImportFinding("no such product", "availabilities", "SKU-9")
    faults = JobFaults(fail_after_files=0, findings=(finding,))
    world.newstore_model.jobs.plan_next_job(faults)
    world.stock(20)

    run = world.import_now()

    assert "no such product" in [error.reason for error in run.job_errors]
    notes = [note for note in world.observer.notes if note[0] == "job error"]
    assert [note[1]["error"] for note in notes] == list(run.job_errors)


def test_rows_refused_by_a_run_that_follows_a_failed_one_are_sent_once_more() -> None:
    world = started()
    fail_next_run(world)
    jobs = world.newstore_model.jobs
    jobs.report_errors_next_job([ImportFinding("busy", "availabilities", SKU)], [(DC, SKU)])
    refused = world.import_now()

    again = world.import_now()
    last = world.import_now()

    assert (refused.state, world.on_hand()) == (RunState.FINALIZED, 20)
    assert (again.rows, last.rows) == (1, 0)


def refuse_next(world: ImportWorld, product: str, named: str = "") -> ImportRun:
    """A run whose job finishes without a product's row, and names it so."""
    finding = ImportFinding("busy", "availabilities", named or product)
    world.newstore_model.jobs.report_errors_next_job([finding], [(DC, product)])
    return world.import_now()


@pytest.mark.parametrize("named", [SKU, f"{DC}/{SKU}", f"{SKU}:{DC}"])
def test_a_row_refused_again_and_again_stays_in_doubt_until_newstore_takes_it(named: str) -> None:
    world = started()
    world.stock(20)
    refused = [refuse_next(world, SKU, named).rows for _ in range(4)]

    taken, last = world.import_now(), world.import_now()

    assert refused == [1, 1, 1, 1]
    assert (taken.rows, world.on_hand(), last.rows) == (1, 20, 0)


def test_only_the_rows_refused_again_are_sent_once_more() -> None:
    world = started()
    world.stock(20)
    world.stock(5, "SKU-2")
    first, again = refuse_next(world, SKU), refuse_next(world, SKU)
    world.stock(7, "SKU-3")
    third = refuse_next(world, SKU)

    assert (first.rows, again.rows, third.rows, world.import_now().rows) == (2, 2, 2, 1)


def test_rows_that_newstore_refuses_again_by_names_of_its_own_wait_for_the_full_refresh() -> None:
    world = started()
    world.stock(20)
    refused = [refuse_next(world, SKU, "9f0c-uuid").rows for _ in range(2)]

    assert (refused, world.import_now().rows) == ([1, 1], 0)


def test_the_rows_of_a_failed_run_are_in_doubt_whatever_was_refused_before_it() -> None:
    world = started()
    world.stock(20)
    refuse_next(world, SKU)
    refuse_next(world, SKU)
    world.stock(5, "SKU-2")
    fail_next_run(world)

    world.import_now()

    assert (world.on_hand(), world.on_hand("SKU-2")) == (20, 5)


def test_another_row_refused_while_rows_are_sent_once_more_is_sent_again_too() -> None:
    world = started()
    world.stock(20)
    world.stock(5, "SKU-2")
    refuse_next(world, SKU)
    refuse_next(world, "SKU-2")

    world.import_now()

    assert (world.on_hand(), world.on_hand("SKU-2")) == (20, 5)
    assert world.import_now().rows == 0


def test_how_a_run_ended_is_kept_with_the_moment_and_newstores_answers() -> None:
    world = started()
    finished, failed = world.import_now(), fail_next_run(world)

    for run in (finished, failed):
        assert world.records.outcome(run.run_id) == run
        assert run.ended_at is not None
        assert run.ended_at >= run.planned_at


def test_a_job_that_fails_in_part_fails_its_run_and_all_its_rows_are_sent_again() -> None:
    world = started()
    world.ship(12)
    world.settle()
    world.stock(20)
    for number in range(1500):
        world.stock(3, f"P{number:04d}")
    world.newstore_model.jobs.fail_chunks_of_next_job(1)

    run = world.import_now()

    assert (run.state, world.runs.head().watermark) == (RunState.FAILED, 0)
    assert run.failure == (
        "NewStore failed the job in part: 1 of 2 chunks failed;"
        " 1 of 2 chunks failed, with 501 rows: too many items failed"
    )
    again = world.import_now()
    assert (again.state, again.rows, again.cut_end) == (RunState.FINALIZED, 1501, 12)
    assert world.on_hand("P1499") == 3


def test_the_cut_end_of_a_job_that_failed_in_part_is_the_floor_of_the_next_one() -> None:
    world = started()
    late = world.ship(12)
    world.settle()
    world.newstore_model.jobs.fail_chunks_of_next_job(0)
    assert world.import_now().cut_end == 12
    world.event_log.forget(late.ref)

    assert world.import_now().cut_end == 12


def test_a_failed_job_without_a_word_on_its_chunks_fails_its_run_all_the_same() -> None:
    world = started()
    world.newstore.refuses.add("job_chunks")

    run = fail_next_run(world)

    assert run.failure == "NewStore failed the job: internal error"
    (note,) = [told for said, told in world.observer.notes if said == "no word on the job"]
    assert (note["run_id"], note["job_id"]) == (run.run_id, run.job_id)


def test_a_failed_job_whose_errors_are_refused_fails_its_run_all_the_same() -> None:
    world = started()
    world.newstore.refuses.add("job_errors")

    assert fail_next_run(world).state is RunState.FAILED


def test_a_job_that_newstore_lost_fails_its_run() -> None:
    world = stocked()
    world.newstore_model.jobs.job_seconds = 400
    world.tick()
    world.newstore_model.jobs.by_id.clear()
    world.newstore.refuses.add("job_errors")

    assert world.tick().outcome is TickOutcome.WAITING
    world.clock.advance(7 * HOUR)
    tick = world.tick()

    assert tick.run is not None
    assert (tick.run.state, tick.run.job_errors) == (RunState.FAILED, ())


def test_an_old_job_that_is_not_found_for_now_is_set_to_failed_before_another_is_made() -> None:
    world = stocked()
    world.newstore_model.jobs.job_seconds = 100_000
    world.tick()
    world.clock.advance(6 * HOUR)
    world.faults.plan("job_unknown_for_now", 20)
    assert world.tick().outcome is TickOutcome.WAITING
    world.faults.planned.clear()

    world.tick()

    assert world.jobs() == ["failed"]


def test_a_job_that_newstore_does_not_find_for_now_is_not_followed_by_another() -> None:
    world = stocked()
    world.newstore_model.jobs.job_seconds = 400
    world.tick()
    world.faults.plan("job_unknown_for_now", 20)

    tick = world.tick()

    assert tick.outcome is TickOutcome.WAITING
    assert len(world.jobs()) == 1
    world.faults.planned.clear()
    assert world.import_now().state is RunState.FINALIZED
    assert world.jobs() == ["finished"]


def test_the_next_run_is_planned_afresh_and_corrects_what_a_failed_one_left() -> None:
    world = started()
    world.ship(12)
    world.settle()
    fail_next_run(world)

    run = world.import_now()

    assert (run.state, world.on_hand(), world.atp()) == (RunState.FINALIZED, 19, 19)
    assert world.runs.head().watermark == 12


def test_a_job_that_newstore_refuses_fails_its_run() -> None:
    world = stocked()
    world.newstore.refuses.add("create_job")

    run = world.import_now()

    assert (run.state, run.failure) == (
        RunState.FAILED,
        "NewStore refused the job: create_job: 400",
    )


def test_a_job_that_cannot_be_started_is_set_to_failed_with_its_run() -> None:
    world = stocked()
    world.newstore.refuses.add("start_job")

    run = world.import_now()

    assert run.failure == "NewStore refused to start the job: start_job: 400"
    assert world.jobs() == ["failed"]


def test_a_job_that_does_not_end_is_set_to_failed_and_its_run_given_up() -> None:
    world = stocked()
    world.newstore_model.jobs.never_finish_next_job("waiting")
    world.tick()
    world.clock.advance(6 * HOUR)

    tick = world.tick()
    assert tick.outcome is TickOutcome.WAITING
    assert "still waiting 6:0" in tick.detail
    assert world.jobs() == ["failed"]

    tick = world.tick()
    assert tick.run is not None
    assert tick.run.state is RunState.FAILED


def test_a_stuck_job_that_cannot_be_failed_is_asked_about_again() -> None:
    world = stocked()
    world.newstore_model.jobs.never_finish_next_job("processing")
    world.newstore.refuses.add("fail_job")
    world.tick()
    world.clock.advance(6 * HOUR)

    assert world.tick().outcome is TickOutcome.WAITING
    assert states(world) == [RunState.STARTED]


def test_old_files_without_a_job_are_old_stock() -> None:
    world = stocked()
    world.faults.plan("too_many_jobs")
    world.tick()
    world.clock.advance(30 * MINUTE)

    run = world.tick().run

    assert run is not None
    assert (run.state, run.failure) == (RunState.FAILED, "files grew old without a job")
    assert world.jobs() == []


# Orphans


def test_an_orphan_in_received_is_failed_before_a_run_is_planned() -> None:
    world = stocked()
    world.newstore.create_job(name="inventory-sync old", source_uri="s3://x/y")
    world.newstore.create_job(name="prices", source_uri="s3://x/z")

    world.import_now()

    assert world.jobs() == ["failed", "received", "finished"]


# The distance between jobs


def test_jobs_keep_five_minutes_distance() -> None:
    world = started()
    world.stock(12)
    importer = world.importer()
    waited = importer(lambda: 900.0)

    assert (waited.outcome, waited.detail) == (
        TickOutcome.WAITING,
        "NewStore wants a pause before the next job",
    )
    assert world.tick().outcome is TickOutcome.ENDED
    assert world.newstore_model.jobs.jobs_too_close == 0


def test_a_job_that_was_never_started_keeps_the_others_at_a_distance_too() -> None:
    world = stocked()
    world.newstore.refuses.add("start_job")
    world.import_now()
    world.newstore.refuses.clear()

    waited = world.importer()(lambda: 900.0)

    assert (waited.outcome, waited.detail) == (
        TickOutcome.WAITING,
        "NewStore wants a pause before the next job",
    )


def test_a_start_that_comes_late_opens_the_five_minutes_anew() -> None:
    world = stocked()
    world.importer()(lambda: 0.0 if world.jobs() else 900.0)
    assert world.jobs() == ["received"]
    world.clock.advance(4 * MINUTE)
    assert world.importer()(lambda: 900.0).outcome is TickOutcome.ENDED
    world.stock(12)
    world.clock.advance(2 * MINUTE)

    waited = world.importer()(lambda: 900.0)

    assert (waited.outcome, waited.detail) == (
        TickOutcome.WAITING,
        "NewStore wants a pause before the next job",
    )


def test_after_too_many_jobs_none_is_created_before_newstore_allows_it() -> None:
    world = stocked()
    world.newstore.retry_after_seconds = 900.0
    world.clock.advance(6 * MINUTE)
    assert world.importer()(lambda: 900.0).outcome is TickOutcome.RETRY
    world.clock.advance(13 * MINUTE)

    waited = world.importer()(lambda: 900.0)

    assert (waited.outcome, waited.detail) == (
        TickOutcome.WAITING,
        "NewStore wants a pause before the next job",
    )
    assert world.jobs() == []
    assert world.tick().outcome is TickOutcome.ENDED
    assert world.jobs() == ["finished"]


@pytest.mark.parametrize("noted", ["last_job_created_at", "create_not_before"])
def test_what_was_noted_while_our_clock_was_ahead_keeps_no_job_back(noted: str) -> None:
    world = stocked()
    lease = world.take_lease()
    assert lease is not None
    fields: dict[str, Any] = {noted: world.clock.now() + 2 * HOUR}
    world.runs.save(replace(world.runs.head(), **fields), lease=lease, now=world.clock.now())
    world.leases.release(lease)

    assert world.tick().outcome is TickOutcome.ENDED
    assert world.jobs() == ["finished"]


def test_the_pause_that_newstore_asks_for_outlives_the_run_it_was_asked_of() -> None:
    world = stocked()
    world.newstore.retry_after_seconds = 3600.0
    world.tick()
    world.clock.advance(31 * MINUTE)

    given_up, waiting = world.tick().run, world.tick().run

    assert given_up is not None
    assert given_up.failure == "files grew old without a job"
    assert waiting is not None
    assert (waiting.state, world.jobs()) == (RunState.UPLOADED, [])


def test_where_newstore_does_not_say_how_long_the_next_tick_asks_again() -> None:
    world = stocked()
    world.faults.plan("too_many_jobs")
    world.tick()

    assert world.tick().outcome is TickOutcome.ENDED


# The lease


def test_while_another_tick_is_at_work_nothing_happens() -> None:
    world = stocked()
    world.clock.advance(6 * MINUTE)
    lease = world.take_lease()
    assert lease is not None

    tick = world.importer()(lambda: 900.0)

    assert tick == Tick(TickOutcome.LEASE_HELD, detail="another tick is at work")
    assert states(world) == []


def test_the_lease_is_given_back() -> None:
    world = started()

    assert world.take_lease() is not None


def test_a_lease_that_was_lost_writes_nothing_more() -> None:
    world = started()
    world.stock(12)

    def lose(location_id: str) -> None:
        world.clock.advance(HOUR)
        assert world.take_lease() is not None

    world.erp.on_read = lose

    tick = world.tick()

    assert tick.outcome is TickOutcome.LEASE_LOST
    assert states(world) == [RunState.FINALIZED, RunState.PLANNED]
    assert len(world.jobs()) == 1
    assert world.take_lease() is None


def test_a_lease_is_renewed_before_it_runs_out() -> None:
    world = started(DC, STORE)
    world.stock(12)
    world.erp.on_read = lambda location_id: world.clock.advance(100)

    assert world.tick().outcome is TickOutcome.ENDED


def test_a_surprise_gives_the_lease_back_and_is_not_hidden() -> None:
    world = stocked()
    world.erp.shown[DC] = InvariantError("archive_limits", "1001 files")

    with pytest.raises(InvariantError):
        world.tick()

    assert world.take_lease() is not None


def test_a_lease_that_cannot_be_given_back_is_noted_and_runs_out() -> None:
    world = stocked()

    def release(lease: Lease) -> None:
        raise RetriableError("throttled")

    world.leases.release = release  # type: ignore[method-assign]

    assert world.tick().outcome is TickOutcome.ENDED
    assert world.observer.notes[-1][0] == "lease not given back"


# Time


def test_no_step_is_begun_without_time_for_it() -> None:
    world = stocked()
    world.seconds_left = 14.9

    assert world.tick().outcome is TickOutcome.OUT_OF_TIME
    assert states(world) == [RunState.PLANNED]


def test_there_is_no_waiting_beyond_the_invocation() -> None:
    world = stocked()
    world.newstore_model.jobs.job_seconds = 40
    world.seconds_left = 19.9
    world.build_settings = replace(world.build_settings, spare_seconds=1)

    assert world.tick().outcome is TickOutcome.WAITING


def test_a_tick_takes_a_bounded_number_of_steps() -> None:
    world = stocked()
    world.newstore_model.jobs.never_finish_next_job("waiting")
    world.import_settings = ImportStockSettings(
        poll_seconds_max=10_000, limits=RunLimits(poll_interval=timedelta(0))
    )

    tick = world.tick()

    assert (tick.outcome, tick.detail) == (
        TickOutcome.OUT_OF_TIME,
        "too many steps for one tick",
    )


def test_a_settlement_without_time_for_it_goes_on_with_the_next_tick() -> None:
    world = started()
    first, second = world.ship(11), world.ship(12)
    world.forward()
    world.settle()
    world.clock.advance(6 * MINUTE)

    left = slow_after(world, 1)
    assert world.importer()(left).outcome is TickOutcome.OUT_OF_TIME
    assert states(world)[-1] is RunState.FINISHED
    assert world.is_open(second)

    world.seconds_left = 900
    assert world.tick().outcome is TickOutcome.ENDED
    assert not world.is_open(first)
    assert not world.is_open(second)


def slow_after(world: ImportWorld, closed: int) -> Callable[[], float]:
    """Time is up once so many events are closed."""

    def left() -> float:
        done = sum(not world.event_log.is_open(ref) for ref in world.event_log.refs())
        return 900.0 if done < closed else 1.0

    return left


def test_counting_without_time_for_it_goes_on_with_the_next_tick() -> None:
    world = started()
    first, second = world.ship(11), world.ship(12)
    world.settle()
    world.clock.advance(6 * MINUTE)

    def left() -> float:
        counted = [world.state_of(event).counted_by for event in (first, second)]
        return 1.0 if any(counted) else 900.0

    assert world.importer()(left).outcome is TickOutcome.OUT_OF_TIME
    assert world.state_of(second).counted_by is None
    run = world.tick().run
    assert run is not None
    assert world.state_of(second).counted_by == run.run_id
    assert world.is_open(first)


def test_a_location_that_is_full_keeps_neither_its_import_nor_others_from_ending() -> None:
    world = started(DC, STORE)
    stuck, other = world.ship(11), world.ship(12, at=STORE)
    world.forward()
    world.settle()
    world.event_log.full = {DC}

    run = world.import_now()

    assert (run.state, run.cut_end) == (RunState.FINALIZED, 12)
    assert (world.is_open(stuck), world.is_open(other)) == (True, False)
    assert [note for note in world.observer.notes if note[0] == "event not marked"]
    world.settle()
    world.import_now()
    assert (world.atp(), world.atp(at=STORE)) == (9, 9)


# What a commit means


def test_only_a_finished_import_moves_the_watermark() -> None:
    world = started()
    world.ship(12)
    world.settle()
    world.newstore_model.jobs.job_seconds = 400

    world.tick()
    assert world.runs.head().watermark == 0
    world.tick()
    world.tick()
    assert world.runs.head().watermark == 12


def test_a_watermark_that_would_move_back_stops_the_run() -> None:
    world = started()
    world.stock(12)
    world.newstore_model.jobs.job_seconds = 120
    world.tick()
    head = world.runs.head()
    lease = world.take_lease()
    assert lease is not None
    world.runs.save(replace(head, watermark=99), lease=lease, now=world.clock.now())
    world.leases.release(lease)

    with pytest.raises(InvariantError, match=r"^watermark_monotonic: 0 after 99$"):
        world.tick()

    assert states(world)[-1] is RunState.STARTED


def test_a_run_without_a_job_before_the_first_sets_no_watermark() -> None:
    world = ImportWorld(DC)
    world.put_location(DC, enabled=False)

    assert world.import_now().state is RunState.FINALIZED
    assert world.runs.head().watermark is None


def test_counted_events_are_marked_and_those_that_need_nothing_more_closed() -> None:
    world = started()
    applied = world.ship(11)
    world.forward()
    waiting = world.ship(12)
    world.settle()

    run = world.import_now()

    assert not world.is_open(applied)
    assert world.is_open(waiting)
    assert world.state_of(waiting).counted_by == run.run_id
    assert world.state_of(applied).counted_by is None


def test_the_way_from_shipment_to_newstore_is_timed_once_by_the_import_that_counts_it() -> None:
    world = started()
    shipped_at = world.clock.now()
    world.ship(12)
    world.settle()
    run = world.import_now()
    assert run.ended_at is not None

    world.import_now()

    seconds = (run.ended_at - shipped_at).total_seconds()
    assert world.observer.counts["ShipmentToNewStoreSeconds"] == seconds


def test_what_was_shipped_before_go_live_is_not_timed() -> None:
    world = started()
    world.ship(12)
    world.settle()
    world.build_settings = replace(world.build_settings, go_live_at=world.clock.now())

    world.import_now()

    assert "ShipmentToNewStoreSeconds" not in world.observer.counts


def test_an_approval_is_used_once_by_the_run_that_finished_with_it() -> None:
    world = started()
    world.stock(100)
    world.import_now()
    world.stock(20)
    assert world.import_now().state is RunState.HELD
    world.approve("units_fell")

    run = world.import_now()

    assert (run.state, run.approvals) == (RunState.FINALIZED, {DC: "olga"})
    assert world.on_hand() == 20
    assert world.location_store.approvals() == {}
    [(used_by, used)] = world.location_store.used
    assert (used_by, used.who, used.why) == (run.run_id, "olga", "counted")
    assert world.location_store.holds() == {}

    world.stock(0)
    assert world.import_now().state is RunState.HELD


def test_an_approval_given_while_a_run_is_under_way_is_for_another() -> None:
    world = started()
    world.stock(100)
    world.import_now()
    world.stock(20)
    world.approve("units_fell")
    world.newstore_model.jobs.job_seconds = 120
    world.tick()
    world.approve("units_fell", "absurd")

    assert world.tick().outcome is TickOutcome.ENDED

    assert [a.kind for a in world.location_store.approvals()[DC]] == ["absurd", "units_fell"]
    assert world.location_store.used == []


def test_an_approval_outlives_a_run_that_failed_with_it() -> None:
    world = started()
    world.stock(100)
    world.import_now()
    world.stock(20)
    world.approve("units_fell")
    world.newstore_model.jobs.fail_next_job()
    assert world.import_now().state is RunState.FAILED

    assert world.import_now().state is RunState.FINALIZED
    assert world.on_hand() == 20


def test_after_a_held_run_the_next_tick_plans_another() -> None:
    world = started()
    world.erp.shown[DC] = SnapshotIncompleteError("1 row of 2")
    held = world.import_now()
    del world.erp.shown[DC]

    run = world.import_now()

    assert (held.state, run.state) == (RunState.HELD, RunState.FINALIZED)


# Figures of every tick


def test_the_lag_of_the_watermark_is_counted_from_the_last_finished_import() -> None:
    world = started()
    world.observer.counts.clear()
    world.clock.advance(HOUR)
    world.faults.plan("newstore_down", 1)

    world.tick()

    assert world.observer.counts["WatermarkLagSeconds"] == 3600 + 360
    assert world.observer.counts["JobAgeSeconds"] == 0


def test_a_run_that_has_not_ended_is_counted_with_its_age() -> None:
    world = stocked()
    world.newstore_model.jobs.job_seconds = 120
    world.tick()
    waited = world.observer.counts["RunAgeSeconds"]
    world.observer.counts.clear()

    tick = world.tick()

    assert waited == 60
    assert tick.run is not None
    assert tick.run.ended
    assert world.observer.counts["RunAgeSeconds"] == 0


def test_before_the_first_import_the_lag_is_counted_from_its_plan() -> None:
    world = stocked()
    world.newstore_model.jobs.job_seconds = 120

    world.tick()

    assert world.observer.counts["WatermarkLagSeconds"] == 60


def test_a_head_that_somebody_else_wrote_stops_the_tick() -> None:
    world = stocked()

    def overwrite(location_id: str) -> None:
        lease = Lease(world.leases.token, world.clock.now())
        world.runs.save(world.runs.head(), lease=lease, now=world.clock.now())

    world.erp.on_read = overwrite

    assert world.tick().outcome is TickOutcome.LEASE_LOST


def test_a_run_that_is_not_there_cannot_be_advanced() -> None:
    world = stocked()
    honest = world.runs.save

    def forgetful(head: ImportHead, **fields: Any) -> ImportHead:
        return replace(honest(head, **fields), run=None)

    world.runs.save = forgetful  # type: ignore[method-assign]

    with pytest.raises(InvariantError, match=r"^resumable"):
        world.tick()


def test_a_lease_error_at_the_start_of_a_tick_is_no_surprise() -> None:
    world = stocked()

    def lost(*args: Any, **fields: Any) -> ImportHead:
        raise LeaseLostError("another run wrote version 1")

    world.runs.save = lost  # type: ignore[method-assign]

    tick = world.tick()

    assert (tick.outcome, tick.run) == (TickOutcome.LEASE_LOST, None)
    assert tick.detail == "another run wrote version 1"


# Rows asked for again


@pytest.mark.parametrize(("products", "sent"), [([SKU], 1), ([], 2), (["unknown"], 1)])
def test_rows_asked_for_again_are_sent_once(products: list[str], sent: int) -> None:
    world = started()
    world.stock(5, "SKU-2")
    world.import_now()
    world.ask_resend(*products, at=DC)

    assert (world.import_now().rows, world.import_now().rows) == (sent, 0)
    assert (world.on_hand(), world.on_hand("SKU-2")) == (10, 5)


def test_a_request_outlives_a_run_that_failed_or_could_not_read_the_location() -> None:
    world = started()
    world.ask_resend(at=DC)
    world.newstore_model.jobs.fail_next_job()
    world.import_now()
    world.erp.shown[DC] = RetriableError("down")
    world.import_now()

    assert DC in world.location_store.resends()
    world.erp.shown.clear()
    assert world.import_now().rows == 1
    assert world.location_store.resends() == {}


def test_a_request_made_while_a_run_is_under_way_is_for_the_next() -> None:
    world = started()
    world.newstore_model.jobs.job_seconds = 400
    world.stock(20)
    world.tick()
    world.ask_resend(at=DC)
    world.tick()

    assert DC in world.location_store.resends()


# After a shadow


def after_shadow(world: ImportWorld, *, ago: timedelta = timedelta(0)) -> None:
    """Another system has imported since, until that long ago."""
    until = world.clock.now() - ago
    world.mode_check = lambda: until


def test_where_another_system_has_imported_since_everything_is_sent_anew() -> None:
    world = started(DC, STORE)
    world.ship(10)
    world.settle()
    assert world.import_now().cut_end == 10
    world.newstore_model.set_imported((STORE, SKU), 3)
    after_shadow(world)

    run = world.import_now()

    assert world.rows(run).keys() == {(DC, SKU), (STORE, SKU)}
    assert world.on_hand(at=STORE) == 10
    assert {file.released[0] for file in world.sent(run)} == {0}


def test_without_an_event_since_the_range_begins_anew_all_the_same() -> None:
    world = started()
    world.ship(10)
    world.forward()
    world.settle()
    world.import_now()
    world.import_now()
    after_shadow(world)

    run = world.import_now()

    assert run.state is RunState.FINALIZED
    assert [file.released for file in world.sent(run)] == [(0, 0)]


def test_only_the_first_import_after_it_begins_anew() -> None:
    world = started()
    after_shadow(world)
    world.import_now()

    assert world.import_now().rows == 0


def test_a_location_that_cannot_be_read_after_a_shadow_is_not_rolled_forward() -> None:
    """What NewStore has of it the other system has sent."""
    world = started(DC, STORE)
    world.newstore_model.set_imported((STORE, SKU), 3)
    world.erp.shown[STORE] = RetriableError("down")
    after_shadow(world)

    run = world.import_now()

    assert (STORE, SKU) not in world.rows(run)
    assert world.on_hand(at=STORE) == 3


def test_a_run_that_was_under_way_is_followed_to_its_end_first() -> None:
    world = started()
    world.stock(12)
    world.newstore_model.jobs.job_seconds = 3600
    assert world.tick().outcome is TickOutcome.WAITING
    after_shadow(world)
    world.clock.advance(HOUR)
    world.newstore_model.jobs.job_seconds = 0

    world.import_now()
    run = world.import_now()

    assert world.rows(run) == {(DC, SKU): 12}


def test_a_gap_that_the_mode_leaves_stops_the_tick_before_anything_is_done() -> None:
    world = started()
    before = world.runs.head()

    def refuse() -> None:
        raise FatalError("a gap")

    world.mode_check = refuse

    with pytest.raises(FatalError, match="a gap"):
        world.tick()

    assert world.runs.head() == before
