"""Plan: what the next run is, before anything is read for it."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from inventory_sync.domain.import_head import ImportHead
from inventory_sync.domain.import_run import ImportRun, RunState
from inventory_sync.domain.locations import Location
from inventory_sync.domain.reading import ReleaseReading

FULL_EVERY = timedelta(hours=25)
"""Where the scheduled full refresh found a run under way; it is daily, so this is an hour late."""


def plan_run(
    head: ImportHead,
    *,
    now: datetime,
    fencing_token: int,
    reading: ReleaseReading,
    full: bool,
    only: frozenset[str] = frozenset(),
) -> ImportRun:
    """`full` asks for every row; without it they are sent when a full refresh is overdue, and when
    the reading in force chooses rows otherwise than the last one did.

    With `only` no more than these locations are read; a refresh that is due, or that broke off
    before its files were whole, is for a run that reads all.
    """
    last, before = head.last_full_at, head.run
    broken_off = before is not None and not before.ended and before.full and not before.only
    overdue = last is None or now - last >= FULL_EVERY
    due = not only and (overdue or head.switches_to(reading))
    return ImportRun(
        run_id=f"{now:%Y%m%dT%H%M%SZ}-{fencing_token:08d}",
        state=RunState.PLANNED,
        planned_at=now,
        full=full or due or (broken_off and not only),
        refused_before=_refused_before(head),
        cut_end=head.watermark or 0,
        only=tuple(sorted(only)),
    )


def may_plan(head: ImportHead) -> bool:
    """Whether the last run is over.

    What broke off before its files were complete starts anew: whoever was at it may only sleep,
    and what it still writes must not be taken for the next run's files.
    """
    return head.run is None or head.run.ended or head.run.state is RunState.PLANNED


def why_not_only(only: frozenset[str], places: Mapping[str, Location]) -> str:
    """Why these locations cannot be read by themselves; empty where they can."""
    wrong = sorted(i for i in only if i not in places or not places[i].enabled)
    return f"the location map does not import {', '.join(wrong)}" if wrong else ""


def _refused_before(head: ImportHead) -> tuple[str, ...]:
    """What the run before this one finished without: this one sends those rows once more."""
    before = head.run
    if before is None or before.run_id != head.unfinished_run_id:
        return ()
    return before.refused if before.run_id == head.finished_run_id else ()
