"""Insights that may be cut off, safety stock, and the cursor of exports."""

import pytest

from inventory_sync.domain.atp import (
    INSIGHTS_MAX,
    Allocation,
    AtpExport,
    AtpKey,
    ExportState,
    SafetyStock,
    StockInsights,
)


@pytest.mark.parametrize(
    ("allocations", "reservations", "complete"),
    [(0, 0, True), (999, 999, True), (1_000, 0, False), (0, 1_000, False), (2_000, 0, False)],
)
def test_lists_of_a_thousand_or_more_may_be_cut_off(
    allocations: int, reservations: int, complete: bool
) -> None:
    listed = (Allocation("order", "item"),) * allocations

    assert INSIGHTS_MAX == 1_000
    assert StockInsights(allocations=listed, reservations=reservations).complete is complete


def test_a_product_s_own_safety_stock_comes_before_its_location_s() -> None:
    stock = SafetyStock(of_products={AtpKey("A", "DC"): 0}, of_nodes={"DC": 3})

    assert [stock.of(AtpKey(product, "DC")) for product in "AB"] == [0, 3]
    assert stock.of(AtpKey("A", "NYC")) == 0


@pytest.mark.parametrize(
    ("cursor", "before", "after"), [(7, None, 7), (7, 3, 7), (0, 3, 3), (0, None, None)]
)
def test_an_export_without_changes_keeps_the_cursor(
    cursor: int, before: int | None, after: int | None
) -> None:
    export = AtpExport(export_id="e", state=ExportState.FINISHED, cursor=cursor)

    assert export.cursor_after(before) == after
