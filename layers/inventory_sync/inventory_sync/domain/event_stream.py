"""NewStore's event stream as this adapter needs it, what can be wrong with it, and restarting it.

NewStore calls a registration an integration; docs/newstore.md, "Event stream".
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from inventory_sync.domain.errors import FatalError
from inventory_sync.domain.events import EventName

WANTED_EVENTS = frozenset(name.value for name in EventName)
ENTITY = "fulfillment_request"
"""What the wanted events are about; a registration may be filtered by it."""
RUNNING = "running"
STREAM_ID_CHARACTERS_MAX = 50
_STREAM_ID = re.compile(r"[a-z0-9-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class EventStream:
    """One of the tenant's registrations; a filter that is empty lets everything through.

    `callback_url` is empty where it writes to S3. A temporary one has an end and stops there by
    itself.
    """

    stream_id: str
    status: str
    callback_url: str = ""
    event_filter: frozenset[str] = frozenset()
    entity_filter: frozenset[str] = frozenset()
    temporary: bool = False

    @property
    def running(self) -> bool:
        """Whether events flow."""
        return self.status == RUNNING


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamRegistration:
    """What NewStore is asked for; with both instants it is temporary and replays that window.

    FatalError for an id that NewStore does not take.
    """

    stream_id: str
    callback_url: str
    api_key: str = field(repr=False)
    starts_at: datetime | None = None
    ends_at: datetime | None = None

    def __post_init__(self) -> None:
        """A wrong id would be refused much later."""
        fits = len(self.stream_id) <= STREAM_ID_CHARACTERS_MAX
        if not (fits and _STREAM_ID.fullmatch(self.stream_id)):
            raise FatalError(
                f"{self.stream_id!r} is no id of an event stream: NewStore takes a to z, 0 to 9 and"
                f" hyphens, {STREAM_ID_CHARACTERS_MAX} characters at most; deploy with another"
                " StreamId"
            )


def replay_id(stream_id: str, at: datetime) -> str:
    """The id of a temporary stream that replays a window for that one, asked for at `at`."""
    suffix = f"-replay-{at.astimezone(UTC):%Y%m%d%H%M%S}"
    return stream_id[: STREAM_ID_CHARACTERS_MAX - len(suffix)] + suffix


class StreamFault(StrEnum):
    """Why events do not reach us, or not all of them."""

    MISSING = "missing"
    """NewStore has no such registration."""
    STOPPED = "stopped"
    OTHER_URL = "other_url"
    """It calls another address than ours."""
    EVENTS_LEFT_OUT = "events_left_out"
    """Its filter holds back an event that concerns stock."""
    TEMPORARY = "temporary"
    """It ends by itself."""


def faults_of(stream: EventStream | None, callback_url: str) -> tuple[StreamFault, ...]:
    """Everything that is wrong, none where all is well."""
    if stream is None:
        return (StreamFault.MISSING,)
    found = {
        StreamFault.STOPPED: not stream.running,
        StreamFault.OTHER_URL: stream.callback_url != callback_url,
        StreamFault.EVENTS_LEFT_OUT: _leaves_out(stream),
        StreamFault.TEMPORARY: stream.temporary,
    }
    return tuple(fault for fault, there in found.items() if there)


def _leaves_out(stream: EventStream) -> bool:
    """How the two filters combine is not documented, so each has to let the events through."""
    by_event = stream.event_filter and not stream.event_filter >= WANTED_EVENTS
    by_entity = stream.entity_filter and ENTITY not in stream.entity_filter
    return bool(by_event or by_entity)


class Restart(StrEnum):
    """Whether a stopped stream is started now."""

    NOW = "now"
    LATER = "later"
    """It was started a moment ago and stopped again: the pause is not over."""
    GIVEN_UP = "given_up"
    """It has stopped too often: somebody has to find out why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RestartRule:
    """At most `restarts_max` within `window`; the pause after each is twice the one before."""

    restarts_max: int = 4
    window: timedelta = timedelta(hours=6)
    pause: timedelta = timedelta(minutes=5)

    def decide(self, restarts: Sequence[datetime], now: datetime) -> Restart:
        """By the restarts so far, the oldest first."""
        counted = self.counted(restarts, now)
        if len(counted) >= self.restarts_max:
            return Restart.GIVEN_UP
        if counted and now < counted[-1] + self.pause * 2 ** (len(counted) - 1):
            return Restart.LATER
        return Restart.NOW

    def counted(self, restarts: Sequence[datetime], now: datetime) -> tuple[datetime, ...]:
        """Those that are not forgotten yet."""
        return tuple(at for at in restarts if at > now - self.window)
