"""Release evidence: what rows say of a shipped unit at NewStore, and when it is believed."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from inventory_sync.domain.reading import ReleaseReading
from inventory_sync.domain.release_evidence import (
    CHANGES_MAX,
    KEPT_MAX,
    VERDICT_ROWS,
    EvidenceKind,
    Observation,
    ReleaseFindings,
    RowMeasure,
    observations_of,
    weigh,
)
from tests.builders import DC, NOW

RANGE, IMMEDIATE = ReleaseReading.RANGE, ReleaseReading.IMMEDIATE
FIND_OUT = ReleaseReading.FIND_OUT


def row(atp: int, *completed: str, **fields: Any) -> RowMeasure:
    """A row that was sent as 10."""
    plain: dict[str, Any] = {
        "location_id": DC,
        "product_id": "SKU",
        "sent": 10,
        "open_units": 0,
        "reservations": 0,
        "listed": 0,
        "released": False,
    }
    return RowMeasure(atp=atp, completed=completed, **(plain | fields))


def controls(atp: int = 10, released: int | None = None) -> list[RowMeasure]:
    """Three rows without a unit; a unit of the first was released."""
    return [row(atp if released is None else released, released=True), row(atp), row(atp)]


def readings(*rows: RowMeasure) -> list[ReleaseReading]:
    return [found.reading for found in observations_of(rows, NOW)]


# One location's rows


def test_a_promise_that_is_short_by_the_units_after_the_range_speaks_for_range() -> None:
    [found] = observations_of([row(8, "a", "b"), *controls()], NOW)

    assert (found.reading, found.kind) == (RANGE, EvidenceKind.ATP)
    assert (found.missing, found.completed, found.unit) == (2, 2, "a")


def test_a_promise_that_is_short_by_nothing_speaks_for_immediate() -> None:
    assert readings(row(10, "a"), *controls()) == [IMMEDIATE]


@pytest.mark.parametrize("atp", [11, 8, 7])
def test_a_promise_that_is_short_by_anything_else_says_nothing(atp: int) -> None:
    assert readings(row(atp, "a"), *controls()) == []


@pytest.mark.parametrize(("atp", "reading"), [(3, RANGE), (4, IMMEDIATE)])
def test_open_allocations_and_reservations_are_no_evidence(
    atp: int, reading: ReleaseReading
) -> None:
    assert readings(row(atp, "a", open_units=4, reservations=2), *controls()) == [reading]


@pytest.mark.parametrize(("atp", "reading"), [(8, RANGE), (9, IMMEDIATE)])
def test_a_safety_stock_that_nobody_told_of_is_measured_by_the_controls(
    atp: int, reading: ReleaseReading
) -> None:
    assert readings(row(atp, "a"), *controls(9)) == [reading]


def test_controls_that_differ_prove_nothing() -> None:
    assert readings(row(9, "a"), row(9, released=True), row(10), row(8)) == []


def test_fewer_than_three_controls_prove_nothing() -> None:
    assert readings(row(9, "a"), *controls()[:2]) == []


def test_controls_that_promise_nothing_are_none() -> None:
    assert readings(row(9, "a"), *controls()[:2], row(0)) == []


def test_an_import_that_does_not_show_yet_proves_nothing() -> None:
    """The row whose unit it released is still short of that unit."""
    assert readings(row(10, "a"), *controls(released=9)) == []


def test_without_a_row_that_tells_whether_it_shows_an_import_proves_nothing() -> None:
    assert readings(row(10, "a"), row(10), row(10), row(10)) == []


def test_a_row_without_anything_to_promise_proves_nothing() -> None:
    """A mispicked product, a location that is off, and what is sold out look the same."""
    assert readings(row(0, "a", sent=1), row(0, "b", sent=0), *controls()) == []


def test_a_shipped_unit_that_is_still_listed_speaks_for_range_without_any_control() -> None:
    [found] = observations_of([row(10, "a", "b", listed=1)], NOW)

    assert (found.reading, found.kind) == (RANGE, EvidenceKind.ALLOCATION)


# The verdict


def seen(reading: ReleaseReading, *numbers: int) -> list[Observation]:
    """One observation for each, each of a unit of its own."""
    [one] = observations_of([row(10, "a", listed=1)], NOW)
    return [replace(one, reading=reading, unit=f"unit-{number}") for number in numbers]


def weighed(*observations: Observation, before: ReleaseFindings | None = None) -> ReleaseFindings:
    return weigh(before or ReleaseFindings(), observations, now=NOW)


@pytest.mark.parametrize("reading", [RANGE, IMMEDIATE])
def test_twelve_rows_of_one_kind_are_a_verdict(reading: ReleaseReading) -> None:
    almost = weighed(*seen(reading, *range(VERDICT_ROWS - 1)))
    found = weighed(*seen(reading, 99), before=almost)

    assert (almost.verdict, almost.changes) == (None, ())
    assert found.verdict is reading
    [change] = found.changes
    assert (change.before, change.after, change.at) == (None, reading, NOW)
    assert max(change.for_range, change.for_immediate) == VERDICT_ROWS


def test_a_unit_counts_once_however_often_it_is_seen() -> None:
    found = ReleaseFindings()
    for _ in range(VERDICT_ROWS):
        found = weighed(*seen(RANGE, 1), before=found)

    assert (found.verdict, len(found.observations)) == (None, 1)


@pytest.mark.parametrize(("against", "verdict"), [(3, RANGE), (4, None)])
def test_more_than_a_fifth_of_the_other_kind_leaves_it_open(
    against: int, verdict: ReleaseReading | None
) -> None:
    other = seen(IMMEDIATE, *range(100, 100 + against))

    assert weighed(*other, *seen(RANGE, *range(VERDICT_ROWS))).verdict is verdict


def test_evidence_against_a_verdict_ends_it_and_forgets_what_was_before() -> None:
    found = weighed(*seen(RANGE, *range(KEPT_MAX)))
    two = weighed(*seen(IMMEDIATE, 100, 101), before=found)
    three = weighed(*seen(IMMEDIATE, 102), before=two)

    assert (two.verdict, two.contradict(RANGE)) == (RANGE, False)
    assert (three.verdict, three.contradict(RANGE)) == (None, True)
    assert len(three.observations) == VERDICT_ROWS
    assert weighed(before=three).verdict is None
    assert [change.after for change in three.changes] == [RANGE, None]


def test_a_reading_never_follows_the_other_at_once() -> None:
    found = weighed(*seen(RANGE, *range(VERDICT_ROWS)))
    turned = weighed(*seen(IMMEDIATE, *range(100, 100 + KEPT_MAX)), before=found)

    assert turned.verdict is None
    assert weighed(before=turned).verdict is IMMEDIATE


def test_what_is_kept_is_bounded() -> None:
    found = ReleaseFindings()
    for number in range(4 * CHANGES_MAX):
        reading = (RANGE, IMMEDIATE)[number % 2]
        numbers = range(number * KEPT_MAX, (number + 1) * KEPT_MAX)
        found = weighed(*seen(reading, *numbers), before=found)

    assert len(found.observations) <= KEPT_MAX
    assert len(found.changes) == CHANGES_MAX


def test_a_reading_that_is_set_is_in_force_whatever_shows_and_is_contradicted_all_the_same() -> (
    None
):
    found = weighed(*seen(IMMEDIATE, *range(VERDICT_ROWS)))

    assert found.in_force(RANGE) is RANGE
    assert found.contradict(RANGE)
    assert found.in_force(FIND_OUT) is IMMEDIATE
    assert ReleaseFindings().in_force(FIND_OUT) is FIND_OUT
    assert not found.contradict(FIND_OUT)


def test_when_a_verdict_changed_is_kept() -> None:
    found = weighed(*seen(RANGE, *range(VERDICT_ROWS)))
    later = NOW + timedelta(hours=1)

    against = weigh(found, seen(IMMEDIATE, *range(100, 112)), now=later)

    assert [change.at for change in against.changes] == [NOW, later]
