"""Products that an ERP leaves out keep their quantity, exact as long as only our events move it."""

from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st

from inventory_sync.domain.cut import LocationCut, cut_snapshot
from inventory_sync.domain.events import OpenEvent
from inventory_sync.domain.stock import LastQuantities
from tests.builders import NOW, snapshot
from tests.property.test_cut import (
    PRODUCTS,
    TIMESTAMPS,
    History,
    after_run,
    cut_of,
    histories,
    last,
    sums,
)

LEFT_OUT = st.sets(st.sampled_from(PRODUCTS))


def cut_with(
    history: History,
    left_out: set[str],
    unlisted: LastQuantities,
    events: Iterable[OpenEvent],
    cut_end: int,
) -> LocationCut:
    listed = {p: units for p, units in history.on_hand().items() if p not in left_out}
    return cut_snapshot(
        snapshot(listed),
        events,
        cut_end=cut_end,
        watermark=0,
        rule=history.rule,
        read_started_at=NOW,
        unlisted=unlisted,
    )


@given(histories(sure=True).map(History.uncounted), LEFT_OUT, TIMESTAMPS, TIMESTAMPS)
def test_after_a_finished_import_what_is_left_out_stays_exact(
    history: History, left_out: set[str], first: int, more: int
) -> None:
    base = cut_of(history, first)
    events = after_run(base, history.events)

    found = cut_with(history, left_out, last(base), events, first + more)

    assert sums(found.quantities) == history.true_units(first + more)


@given(histories(sure=True).map(History.uncounted), LEFT_OUT, TIMESTAMPS, TIMESTAMPS)
def test_after_an_import_that_did_not_finish_too(
    history: History, left_out: set[str], first: int, more: int
) -> None:
    base = cut_of(history, first)

    found = cut_with(history, left_out, last(base), history.events, first + more)

    assert sums(found.quantities) == history.true_units(first + more)


@given(histories(), LEFT_OUT, TIMESTAMPS, TIMESTAMPS)
def test_what_is_left_out_changes_nothing_of_what_is_listed(
    history: History, left_out: set[str], first: int, more: int
) -> None:
    base = cut_of(history, first)
    events = after_run(base, history.events)

    whole = cut_of(history, first + more, events)
    found = cut_with(history, left_out, last(base), events, first + more)

    listed = history.on_hand().keys() - left_out
    assert {p: found.quantities[p] for p in listed} == {p: whole.quantities[p] for p in listed}
    assert (found.counted, found.closed, found.touched) == (
        whole.counted,
        whole.closed,
        whole.touched,
    )
