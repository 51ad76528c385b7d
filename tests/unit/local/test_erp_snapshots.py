"""What an ERP's snapshots show, when, and how they are spoiled."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from local.erp.model import ErpModel
from local.erp.records import SnapshotPage
from local.http_server import CallRefusedError
from tests.unit.local.clock import Clock
from tests.unit.local.test_erp_books import DC, KEY, movement


def stocked(clock: Clock | None = None, products: int = 5, **settings: Any) -> ErpModel:
    """SKU-1 has 1 unit, SKU-2 has 2, and so on."""
    erp = ErpModel(clock or Clock(), **settings)
    for number in range(1, products + 1):
        erp.set_stock((DC, f"SKU-{number}"), number)
    return erp


def pages(erp: ErpModel, limit: int = 2, pages_max: int = 10) -> list[SnapshotPage]:
    found = [erp.calls.get_stock(DC, limit=limit)]
    while (cursor := found[-1].next_cursor) is not None and len(found) < pages_max:
        found.append(erp.calls.get_stock(DC, cursor, limit))
    return found


def rows(found: list[SnapshotPage]) -> dict[str, object]:
    return {product: figure for page in found for product, figure in page.rows}


def test_pages_give_every_row_once_and_the_count_of_all() -> None:
    found = pages(stocked())
    assert [len(page.rows) for page in found] == [2, 2, 1]
    assert {page.row_count for page in found} == {5}
    assert rows(found) == {f"SKU-{number}": number for number in range(1, 6)}


def test_a_last_page_that_is_full_has_no_cursor() -> None:
    assert [len(page.rows) for page in pages(stocked(products=4))] == [2, 2]


def test_a_page_is_never_longer_than_the_erp_gives() -> None:
    assert len(stocked(page_rows=3).calls.get_stock(DC, limit=1000).rows) == 3


def test_a_consistent_snapshot_stays_as_it_began() -> None:
    erp = stocked()
    first = erp.calls.get_stock(DC, limit=2)
    erp.receive((DC, "SKU-4"), 100)
    second = erp.calls.get_stock(DC, first.next_cursor, 2)
    assert second.rows == (("SKU-3", 3), ("SKU-4", 4))
    assert second.as_of == first.as_of


def test_an_inconsistent_snapshot_reads_each_page_when_it_is_asked_for() -> None:
    erp = stocked(consistent_snapshot=False)
    first = erp.calls.get_stock(DC, limit=2)
    erp.receive((DC, "SKU-1"), 100)
    erp.receive((DC, "SKU-4"), 100)
    second = erp.calls.get_stock(DC, first.next_cursor, 2)
    assert second.rows == (("SKU-3", 3), ("SKU-4", 104))
    assert second.as_of > first.as_of


@pytest.mark.parametrize("lag_seconds", [0, 60])
def test_a_snapshot_holds_exactly_what_was_applied_by_its_as_of_less_the_lag(
    lag_seconds: int,
) -> None:
    clock = Clock()
    erp = stocked(clock, products=1, apply_lag_seconds=lag_seconds)
    erp.set_stock(KEY, 100)
    applied = []
    for number in range(6):
        (result,) = erp.calls.post_movements([movement(f"ff{number}")])
        assert result.applied_at is not None
        applied.append(result.applied_at)
        page = erp.calls.get_stock(DC)
        lag = timedelta(seconds=lag_seconds)
        seen = sum(applied_at <= page.as_of - lag for applied_at in applied)
        assert page.rows == ((KEY[1], 100 - seen),)
        clock.sleep(number * 10)  # the clock stands still at first


def test_a_lagging_movement_is_in_the_books_before_it_shows() -> None:
    clock = Clock()
    erp = stocked(clock, products=1, apply_lag_seconds=3600)
    erp.calls.post_movements([movement()])
    assert (erp.on_hand(KEY), erp.shown(KEY)) == (0, 1)
    clock.sleep(3601)
    assert erp.shown(KEY) == 0


def test_a_receipt_does_not_lag_and_a_counter_sale_may() -> None:
    clock = Clock()
    erp = stocked(clock, products=1, apply_lag_seconds=3600)
    erp.receive(KEY, 9)
    erp.sell_at_counter(KEY, 4, lag_seconds=60)
    clock.sleep(59)
    assert erp.shown(KEY) == 10
    clock.sleep(2)
    assert erp.shown(KEY) == 6


def test_a_movement_after_a_snapshot_is_later_than_it_even_when_the_clock_stands_still() -> None:
    erp = stocked()
    page = erp.calls.get_stock(DC)
    (result,) = erp.calls.post_movements([movement()])
    assert result.applied_at is not None
    assert result.applied_at > page.as_of


@pytest.mark.parametrize(("absent_means_zero", "count"), [(True, 4), (False, 5)])
def test_rows_at_zero_are_left_out_only_where_absent_means_zero(
    absent_means_zero: bool, count: int
) -> None:
    erp = stocked(absent_means_zero=absent_means_zero)
    erp.set_stock(KEY, 0)
    assert erp.calls.get_stock(DC).row_count == count


def test_a_negative_stock_is_shown_as_it_is() -> None:
    erp = stocked(products=1)
    erp.calls.post_movements([movement(units=3)])
    assert rows(pages(erp)) == {"SKU-1": -2}


def test_an_unlisted_row_is_neither_shown_nor_counted() -> None:
    erp = stocked()
    erp.unlisted.add(KEY)
    found = pages(erp)
    assert "SKU-1" not in rows(found)
    assert found[0].row_count == 4


def test_an_unknown_location_is_404_and_a_known_empty_one_is_empty() -> None:
    erp = stocked()
    with pytest.raises(CallRefusedError, match="404"):
        erp.calls.get_stock("NOWHERE")
    erp.add_location("NYC")
    assert erp.calls.get_stock("NYC").row_count == 0


@pytest.mark.parametrize("cursor", ["999:SKU-1", "nonsense"])
def test_an_unknown_cursor_is_410(cursor: str) -> None:
    with pytest.raises(CallRefusedError, match="410"):
        stocked().calls.get_stock(DC, cursor)


def test_a_truncated_snapshot_ends_early_and_keeps_its_count() -> None:
    erp = stocked()
    erp.truncate_next_snapshot(rows=2)
    found = pages(erp)
    assert len(rows(found)) == 3
    assert (found[-1].row_count, found[-1].next_cursor) == (5, None)
    assert len(rows(pages(erp))) == 5


def test_an_empty_snapshot_claims_to_be_whole() -> None:
    erp = stocked()
    erp.empty_next_snapshot()
    (page,) = pages(erp)
    assert (page.row_count, page.rows) == (0, ())


def test_a_repeated_cursor_never_comes_to_an_end() -> None:
    erp = stocked(products=1)
    erp.repeat_next_cursor()
    found = pages(erp)
    assert len(found) == 10
    assert len({page.next_cursor for page in found}) == 1


def test_a_spoiling_for_one_location_waits_for_it() -> None:
    erp = stocked()
    erp.set_stock(("NYC", "SKU-1"), 1)
    erp.empty_next_snapshot(location="NYC")
    assert erp.calls.get_stock(DC).row_count == 5
    assert erp.calls.get_stock("NYC").row_count == 0


@pytest.mark.parametrize("figure", [1.5, -4, "7", None, 10**12])
def test_any_figure_can_be_shown_in_place_of_the_stock(figure: object) -> None:
    erp = stocked(products=1)
    erp.show_instead(KEY, figure)
    assert rows(pages(erp)) == {"SKU-1": figure}
    erp.show_truth()
    assert rows(pages(erp)) == {"SKU-1": 1}


def test_events_can_arrive_while_a_snapshot_is_slow() -> None:
    clock = Clock()
    erp = stocked(clock)
    erp.faults.slow_next(30, call="get_stock")

    def sleep_and_receive(seconds: float) -> None:
        clock.sleep(seconds)
        erp.receive(KEY, 50)

    erp.faults.sleep = sleep_and_receive
    assert rows(pages(erp))["SKU-1"] == 51
