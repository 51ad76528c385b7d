"""Guards over a snapshot look both ways, row by row and at the whole."""

from decimal import Decimal

import pytest

from inventory_sync.domain.guards import Hold, HoldKind
from inventory_sync.domain.snapshot_guards import Doubts, GuardLimits, check_snapshot
from inventory_sync.domain.stock import StockSnapshot, Units
from tests.builders import DC, NOW, snapshot

LIMITS = GuardLimits()


def rows_of(count: int, units: Units = 1, start: int = 0) -> dict[str, Units]:
    return {f"SKU-{number}": units for number in range(start, start + count)}


def checked(
    rows: dict[str, Units], last: dict[str, Units] | None = None, *, keeps_unlisted: bool = False
) -> Doubts:
    return check_snapshot(snapshot(rows), last, LIMITS, keeps_unlisted=keeps_unlisted)


def kinds(holds: tuple[Hold, ...]) -> list[HoldKind]:
    return [hold.kind for hold in holds]


# Single rows


@pytest.mark.parametrize(
    ("before", "now", "kind"),
    [
        (5, 5_000, HoldKind.ROW_ROSE),
        (1, 1_000, HoldKind.ROW_ROSE),
        (20, 2_000, HoldKind.ROW_ROSE),
        (20, 1_999, None),
        (5, 999, None),
        (0, 5_000, None),
        (999_999, 1_000_000, None),
        (999_999, 1_000_001, HoldKind.ABSURD),
        (0, 1_000_001, HoldKind.ABSURD),
        (1_000_001, 1_500_000, None),
        (3, Decimal("2.5"), HoldKind.FRACTIONAL),
        (Decimal("3.5"), Decimal("2.5"), None),
        (3, Decimal("4.999999999"), None),
        (3, Decimal("3.0"), None),
        (3, -3, None),
        (3, Decimal("-2.5"), None),
        (10, 0, None),
    ],
)
def test_a_row_is_held_for_what_it_may_not_be_and_was_not_before(
    before: Units, now: Units, kind: HoldKind | None
) -> None:
    found = checked({**rows_of(9, 100), "A": now}, {**rows_of(9, 100), "A": before})

    assert [(hold.kind, hold.product_id) for hold in found.rows] == ([(kind, "A")] if kind else [])
    assert found.location == ()


def test_a_figure_that_is_whole_but_for_noise_is_whole() -> None:
    shown = snapshot({"A": Decimal("4.999999999"), "B": Decimal("5.000001"), "C": Decimal("4.99")})

    assert shown.on_hand_units == {"A": 5, "B": 5, "C": Decimal("4.99")}
    assert type(shown.on_hand_units["A"]) is int


def unreadable(count: int, readable: int, last: dict[str, Units] | None = None) -> Doubts:
    shown = StockSnapshot(
        DC, NOW, rows_of(readable), {f"X-{n:02}": "is not a number" for n in range(count)}
    )
    return check_snapshot(shown, last, LIMITS)


def test_rows_that_cannot_be_read_are_held_alone_and_count_as_what_they_were() -> None:
    last = {**rows_of(1), "X-00": 500, "X-01": 500}

    found = unreadable(2, 1, last)

    held = [(hold.kind, hold.product_id, hold.figures) for hold in found.rows]
    text = "its figure is not a number"
    kind = HoldKind.ROW_UNREADABLE
    assert held == [(kind, "X-00", text), (kind, "X-01", text)]
    assert found.location == ()


@pytest.mark.parametrize("readable", [0, 1])
def test_many_rows_that_cannot_be_read_hold_the_location(readable: int) -> None:
    found = unreadable(5, readable)

    assert (kinds(found.location), found.rows) == ([HoldKind.ROW_UNREADABLE], ())
    assert found.location[0].figures.startswith(f"5 of {5 + readable} rows, the first 'X-00'")


def test_a_single_row_that_cannot_be_read_is_no_empty_snapshot() -> None:
    assert kinds(unreadable(1, 0, {"X-00": 90}).all) == [HoldKind.ROW_UNREADABLE]


def unknown(count: int, known: dict[str, Units], last: dict[str, Units]) -> Doubts:
    faults = {f"row {n}": "its product is no text" for n in range(count)}
    return check_snapshot(StockSnapshot(DC, NOW, known, unknown=faults), last, LIMITS)


def test_a_row_of_nobody_knows_which_product_is_held_alone_under_its_own_name() -> None:
    found = unknown(1, rows_of(30), rows_of(30))

    assert found == Doubts(
        rows=(Hold(HoldKind.ROW_UNREADABLE, "its product is no text", 0, "row 0"),)
    )


def test_such_rows_make_up_for_no_product_that_is_not_listed() -> None:
    found = unknown(2, rows_of(10), rows_of(40))

    assert kinds(found.location) == [HoldKind.PRODUCTS_VANISHED, HoldKind.UNITS_FELL]
    assert "30 of 40 products of the last import are not listed any more, 0 others are" in (
        found.location[0].figures
    )


def test_such_rows_alone_are_no_listing() -> None:
    assert kinds(unknown(1, {}, rows_of(30)).location) == [HoldKind.SNAPSHOT_EMPTY]


def test_many_such_rows_hold_the_location() -> None:
    found = unknown(9, rows_of(40), rows_of(40))

    assert (kinds(found.location), found.rows) == ([HoldKind.ROW_UNREADABLE], ())


def test_a_held_row_names_its_figures() -> None:
    found = checked({**rows_of(9), "A": 5_000}, {**rows_of(9), "A": 5})

    figures = "5000 now, 5 at the last import"
    assert found == Doubts(rows=(Hold(HoldKind.ROW_ROSE, figures, 5_000, "A"),))


def test_many_rows_that_rose_hold_the_location() -> None:
    last, now = rows_of(40, 6), rows_of(40, 6_000)

    found = checked(now, last)

    assert found.rows == ()
    assert kinds(found.location) == [HoldKind.ROW_ROSE, HoldKind.UNITS_ROSE]
    first = "40 of 40 rows, the first 'SKU-0': 6000 now, 6 at the last import"
    assert found.location[0] == Hold(HoldKind.ROW_ROSE, first, 240_000)


@pytest.mark.parametrize(("risen", "of", "alone"), [(4, 9, True), (5, 9, False), (10, 100, True)])
def test_a_few_rows_or_a_tenth_are_held_alone(risen: int, of: int, alone: bool) -> None:
    found = checked({**rows_of(of, 6), **rows_of(risen, 6_000)}, rows_of(of, 6))

    assert (len(found.rows), bool(found.location)) == ((risen, False) if alone else (0, True))


def test_never_more_than_fifty_rows_are_held_alone() -> None:
    last = rows_of(10_000, 6)

    assert len(checked({**last, **rows_of(50, 6_000)}, last).rows) == 50
    assert checked({**last, **rows_of(51, 6_000)}, last).rows == ()


def test_in_a_first_import_a_row_has_nothing_to_rise_from() -> None:
    assert checked({"A": 5_000}) == Doubts()
    assert kinds(checked({"A": Decimal("2.5"), "B": 1}).rows) == [HoldKind.FRACTIONAL]


# The whole


def test_an_empty_snapshot_is_held_where_nothing_was_known() -> None:
    assert checked({}).location == (Hold(HoldKind.SNAPSHOT_EMPTY, "the ERP listed no row"),)


@pytest.mark.parametrize("last", [{"A": 20}, {**rows_of(19, 0), "A": 1}])
def test_an_empty_snapshot_is_held_where_there_was_stock(last: dict[str, Units]) -> None:
    assert kinds(checked({}, last).location) == [HoldKind.SNAPSHOT_EMPTY]


@pytest.mark.parametrize("last", [rows_of(19), rows_of(300, 0)])
def test_a_small_location_may_sell_out_and_one_without_stock_may_list_none(
    last: dict[str, Units],
) -> None:
    assert checked({}, last) == Doubts()


def test_products_that_change_their_names_are_held() -> None:
    """As many rows and as many units as before: only the names differ."""
    last: dict[str, Units] = {f"00{n}": n % 7 + 3 for n in range(100, 160)}
    now: dict[str, Units] = {f"{n}": n % 7 + 3 for n in range(100, 160)}

    found = checked(now, last).location

    assert kinds(found) == [HoldKind.PRODUCTS_VANISHED, HoldKind.UNITS_FELL]
    assert found[0].figures == (
        "60 of 60 products of the last import are not listed any more, 60 others are;"
        " allowed fall 50%"
    )


def test_a_few_products_that_change_their_names_are_held_by_their_units() -> None:
    last, now = {"001": 30, "002": 30}, {"1": 30, "2": 30}

    assert kinds(checked(dict(now), dict(last)).location) == [HoldKind.UNITS_FELL]


def test_half_of_the_products_may_go() -> None:
    last = rows_of(100, 0)

    assert checked(rows_of(50, 0), last) == Doubts()
    assert kinds(checked(rows_of(49, 0), last).location) == [HoldKind.PRODUCTS_VANISHED]


def test_half_of_the_units_may_go_and_more_is_held() -> None:
    assert checked({"A": 50}, {"A": 100}) == Doubts()
    assert checked({"A": 49}, {"A": 100}).location == (
        Hold(
            HoldKind.UNITS_FELL, "49 of 100 units of the last import are left; allowed fall 50%", 49
        ),
    )


def test_what_came_elsewhere_does_not_make_up_for_what_is_gone() -> None:
    found = checked({"A": 10, "B": 100}, {"A": 100, "B": 10}).location

    assert kinds(found) == [HoldKind.UNITS_FELL]


def test_a_small_fall_is_nobodys_business_whatever_its_share() -> None:
    assert checked({"A": 1}, {"A": 20}) == Doubts()
    assert kinds(checked({"A": 1}, {"A": 21}).location) == [HoldKind.UNITS_FELL]


def test_a_fall_of_single_rows_is_not_suspicious() -> None:
    assert checked({**rows_of(9, 100), "A": 0}, {**rows_of(9, 100), "A": 500}) == Doubts()


def test_negative_rows_neither_hide_nor_make_a_fall() -> None:
    assert checked({"A": 60, "B": -500}, {"A": 90, "B": 10}) == Doubts()
    assert checked({"A": 60}, {"A": 90, "B": -500}) == Doubts()


@pytest.mark.parametrize(
    ("before", "now", "held"), [(200, 2_000, True), (200, 1_999, False), (100, 1_099, False)]
)
def test_a_location_that_rises_tenfold_is_held(before: int, now: int, held: bool) -> None:
    share, rest = now // 2, now - now // 2

    found = checked({"A": share, "B": rest}, {"A": before // 2, "B": before - before // 2})

    assert kinds(found.location) == ([HoldKind.UNITS_ROSE] if held else [])


def test_a_location_without_stock_may_be_filled() -> None:
    assert checked(rows_of(100, 900), rows_of(100, 0)) == Doubts()


def test_new_products_are_no_rise() -> None:
    assert checked({"A": 10, **rows_of(100, 900)}, {"A": 10}) == Doubts()


def test_a_row_that_is_held_alone_does_not_hold_its_location() -> None:
    found = checked({**rows_of(9), "A": 5_000_000}, {**rows_of(9), "A": 5})

    assert (found.location, kinds(found.rows)) == ((), [HoldKind.ABSURD])


# Where a product that is not listed keeps its last quantity


def test_rows_that_keep_their_last_quantity_have_not_fallen() -> None:
    last = {**rows_of(100), "Q": -5}

    assert checked(rows_of(1), last, keeps_unlisted=True) == Doubts()
    fell = checked(rows_of(60, 0), last, keeps_unlisted=True)
    assert kinds(fell.location) == [HoldKind.UNITS_FELL]
    none = checked({}, last, keeps_unlisted=True)
    assert kinds(none.location) == [HoldKind.SNAPSHOT_INCOMPLETE]
