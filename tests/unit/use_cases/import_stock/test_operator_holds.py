"""What operators keep out of imports: a location until it is resumed, or imports altogether."""

import pytest

from inventory_sync.domain.import_run import RunState
from inventory_sync.use_cases.import_stock.import_stock import TickOutcome
from tests.builders import DC, HOUR, MINUTE, SKU, STORE
from tests.unit.use_cases.import_world import ImportWorld, started

SKU_2 = "SKU-2"


# One location


def test_a_location_that_an_operator_holds_is_rolled_forward_until_it_is_resumed() -> None:
    world = started(DC, STORE)
    world.hold(DC)
    world.ship(1)
    world.stock(50)
    world.stock(50, at=STORE)
    world.settle()

    for _ in range(3):
        run = world.import_now()
        assert "operator: olga" in run.left_out[DC]
    assert (world.on_hand(), world.unreleased(), world.on_hand(at=STORE)) == (9, 0, 50)
    assert world.hold_kinds() == ["operator"]
    world.resume(DC)
    world.import_now()

    assert (world.on_hand(), world.hold_kinds()) == (49, [])


def test_no_approval_lets_through_what_an_operator_holds() -> None:
    world = started(DC, STORE)
    world.hold(DC)
    world.stock(50)
    world.approve("operator")

    world.import_now()

    assert world.on_hand() == 10


def test_an_operators_hold_is_not_counted_as_a_guards() -> None:
    world = started(DC, STORE)
    world.hold(DC)

    world.import_now()

    assert (world.observer.counts["LocationsHeld"], world.observer.counts["LocationsLeftOut"]) == (
        0,
        0,
    )


def test_where_operators_hold_every_location_the_run_is_held() -> None:
    world = started(DC, STORE)
    world.hold(DC)
    world.hold(STORE)

    assert world.import_now().state is RunState.HELD


def test_how_long_the_oldest_hold_stands_is_told_at_each_tick() -> None:
    world = started(DC, STORE)
    world.import_now()
    assert world.observer.counts["OperatorHoldSeconds"] == 0
    world.hold(DC)
    world.clock.advance(HOUR)
    world.hold(STORE)

    world.tick()

    assert world.observer.counts["OperatorHoldSeconds"] == 3600 + 360


def test_a_location_held_before_its_first_import_keeps_the_cut_below_its_events() -> None:
    world = ImportWorld(DC, STORE)
    world.stock(10)
    world.stock(10, at=STORE)
    world.hold(STORE)
    world.ship(1)
    world.ship(2, at=STORE)
    world.ship(3)
    world.settle()

    run = world.import_now()

    assert run.cut_end == 1


# All imports


def test_while_imports_are_paused_ticks_do_nothing() -> None:
    world = started(DC, STORE)
    world.hold()
    world.stock(50)

    tick = world.tick(full=True)

    assert (tick.outcome, tick.detail) == (
        TickOutcome.PAUSED,
        "imports are paused: olga, 2026-03-02 09:06Z: stock-take",
    )
    assert (len(world.runs.history), world.on_hand()) == (1, 10)
    assert world.observer.counts["WatermarkLagSeconds"] == 360
    world.resume()
    world.import_now()
    assert world.on_hand() == 50


def test_a_job_that_newstore_is_at_is_followed_to_its_end() -> None:
    world = started(DC, STORE)
    world.stock(50)
    world.newstore_model.jobs.job_seconds = 600
    assert world.tick().outcome is TickOutcome.WAITING
    world.hold()

    assert world.tick().outcome is TickOutcome.WAITING
    tick = world.tick()

    assert (tick.outcome, tick.run and tick.run.state) == (TickOutcome.ENDED, RunState.FINALIZED)
    assert world.tick().outcome is TickOutcome.PAUSED


def test_files_without_a_job_are_given_up_by_choice_and_their_rows_sent_later() -> None:
    world = started(DC, STORE)
    world.ship(1)
    world.settle()
    world.faults.plan("too_many_jobs")
    assert world.tick().outcome is TickOutcome.RETRY
    world.hold()

    tick = world.tick()

    assert tick.run is not None
    assert (tick.outcome, tick.run.state) == (TickOutcome.ENDED, RunState.FAILED)
    assert "imports are paused: olga" in tick.run.failure
    assert world.observer.counts["RunsFailed"] == 0
    world.resume()
    world.import_now()
    assert (world.on_hand(), world.unreleased()) == (9, 0)


def test_a_job_that_was_created_and_not_started_is_set_to_failed() -> None:
    world = started(DC, STORE)
    world.ship(1)
    world.settle()
    world.faults.plan("create_answer_lost")
    assert world.tick().outcome is TickOutcome.RETRY
    world.hold()

    first, second = world.tick(), world.tick()

    assert first.outcome is TickOutcome.WAITING
    assert second.run is not None
    assert second.run.state is RunState.FAILED
    assert world.jobs()[-1] == "failed"
    assert world.observer.counts["RunsFailed"] == 0


# Some locations only


def test_a_run_for_one_location_reads_no_other_and_rolls_the_others_forward() -> None:
    world = started(DC, STORE)
    world.ship(1)
    world.ship(2, at=STORE)
    world.stock(50)
    world.stock(70, at=STORE)
    world.settle()
    before = world.runs.head()

    run = world.import_now(DC)

    assert (run.only, run.snapshots, run.left_out) == ((DC,), 1, {})
    assert (world.on_hand(), world.on_hand(at=STORE)) == (49, 9)
    assert (world.unreleased(), world.unreleased(at=STORE)) == (0, 0)
    assert world.observer.counts["LocationsLeftOut"] == 0
    head = world.runs.head()
    assert (head.watermark, head.last_finished_at) == (2, before.last_finished_at)
    world.import_now()
    assert world.on_hand(at=STORE) == 69


def test_a_run_for_one_location_is_no_full_refresh_of_all() -> None:
    world = started(DC, STORE)
    world.stock(3, SKU_2, at=STORE)
    world.clock.advance(26 * HOUR)
    before = world.runs.head().last_full_at

    delta = world.import_now(DC)
    full = world.import_now(DC, full=True)

    assert (delta.full, delta.rows) == (False, 0)
    assert (full.full, set(world.rows(full))) == (True, {(DC, SKU)})
    assert world.runs.head().last_full_at == before
    assert world.import_now().full


def test_a_run_for_one_location_that_broke_off_gives_way_to_one_for_all() -> None:
    world = started(DC, STORE)
    world.seconds_left = 10
    world.tick(DC, full=True)
    world.seconds_left = 900

    run = world.import_now()

    assert (run.only, run.full) == ((), False)


def test_a_location_that_is_not_imported_cannot_be_asked_for() -> None:
    world = started(DC, STORE)
    world.put_location(STORE, enabled=False)

    tick = world.tick("nowhere", STORE)

    assert tick.outcome is TickOutcome.REFUSED
    assert "nowhere" in tick.detail
    assert STORE in tick.detail
    assert len(world.runs.history) == 1


def test_rows_asked_for_again_wait_for_a_run_that_reads_their_location() -> None:
    world = started(DC, STORE)
    world.ask_resend(SKU, at=STORE)

    world.import_now(DC)
    assert STORE in world.location_store.resends()
    world.clock.advance(MINUTE)
    world.import_now()

    assert world.location_store.resends() == {}


@pytest.mark.parametrize("range_scope", ["tenant", "file_locations"])
def test_whatever_a_range_acts_on_the_sum_stays_exact(range_scope: str) -> None:
    world = started(DC, STORE, range_scope=range_scope)
    world.ship(1)
    world.ship(2, at=STORE)
    world.forward()
    world.settle()

    world.import_now(STORE)

    assert (world.atp(), world.atp(at=STORE)) == (9, 9)
