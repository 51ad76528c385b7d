"""What NewStore keeps of an event stream: its log, rejected events and failed attempts.

Their form is NewStore's: docs/newstore.md, "Registrations".
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

KEPT = timedelta(days=30)
"""What happened while a stream was stopped: started later than that, it has lost it."""
REJECTED_EVENTS_MAX = 30
"""NewStore keeps no more of them, and stops the stream."""


@dataclass(frozen=True, slots=True)
class StreamLogEntry:
    """One of the last 50 things that happened to a stream; `action` is a word of NewStore's."""

    at: datetime
    action: str
    reason: str

    @property
    def stopped(self) -> bool:
        """NewStore lists no actions; its example has `integration_stopped`."""
        return "stop" in self.action.lower()

    @property
    def started(self) -> bool:
        """As `integration_started` in its example."""
        return "start" in self.action.lower()


@dataclass(frozen=True, slots=True)
class RejectedEvent:
    """An event that was answered 400: set aside until somebody retries or deletes it.

    `rejected_id` is NewStore's for the entry, not the event's own.
    """

    rejected_id: str
    rejected_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedAttempt:
    """One attempt to publish an event; NewStore makes `retries_remaining` more by itself."""

    event_name: str
    entity_id: str
    domain_entity_id: str
    attempted_at: datetime
    retries_remaining: int = 0


def stopped_at(log: Iterable[StreamLogEntry]) -> datetime | None:
    """By a log that has the latest entry first; None where it was started since, or none says."""
    for entry in log:
        if entry.stopped:
            return entry.at
        if entry.started:
            return None
    return None


def time_left(stopped_since: datetime | None, now: datetime) -> timedelta:
    """How long the stream may stay stopped before events get lost; all of it while it runs."""
    if stopped_since is None:
        return KEPT
    return max(timedelta(0), KEPT - (now - stopped_since))
