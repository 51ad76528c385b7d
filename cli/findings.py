"""What `status` finds; what it asks NewStore, the ERP and CloudWatch."""

import json
import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from cli.command import Operator
from cli.glance import SUMMARY, Glance
from cli.no_reports import NoReports
from cli.stack import (
    CHECK_STREAM_FUNCTION,
    EXPORT_FUNCTION,
    FORWARD_FUNCTION,
    IMPORT_FUNCTION,
    INGEST_FUNCTION,
    RECONCILE_FUNCTION,
)
from cli.text import instant
from inventory_sync.adapters.dynamodb.stream_check_states import DynamoStreamCheckStates
from inventory_sync.config import (
    CheckStreamSettings,
    ExportSettings,
    ForwardSettings,
    ImportSettings,
    IngestSettings,
    ReconcileSettings,
)
from inventory_sync.domain.drift import Cause, RowDrift
from inventory_sync.domain.errors import InventorySyncError
from inventory_sync.domain.import_head import ImportHead
from inventory_sync.domain.wording import counted

CALLS_WITHIN = timedelta(hours=1)
PAUSE_MAX = timedelta(minutes=30)
"""After a failed attempt the stream makes the next one sooner."""
REPORT_AGE_MAX = timedelta(hours=26)
"""A reconciliation is scheduled daily."""
ROWS_LOOKED_AT_MAX = 6_000
LOCATIONS_LOOKED_AT_MAX = 5
MENDED_WITHIN = timedelta(minutes=15)
"""An import takes up what the ERP has corrected, unless it leaves the location out."""
_FOR_A_PERSON = frozenset({Cause.UNEXPLAINED, Cause.LEAKED_ALLOCATION, Cause.LATE})
_SECONDS_MAX = 300.0
ERP_IS_DOWN = "see `preflight` and docs/runbook.md, The ERP is down"
_SETTINGS: Mapping[str, Callable[[Mapping[str, str]], object]] = {
    CHECK_STREAM_FUNCTION: CheckStreamSettings.read,
    EXPORT_FUNCTION: ExportSettings.read,
    FORWARD_FUNCTION: ForwardSettings.read,
    IMPORT_FUNCTION: ImportSettings.read,
    INGEST_FUNCTION: IngestSettings.read,
    RECONCILE_FUNCTION: ReconcileSettings.read,
}


@dataclass
class Findings:
    """Figures for scripts, lines for people, and what needs looking at."""

    figures: dict[str, Any] = field(default_factory=dict)
    lines: list[dict[str, object]] = field(default_factory=list)
    concerns: list[str] = field(default_factory=list)

    def add(self, name: str, text: str, concern: str = "", **figures: object) -> None:
        """One line; `concern` says what to do where something is wrong."""
        self.lines.append({"": name, "state": text})
        self.figures |= figures
        if concern:
            self.concerns.append(concern)


def look_at_settings(operator: Operator, found: Findings) -> None:
    """Whether each function can read its own settings."""
    wrong = dict(_wrong_settings(operator))
    text = f"wrong for {', '.join(wrong)}" if wrong else "read by all functions"
    told = "; ".join(f"{name} cannot run: {why}" for name, why in sorted(wrong.items()))
    told += ": see docs/runbook.md, Wrong parameter" if wrong else ""
    found.add("settings", text, told, settings_wrong=wrong)


def _wrong_settings(operator: Operator) -> Iterator[tuple[str, str]]:
    for function, read in _SETTINGS.items():
        try:
            read(operator.stack.variables(function))
        except InventorySyncError as error:
            yield function, str(error)


def look_at_promises(operator: Operator, glance: Glance, found: Findings) -> None:
    """A sample of locations, each row compared with the books and with the ERP as it is now."""
    chosen = _sample(glance)
    if not chosen:
        return
    try:
        compare = replace(operator.stack.reconciler, reports=NoReports())
        seen = compare(lambda: _SECONDS_MAX, only=chosen)
    except InventorySyncError as error:
        told = f"no promise could be compared: {error}; see `preflight`"
        found.add("promises", f"not compared ({error})", told)
        return
    stuck = _stuck(operator.now, glance.head)
    wrong = [drift for drift in seen.drifts if _needs_a_person(drift, stuck)]
    over = sum(drift.oversold_units for drift in wrong)
    rows = f"{counted(seen.totals.rows, 'row')} of {counted(len(chosen), 'location')} compared"
    rows += f", {counted(len(wrong), 'row')} wrong, oversold by {over}" if wrong else ""
    concern = ""
    if wrong:
        what = f"promises {counted(over, 'unit')} too many" if over else "promises too few units"
        row = wrong[0].figures
        concern = (
            f"NewStore {what} in {counted(len(wrong), 'row')}, the first {row.product_id} at"
            f" {row.location_id}: see `reconcile` and `explain`"
        )
    shown = {"rows": seen.totals.rows, "rows_wrong": len(wrong), "oversold_units": over}
    found.add("promises", rows, concern, promises=shown)
    for location_id, why in sorted(seen.unread.items())[:1]:
        others = f" and {len(seen.unread) - 1} more" if len(seen.unread) > 1 else ""
        told = f"{location_id}{others}: {why}"
        known = location_id in found.figures.get("stock_not_read", {})
        concern = "" if known else f"the ERP cannot be read at {told}; {ERP_IS_DOWN}"
        found.add("ERP", f"not read now: {told}", concern)


def _sample(glance: Glance) -> frozenset[str]:
    """Other ones each time; a location of very many rows is for `reconcile`."""
    entries = glance.manifest.locations if glance.manifest else {}
    ids = sorted(entries.keys() & set(glance.imported))
    chosen: list[str] = []
    rows = 0
    for key in random.sample(ids, min(len(ids), 4 * LOCATIONS_LOOKED_AT_MAX)):  # nosec B311
        if rows + entries[key].rows <= ROWS_LOOKED_AT_MAX and len(chosen) < LOCATIONS_LOOKED_AT_MAX:
            rows += entries[key].rows
            chosen.append(key)
    return frozenset(chosen)


def _stuck(now: datetime, head: ImportHead) -> frozenset[str] | None:
    """Locations that no import brings up to date now; None means all of them."""
    if head.last_finished_at is None or now - head.last_finished_at > MENDED_WITHIN:
        return None
    return frozenset(head.run.left_out) if head.run else frozenset()


def _needs_a_person(drift: RowDrift, stuck: frozenset[str] | None) -> bool:
    if _FOR_A_PERSON & drift.parts.keys():
        return True
    held = stuck is None or drift.figures.location_id in stuck
    return held and Cause.ERP_CORRECTION in drift.parts and drift.oversold_units > 0


def look_at_report(operator: Operator, folder: str, found: Findings) -> None:
    """What the last reconciliation of a day found that needs a person."""
    body = operator.stack.bucket.get(f"{folder}{SUMMARY}") if folder else None
    if body is None:
        return
    try:
        at, rows = _summary(folder, body)
    except (ValueError, LookupError, TypeError, AttributeError):
        text = f"{folder}{SUMMARY} cannot be read"
        found.add("reconciliation", text, f"{text}: delete it, then `reconcile`")
        return
    named = ", ".join(f"{count} {cause}" for cause, count in sorted(rows.items()) if count)
    text = f"{instant(at)}, {named or 'nothing for a person'}"
    recent = operator.now - at <= REPORT_AGE_MAX
    concern = (
        f"the last reconciliation found rows that are {named}: see `reconcile`; this stands until a"
        " whole one finds none"
    )
    found.add(
        "reconciliation",
        text,
        concern if named and recent else "",
        reconciliation={"at": at, "rows_by_cause": rows},
    )


def _summary(folder: str, body: bytes) -> tuple[datetime, dict[str, int]]:
    """When it was made, and its rows that need a person, by cause."""
    at = datetime.strptime(f"{folder.split('/')[1]}+0000", "%Y%m%dT%H%M%SZ%z")
    rows = json.loads(body)["rows_by_cause"]
    return at, {cause.value: int(rows.get(cause.value, 0)) for cause in _FOR_A_PERSON}


def look_at_calls(operator: Operator, found: Findings) -> None:
    """Whether NewStore calls the webhook with a key that is not in the secret (any more)."""
    since = operator.now - CALLS_WITHIN
    try:
        sums = operator.stack.counted(("EventsStored", "CallsUnauthorized"), since, operator.now)
    except InventorySyncError as error:
        told = (
            f"CloudWatch could not be asked for the webhook's calls: {error}; see docs/deploy.md,"
            " Operators' rights"
        )
        found.add("calls", "not known", told)
        return
    stored, refused = int(sums["EventsStored"]), int(sums["CallsUnauthorized"])
    failed = failed_since_the_last_event(operator, since)
    text = f"in an hour {counted(stored, 'event')} stored, {refused} refused for their key"
    text += f"; NewStore failed to deliver {counted(failed, 'event')}" if failed else ""
    found.add(
        "calls",
        text,
        _of_calls(operator, stored, refused, failed),
        calls={
            "events_stored": stored,
            "refused_for_their_key": refused,
            "not_delivered_since_the_last_event": failed,
        },
    )


def _of_calls(operator: Operator, stored: int, refused: int, failed: int) -> str:
    since = operator.now - CALLS_WITHIN
    way_out = f"`stream register`, then `replay window --from {since:%Y-%m-%dT%H:%M}`"
    if refused and not stored:
        return (
            f"{counted(refused, 'call')} had no valid key and no event was stored: NewStore has an"
            f" old key. {way_out}"
        )
    if failed:
        return (
            f"NewStore cannot deliver events ({counted(failed, 'attempt')} failed since the last"
            f" one came): see `stream show`; if its key is an old one, {way_out}"
        )
    return ""


def failed_since_the_last_event(operator: Operator, since: datetime) -> int:
    """The stream check remembers the last event; one that came since is in NewStore's list."""
    desk, now = operator.stack.stream_admin, operator.now
    try:
        memory = DynamoStreamCheckStates(operator.stack.state).load(desk.stream_id)
        last = max(memory.arrivals.last_at or since, since)
        found = desk.records.failures(desk.stream_id, since, now)
        failed = [attempt.attempted_at for attempt in found if attempt.attempted_at > last]
        after = max(failed, default=now) + timedelta(seconds=1)
        if desk.records.delivered(desk.stream_id, after, min(now, after + PAUSE_MAX)):
            return 0
    except InventorySyncError:
        return 0  # the stream's own line says that NewStore does not answer
    return len(failed)
