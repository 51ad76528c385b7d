"""Register: make or mend NewStore's event stream so that it calls our webhook, and start it."""

from dataclasses import dataclass

from inventory_sync.domain.errors import RejectedError
from inventory_sync.domain.event_stream import EventStream, StreamRegistration
from inventory_sync.ports.newstore import EventStreams


@dataclass(frozen=True, slots=True)
class Registered:
    """What NewStore showed before (None: nothing), what it shows now, and what was asked of it."""

    before: EventStream | None
    now: EventStream
    did: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RegisterStream:
    """To repeat it changes nothing, but for a key that is a new one."""

    streams: EventStreams

    def __call__(self, wanted: StreamRegistration) -> Registered:
        """RejectedError where NewStore refuses, or where a temporary stream has the id."""
        before = self.streams.stream(wanted.stream_id)
        did = []
        if before is None:
            self.streams.create(wanted)
            did.append("created")
        elif before.temporary:
            raise RejectedError(
                f"{wanted.stream_id} is a temporary stream at NewStore; delete it there, or deploy"
                " under another stack name"
            )
        else:
            self.streams.change(wanted)
            did.append("changed")
        now = self.streams.stream(wanted.stream_id)
        if now is not None and not now.running:
            self.streams.start(wanted.stream_id)
            did.append("started")
            now = self.streams.stream(wanted.stream_id)
        if now is None:
            raise RejectedError(f"{wanted.stream_id} is not among NewStore's streams; register it")
        return Registered(before, now, tuple(did))
