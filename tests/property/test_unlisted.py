"""Products that an ERP leaves out keep their quantity, exact as long as only our events move it."""

from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from inventory_sync.domain.cut import LocationCut, cut_snapshot
from inventory_sync.domain.events import OpenEvent
from inventory_sync.domain.unlisted import carry_forward_unlisted
from tests.builders import snapshot
from tests.property.test_cut import (
    PRODUCTS,
    TIMESTAMPS,
    History,
    after_run,
    cut_of,
    histories,
    sums,
)

UNCOUNTED = histories(sure=True).map(
    lambda history: replace(
        history,
        shipped=tuple(replace(e, known=replace(e.known, counted_by=None)) for e in history.shipped),
    )
)
LEFT_OUT = st.sets(st.sampled_from(PRODUCTS))


def cut_with(
    history: History,
    left_out: set[str],
    last: Any,
    events: list[OpenEvent],
    cut_end: int,
    counted: Any = (),
) -> LocationCut:
    listed = {p: units for p, units in history.on_hand().items() if p not in left_out}
    filled = carry_forward_unlisted(
        snapshot(listed), last, events, cut_end=cut_end, rule=history.rule, counted=counted
    )
    return cut_snapshot(filled, events, cut_end=cut_end, watermark=0, rule=history.rule)


@given(UNCOUNTED, LEFT_OUT, TIMESTAMPS, TIMESTAMPS)
def test_after_a_finished_import_what_is_left_out_stays_exact(
    history: History, left_out: set[str], first: int, more: int
) -> None:
    base = cut_of(history, first)
    events = after_run(base, history.open_events())

    found = cut_with(history, left_out, base.quantities, events, first + more)

    assert sums(found.quantities) == history.true_units(first + more)


@given(UNCOUNTED, LEFT_OUT, TIMESTAMPS, TIMESTAMPS)
def test_after_an_import_that_did_not_finish_too(
    history: History, left_out: set[str], first: int, more: int
) -> None:
    base = cut_of(history, first)
    counted = {(ref.location_id, ref.event_key) for ref in base.counted}

    found = cut_with(
        history, left_out, base.quantities, history.open_events(), first + more, counted
    )

    assert sums(found.quantities) == history.true_units(first + more)


@given(histories(), LEFT_OUT, TIMESTAMPS, TIMESTAMPS)
def test_what_is_left_out_changes_nothing_of_what_is_listed_and_settled(
    history: History, left_out: set[str], first: int, more: int
) -> None:
    base = cut_of(history, first)
    events = after_run(base, history.open_events())

    whole = cut_of(history, first + more, events)
    found = cut_with(history, left_out, base.quantities, events, first + more)

    listed = history.on_hand().keys() - left_out
    assert {p: found.quantities[p] for p in listed} == {p: whole.quantities[p] for p in listed}
    assert (found.counted, found.closed, found.touched) == (
        whole.counted,
        whole.closed,
        whole.touched,
    )
