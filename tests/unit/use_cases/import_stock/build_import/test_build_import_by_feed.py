"""Imports from an ERP with a change feed: the same sums with less reading."""

from datetime import timedelta

import pytest

from inventory_sync.domain.errors import RetriableError
from inventory_sync.domain.stock import StockSnapshot
from tests.builders import DC, SKU, STORE
from tests.unit.use_cases.import_world import ImportWorld, started

KEY = (DC, SKU)
OTHER = "SKU-2"


def fed(*places: str, feed: str = "sequence") -> ImportWorld:
    """The first import has finished, and nothing was read since."""
    world = started(*places, units={SKU: 10, OTHER: 10}, change_feed=feed)
    world.erp.snapshots_read.clear()
    return world


@pytest.mark.parametrize("feed", ["sequence", "timestamp"])
def test_what_has_changed_is_sent_without_reading_everything(feed: str) -> None:
    world = fed(feed=feed)
    world.stock(7)

    run = world.import_now()

    assert (world.rows(run), world.erp.snapshots_read) == ({KEY: 7}, [])


def test_a_row_that_the_erp_lists_no_more_is_sent_as_none() -> None:
    world = fed()
    world.stock(0)

    assert world.rows(world.import_now()) == {KEY: 0}


def test_what_follows_is_read_from_where_the_last_finished_import_stood() -> None:
    world = fed()
    for units in (7, 8):
        world.stock(units)
        assert world.rows(world.import_now()) == {KEY: units}
    world.stock(9)
    world.newstore_model.jobs.fail_next_job(0)
    world.import_now()

    assert world.rows(world.import_now()) == {KEY: 9}


def test_the_sum_does_not_rest_on_the_feed() -> None:
    world = fed()
    world.erp_model.changes.untold.add(KEY)
    world.ship(10)
    world.settle()
    world.import_now()
    assert world.atp() == 9
    world.forward()
    world.ship(11)
    world.forward()

    for _ in range(3):
        world.import_now()
        assert world.atp() == 8
        world.settle()
    assert world.unreleased() == 0


def test_what_the_feed_lost_is_found_by_the_next_full_refresh() -> None:
    world = fed()
    world.erp_model.changes.untold.add(KEY)
    world.stock(7)
    world.import_now()
    assert world.on_hand() == 10

    world.import_now(full=True)

    assert (world.on_hand(), world.erp.snapshots_read) == (7, [DC])


def test_after_a_full_refresh_the_feed_goes_on() -> None:
    world = fed()
    world.import_now(full=True)
    world.stock(7)

    world.import_now()

    assert (world.on_hand(), world.erp.snapshots_read) == (7, [DC])


def test_a_feed_that_forgot_where_we_stood_means_reading_everything() -> None:
    world = fed()
    world.erp_model.changes.forget()
    world.stock(7)

    world.import_now()

    assert (world.on_hand(), world.erp.snapshots_read) == (7, [DC])


def test_a_location_that_could_not_be_read_is_read_whole_the_next_time() -> None:
    world = fed(DC, STORE)
    world.erp.changes_fail_at.add(STORE)
    world.erp.shown[STORE] = RetriableError("503")
    world.stock(7, at=STORE)
    assert STORE in world.import_now().left_out
    world.erp.changes_fail_at.clear()
    world.erp.shown.clear()
    world.erp.snapshots_read.clear()

    world.import_now()

    assert (world.on_hand(at=STORE), world.erp.snapshots_read) == (7, [STORE])


def test_a_location_whose_feed_fails_is_read_whole_until_the_feed_is_back() -> None:
    world = fed(DC, STORE)
    world.erp.changes_fail_at.add(STORE)
    world.stock(7, at=STORE)

    assert world.import_now().left_out == {}

    assert (world.on_hand(at=STORE), world.erp.snapshots_read) == (7, [STORE])
    world.erp.changes_fail_at.clear()
    for units in (6, 5):
        world.stock(units, at=STORE)
        world.import_now()
        assert world.on_hand(at=STORE) == units
    assert world.erp.snapshots_read == [STORE, STORE]


def test_a_location_under_another_name_in_the_erp_is_read_whole() -> None:
    world = fed(DC, STORE)
    world.put_location(DC, erp_location="DC-renamed")
    world.stock(7)

    world.import_now()

    assert (world.on_hand(), world.erp.snapshots_read) == (7, [DC])


def test_an_apply_lag_is_allowed_for() -> None:
    world = fed()
    world.erp_lag(timedelta(minutes=30))
    world.clock.advance(3600)
    world.ship(10)
    world.forward()
    world.settle()

    world.import_now()

    assert world.atp() == 9


def test_what_only_an_approval_let_through_is_read_whole_once_more() -> None:
    world = fed()
    world.stock(100)
    world.import_now()
    world.erp.shown[DC] = StockSnapshot(DC, world.clock.now(), {SKU: 1, OTHER: 10})
    world.erp_model.changes.forget()
    world.approve("units_fell")
    assert world.rows(world.import_now()) == {KEY: 1}
    del world.erp.shown[DC]

    assert world.rows(world.import_now()) == {KEY: 100}


def test_an_empty_snapshot_begins_no_feed() -> None:
    world = ImportWorld(change_feed="sequence")
    world.stock(10)
    world.erp.shown[DC] = StockSnapshot(DC, world.clock.now(), {})
    world.approve("snapshot_empty")
    world.import_now()
    world.import_now()
    del world.erp.shown[DC]

    assert world.rows(world.import_now()) == {KEY: 10}
