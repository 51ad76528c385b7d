"""How events come in: NewStore's registration of the stream, and the webhook that it calls."""

from datetime import datetime, timedelta

from cli.preflight.check import Check, look, mend, passed
from cli.smoke import Checks
from cli.stream import StreamFound
from cli.text import instant
from inventory_sync.domain.event_stream import StreamFault
from inventory_sync.domain.stream_records import REJECTED_EVENTS_MAX, StreamLogEntry
from inventory_sync.domain.wording import counted

REGISTER = "`stream register`"
STOP_WITHIN = timedelta(days=1)
_TOLD = {
    StreamFault.MISSING: "NewStore has no such registration",
    StreamFault.STOPPED: "it is stopped: no event comes",
    StreamFault.OTHER_URL: "it calls another address than this stack's",
    StreamFault.EVENTS_LEFT_OUT: "its filters hold back events that concern stock",
    StreamFault.TEMPORARY: "it is temporary and ends by itself",
}


def stream_checks(stream_id: str, found: StreamFound, now: datetime) -> list[Check]:
    """The registration: there and running, whom it calls, its filters, its log, what it rejects."""
    faults = {StreamFault(fault) for fault in found.faults}
    if StreamFault.MISSING in faults:
        return [mend("stream: registered", f"{stream_id}: {_TOLD[StreamFault.MISSING]}", REGISTER)]
    ours = found.ours
    events = ", ".join(sorted(ours.event_filter)) if ours and ours.event_filter else "all events"
    calls = ours.callback_url if ours else ""
    return [
        _of(
            "stream: registered",
            faults & {StreamFault.TEMPORARY},
            f"{stream_id}, permanent",
        ),
        _of("stream: running", faults & {StreamFault.STOPPED}, "events flow"),
        _of("stream: calls", faults & {StreamFault.OTHER_URL}, calls),
        _of("stream: filters", faults & {StreamFault.EVENTS_LEFT_OUT}, events),
        log_check(found.log, now),
        rejected_check(len(found.rejected)),
    ]


def log_check(log: list[StreamLogEntry], now: datetime) -> Check:
    """Whether NewStore has stopped it of late, which it does after answers it does not like."""
    stops = [entry for entry in log if entry.stopped and now - entry.at <= STOP_WITHIN]
    if stops:
        last = stops[0]
        told = f"stopped {counted(len(stops), 'time')} in a day, last {instant(last.at)}"
        return look("stream: log", f"{told}: {last.reason}", "`stream show`", stops=len(stops))
    return passed("stream: log", f"{counted(len(log), 'entry/entries')}, no stop in a day", stops=0)


def rejected_check(count: int) -> Check:
    """Events that NewStore keeps since the webhook answered 400: with 30 the stream stops."""
    told = f"{count} of {REJECTED_EVENTS_MAX}"
    if count:
        return look("stream: rejected events", told, "`stream rejected list`", rejected=count)
    return passed("stream: rejected events", told, rejected=0)


def webhook_check(url: str, answers: Checks) -> Check:
    """What became of calls that store nothing."""
    name, figures = "webhook", {"answers": answers.rows}
    wrong = [f"{row['check']}: {row['found']}" for row in answers.rows if not row["passed"]]
    if not wrong:
        told = ", ".join(f"{row['check']} {row['found']}" for row in answers.rows)
        return passed(name, f"answers as NewStore needs it: {told}", **figures)
    if all(row["found"] == "429" or "429, " in str(row["found"]) for row in answers.rows):
        told = "refuses every call from here, as from outside AllowedIpRanges"
        return look(name, f"{url} {told}", "`preflight` from an allowed address", **figures)
    return mend(name, f"{url} answers otherwise: {'; '.join(wrong)}", "`smoke`", **figures)


def _of(name: str, faults: set[StreamFault], told: str) -> Check:
    if not faults:
        return passed(name, told)
    return mend(name, "; ".join(_TOLD[fault] for fault in sorted(faults)), REGISTER)
