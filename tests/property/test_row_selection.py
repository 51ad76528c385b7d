"""A delta applied to what NewStore holds gives the same as a full refresh, whatever came before."""

from collections import Counter
from dataclasses import replace
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from inventory_sync.domain.cut import LocationCut, roll_forward
from inventory_sync.domain.events import OpenEvent
from inventory_sync.domain.row_selection import Selection, select_rows, sendable
from inventory_sync.domain.stock import Units
from tests.builders import DC, open_event

PRODUCTS = ("A", "B", "C", "D", "E")
units = st.integers(-5, 20) | st.sampled_from((Decimal("2.5"), Decimal("-0.5"), Decimal("7")))
stock = st.dictionaries(st.sampled_from(PRODUCTS), units)
some_products = st.frozensets(st.sampled_from(PRODUCTS))


@st.composite
def cuts(draw: st.DrawFn) -> LocationCut:
    """Any result of a snapshot; touched products may be unlisted."""
    return LocationCut(
        location_id=DC,
        cut_end=12,
        quantities=draw(stock),
        touched=draw(some_products),
        added_back={},
        subtracted={},
        counted=(),
        closed=(),
        late=(),
    )


def shown(quantities: dict[str, Units]) -> dict[str, int]:
    """Every product's quantity at NewStore: what it was never told of, it has none of."""
    return {product: sendable(quantities.get(product, 0)) for product in PRODUCTS}


def sent(selection: Selection) -> dict[str, int]:
    return {**selection.touched, **selection.others}


@given(cuts(), stock, some_products, st.dictionaries(st.sampled_from(PRODUCTS), st.integers(0, 9)))
def test_a_delta_leaves_newstore_as_a_full_refresh_would(
    cut: LocationCut, last: dict[str, Units], dirty: frozenset[str], unknown: dict[str, int]
) -> None:
    newstore = shown(last) | {p: n for p, n in unknown.items() if p in dirty}
    fields = {"last_sent": last, "dirty": dirty, "from_snapshot": True}

    delta = select_rows(cut, full=False, **fields)  # type: ignore[arg-type]
    full = select_rows(cut, full=True, **fields)  # type: ignore[arg-type]

    assert newstore | sent(delta) == newstore | sent(full) == shown(dict(cut.quantities))


@given(cuts(), stock, some_products)
def test_a_delta_sends_no_row_without_a_reason(
    cut: LocationCut, last: dict[str, Units], dirty: frozenset[str]
) -> None:
    delta = select_rows(cut, last_sent=last, dirty=dirty, full=False, from_snapshot=True)

    for product in sent(delta):
        changed = shown(last)[product] != shown(dict(cut.quantities))[product]
        assert changed or product in cut.touched or product in dirty


@given(cuts(), st.none() | stock, some_products, st.booleans(), st.booleans())
def test_every_touched_and_dirty_row_is_sent_once_whole_and_not_negative(
    cut: LocationCut,
    last: dict[str, Units] | None,
    dirty: frozenset[str],
    full: bool,
    from_snapshot: bool,
) -> None:
    found = select_rows(cut, last_sent=last, dirty=dirty, full=full, from_snapshot=from_snapshot)

    assert set(found.touched) == cut.touched
    assert not set(found.touched) & set(found.others)
    assert dirty <= set(sent(found))
    assert all(quantity >= 0 for quantity in sent(found).values())
    assert found.clamped == sum(cut.quantities.get(p, 0) < 0 for p in sent(found))


@st.composite
def completions(draw: st.DrawFn) -> list[OpenEvent]:
    numbers = draw(st.lists(st.integers(0, 20), unique=True, max_size=5))
    return [
        open_event(
            number,
            *draw(st.lists(st.sampled_from(PRODUCTS), min_size=1, max_size=3)),
            counted_by=draw(st.sampled_from((None, "run-0"))),
        )
        for number in numbers
    ]


@given(stock, completions(), st.integers(0, 20), some_products)
def test_a_location_without_a_snapshot_is_brought_up_to_date_by_its_touched_rows(
    last: dict[str, Units], events: list[OpenEvent], cut_end: int, dirty: frozenset[str]
) -> None:
    cut = roll_forward(DC, last, events, cut_end=cut_end, watermark=None)
    newstore = shown(last) | dict.fromkeys(dirty, 99)

    found = select_rows(cut, last_sent=last, dirty=dirty, full=False, from_snapshot=False)

    assert newstore | sent(found) == shown(dict(cut.quantities))
    assert set(sent(found)) == cut.touched | dirty


@given(stock, completions(), st.integers(0, 20))
def test_what_is_sent_for_it_is_never_more_than_before(
    last: dict[str, Units], events: list[OpenEvent], cut_end: int
) -> None:
    cut = roll_forward(DC, last, events, cut_end=cut_end, watermark=None)
    gone: Counter[str] = Counter()
    for open_event_ in events:
        due = open_event_.event.logical_timestamp <= cut_end
        if due and open_event_.counted_by is None:
            gone.update(open_event_.event.units())

    found = select_rows(
        replace(cut), last_sent=last, dirty=frozenset(), full=True, from_snapshot=False
    )

    for product, quantity in sent(found).items():
        assert quantity == max(0, int(last.get(product, 0) - gone[product]))
