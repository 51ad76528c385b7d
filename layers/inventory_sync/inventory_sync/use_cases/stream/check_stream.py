"""Stream check: that NewStore's event stream runs and calls us, and that it loses nothing."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from inventory_sync.domain.errors import InventorySyncError, LeaseLostError
from inventory_sync.domain.event_stream import (
    EventStream,
    Restart,
    RestartRule,
    StreamFault,
    faults_of,
)
from inventory_sync.domain.stream_check import StreamCheckState
from inventory_sync.domain.stream_records import stopped_at, time_left
from inventory_sync.ports.events import EventLog
from inventory_sync.ports.newstore import EventStreams, StreamCheckStates, StreamRecords
from inventory_sync.ports.observe import Clock, Observer, RemainingSeconds
from inventory_sync.use_cases.stream.retry_rejected import RetryRejected

_NOT_OURS_TO_START = frozenset({StreamFault.OTHER_URL, StreamFault.TEMPORARY})
_LOG_ENTRIES_SHOWN = 3
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamCheck:
    """What was found; `faults` and `rejected` are None where NewStore could not be asked.

    `missing` is how many events usually come in as long a time as none has come. `stopped_since`
    stands until a check finds the stream running; `days_left` until events of that time get lost.
    """

    faults: tuple[StreamFault, ...] | None
    restart: Restart | None
    missing: float
    rejected: int | None
    stopped_since: datetime | None
    days_left: float
    failures: tuple[InventorySyncError, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckStream:
    """One check for each call; what it does is written down before it is done."""

    streams: EventStreams
    records: StreamRecords
    event_log: EventLog
    memories: StreamCheckStates
    retry_rejected: RetryRejected
    clock: Clock
    observer: Observer
    stream_id: str
    callback_url: str
    rule: RestartRule = field(default_factory=RestartRule)

    def __call__(self, remaining_seconds: RemainingSeconds) -> StreamCheck:
        """RetriableError where our own tables fail; LeaseLostError where another check is at work.

        What fails at NewStore is in `failures`, and the rest of the check is done all the same.
        Rejected events come before the start: a stream that has 30 of them would stop again.
        """
        session = _Session(self, self.memories.load(self.stream_id))
        session.listen()
        session.attempt(session.check)
        session.attempt(lambda: session.retry_rejected(remaining_seconds))
        session.attempt(session.start)
        session.count()
        session.save()
        return session.found()


@dataclass
class _Session:
    """One check; `memory` is saved before each step that changes something at NewStore."""

    deps: CheckStream
    memory: StreamCheckState
    faults: tuple[StreamFault, ...] | None = None
    restart: Restart | None = None
    missing: float = 0.0
    rejected: int | None = None
    failures: list[InventorySyncError] = field(default_factory=list)

    def attempt(self, step: Callable[[], None]) -> None:
        """What fails at NewStore does not keep the check from its other steps."""
        try:
            step()
        except LeaseLostError:
            raise
        except InventorySyncError as error:
            self.failures.append(error)

    def save(self) -> None:
        self.memory = self.deps.memories.save(self.deps.stream_id, self.memory)

    def listen(self) -> None:
        """Count what has come since the last check, and what usually would have."""
        now = self.deps.clock.now()
        completed, heard_at = [], None
        for state in self.deps.event_log.open_events():
            if state.received_at <= now:
                heard_at = max(heard_at or state.received_at, state.received_at)
                if state.event.completed:
                    completed.append(state.received_at)
        arrivals = self.memory.arrivals.after(completed, now, heard_at)
        self.memory = replace(self.memory, arrivals=arrivals)
        self.missing = arrivals.missing(now)
        self.deps.observer.count("EventsMissing", round(self.missing, 1))

    def check(self) -> None:
        """Whether the stream is as it has to be, and since when it is stopped."""
        stream = self.deps.streams.stream(self.deps.stream_id)
        self._judge(stream)
        if stream is None or stream.running:
            self.memory = replace(self.memory, stopped_since=None)
        elif self.memory.stopped_since is None:
            self._note_stop()

    def retry_rejected(self, remaining_seconds: RemainingSeconds) -> None:
        """Have what our webhook once rejected sent again, as far as it would take it now."""

        def remember(retries: Mapping[str, int]) -> None:
            if retries != self.memory.retries:
                self.memory = replace(self.memory, retries=dict(retries))
                self.save()

        self.rejected = self.deps.retry_rejected(self.memory.retries, remember, remaining_seconds)

    def start(self) -> None:
        """Remembered first: a crash between the two must not start it more often."""
        if not self._may_start():
            return
        now = self.deps.clock.now()
        before = self.deps.rule.counted(self.memory.restarts, now)
        self.memory = replace(self.memory, restarts=(*before, now))
        self.save()
        self.deps.streams.start(self.deps.stream_id)
        since = self.memory.stopped_since
        self.deps.observer.log("stream started", restarts=len(before) + 1, stopped_since=since)
        self._judge(self.deps.streams.stream(self.deps.stream_id))

    def count(self) -> None:
        """Nothing is counted of what NewStore did not answer."""
        if self.faults is not None:
            self.deps.observer.count("StreamStatus", 0 if self.faults else 1)
            self.deps.observer.count("StreamDaysLeft", self._days_left())
        self.deps.observer.count("StreamGivenUp", self.restart is Restart.GIVEN_UP)

    def found(self) -> StreamCheck:
        return StreamCheck(
            faults=self.faults,
            restart=self.restart,
            missing=self.missing,
            rejected=self.rejected,
            stopped_since=self.memory.stopped_since,
            days_left=self._days_left(),
            failures=tuple(self.failures),
        )

    def _days_left(self) -> float:
        left = time_left(self.memory.stopped_since, self.deps.clock.now())
        return round(left / _DAY, 1)

    def _judge(self, stream: EventStream | None) -> None:
        self.faults = faults_of(stream, self.deps.callback_url)
        if self.faults:
            status = stream.status if stream else ""
            self.deps.observer.log("stream", faults=", ".join(self.faults), status=status)

    def _note_stop(self) -> None:
        """By NewStore's log, or by our own clock where it does not say."""
        log = self.deps.records.log(self.deps.stream_id)
        for entry in log[:_LOG_ENTRIES_SHOWN]:
            self.deps.observer.log("stream log", at=entry.at, action=entry.action, why=entry.reason)
        since = stopped_at(log) or self.deps.clock.now()
        self.memory = replace(self.memory, stopped_since=since)

    def _may_start(self) -> bool:
        faults = set(self.faults or ())
        if StreamFault.STOPPED not in faults or faults & _NOT_OURS_TO_START:
            return False
        now = self.deps.clock.now()
        self.restart = self.deps.rule.decide(self.memory.restarts, now)
        return self.restart is Restart.NOW
