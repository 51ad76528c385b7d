"""`status`: whether everything runs, and what needs looking at."""

from datetime import datetime, timedelta

import click

from cli.command import Operator, connected
from cli.findings import (
    ERP_IS_DOWN,
    Findings,
    look_at_calls,
    look_at_promises,
    look_at_report,
    look_at_settings,
)
from cli.follow import follow
from cli.glance import Glance, glance_at
from cli.output import columns
from cli.quarantine import bodies_that_say_nothing, named
from cli.shadow_now import ShadowNow
from cli.text import instant, span, visible
from inventory_sync.adapters.unreadable import LeftOut, LeftOutError
from inventory_sync.domain.errors import InventorySyncError
from inventory_sync.domain.event_stream import faults_of
from inventory_sync.domain.guards import HoldKind
from inventory_sync.domain.holds import ALL_IMPORTS
from inventory_sync.domain.import_head import ImportHead
from inventory_sync.domain.import_run import RunState
from inventory_sync.domain.inbound import QuarantinedCompletion, short_entry_id
from inventory_sync.domain.reading import ReleaseReading
from inventory_sync.domain.refresh import RefreshProgress
from inventory_sync.domain.wording import counted
from inventory_sync.version import VERSION

UNSTORED_NAMED_MAX = 5
_OF_A_FETCH = ("fetch", "download", "://")
_RUNS_FAILED = "docs/runbook.md, Runs failed"
LAG_MAX = timedelta(hours=1)
"""From here on the alarms go off too (template.yaml, WatermarkLagAlarm and EventsUnapplied)."""


@click.command()
@click.option("--offline", is_flag=True, help="Ask neither NewStore nor the ERP nor CloudWatch.")
@click.option(
    "--follow",
    "minutes",
    type=click.IntRange(1, 7 * 24 * 60),
    metavar="MINUTES",
    help="First wait until every location has been imported, at most so long.",
)
@connected
def status(operator: Operator, offline: bool, minutes: int | None) -> None:
    """Show whether all is well: imports, stock, events, holds, the event stream, promises.

    Asks NewStore for its stream, CloudWatch for the calls of the last hour, and compares what
    NewStore promises at a few locations, others each time, with the books and the ERP. Exit code 4
    where something needs looking at; each line with `!` says what and by which command.

    With --follow it waits for the first import, or a full refresh, of all that is not held; on a
    terminal it shows meanwhile how far that is. A shadow imports nothing, so there it is refused.

    \b
    Example: inventory-sync status
             inventory-sync status --follow 120
    """
    if minutes is not None:
        operator = follow(operator, minutes)
    found = Findings()
    with LeftOut(_name) as left_out:
        _look(operator, found, offline=offline)
        _unreadable(operator, left_out, found)
    figures = {**found.figures, "concerns": found.concerns}
    concerns = [f"! {concern}" for concern in found.concerns] or ["All is well."]
    operator.out.report(figures, columns(found.lines), "", *concerns)
    if found.concerns:
        operator.out.found()


def _name(error: LeftOutError) -> None:
    click.echo(visible(str(error)), err=True)


def _look(operator: Operator, found: Findings, *, offline: bool) -> None:
    found.add("version", f"{VERSION}, of these commands", version=VERSION)
    glance = glance_at(operator)
    if not offline:
        look_at_settings(operator, found)
    look_at_a_glance(operator, glance, found, offline=offline)
    _events(operator, found)
    _quarantine(operator, found)
    if not offline:
        look_at_promises(operator, glance, found)


def look_at_a_glance(
    operator: Operator, glance: Glance, found: Findings, *, offline: bool = False
) -> None:
    """What is found without reading a whole table, or the ERP: the control room has it too."""
    mode = glance.mode
    found.add(
        "mode", mode.in_words, mode.waits, mode=mode.mode.value, shadow_until=mode.shadow_until
    )
    if glance.shadow is not None:
        _shadow(operator.now, glance.shadow, found)
    else:
        found.figures["looks"] = None
        _import(operator.now, glance.head, found)
        _read(operator, glance.head, found)
        _refresh(operator.now, glance, found)
        look_at_release(glance.head, found)
    _locations(glance, found)
    _unstored(glance.unstored, found)
    if not offline:
        _stream(operator, found)
        look_at_calls(operator, found)
    look_at_report(operator, glance.report, found)


def _shadow(now: datetime, shadow: ShadowNow, found: Findings) -> None:
    """What it has seen; it imports nothing, and what was imported before it is over."""
    at = shadow.at
    text = f"{span(now - at)} ago, {shadow.in_words}" if at else "none yet"
    found.add(
        "looks",
        text,
        shadow.concern(now),
        looks={
            "at": at,
            "locations": len(shadow.looks),
            "rows": shadow.rows,
            "units": shadow.units,
            "unread": dict(shadow.unread),
        },
        **dict.fromkeys(("watermark", "last_finished_at", "run", "refresh")),
    )


def _import(now: datetime, head: ImportHead, found: Findings) -> None:
    run = head.run
    finished = head.last_finished_at
    lag = None if finished is None else now - finished
    late = ""
    if lag is None:
        late = f"no import has finished yet: see {'`run last`' if run else '`preflight`'}"
    if lag is not None and lag > LAG_MAX:
        late = f"no import has finished for {span(lag)}: see `run last`"
    text = "no import has finished" if lag is None else f"{span(lag)} ago, {instant(finished)}"
    found.add("watermark", "-" if head.watermark is None else str(head.watermark))
    found.add("last import", text, late, last_finished_at=finished, watermark=head.watermark)
    if run is None:
        found.add("run", "none yet", run=None)
        return
    failed = _failed(run.failure) if run.state is RunState.FAILED else ""
    if run.job_errors and not failed:
        first = run.job_errors[0]
        named = f"the first {first.entity_type} {first.entity_id}: {first.reason}"
        failed = f"NewStore refused rows of the last run, {named}; see `run last`"
    shown = {"run_id": run.run_id, "state": run.state.value, "left_out": len(run.left_out)}
    left = f", {counted(len(run.left_out), 'location')} left out" if run.left_out else ""
    found.add("run", f"{run.run_id} {run.state.value}{left}", failed, run=shown)


def _failed(failure: str) -> str:
    """NewStore says in words of its own that it could not fetch a file."""
    if not any(word in failure.lower() for word in _OF_A_FETCH):
        return f"the last run failed: {failure}; see `run last` and {_RUNS_FAILED}"
    return (
        f"the last run failed: {failure}. NewStore could not fetch the file: check the"
        f" file-signing secret and the bucket policy; see `preflight` and {_RUNS_FAILED}"
    )


def _read(operator: Operator, head: ImportHead, found: Findings) -> None:
    """Whether the last run could read the ERP: what a guard holds is told by itself."""
    run = head.run
    if run is not None and run.state is RunState.PLANNED:
        earlier = (one for one in operator.stack.runs.newest_first() if one.ended)
        run = next(earlier, None)
    if run is None:
        return
    by_choice = ("held: ", "not asked for", "not imported any more")
    unread = {key: why for key, why in run.left_out.items() if not why.startswith(by_choice)}
    if not unread:
        found.add("stock", f"{counted(run.snapshots, 'location')} read", stock_not_read={})
        return
    first, why = next(iter(sorted(unread.items())))
    what = "no stock could be read" if not run.snapshots else "stock could not be read"
    found.add(
        "stock",
        f"{run.snapshots} read, {len(unread)} not",
        f"{what} at {counted(len(unread), 'location')}, the first {first}: {why},"
        f" seen by the import of {instant(run.planned_at)}; {ERP_IS_DOWN}",
        stock_not_read=unread,
    )


def _refresh(now: datetime, glance: Glance, found: Findings) -> None:
    """How far the first import has come, or the full refresh."""
    if glance.manifest_fault:
        fault = f"no import can go on: {glance.manifest_fault}"
        found.add("refresh", "not known", fault, refresh=None)
        return
    if glance.manifest is None:
        found.add("refresh", "no import has finished", refresh=None)
        return
    progress = RefreshProgress.of(glance.manifest, glance.imported, now)
    left = progress.time_left
    shown = {
        "since": progress.since,
        "locations": progress.locations,
        "refreshed": progress.refreshed,
        "never_imported": progress.first,
        "rows_waiting": progress.rows_waiting,
        "oldest_at": progress.oldest_at,
        "seconds_left": None if left is None else int(left.total_seconds()),
    }
    found.add("refresh", progress_in_words(progress), refresh=shown)


def progress_in_words(progress: RefreshProgress) -> str:
    """What it is, how far it has come, and how long it may take."""
    of_all = counted(progress.locations, "location")
    if progress.done:
        return f"every row of {of_all} sent since {instant(progress.since)}"
    left = progress.time_left
    told = "time left not known yet" if left is None else f"about {span(left)} left"
    if progress.first:
        return f"first import: {progress.locations - progress.first} of {of_all} are in, {told}"
    oldest = f", the oldest {instant(progress.oldest_at)}" if progress.oldest_at else ""
    return f"every row of {progress.refreshed} of {of_all} sent anew, {told}{oldest}"


def look_at_release(head: ImportHead, found: Findings) -> None:
    """How NewStore counts shipped units, as far as imports have seen it."""
    release, run = head.release, head.run
    for_range = release.rows_for(ReleaseReading.RANGE)
    for_immediate = release.rows_for(ReleaseReading.IMMEDIATE)
    verdict = release.verdict or "not found out yet"
    by = run.reading if run else None
    rows = counted(for_range, "row")
    text = f"{verdict} ({rows} for range, {for_immediate} for immediate)"
    concern = ""
    if by is not None and release.contradict(by):
        concern = f"imports go by `{by}`, and NewStore does otherwise: see docs/runbook.md"
    found.add(
        "release reading",
        text + (f", the last import went by {by}" if by else ""),
        concern,
        release_reading={
            "verdict": release.verdict,
            "in_force": by,
            "rows_for_range": for_range,
            "rows_for_immediate": for_immediate,
            "changes": [
                {"at": c.at, "before": c.before, "after": c.after} for c in release.changes
            ],
        },
    )


def _locations(glance: Glance, found: Findings) -> None:
    places, held, by_operator = glance.places, glance.holds, glance.operator_holds
    none = "" if places else "no location is mapped: see `locations load --help`"
    done = "looked at" if glance.mode.is_shadow else "imported"
    text = f"{len(places)}, {len(glance.imported)} {done}"
    found.add("locations", text, none, locations=len(places))
    kinds = {key: [hold.kind.value for hold in hold.holds] for key, hold in held.items()}
    for key in by_operator.keys() - kinds.keys() - {ALL_IMPORTS}:
        kinds[key] = [HoldKind.OPERATOR.value]
    kinds = dict(sorted(kinds.items()))
    names = "; ".join(f"{key}: {', '.join(kind)}" for key, kind in kinds.items())
    concern = f"held: {counted(len(kinds), 'location')}, see `holds list`" if kinds else ""
    concern = "" if glance.mode.is_shadow else concern
    found.add("held", names or "none", concern, held=kinds)
    paused = by_operator.get(ALL_IMPORTS)
    still = f"imports are paused by {paused}: see `resume --all`" if paused else ""
    going_on = "none, by a shadow" if glance.mode.is_shadow else "going on"
    text = f"paused by {paused}" if paused else going_on
    found.add("imports", text, still, paused=bool(paused))


def _events(operator: Operator, found: Findings) -> None:
    opened = rejected = mispicked = 0
    oldest: datetime | None = None
    for state in operator.stack.event_log.open_events():
        opened += 1
        rejected += state.rejected_reason is not None
        mispicked += len(state.event.mispicked)
        if state.forwarded_at is None and state.rejected_reason is None:
            oldest = min(oldest or state.received_at, state.received_at)
    age = operator.now - oldest if oldest else timedelta(0)
    slow = f"the ERP has not taken an event for {span(age)}: see `events --unapplied`"
    text = f"{opened} open, oldest not taken by the ERP: {span(age) if oldest else 'none'}"
    found.add(
        "events",
        text,
        slow if age > LAG_MAX else "",
        open_events=opened,
        oldest_unapplied_seconds=int(age.total_seconds()),
    )
    refused = (
        f"the ERP refused {counted(rejected, 'event')}: see `quarantine list`" if rejected else ""
    )
    found.add("rejected", str(rejected), refused, rejected=rejected)
    missing = f"{counted(mispicked, 'unit')} not found, see `holds mispicks`"
    found.add("mispicks", missing if mispicked else "none", mispicked_units=mispicked)


def _quarantine(operator: Operator, found: Findings) -> None:
    waiting = [one for one in operator.stack.quarantine.entries() if not one.resolution]
    count = len(waiting)
    entries = counted(count, "entry/entries")
    text = f"in quarantine: {entries}, see `quarantine list`" if count else ""
    found.add("quarantine", str(count), text, quarantine=count)
    unread = bodies_that_say_nothing(operator, waiting)
    ids = ", ".join(map(named, unread[:UNSTORED_NAMED_MAX]))
    concern = (
        f"{counted(len(unread), 'body/bodies')} in quarantine that cannot be read at all and may"
        f" report a shipment, keeping nothing back: see `quarantine show {named(unread[0])}` first"
        " and docs/runbook.md, Completions unstored"
        if unread
        else ""
    )
    text = f"{len(unread)}: {ids}" if unread else "0"
    found.add("bodies not readable", text, concern, bodies_unreadable=len(unread))


def _unstored(waiting: tuple[QuarantinedCompletion, ...], found: Findings) -> None:
    """Shipments that no stored event reports, and since when they keep imports from releasing."""
    told = "; ".join(
        f"{short_entry_id(one.entry_id)} at {one.completion.location_id or 'no readable location'},"
        f" {_timestamp(one)}, since {instant(one.received_at)}"
        for one in waiting[:UNSTORED_NAMED_MAX]
    )
    concern = (
        f"{counted(len(waiting), 'shipment')} in quarantine that no stored event reports: see"
        f" `quarantine show {short_entry_id(waiting[0].entry_id)}` and docs/runbook.md, Completions"
        " unstored"
        if waiting
        else ""
    )
    found.add(
        "shipments not stored",
        f"{len(waiting)}: {told}" if waiting else "0",
        concern,
        completions_unstored=len(waiting),
    )


def _timestamp(one: QuarantinedCompletion) -> str:
    at = one.completion.logical_timestamp
    return "no readable timestamp" if at is None else str(at)


def _unreadable(operator: Operator, left_out: LeftOut, found: Findings) -> None:
    """What the adapter has stored and `status` has met; ledgers are read by imports alone."""
    operator.store.approvals()
    operator.store.resends()
    records = [f"event {e.ref}: {e.fault}" for e in operator.stack.event_log.unreadable_events()]
    records += sorted(left_out.records)
    concern = (
        f"{counted(len(records), 'record')} that the adapter has stored cannot be read, the first"
        f" {records[0]}: see docs/runbook.md, Records unreadable"
        if records
        else ""
    )
    found.add("unreadable records", str(len(records)), concern, records_unreadable=records)


def _stream(operator: Operator, found: Findings) -> None:
    try:
        desk = operator.stack.stream_admin
        stream = desk.streams.stream(desk.stream_id)
    except InventorySyncError as error:
        told = f"NewStore could not be asked: {error}; see `preflight`"
        found.add("stream", f"not known ({error})", told)
        return
    faults = [fault.value for fault in faults_of(stream, desk.event_url)]
    status = stream.status if stream else "missing"
    concern = f"the event stream is not right ({', '.join(faults)}): see `stream show`"
    shown = {"stream_id": desk.stream_id, "status": status, "faults": faults}
    found.add("stream", f"{desk.stream_id} {status}", concern if faults else "", stream=shown)
