"""What an ERP's change feed tells, when, and what it leaves out."""

from __future__ import annotations

from typing import Any

import pytest

from local.erp.changes import PAGE_PRODUCTS
from local.erp.model import ErpModel
from local.erp.records import ChangeFeed
from local.http_server import CallRefusedError
from tests.unit.local.clock import Clock
from tests.unit.local.test_erp_books import DC, KEY, movement

FEEDS: tuple[ChangeFeed, ...] = ("sequence", "timestamp")


def feeding(
    feed: ChangeFeed = "sequence", clock: Clock | None = None, **settings: Any
) -> tuple[ErpModel, str]:
    """An ERP with stock, and a cursor from after that."""
    erp = ErpModel(clock or Clock(), change_feed=feed, **settings)
    erp.set_stock(KEY, 10)
    erp.add_location("NYC")
    return erp, erp.calls.get_changes(DC).cursor


def test_without_a_cursor_it_only_says_where_it_stands() -> None:
    erp, _ = feeding()
    page = erp.calls.get_changes(DC)
    assert (page.products, page.more) == ((), False)


@pytest.mark.parametrize("feed", FEEDS)
def test_it_names_what_changed_at_the_location_since_the_cursor(feed: ChangeFeed) -> None:
    erp, cursor = feeding(feed)
    erp.receive((DC, "SKU-2"), 1)
    erp.receive(("NYC", "SKU-3"), 1)
    erp.calls.post_movements([movement()])
    page = erp.calls.get_changes(DC, cursor)
    assert page.products == ("SKU-1", "SKU-2")
    assert erp.calls.get_changes(DC, page.cursor).products == ()


@pytest.mark.parametrize("feed", FEEDS)
def test_a_change_is_told_once_snapshots_show_it(feed: ChangeFeed) -> None:
    clock = Clock()
    erp, cursor = feeding(feed, clock, apply_lag_seconds=60)
    erp.calls.post_movements([movement()])
    page = erp.calls.get_changes(DC, cursor)
    assert page.products == ()
    clock.sleep(61)
    assert erp.calls.get_changes(DC, page.cursor).products == ("SKU-1",)


@pytest.mark.parametrize("feed", FEEDS)
def test_many_changes_come_in_pages(feed: ChangeFeed) -> None:
    erp, cursor = feeding(feed)
    for number in range(PAGE_PRODUCTS + 1):
        erp.receive((DC, f"P-{number:03}"), 1)
    first = erp.calls.get_changes(DC, cursor)
    second = erp.calls.get_changes(DC, first.cursor)
    assert (first.more, second.more) == (True, False)
    assert len({*first.products, *second.products}) == PAGE_PRODUCTS + 1


def test_a_forgotten_or_foreign_cursor_is_410() -> None:
    erp, cursor = feeding()
    erp.changes.forget()
    for unknown in (cursor, "7", "1.x@then"):
        with pytest.raises(CallRefusedError) as refusal:
            erp.calls.get_changes(DC, unknown)
        assert refusal.value.status == 410


def test_what_is_untold_is_left_out() -> None:
    erp, cursor = feeding()
    erp.changes.untold.add(KEY)
    erp.receive(KEY, 1)
    assert erp.calls.get_changes(DC, cursor).products == ()


def test_an_erp_without_a_feed_says_404() -> None:
    erp = ErpModel(Clock())
    erp.add_location(DC)
    with pytest.raises(CallRefusedError) as refusal:
        erp.calls.get_changes(DC)
    assert refusal.value.status == 404


def test_rows_of_some_products_are_those_of_a_snapshot() -> None:
    erp, _ = feeding()
    erp.receive((DC, "SKU-2"), 3)
    rows = erp.calls.read_stock(DC, ["SKU-2", "nothing there"])
    assert rows.rows == (("SKU-2", 3),)
    [later] = erp.calls.post_movements([movement()])
    assert later.applied_at is not None
    assert later.applied_at > rows.as_of


def test_too_many_products_at_a_time_are_413() -> None:
    erp, _ = feeding()
    with pytest.raises(CallRefusedError) as refusal:
        erp.calls.read_stock(DC, [f"P-{number}" for number in range(1_001)])
    assert refusal.value.status == 413
