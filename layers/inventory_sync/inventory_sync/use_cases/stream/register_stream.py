"""Register: make or mend NewStore's event stream so that it calls our webhook, and start it."""

from dataclasses import dataclass

from inventory_sync.domain.errors import RejectedError, RetriableError
from inventory_sync.domain.event_stream import EventStream, StreamRegistration
from inventory_sync.ports.newstore import EventStreams
from inventory_sync.ports.observe import Clock

POLL_SECONDS = 2.0
POLLS_MAX = 60


@dataclass(frozen=True, slots=True)
class Registered:
    """What NewStore showed before (None: nothing), what it shows now, and what was asked of it."""

    before: EventStream | None
    now: EventStream
    did: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RegisterStream:
    """To repeat it changes nothing, but for a key that is a new one.

    A running stream is stopped for the change, as NewStore wants it, and started again whatever
    becomes of the change; events of that time come afterwards.
    """

    streams: EventStreams
    clock: Clock

    def __call__(self, wanted: StreamRegistration) -> Registered:
        """RejectedError where NewStore refuses, or where a temporary stream has the id."""
        before = self.streams.stream(wanted.stream_id)
        if before is None:
            self.streams.create(wanted)
            did = ["created"]
        elif before.temporary:
            raise RejectedError(
                f"{wanted.stream_id} is a temporary stream at NewStore; delete it there, or deploy"
                " under another stack name"
            )
        else:
            did = self._change(before, wanted)
        now = self.streams.stream(wanted.stream_id)
        if now is not None and not now.running:
            self.streams.start(wanted.stream_id)
            did.append("started")
            now = self.streams.stream(wanted.stream_id)
        if now is None:
            raise RejectedError(f"{wanted.stream_id} is not among NewStore's streams; register it")
        return Registered(before, now, tuple(did))

    def _change(self, before: EventStream, wanted: StreamRegistration) -> list[str]:
        if not before.running:
            self.streams.change(wanted)
            return ["changed"]
        try:
            self.streams.stop(before.stream_id)
            self._wait_until_stopped(before.stream_id)
            self.streams.change(wanted)
        finally:
            self.streams.start(before.stream_id)
        return ["stopped", "changed", "started"]

    def _wait_until_stopped(self, stream_id: str) -> None:
        """RetriableError where it goes on running."""
        for _ in range(POLLS_MAX):
            stream = self.streams.stream(stream_id)
            if stream is None or not stream.running:
                return
            self.clock.sleep(POLL_SECONDS)
        raise RetriableError(
            f"{stream_id} still runs {POLL_SECONDS * POLLS_MAX:.0f} seconds after it was told to"
            " stop, so it was not changed; register it once more"
        )
