"""The picture holds what was read, row by row and event by event, and nothing JSON cannot."""

import json
from typing import Any

import pytest

from cli.room.picture import (
    CLOSED_MAX,
    RUNS_MAX,
    SHADOW_ROWS_MAX,
    UNSTORED_MAX,
    picture,
)
from inventory_sync.domain.events import NO_INVENTORY, FulfillmentItem
from inventory_sync.domain.guards import HoldKind
from inventory_sync.domain.import_run import JobError, RunState
from inventory_sync.domain.inbound import QuarantinedCompletion, UnstoredCompletion
from inventory_sync.domain.reading import ReleaseReading
from inventory_sync.domain.release_evidence import ReleaseFindings, still_listed
from tests.builders import (
    DC,
    ITEMS_ASSIGNED,
    ITEMS_FAILED,
    MINUTE,
    NOW,
    SKU,
    event,
    open_event,
    run,
)
from tests.unit.cli.room.readings import KEY, held, promise, reading, shadow, truth


def test_a_row_has_every_system_s_figure_and_what_may_be_promised() -> None:
    figures = promise(17, allocated=1, unreleased=3)

    [row] = picture(reading(promises={KEY: figures}, erp_units={KEY: 16}, truth=truth(15))).rows

    assert (row.location, row.product, row.held) == (DC, SKU, False)
    assert (row.erp_units, row.on_hand_units, row.open_allocations) == (16, 17, 1)
    assert (row.completed_unreleased, row.atp_units) == (3, 13)
    assert (row.shelf_units, row.promisable_units) == (15, 14)


def test_without_truth_its_figures_are_unknown_and_not_nought() -> None:
    found = picture(reading(truth=None))

    assert not found.truth_known
    assert (found.rows[0].shelf_units, found.rows[0].promisable_units) == (None, None)


def test_a_row_that_only_one_system_lists_is_shown_all_the_same() -> None:
    [row] = picture(reading(promises={}, truth=None)).rows

    assert (row.erp_units, row.atp_units) == (10, None)


@pytest.mark.parametrize(
    ("fields", "stage", "note"),
    [
        ({}, "stored", ""),
        ({"applied_at": NOW}, "booked", ""),
        ({"rejected_reason": "unknown product"}, "refused", "unknown product"),
    ],
)
def test_an_open_event_stands_at_the_stage_it_has_reached(
    fields: dict[str, Any], stage: str, note: str
) -> None:
    [mark] = picture(reading(open_events=(open_event(12, SKU, SKU, **fields),))).events

    assert (mark.logical_timestamp, mark.name, mark.request) == (12, "items_completed", "ff12")
    assert (mark.products, mark.stage, mark.note) == ((SKU, SKU), stage, note)


def test_an_event_behind_the_watermark_says_that_it_was_released() -> None:
    events = (open_event(12), open_event(13), open_event(11, name=ITEMS_ASSIGNED))

    marks = picture(reading(open_events=events, watermark=12)).events

    assert {mark.logical_timestamp: mark.note for mark in marks} == {
        11: "",
        12: "already released at NewStore",
        13: "",
    }


def test_events_on_their_way_and_through_are_known_with_the_truth_only() -> None:
    known = truth(under_way=(event(14),), closed=(open_event(9),))

    marks = picture(reading(truth=known)).events

    assert [(mark.logical_timestamp, mark.stage) for mark in marks] == [
        (9, "done"),
        (14, "under_way"),
    ]
    assert picture(reading(truth=None)).events == ()


def test_of_the_events_that_are_through_the_latest_are_kept() -> None:
    closed = tuple(open_event(n, received_at=NOW + n * MINUTE) for n in range(CLOSED_MAX + 5))

    marks = picture(reading(truth=truth(closed=closed))).events

    assert [mark.logical_timestamp for mark in marks] == list(range(5, CLOSED_MAX + 5))


def test_a_run_is_told_with_its_errors_and_whom_it_went_without() -> None:
    errors = (JobError("no such product", "availabilities", "DC01/SKU-1"),)
    failed = run(state=RunState.FAILED, failure="no", job_errors=errors, left_out={DC: "slow"})

    line = picture(reading(runs=(failed,) * (RUNS_MAX + 1))).runs[0]

    assert (line.state, line.failure, line.left_out) == ("FAILED", "no", {DC: "slow"})
    assert line.job_errors == ("DC01/SKU-1: no such product",)
    assert len(picture(reading(runs=(failed,) * (RUNS_MAX + 1))).runs) == RUNS_MAX


@pytest.mark.parametrize(
    ("kind", "approvable"), [(HoldKind.ABSURD, True), (HoldKind.SNAPSHOT_OLDER, False)]
)
def test_a_held_location_says_why_and_whether_it_may_be_approved(
    kind: HoldKind, approvable: bool
) -> None:
    found = picture(reading(holds=held(kind=kind, figures="figures")))

    assert found.holds[0].reasons == ((kind.value, "figures", approvable),)
    assert found.rows[0].held


def test_the_picture_is_json_and_the_same_for_the_same_reading() -> None:
    full = reading(
        runs=(run(left_out={DC: "slow"}),),
        holds=held(),
        open_events=(open_event(12),),
        erp_down_until=NOW,
    )

    assert json.dumps(picture(full, "A tick.").to_json()) == json.dumps(
        picture(full, "A tick.").to_json()
    )
    assert json.loads(json.dumps(picture(full, "A tick.").to_json()))["told"] == "A tick."


def test_units_that_were_not_on_their_shelf_are_shown_by_row() -> None:
    items = (
        FulfillmentItem("a", SKU, None, NO_INVENTORY),
        FulfillmentItem("b", SKU, None, NO_INVENTORY),
        FulfillmentItem("c", "OTHER", None, "damaged"),
    )
    failed = open_event(12, name=ITEMS_FAILED, items=items)

    [mispick] = picture(reading(open_events=(failed,))).mispicks

    assert (mispick.location, mispick.product, mispick.units) == (DC, SKU, 2)
    assert mispick.since == failed.event.published_at.isoformat()


def test_the_reading_is_that_of_the_last_import_which_took_one() -> None:
    runs = (run(reading=None), run(reading=ReleaseReading.FIND_OUT), run())
    seen = still_listed(DC, SKU, ["a"], at=NOW)

    found = picture(reading(runs=runs, release=ReleaseFindings(observations=(seen,)))).release

    assert (found.reading, found.for_range, found.for_immediate) == ("find_out", 1, 0)


def test_of_a_shadow_s_rows_the_costliest_are_kept_and_all_are_counted() -> None:
    found = picture(reading(concerns=(), shadow=shadow(rows=SHADOW_ROWS_MAX + 5))).shadow

    assert found is not None
    assert (len(found.rows), found.differing) == (SHADOW_ROWS_MAX, SHADOW_ROWS_MAX + 5)
    assert (found.compared, found.locations) == (500, 1)


def test_the_oldest_shipments_that_only_the_quarantine_knows_are_listed_and_all_counted() -> None:
    completion = UnstoredCompletion(location_id=DC, logical_timestamp=7)
    waiting = tuple(
        QuarantinedCompletion(
            entry_id=f"{number:064}", completion=completion, received_at=NOW + number * MINUTE
        )
        for number in range(UNSTORED_MAX + 2)
    )

    found = picture(reading(unstored=waiting))

    assert (len(found.unstored), found.unstored_count) == (UNSTORED_MAX, UNSTORED_MAX + 2)
    assert (found.unstored[0].location, found.unstored[0].since) == (DC, NOW.isoformat())
