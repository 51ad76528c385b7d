"""Watch: that NewStore's event stream runs and calls us, and that nothing it published is lost."""

from dataclasses import dataclass, field, replace

from inventory_sync.domain.errors import InventorySyncError, LeaseLostError
from inventory_sync.domain.event_stream import (
    EventStream,
    Restart,
    RestartRule,
    StreamFault,
    faults_of,
)
from inventory_sync.domain.publications import PublicationMemory
from inventory_sync.domain.stream_check import StreamCheckState
from inventory_sync.ports.events import EventLog
from inventory_sync.ports.newstore import EventStreams, StreamCheckStates
from inventory_sync.ports.observe import Clock, Observer, RemainingSeconds
from inventory_sync.use_cases.stream.retry_publications import RetryPublications

_NOT_OURS_TO_START = frozenset({StreamFault.OTHER_URL, StreamFault.TEMPORARY})


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What was found; `faults` is None where NewStore could not be asked.

    `missing` is how many events usually come in as long a time as none has come.
    """

    faults: tuple[StreamFault, ...] | None
    restart: Restart | None
    missing: float
    failures: tuple[InventorySyncError, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckStream:
    """One look for each call; what it does is written down before it is done."""

    streams: EventStreams
    event_log: EventLog
    memories: StreamCheckStates
    retry_publications: RetryPublications
    clock: Clock
    observer: Observer
    stream_id: str
    callback_url: str
    rule: RestartRule = field(default_factory=RestartRule)

    def __call__(self, remaining_seconds: RemainingSeconds) -> Look:
        """RetriableError where our own tables fail; LeaseLostError where another look is on.

        What fails at NewStore is in `failures`, and the rest of the look is done all the same.
        """
        session = _Session(self, self.memories.load(self.stream_id))
        session.listen()
        session.check()
        session.publications(remaining_seconds)
        session.save()
        return Look(
            faults=session.faults,
            restart=session.restart,
            missing=session.missing,
            failures=tuple(session.failures),
        )


@dataclass
class _Session:
    """One look; `memory` is saved before each step that changes something at NewStore."""

    deps: CheckStream
    memory: StreamCheckState
    faults: tuple[StreamFault, ...] | None = None
    restart: Restart | None = None
    missing: float = 0.0
    failures: list[InventorySyncError] = field(default_factory=list)

    def save(self) -> None:
        self.memory = self.deps.memories.save(self.deps.stream_id, self.memory)

    def listen(self) -> None:
        """Count what has come since the last look, and what usually would have."""
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
        """Whether the stream is as it has to be; started again where it has stopped."""
        try:
            self._judge(self.deps.streams.stream(self.deps.stream_id))
            if self._may_start():
                self._start()
        except LeaseLostError:
            raise
        except InventorySyncError as error:
            self.failures.append(error)
        if self.faults is not None:
            self.deps.observer.count("StreamStatus", 0 if self.faults else 1)
        self.deps.observer.count("StreamGivenUp", self.restart is Restart.GIVEN_UP)

    def publications(self, remaining_seconds: RemainingSeconds) -> None:
        """Ask for what NewStore could not deliver and has given up."""

        def remember(publications: PublicationMemory) -> None:
            self.memory = replace(self.memory, publications=publications)
            self.save()

        try:
            self.deps.retry_publications(self.memory.publications, remember, remaining_seconds)
        except LeaseLostError:
            raise
        except InventorySyncError as error:
            self.failures.append(error)

    def _judge(self, stream: EventStream | None) -> None:
        self.faults = faults_of(stream, self.deps.callback_url)
        if self.faults:
            status = stream.status if stream else ""
            self.deps.observer.log("stream", faults=", ".join(self.faults), status=status)

    def _may_start(self) -> bool:
        faults = set(self.faults or ())
        if StreamFault.STOPPED not in faults or faults & _NOT_OURS_TO_START:
            return False
        now = self.deps.clock.now()
        self.restart = self.deps.rule.decide(self.memory.restarts, now)
        return self.restart is Restart.NOW

    def _start(self) -> None:
        """Remembered first: a crash between the two must not start it more often."""
        now = self.deps.clock.now()
        before = self.deps.rule.counted(self.memory.restarts, now)
        self.memory = replace(self.memory, restarts=(*before, now))
        self.save()
        self.deps.streams.start(self.deps.stream_id)
        self.deps.observer.log("stream started", restarts=len(before) + 1)
        self._judge(self.deps.streams.stream(self.deps.stream_id))
