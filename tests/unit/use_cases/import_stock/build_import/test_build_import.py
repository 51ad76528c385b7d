"""Build: what a run sends, as of when, for whom, and what it leaves out."""

from dataclasses import replace
from datetime import timedelta

import pytest

from inventory_sync.adapters.codec import encode
from inventory_sync.domain.errors import (
    FatalError,
    InvariantError,
    LeaseLostError,
    RejectedError,
    RetriableError,
    SnapshotIncompleteError,
)
from inventory_sync.domain.import_run import RunState
from inventory_sync.domain.manifest import Basis
from inventory_sync.domain.stock import StockSnapshot
from inventory_sync.use_cases.import_stock.build_import.read_stock import APPROVALS_USED_MAX
from inventory_sync.use_cases.import_stock.build_import.run_tally import (
    LEFT_OUT_NAMED_MAX,
    REASON_CHARACTERS_MAX,
)
from inventory_sync.use_cases.import_stock.import_stock import TickOutcome
from local.newstore.availabilities import ImportFinding
from local.newstore.locations import store
from tests.builders import DC, HOUR, MINUTE, SKU, STORE
from tests.errors import OF_ONE
from tests.unit.use_cases.import_world import ImportWorld, started

DOWN = RetriableError("503")
KEY = (DC, SKU)


# A unit that two locations name


@pytest.mark.parametrize("number", [11, 13])
def test_a_unit_that_another_location_s_event_owns_is_taken_off_until_a_person_says_which(
    number: int,
) -> None:
    world = started(DC, STORE)
    first = world.ship(12, at=STORE)
    world.forward()
    world.deliver(replace(first, location_id=DC, logical_timestamp=number))
    world.forward()
    world.settle()

    for _ in range(2):
        world.import_now(full=True)

        assert (world.on_hand(at=DC), world.on_hand(at=STORE)) == (9, 9)
    assert (world.erp_model.on_hand(KEY), world.erp_model.on_hand((STORE, SKU))) == (10, 9)
    assert [entry.reason for entry in world.quarantine.entries] == ["conflicting_unit"]


# The sum, through both simulators


def test_the_first_import_sends_all_there_is() -> None:
    world = ImportWorld()
    world.stock(10)
    world.stock(0, "SKU-0")

    run = world.import_now()

    assert (run.state, run.full, run.rows, run.files) == (RunState.FINALIZED, True, 1, 1)
    assert world.on_hand() == 10
    assert world.runs.head().watermark == 0


def test_shipped_and_applied_events_are_released_with_the_stock_as_of_the_last() -> None:
    world = started()
    for number in (10, 11, 12):
        world.ship(number)
    world.forward()
    world.erp_model.receive(KEY, 10)
    world.settle()

    run = world.import_now()

    [file] = world.sent(run)
    assert (file.released, file.rows) == ((0, 12), {KEY: 17})
    assert (run.cut_end, run.released_events) == (12, 3)
    assert (world.on_hand(), world.unreleased(), world.atp()) == (17, 0, 17)


def test_an_erp_that_applies_nothing_does_not_hold_the_watermark_up() -> None:
    world = started()
    world.ship(12)
    world.settle()

    run = world.import_now()

    assert run.cut_end == 12
    assert (world.on_hand(), world.atp()) == (9, 9)


def test_an_event_inside_the_settle_window_is_added_back_and_not_released() -> None:
    world = started()
    world.ship(12)
    world.forward()

    run = world.import_now()

    assert (run.cut_end, world.on_hand(), world.atp()) == (0, 10, 9)


def test_ranges_adjoin_and_overlap_in_one_point() -> None:
    world = started()
    world.ship(12)
    world.settle()
    world.import_now()
    world.ship(15)
    world.settle()

    [file] = world.sent(world.import_now())

    assert file.released == (12, 15)


def test_the_first_range_starts_where_the_setting_says() -> None:
    world = ImportWorld(first_logical_timestamp=7)
    world.stock(10)
    world.ship(12)
    world.settle()

    [file] = world.sent(world.import_now())

    assert file.released == (7, 12)


def test_nothing_new_sends_nothing_and_finishes_without_a_job() -> None:
    world = started()

    run = world.import_now()

    assert (run.state, run.files, run.source_uri, run.job_id) == (RunState.FINALIZED, 0, "", "")
    assert len(world.jobs()) == 1


@pytest.mark.parametrize("product", ["x" * 201, "line\nbreak", "\ud800"])
def test_a_row_that_newstore_might_refuse_is_left_out_and_named(product: str) -> None:
    world = ImportWorld()
    world.stock(10)
    world.stock(5, product)

    run = world.import_now()

    assert (run.state, world.rows(run)) == (RunState.FINALIZED, {KEY: 10})
    [named] = run.rows_unsendable
    assert named.startswith(f"{DC} {product[:80]!r}: its product id ")
    [note] = [fields for text, fields in world.observer.notes if text == "row not sent"]
    assert (note["location_id"], note["product_id"]) == (DC, product[:200])
    assert named.endswith(f": its product id {str(note['reason']).partition('its product id ')[2]}")


def test_an_unsendable_row_is_named_by_each_run_until_it_is_put_right() -> None:
    world = ImportWorld()
    world.stock(10)
    world.stock(5, "a\nb")
    world.import_now()

    again = world.import_now()
    world.stock(0, "a\nb")

    assert (again.rows, len(again.rows_unsendable)) == (0, 1)
    assert world.import_now().rows_unsendable == ()


def test_an_apply_lag_keeps_what_is_acknowledged_subtracted_until_it_shows() -> None:
    world = started(apply_lag_seconds=3600)
    world.clock.advance(2 * HOUR)
    world.import_now()
    event = world.ship(12)
    world.forward()
    world.settle()

    world.import_now()

    assert (world.on_hand(), world.atp()) == (9, 9)
    assert world.is_open(event)


def test_what_the_erp_learns_by_another_way_counts_as_applied_after_its_own_lag() -> None:
    world = started(counter_lag=HOUR)
    event = world.ship(12, level="IN_STORE_HANDOVER")
    world.forward()
    world.settle()
    world.import_now()
    assert (world.on_hand(), world.is_open(event)) == (9, True)

    world.erp_model.sell_at_counter(KEY, 1)
    world.clock.advance(HOUR)
    world.import_now()

    assert (world.on_hand(), world.is_open(event)) == (9, False)


def test_an_erp_clock_that_is_ahead_does_not_end_another_ways_lag() -> None:
    world = started(counter_lag=HOUR)
    event = world.ship(12, level="IN_STORE_HANDOVER")
    world.forward()
    world.settle()
    world.erp.shown[DC] = StockSnapshot(DC, world.clock.now() + 2 * HOUR, {SKU: 10})

    world.import_now()

    assert (world.on_hand(), world.is_open(event)) == (9, True)


# Which rows


def test_a_delta_sends_what_changed() -> None:
    world = started()
    world.stock(5, "SKU-2")
    world.import_now()
    world.stock(6, "SKU-2")

    assert world.rows(world.import_now()) == {(DC, "SKU-2"): 6}


def test_a_touched_row_is_sent_though_its_quantity_is_the_same() -> None:
    world = started()
    world.ship(12)
    world.forward()
    world.stock(10)
    world.settle()

    assert world.rows(world.import_now()) == {KEY: 10}


def test_a_row_that_the_erp_stops_listing_is_sent_as_none() -> None:
    world = started()
    world.stock(5, "SKU-2")
    world.import_now()
    world.erp_model.unlisted.add((DC, "SKU-2"))

    assert world.rows(world.import_now()) == {(DC, "SKU-2"): 0}


@pytest.mark.parametrize("error", OF_ONE, ids=lambda error: type(error).__name__)
def test_whatever_the_erp_does_at_one_location_the_others_are_imported(error: Exception) -> None:
    world = started(DC, STORE)
    world.erp.shown[STORE] = error
    world.stock(4, at=DC)
    world.stock(4, at=STORE)

    run = world.import_now()

    assert (run.state, world.rows(run)) == (RunState.FINALIZED, {KEY: 4})
    assert list(run.left_out) == [STORE]


def test_where_nothing_may_go_on_one_location_stops_all() -> None:
    world = started(DC, STORE)
    world.erp.shown[STORE] = LeaseLostError("another run")
    assert world.tick().outcome is TickOutcome.LEASE_LOST
    world.erp.shown[STORE] = InvariantError("resumable", "no run")

    with pytest.raises(InvariantError):
        world.tick()


def test_a_location_that_could_not_be_read_is_not_sent_whole_afterwards() -> None:
    world = started()
    world.erp.shown[DC] = DOWN
    world.import_now()
    world.erp.shown.clear()
    world.stock(5, "SKU-2")

    assert world.rows(world.import_now()) == {(DC, "SKU-2"): 5}


def test_a_full_refresh_sends_every_row() -> None:
    world = started()
    world.stock(5, "SKU-2")
    world.import_now()

    assert world.rows(world.import_now(full=True)) == {KEY: 10, (DC, "SKU-2"): 5}
    assert world.runs.head().last_full_at == world.clock.now()


def test_rows_of_an_import_that_did_not_finish_are_sent_again() -> None:
    world = started()
    world.stock(12)
    world.newstore_model.jobs.fail_next_job()
    assert world.import_now().state is RunState.FAILED
    world.stock(10)

    assert world.rows(world.import_now()) == {KEY: 10}


def test_rows_stay_in_doubt_over_a_run_that_had_nothing_to_say_about_them() -> None:
    world = started(DC, STORE)
    world.stock(12, at=STORE)
    world.newstore_model.jobs.fail_next_job()
    assert world.import_now().state is RunState.FAILED
    world.stock(10, at=STORE)
    world.erp.shown[STORE] = DOWN

    run = world.import_now()

    assert run.state is RunState.FINALIZED
    assert world.rows(run) == {(STORE, SKU): 12}


def test_a_negative_result_is_sent_as_none_and_counted() -> None:
    world = started()
    world.stock(0)
    world.stock(10, "SKU-2")
    world.ship(12)
    world.settle()

    run = world.import_now()

    assert world.rows(run) == {KEY: 0, (DC, "SKU-2"): 10}
    assert run.clamped == 1
    assert world.observer.counts["RowsClamped"] == 1


def test_an_unchanged_location_keeps_its_ledger_until_the_next_full_refresh() -> None:
    world = started()
    first = world.runs.head().finished_run_id

    world.import_now()
    world.import_now()
    manifest = world.files.manifest(str(world.runs.head().finished_run_id))
    assert manifest.locations[DC].ledger_run_id == first

    run = world.import_now(full=True)
    assert world.files.manifest(run.run_id).locations[DC].ledger_run_id == run.run_id


# Where the cut ends


def test_the_cut_does_not_fall_behind_an_attempted_import() -> None:
    world = started()
    world.ship(12)
    world.settle()
    world.newstore_model.jobs.fail_next_job()
    assert world.import_now().cut_end == 12
    world.event_log.close(next(world.event_log.open_events()).event.ref)

    run = world.import_now()

    [file] = world.sent(run)
    assert (run.cut_end, file.released) == (12, (0, 12))


@pytest.mark.parametrize("range_scope", ["tenant", "file_locations"])
def test_two_locations_of_one_order_may_share_a_logical_timestamp(range_scope: str) -> None:
    world = started(DC, STORE, range_scope=range_scope)
    world.ship(12)
    world.ship(12, at=STORE)
    world.settle()

    [file] = world.sent(world.import_now())

    assert (file.released, file.nodes) == ((0, 12), {DC, STORE})
    assert (world.unreleased(), world.unreleased(at=STORE)) == (0, 0)
    assert (world.atp(), world.atp(at=STORE)) == (9, 9)


def test_a_number_far_too_high_releases_nothing_that_is_still_on_its_way() -> None:
    """Else every later event would come late: released first, and then heard of."""
    world = started()
    world.ship(12)
    world.ship(10**15)
    world.settle()
    assert world.import_now().cut_end == 12
    assert world.atp() == 8
    world.ship(13, delivered=False)
    world.ship(14)

    run = world.import_now(full=True)

    assert (run.cut_end, run.late_events) == (12, 0)
    assert world.atp() == 6
    assert world.observer.counts["OutlierTimestamps"] == 2


def test_a_leap_that_another_request_bears_out_is_passed() -> None:
    world = started(DC, STORE)
    world.ship(10**15)
    world.settle()
    assert world.import_now().cut_end == 0
    world.ship(10**15 + 1)
    world.settle()

    assert world.import_now().cut_end == 10**15 + 1
    assert world.atp() == 8
    assert world.observer.counts["OutlierTimestamps"] == 1


# Late events


def test_a_late_event_is_counted_and_corrected_by_the_next_import() -> None:
    world = started()
    late = world.ship(11, delivered=False)
    world.ship(12)
    world.settle()
    world.import_now()
    assert world.atp() == 9
    world.deliver(late)

    run = world.import_now()

    assert (run.late_events, run.cut_end, run.state) == (1, 12, RunState.FINALIZED)
    assert world.runs.history[run.run_id].late_events == 1
    assert world.observer.counts["LateEvents"] == 1
    assert world.files.finalization(run.run_id).late == ((DC, late.ref.event_key),)
    [file] = world.sent(run)
    assert (file.released, file.rows) == ((10, 12), {KEY: 8})
    assert world.atp() == 8


def test_a_late_event_is_late_once() -> None:
    world = started()
    world.ship(12)
    world.settle()
    world.import_now()
    world.ship(11)
    world.import_now()

    assert world.import_now().late_events == 0


def test_before_the_first_import_nothing_is_late() -> None:
    world = ImportWorld(first_logical_timestamp=20)
    world.stock(10)
    world.ship(12)
    world.settle()

    assert world.import_now().late_events == 0


# Locations left out


@pytest.mark.parametrize(
    "error",
    [RetriableError("503"), RejectedError("unknown location"), FatalError("wrong key")],
    ids=["down", "refused", "fatal"],
)
def test_a_location_that_cannot_be_read_is_rolled_forward(error: Exception) -> None:
    world = started(DC, STORE)
    world.ship(11, at=STORE)
    world.ship(12)
    world.settle()
    world.erp.shown[STORE] = error

    run = world.import_now()

    assert run.left_out == {STORE: f"the ERP could not be read: {error}"}
    [file] = world.sent(run)
    assert (file.released, file.rows) == ((0, 12), {KEY: 9, (STORE, SKU): 9})
    assert (world.atp(at=STORE), world.unreleased(at=STORE)) == (9, 0)
    assert world.files.manifest(run.run_id).locations[STORE].basis is Basis.ROLLED_FORWARD
    assert world.observer.counts["LocationsUnreadable"] == 1
    assert world.observer.counts["LocationsLeftOut"] == 1
    assert world.observer.counts["LocationsHeld"] == 0


def test_an_erp_that_is_down_altogether_stops_no_release() -> None:
    world = started(DC, STORE)
    world.ship(12)
    world.settle()
    world.erp.capabilities_fail_with = DOWN

    run = world.import_now()

    assert run.left_out == dict.fromkeys(
        (DC, STORE), "the ERP could not be read: 503"
    )  # fmt: skip
    assert (run.cut_end, world.atp(), world.unreleased()) == (12, 9, 0)


def test_a_broken_invariant_is_not_taken_for_an_erp_that_is_down() -> None:
    world = started()
    world.erp.capabilities_fail_with = InvariantError("one_import", "2 under way")

    with pytest.raises(InvariantError):
        world.tick()


def test_a_location_rolled_forward_is_exact_again_with_its_next_snapshot() -> None:
    world = started()
    world.ship(12)
    world.forward()
    world.settle()
    world.erp.shown[DC] = DOWN
    world.import_now()
    world.erp_model.receive(KEY, 5)
    del world.erp.shown[DC]

    world.import_now()

    assert (world.on_hand(), world.atp()) == (14, 14)


def test_a_run_out_of_time_leaves_out_those_that_waited_least() -> None:
    world = started(DC, STORE)
    world.import_now()
    world.erp.snapshots_read.clear()
    world.clock.advance(6 * MINUTE)
    build = world.build()

    run = build(
        world.runs.history[str(world.runs.head().finished_run_id)],
        world.runs.head(),
        lambda: None,
        lambda: [500.0, 100.0][len(world.erp.snapshots_read)],
    )

    assert run.left_out == {STORE: "no time left in this run"}


def test_locations_that_waited_longest_are_read_first() -> None:
    world = started(DC, STORE)
    world.erp.shown[DC] = DOWN
    world.import_now()
    world.put_location("AAA")
    world.put_location("ZZZ")
    for place in ("AAA", "ZZZ"):
        world.newstore_model.locations.add(store(place))
    world.erp_model.add_location("AAA")
    world.erp_model.add_location("ZZZ")
    world.erp.snapshots_read.clear()

    world.import_now()

    assert world.erp.snapshots_read == ["AAA", "ZZZ", DC, STORE]


def test_locations_read_at_once_are_sent_as_if_read_one_by_one() -> None:
    places = [f"S{number}" for number in range(7)]
    at_once, one_by_one = (started(*places, reads_at_once=number) for number in (3, 1))
    for world in (at_once, one_by_one):
        world.erp.shown["S5"] = DOWN
        world.ship(10, at="S5")
        world.ship(11, at="S2")
        world.stock(4, at="S3")
        world.settle()

    found = [world.sent(world.import_now()) for world in (at_once, one_by_one)]

    assert found[0] == found[1]
    assert [at_once.atp(at=place) for place in places] == [10, 10, 9, 4, 10, 9, 10]


def test_a_location_disabled_after_an_import_that_failed_half_way_is_rolled_forward() -> None:
    world = ImportWorld(DC, STORE)
    world.stock(10)
    world.stock(10, at=STORE)
    world.newstore_model.jobs.fail_next_job(0, after_rows=2)
    world.import_now()
    assert world.on_hand(at=STORE) == 10
    world.put_location(STORE, enabled=False)
    world.ship(10, at=STORE)
    world.ship(11)
    world.settle()

    world.import_now()

    assert (world.unreleased(at=STORE), world.atp(at=STORE)) == (0, 9)


def test_a_location_imported_later_releases_what_was_completed_there_before() -> None:
    world = started(range_scope="file_locations")
    world.erp_model.add_location(STORE)
    world.put_location(STORE, enabled=False)
    world.stock(10, at=STORE)
    world.ship(10, at=STORE)
    world.ship(11)
    world.forward()
    world.settle()
    world.import_now()
    assert world.runs.head().watermark == 11
    world.put_location(STORE, enabled=True, create=True)

    world.import_now()

    assert (world.unreleased(at=STORE), world.atp(at=STORE)) == (0, 9)


@pytest.mark.parametrize("reads_at_once", [1, 3])
def test_what_does_not_fit_an_archive_comes_first_in_the_next(reads_at_once: int) -> None:
    places = [f"S{number}" for number in range(6)]
    world = started(*places, archive_bytes=240, reads_at_once=reads_at_once)
    assert [world.on_hand(at=place) for place in places] == [10, 10, 10, 0, 0, 0]
    world.build_settings = world.with_archive(600)
    world.ship(10, at="S4")
    world.settle()

    left_out = world.import_now().left_out

    assert [world.on_hand(at=place) for place in places[3:]] == [10, 9, 10]
    assert all("archive is full" in left_out[place] for place in places[:3] if place in left_out)
    assert world.atp(at="S4") == 9


def test_the_lease_is_kept_while_locations_are_read() -> None:
    world = started(DC, STORE)
    kept: list[int] = []
    run = world.runs.history[str(world.runs.head().finished_run_id)]

    world.build()(run, world.runs.head(), lambda: kept.append(1), lambda: 900.0)

    assert len(kept) == 2


def test_the_record_of_a_run_is_bounded_however_much_is_left_out() -> None:
    places = [f"S{number:03d}" for number in range(LEFT_OUT_NAMED_MAX + 5)]
    world = ImportWorld(*places)
    for place in places:
        world.erp.shown[place] = RetriableError("x" * 2 * REASON_CHARACTERS_MAX)

    run = world.import_now()

    assert list(run.left_out) == places[:LEFT_OUT_NAMED_MAX]
    assert {len(reason) for reason in run.left_out.values()} == {REASON_CHARACTERS_MAX}
    assert world.observer.counts["LocationsLeftOut"] == len(places)


def test_reasons_in_longer_letters_leave_room_for_fewer_of_them() -> None:
    """The record escapes what is not ASCII: a table item has 400 KB for all of it."""
    places = [f"店{number:03d}" for number in range(LEFT_OUT_NAMED_MAX)]
    world = ImportWorld(*places)
    for place in places:
        world.erp.shown[place] = RetriableError("接続できません" * REASON_CHARACTERS_MAX)

    run = world.import_now()

    assert list(run.left_out) == places[: len(run.left_out)]
    assert len(run.left_out) > 30
    assert len(encode(world.runs.head())) < 150_000


def test_a_run_uses_so_many_approvals_as_its_record_can_name_and_the_next_one_goes_on() -> None:
    places = [f"S{number:03d}" for number in range(APPROVALS_USED_MAX + 3)]
    world = started(*places)
    for place in places:
        world.stock(2_000_000, at=place)
        world.approve("absurd", at=place, product_id=SKU)

    first = world.import_now()
    second = world.import_now()

    assert len(first.approvals) == APPROVALS_USED_MAX
    assert set(first.left_out) == set(second.approvals) == set(places[APPROVALS_USED_MAX:])
    assert world.location_store.approvals() == {}


# Locations without any quantity yet


def test_the_cut_stays_below_the_events_of_a_location_without_a_quantity() -> None:
    world = ImportWorld(DC, STORE)
    world.stock(10)
    world.stock(10, at=STORE)
    world.erp.shown[STORE] = DOWN
    world.ship(10)
    world.ship(11, at=STORE)
    world.ship(12)
    world.settle()

    run = world.import_now()

    assert run.cut_end == 10
    assert STORE not in world.files.manifest(run.run_id).locations
    assert (world.atp(), world.unreleased(), world.unreleased(at=STORE)) == (8, 1, 1)

    del world.erp.shown[STORE]
    world.import_now()
    assert (world.runs.head().watermark, world.atp(), world.atp(at=STORE)) == (12, 8, 9)


def test_a_location_without_a_quantity_and_without_events_holds_nobody_up() -> None:
    world = ImportWorld(DC, STORE)
    world.stock(10)
    world.erp.shown[STORE] = DOWN
    world.ship(12)
    world.settle()

    assert world.import_now().cut_end == 12


def test_many_locations_without_a_quantity_are_found_in_one_go() -> None:
    good, bad = [f"A{n}" for n in range(5)], [f"B{n}" for n in range(5)]
    world = ImportWorld(*good, *bad)
    for number, place in enumerate((*good, *bad), start=10):
        world.stock(10, at=place)
        world.ship(number, at=place)
    world.erp.shown = dict.fromkeys(bad, DOWN)
    world.settle()

    run = world.import_now()

    assert run.cut_end == 14
    assert world.erp.snapshots_read == [*good, *bad, *good]


def test_a_location_without_a_quantity_is_not_waited_for_by_those_that_have_one() -> None:
    world = started()
    world.put_location(STORE)
    world.newstore_model.locations.add(store(STORE))
    world.erp.shown[STORE] = DOWN
    world.erp.snapshots_read.clear()
    world.ship(11, at=STORE)
    world.ship(12)
    world.settle()

    assert world.import_now().cut_end == 0
    assert world.erp.snapshots_read == [STORE, DC]


def test_a_first_import_that_failed_is_what_a_location_is_rolled_forward_from() -> None:
    world = ImportWorld(DC, STORE)
    world.stock(10)
    world.stock(10, at=STORE)
    world.stock(4, "SKU-2", at=STORE)
    world.newstore_model.jobs.fail_next_job(after_files=0, after_rows=3)
    assert world.import_now().state is RunState.FAILED
    assert world.on_hand("SKU-2", at=STORE) == 4
    world.erp.shown[STORE] = DOWN
    run = world.import_now()
    assert run.state is RunState.FINALIZED
    del world.erp.shown[STORE]
    world.erp_model.unlisted.add((STORE, "SKU-2"))
    world.stock(0, "SKU-2", at=STORE)

    world.import_now()

    assert world.on_hand("SKU-2", at=STORE) == 0


# Locations that are not imported


def test_events_of_a_location_that_is_not_mapped_hold_it_and_the_cut() -> None:
    world = started()
    world.ship(11, at="NEW")
    world.ship(12)
    world.settle()

    run = world.import_now()

    assert run.cut_end == 0
    assert world.hold_kinds("NEW") == ["mapping_missing"]
    assert "NEW" in run.left_out


def test_events_of_a_location_that_is_not_imported_are_closed_once_applied() -> None:
    world = started(DC)
    world.erp_model.add_location(STORE)
    world.put_location(STORE, enabled=False)
    done, undone = world.ship(11, at=STORE), world.ship(12, at=STORE)
    world.forward()
    lost = world.ship(13, at=STORE)
    world.settle()
    world.clock.advance(MINUTE)

    world.import_now()

    assert [world.is_open(event) for event in (done, undone, lost)] == [False, False, True]


def test_a_location_that_is_disabled_gets_no_new_stock() -> None:
    world = started(DC, STORE)
    world.put_location(STORE, enabled=False)
    world.stock(3, at=STORE)

    run = world.import_now()

    assert (run.files, list(run.left_out)) == (0, [STORE])
    assert world.observer.counts["LocationsLeftOut"] == 0


def test_what_a_range_releases_at_a_disabled_location_is_taken_off_its_stock() -> None:
    world = started(DC, STORE)
    before = world.atp(at=STORE)
    world.put_location(STORE, enabled=False)
    world.ship(11, at=STORE)
    world.ship(12)
    world.settle()

    world.import_now()

    assert (world.unreleased(at=STORE), world.atp(at=STORE)) == (0, before - 1)


def test_after_a_fresh_start_rows_that_the_erp_dropped_meanwhile_are_sent_as_none() -> None:
    world = started()
    world.stock(4, "SKU-2")
    world.import_now()
    world.stock(0, "SKU-2")
    world.forget_head()

    run = world.import_now()

    assert world.rows(run)[DC, "SKU-2"] == 0


def test_rows_of_a_job_that_finished_with_errors_are_sent_once_more() -> None:
    world = started()
    world.stock(7)
    finding = ImportFinding("unknown product", "availabilities", SKU)
    world.newstore_model.jobs.report_errors_next_job([finding], [KEY])
    assert world.import_now().job_errors
    assert world.newstore_model.on_hand(KEY) == 10

    run = world.import_now()

    assert (world.rows(run), world.newstore_model.on_hand(KEY)) == ({KEY: 7}, 7)
    assert world.observer.counts["JobErrors"] == 1
    assert world.import_now().rows == 0


def refuse_row(world: ImportWorld, product: str) -> None:
    finding = ImportFinding("unknown product", "availabilities", product)
    world.newstore_model.jobs.report_errors_next_job([finding], [(DC, product)])


def test_rows_refused_by_the_import_after_a_failed_one_are_sent_once_more() -> None:
    world = started()
    world.stock(7)
    world.newstore_model.jobs.fail_next_job(0)
    assert world.import_now().state is RunState.FAILED
    refuse_row(world, SKU)
    world.import_now()

    world.import_now()

    assert world.newstore_model.on_hand(KEY) == 7


def test_rows_refused_by_an_import_that_sends_others_again_are_sent_once_more() -> None:
    world = started()
    world.stock(7)
    refuse_row(world, SKU)
    world.import_now()
    world.stock(4, "SKU-2")
    refuse_row(world, "SKU-2")
    world.import_now()

    world.import_now()

    assert world.newstore_model.on_hand((DC, "SKU-2")) == 4


def test_a_row_that_newstore_refuses_for_ever_brings_no_other_rows_with_it() -> None:
    world = started()
    world.stock(7)
    for number in range(2, 6):
        refuse_row(world, SKU)
        world.stock(4, f"SKU-{number}")
        world.import_now()

    refuse_row(world, SKU)

    assert world.rows(world.import_now()) == {KEY: 7}


def test_a_rising_apply_lag_does_not_bring_closed_events_back() -> None:
    world = started()
    world.ship(11)
    world.forward()
    world.settle()
    world.import_now()
    world.erp_lag(timedelta(hours=1))

    run = world.import_now()

    assert "snapshot_older" in run.left_out[DC]
    assert world.atp() == 9


# Guards hold one location, and let the others through


def test_a_held_location_is_rolled_forward_while_the_others_go_on() -> None:
    world = started(DC, STORE)
    world.stock(100, at=STORE)
    world.import_now()
    world.ship(11, at=STORE)
    world.ship(12)
    world.settle()
    world.stock(20, at=STORE)

    run = world.import_now()

    assert world.hold_kinds(STORE) == ["units_fell"]
    figures = "20 of 100 units of the last import are left; allowed fall 50%"
    assert run.left_out == {STORE: f"held: units_fell: {figures}"}
    assert world.rows(run) == {KEY: 9, (STORE, SKU): 99}
    assert (world.unreleased(), world.unreleased(at=STORE)) == (0, 0)
    assert world.observer.counts["LocationsHeld"] == 1


def test_where_every_location_is_held_the_run_is() -> None:
    world = ImportWorld()

    run = world.import_now()

    assert (run.state, world.hold_kinds()) == (RunState.HELD, ["snapshot_empty"])
    assert world.jobs() == []


def test_a_held_run_leaves_the_next_one_to_start_from_the_last_finished() -> None:
    world = started()
    finished = world.runs.head().finished_run_id
    world.erp.shown[DC] = SnapshotIncompleteError("1 row of 2")

    assert world.import_now().state is RunState.HELD

    assert world.runs.head().finished_run_id == finished


def test_a_location_that_newstore_masters_is_held_and_never_written_to() -> None:
    world = started(DC, STORE)
    world.newstore_model.locations.add(store(STORE, is_inventory_master=True))
    world.stock(3, at=STORE)
    world.stock(12)

    run = world.import_now()

    assert world.hold_kinds(STORE) == ["inventory_master"]
    assert list(run.left_out) == [STORE]
    assert world.rows(run) == {KEY: 12}

    world.put_location(STORE, enabled=False)
    world.import_now()
    assert world.location_store.holds() == {}


def test_a_location_that_newstore_does_not_know_is_never_created_there() -> None:
    world = ImportWorld(DC, STORE, known=(DC,))
    world.stock(10)
    world.stock(10, at=STORE)

    run = world.import_now()

    assert world.hold_kinds(STORE) == ["unknown_location"]
    assert world.rows(run) == {KEY: 10}
    assert world.newstore_model.created_locations == []


# Files


def test_touched_rows_of_all_locations_are_in_the_file_with_the_range() -> None:
    world = started(DC, STORE, file_bytes=1)
    world.ship(11, at=STORE)
    world.ship(12)
    world.stock(3, "SKU-2")
    world.settle()

    first, second = world.sent(world.import_now())

    assert (first.released, first.rows) == ((0, 12), {KEY: 9, (STORE, SKU): 9})
    assert (second.released, second.rows) == ((0, 0), {(DC, "SKU-2"): 3})


# Events are read after the snapshot


def test_what_is_acknowledged_before_the_snapshot_is_known_to_the_cut() -> None:
    world = started()
    world.ship(12)
    world.settle()
    world.clock.advance(6 * MINUTE)

    def acknowledged_meanwhile(location_id: str) -> None:
        world.forward()
        world.clock.advance(timedelta(seconds=1))

    world.erp.on_read = acknowledged_meanwhile

    world.import_now()

    assert (world.on_hand(), world.atp()) == (9, 9)


# Figures that repeat


def frozen() -> ImportWorld:
    """The ERP books what is shipped, and shows a copy from before under the time of now."""
    world = started()
    world.stock(10)
    world.import_now()
    return world


def ship_unseen(world: ImportWorld, number: int) -> None:
    world.ship(number)
    world.forward()
    world.settle()
    world.erp.shown[DC] = StockSnapshot(DC, world.clock.now(), {SKU: 10})


def test_figures_that_repeat_though_shipments_should_move_them_are_held() -> None:
    world = frozen()
    for number in range(11, 15):
        ship_unseen(world, number)
        assert world.import_now().left_out == {}

    ship_unseen(world, 15)
    world.import_now()

    assert world.hold_kinds(DC) == ["snapshot_repeats"]
    before = world.atp()
    ship_unseen(world, 16)
    world.import_now()
    assert (world.hold_kinds(DC), world.atp()) == (["snapshot_repeats"], before - 1)

    del world.erp.shown[DC]
    world.clock.advance(MINUTE)
    world.import_now()
    assert (world.location_store.holds(), world.atp()) == ({}, 4)


def test_one_unit_that_does_not_show_for_two_days_is_enough() -> None:
    world = frozen()
    ship_unseen(world, 11)
    world.import_now()
    world.clock.advance(48 * HOUR)
    world.erp.shown[DC] = StockSnapshot(DC, world.clock.now(), {SKU: 10})

    world.import_now()

    assert world.hold_kinds(DC) == ["snapshot_repeats"]


def test_figures_that_repeat_and_are_approved_begin_anew() -> None:
    world = frozen()
    for number in range(11, 16):
        ship_unseen(world, number)
        world.import_now()
    world.approve("snapshot_repeats")

    for _ in range(2):
        world.clock.advance(MINUTE)
        world.erp.shown[DC] = StockSnapshot(DC, world.clock.now(), {SKU: 10})
        assert world.import_now().left_out == {}


@pytest.mark.parametrize("change_feed", ["none", "sequence"])
def test_a_row_that_cannot_be_read_is_held_alone_and_its_neighbours_go_out(
    change_feed: str,
) -> None:
    world = ImportWorld(change_feed=change_feed)
    world.stock(10)
    world.stock(4, "SKU-2")
    world.import_now()
    world.ship(11, "SKU-2")
    world.forward()
    world.settle()
    world.stock(7)
    world.erp.unreadable.add("SKU-2")

    run = world.import_now()

    assert run.left_out == {}
    assert (world.on_hand(), world.atp("SKU-2")) == (7, 3)
    [hold] = world.location_store.holds()[DC].holds
    assert (hold.kind, hold.product_id) == ("row_unreadable", "SKU-2")

    world.erp.unreadable.clear()
    world.clock.advance(MINUTE)
    world.import_now()
    assert (world.location_store.holds(), world.atp("SKU-2")) == ({}, 3)
