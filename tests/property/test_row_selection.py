"""A delta applied to what NewStore holds gives the same as a full refresh, whatever came before."""

from collections import Counter
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from inventory_sync.domain.cut import AppliedRule, LocationCut, roll_forward
from inventory_sync.domain.events import OpenEvent
from inventory_sync.domain.row_selection import Selection, select_rows, sendable
from inventory_sync.domain.stock import LastQuantities, Units, totals_of
from tests.builders import DC, open_event

PRODUCTS = ("A", "B", "C", "D", "E")
units = st.integers(-5, 20) | st.sampled_from((Decimal("2.5"), Decimal("-0.5"), Decimal("7")))
stock = st.dictionaries(st.sampled_from(PRODUCTS), units)
some_products = st.frozensets(st.sampled_from(PRODUCTS))


@st.composite
def cuts(draw: st.DrawFn) -> LocationCut:
    """Any result of a snapshot; touched products may be unlisted."""
    quantities = draw(stock)
    return LocationCut(
        location_id=DC,
        cut_end=12,
        quantities=quantities,
        totals=totals_of(quantities),
        touched=draw(some_products),
        parts=(),
        counted=(),
        closed=(),
        late=(),
    )


def shown(quantities: dict[str, Units]) -> dict[str, int]:
    """Every product's quantity at NewStore: what it was never told of, it has none of."""
    return {product: sendable(quantities.get(product, 0)) for product in PRODUCTS}


def sent(selection: Selection) -> dict[str, int]:
    return {**selection.touched, **selection.changed, **selection.refreshed}


@given(cuts(), stock, some_products, st.dictionaries(st.sampled_from(PRODUCTS), st.integers(0, 9)))
def test_a_delta_leaves_newstore_as_a_full_refresh_would(
    cut: LocationCut, last: dict[str, Units], doubtful: frozenset[str], unknown: dict[str, int]
) -> None:
    newstore = shown(last) | {p: n for p, n in unknown.items() if p in doubtful}
    delta = select_rows(cut, last_sent=last, doubtful=doubtful)
    full = select_rows(cut, last_sent=last, doubtful=doubtful, refresh_from="")

    assert newstore | sent(delta) == newstore | sent(full) == shown(dict(cut.quantities))


@given(cuts(), stock, some_products)
def test_a_delta_sends_no_row_without_a_reason(
    cut: LocationCut, last: dict[str, Units], doubtful: frozenset[str]
) -> None:
    delta = select_rows(cut, last_sent=last, doubtful=doubtful)

    for product in sent(delta):
        changed = shown(last)[product] != shown(dict(cut.quantities))[product]
        assert changed or product in cut.touched or product in doubtful


@given(cuts(), st.none() | stock, some_products, st.none() | st.sampled_from(("", *PRODUCTS)))
def test_every_touched_and_doubtful_row_is_sent_once_whole_and_not_negative(
    cut: LocationCut,
    last: dict[str, Units] | None,
    doubtful: frozenset[str],
    refresh_from: str | None,
) -> None:
    found = select_rows(cut, last_sent=last, doubtful=doubtful, refresh_from=refresh_from)

    assert set(found.touched) == cut.touched
    assert found.rows == len(sent(found)) == len(found.products)
    assert doubtful <= set(sent(found))
    assert all(quantity >= 0 for quantity in sent(found).values())
    assert found.clamped == sum(cut.quantities.get(p, 0) < 0 for p in sent(found))


@given(cuts(), stock, st.sampled_from(("", *PRODUCTS)))
def test_a_refresh_repeats_what_stands_from_its_start_on(
    cut: LocationCut, last: dict[str, Units], start: str
) -> None:
    found = select_rows(cut, last_sent=last, doubtful=frozenset(), refresh_from=start)

    known = set(cut.quantities) | set(last)
    assert {p for p in known if p >= start} <= found.products
    assert all(product >= start for product in found.refreshed)


@st.composite
def completions(draw: st.DrawFn) -> list[OpenEvent]:
    numbers = draw(st.lists(st.integers(0, 20), unique=True, max_size=5))
    return [
        open_event(number, *draw(st.lists(st.sampled_from(PRODUCTS), min_size=1, max_size=3)))
        for number in numbers
    ]


@given(stock, completions(), st.integers(0, 20), some_products)
def test_a_location_without_a_snapshot_is_brought_up_to_date_by_its_touched_rows(
    last: dict[str, Units], events: list[OpenEvent], cut_end: int, doubtful: frozenset[str]
) -> None:
    cut = roll_forward(
        DC, LastQuantities(last), events, cut_end=cut_end, watermark=None, rule=AppliedRule()
    )
    newstore = shown(last) | dict.fromkeys(doubtful, 99)

    found = select_rows(cut, last_sent=None, doubtful=doubtful)

    assert newstore | sent(found) == shown(dict(cut.quantities))
    assert set(sent(found)) == cut.touched | doubtful


@given(stock, completions(), st.integers(0, 20))
def test_what_is_sent_for_it_is_never_more_than_before(
    last: dict[str, Units], events: list[OpenEvent], cut_end: int
) -> None:
    cut = roll_forward(
        DC, LastQuantities(last), events, cut_end=cut_end, watermark=None, rule=AppliedRule()
    )
    gone: Counter[str] = Counter()
    for open_event_ in events:
        due = open_event_.event.logical_timestamp <= cut_end
        gone.update(open_event_.event.units() if due else ())

    found = select_rows(cut, last_sent=None, doubtful=frozenset())

    for product, quantity in sent(found).items():
        assert quantity == max(0, int(last.get(product, 0) - gone[product]))
