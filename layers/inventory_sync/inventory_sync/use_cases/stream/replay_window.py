"""Replay: have NewStore send the events of a window again, and say which of them were missing."""

from dataclasses import dataclass, replace
from datetime import datetime

from inventory_sync.domain.event_stream import StreamRegistration
from inventory_sync.domain.events import StoredEvent
from inventory_sync.domain.stream_records import FailedAttempt
from inventory_sync.ports.events import EventHistory
from inventory_sync.ports.newstore import EventStreams, StreamRecords
from inventory_sync.ports.observe import Clock

POLL_SECONDS = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """A temporary stream of NewStore's over the events published from `since` up to `until`.

    `asked_at` is on our clock: what is stored of the window from then on was missing.
    """

    replay_id: str
    since: datetime
    until: datetime
    asked_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayReport:
    """`known` events of the window were here before; `failed` NewStore could not deliver.

    Not `ended`: NewStore is still sending, or has not begun. A replay that is gone has ended.
    """

    ended: bool
    known: int
    missing: tuple[StoredEvent, ...]
    failed: tuple[FailedAttempt, ...]


@dataclass(frozen=True, slots=True)
class ReplayWindow:
    """What is known is answered 200 by the webhook, so a replay changes nothing but what lacked."""

    streams: EventStreams
    records: StreamRecords
    history: EventHistory
    clock: Clock

    def ask(self, replay: Replay, ours: StreamRegistration) -> None:
        """NewStore begins at once; RejectedError where it refuses, as beyond 25 streams."""
        self.streams.create(
            replace(
                ours,
                stream_id=replay.replay_id,
                starts_at=replay.since,
                ends_at=replay.until,
            )
        )

    def report(self, replay: Replay, wait_seconds: float) -> ReplayReport:
        """After the replay's end, or after so long; to be asked again as often as one likes."""
        deadline = self.clock.monotonic() + wait_seconds
        stream = self.streams.stream(replay.replay_id)
        while stream is not None and stream.running:
            if self.clock.monotonic() >= deadline:
                break
            self.clock.sleep(POLL_SECONDS)
            stream = self.streams.stream(replay.replay_id)
        events = list(self.history.published_between(replay.since, replay.until))
        missing = [event for event in events if event.state.received_at >= replay.asked_at]
        missing.sort(key=lambda stored: stored.state.event.ref)
        return ReplayReport(
            ended=stream is None or not stream.running,
            known=len(events) - len(missing),
            missing=tuple(missing),
            failed=self._failed(replay),
        )

    def delete_registration(self, replay: Replay, report: ReplayReport) -> bool:
        """Take the stream away once it is of no more use: NewStore has room for 25.

        What could not be delivered is listed under it, so then it stays. NewStore may have deleted
        it by itself.
        """
        if not report.ended or report.failed:
            return False
        self.streams.delete(replay.replay_id)
        return True

    def _failed(self, replay: Replay) -> tuple[FailedAttempt, ...]:
        """What NewStore does not try again by itself."""
        found = self.records.failures(replay.replay_id, replay.asked_at, self.clock.now())
        return tuple(attempt for attempt in found if attempt.retries_remaining == 0)
