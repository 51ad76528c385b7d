"""`replay`: get events in that were lost on the way; what is known changes nothing."""

import json
from collections.abc import Mapping
from datetime import datetime

import click

from cli.command import Operator, connected, note_change, signed
from cli.output import columns, refusal
from cli.progress import progress
from cli.text import INSTANT, instant, iso, short_name
from inventory_sync.adapters.dynamodb.audit import Author
from inventory_sync.domain.errors import FatalError
from inventory_sync.domain.event_stream import replay_id as new_replay_id
from inventory_sync.domain.events import StoredEvent
from inventory_sync.domain.inbound import ExportFile
from inventory_sync.domain.wording import counted
from inventory_sync.use_cases.ingest.ingest_event import IngestResult
from inventory_sync.use_cases.stream.replay_window import Replay, ReplayReport, ReplayWindow

KIND = "replay"
HOURS_MAX = 24
ROWS_SHOWN_MAX = 50


@click.group()
def replay() -> None:
    """Get events in that were lost on the way. What is known already changes nothing."""


@replay.command()
@click.option("--from", "since", type=INSTANT, required=True, help="Published from then on.")
@click.option("--to", "until", type=INSTANT, help="Published before then.  [default: now]")
@click.option("--wait", default=30, show_default=True, type=click.IntRange(0, 720), help="Minutes.")
@signed
@connected
def window(
    operator: Operator, since: datetime, until: datetime | None, wait: int, who: str, why: str
) -> None:
    """Have NewStore send all events of a window again, and report which were missing.

    Registers a temporary stream at NewStore, which calls our webhook and ends by itself; then it
    is deleted. Where that takes longer than --wait, exit code 4, and `replay report` goes on.

    \b
    Example: inventory-sync replay window --from 2026-03-02T09:00 --to 2026-03-02T11:30 \\
             --why "stream stood still"
    """
    author = operator.author("replay window", who, why)
    until = until or operator.now
    if not since < until <= operator.now:
        raise refusal("--from has to be before --to, and --to not after now")
    asked = Replay(
        replay_id=new_replay_id(operator.stack.stream_admin.stream_id, operator.now),
        since=since,
        until=until,
        asked_at=operator.now,
    )
    note_change(operator, KIND, asked.replay_id, {**_window(asked), "state": "asked"}, author)
    _replayer(operator).ask(asked, operator.stack.registration())
    _report(operator, asked, wait, author)


@replay.command()
@click.argument("replay_id", metavar="REPLAY")
@click.option("--wait", default=0, show_default=True, type=click.IntRange(0, 720), help="Minutes.")
@signed
@connected
def report(operator: Operator, replay_id: str, wait: int, who: str, why: str) -> None:
    """Report on a replay that was asked for earlier, and tidy up after it once it has ended.

    Example: inventory-sync replay report inventory-sync-replay-20260302120000 --wait 30
    """
    author = operator.author("replay report", who, why)
    try:
        record = json.loads(operator.stack.state.record(KIND, replay_id) or "{}")
        asked = Replay(
            replay_id=replay_id,
            since=datetime.fromisoformat(record["since"]),
            until=datetime.fromisoformat(record["until"]),
            asked_at=datetime.fromisoformat(record["asked_at"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise refusal(
            f"there is no replay of a window named {replay_id}; `replay window` names it"
        ) from error
    _report(operator, asked, wait, author)


@replay.command()
@click.argument("path", metavar="FILE")
@click.option("--offset", default=0, type=click.IntRange(0), help="Byte to go on from, unpacked.")
@signed
@connected
def file(operator: Operator, path: str, offset: int, who: str, why: str) -> None:
    """Take the events of FILE, one of NewStore's export, packed or not, here or in S3.

    Every line goes through the same ingest as the webhook's calls; a bad one into quarantine.

    Example: inventory-sync replay file s3://bucket/inbound/acme/1772442000000-data-x.export
    """
    author = operator.author("replay file", who, why)
    found = _export_file(path)
    item_id = f"file-{operator.now:%Y%m%dT%H%M%S}"
    asked = {"file": found.uri, "offset": offset}
    note_change(operator, KIND, item_id, {**asked, "state": "asked"}, author)
    ingest = operator.stack.export_reader(local=not found.bucket)
    with progress(f"taking the events of {path}"):
        read = ingest(found, offset, lambda: 3600.0 * HOURS_MAX)
    results = {result.value: read.results.get(result, 0) for result in IngestResult}
    figures = {"lines": read.lines, "offset": read.offset, "done": read.done, **results}
    note_change(operator, KIND, item_id, {**asked, **figures, "state": "done"}, author)
    if read.failure:
        raise FatalError(f"{read.failure}; go on with --offset {read.offset}")
    operator.out.result(
        figures,
        f"{counted(read.lines, 'line')}: {results['stored']} were missing and are stored,"
        f" {results['already_stored']} were known, {results['ignored']} do not concern stock,"
        f" {results['quarantined']} are in quarantine.",
    )
    if results["quarantined"]:
        operator.out.found()


def _replayer(operator: Operator) -> ReplayWindow:
    stack = operator.stack
    desk = stack.stream_admin
    return ReplayWindow(desk.streams, desk.records, stack.history, stack.connect)


def _report(operator: Operator, asked: Replay, wait: int, author: Author) -> None:
    replayer = _replayer(operator)
    with progress(f"NewStore sends {asked.replay_id} again; waiting {wait} min at most"):
        found = replayer.report(asked, 60.0 * wait)
    tidied = replayer.delete_registration(asked, found)
    figures: Mapping[str, object] = {
        **_window(asked),
        "state": "ended" if found.ended else "running",
        "known": found.known,
        "missing": len(found.missing),
        "failed": len(found.failed),
    }
    note_change(operator, KIND, asked.replay_id, figures, author)
    events = [_event(stored) for stored in found.missing]
    operator.out.report(
        {**figures, "replay_id": asked.replay_id, "events": events, "deleted": tidied},
        f"{asked.replay_id}: events published {instant(asked.since)} to {instant(asked.until)}.",
        f"{found.known} were known, {len(found.missing)} were missing and are stored now.",
        *([columns(events[:ROWS_SHOWN_MAX])] if events else []),
        *_concerns(asked, found),
    )
    if not found.ended or found.failed:
        operator.out.found()


def _concerns(asked: Replay, found: ReplayReport) -> list[str]:
    if not found.ended:
        return [f"! NewStore is still sending: `replay report {asked.replay_id} --wait 30`"]
    if found.failed:
        return [
            f"! NewStore could not deliver {counted(len(found.failed), 'event')};"
            " its stream is left there."
            " See the ingest function's log, then replay once more"
        ]
    return []


def _window(asked: Replay) -> dict[str, object]:
    return {
        "since": iso(asked.since),
        "until": iso(asked.until),
        "asked_at": iso(asked.asked_at),
    }


def _event(stored: StoredEvent) -> dict[str, object]:
    event = stored.state.event
    return {
        "location_id": event.location_id,
        "logical_timestamp": event.logical_timestamp,
        "name": short_name(event),
        "fulfillment_request_id": event.fulfillment_request_id,
        "published_at": event.published_at,
    }


def _export_file(path: str) -> ExportFile:
    if not path.startswith("s3://"):
        return ExportFile(bucket="", key=path)
    bucket, _, key = path.removeprefix("s3://").partition("/")
    if not (bucket and key):
        raise refusal(f"{path} is no file in S3; write it as s3://BUCKET/KEY")
    return ExportFile(bucket=bucket, key=key)
