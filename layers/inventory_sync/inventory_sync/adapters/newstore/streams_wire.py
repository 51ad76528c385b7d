"""Registrations of event streams, and what NewStore keeps of them, as its JSON has them."""

from typing import Any

from inventory_sync.adapters.instants import to_text
from inventory_sync.adapters.newstore.wire import Answer, Count, Id, Text
from inventory_sync.adapters.redaction import excerpt
from inventory_sync.adapters.values import Instant
from inventory_sync.domain.event_stream import WANTED_EVENTS, EventStream, StreamRegistration
from inventory_sync.domain.stream_records import FailedAttempt, RejectedEvent, StreamLogEntry

STREAMS = "/api/v1/org/integrations/eventstream"
PUBLISHED = "/api/v1/org/integrations/published-events"
_REASON_CHARACTERS_MAX = 240


class _Callback(Answer):
    callback_url: Text = ""


class _Filter(Answer):
    event_filter: list[str] | None = None
    entity_filter: list[str] | None = None


class StreamAnswer(Answer):
    """A registration; the key it may show is not read."""

    id: Id
    status: Text = ""
    callback_parameters: _Callback | None = None
    integration_type: Text = ""
    filter_conditions: _Filter | None = None

    def stream(self) -> EventStream:
        """In our terms."""
        filters = self.filter_conditions or _Filter()
        return EventStream(
            stream_id=self.id,
            status=self.status,
            callback_url=(self.callback_parameters or _Callback()).callback_url,
            event_filter=frozenset(filters.event_filter or ()),
            entity_filter=frozenset(filters.entity_filter or ()),
            temporary=self.integration_type == "temporary",
        )


class LogAnswer(Answer):
    """One entry of a stream's log."""

    created_at: Instant
    action: Text = ""
    reason: Text = ""

    def entry(self) -> StreamLogEntry:
        """In our terms; the event that a reason may quote is cut off."""
        reason = self.reason.partition("Payload:")[0].rstrip()
        short = excerpt(reason, characters_max=_REASON_CHARACTERS_MAX)
        return StreamLogEntry(self.created_at, excerpt(self.action), short)


class RejectedAnswer(Answer):
    """One entry of the list of rejected events."""

    id: Id
    created_at: Instant

    def rejected(self) -> RejectedEvent:
        """In our terms."""
        return RejectedEvent(self.id, self.created_at)


class AttemptAnswer(Answer):
    """One attempt to publish an event."""

    integration_id: Text = ""
    status: Text = ""
    attempted_at: Instant
    retries_remaining: Count | None = None
    event_name: Text = ""
    entity_id: Text = ""
    domain_entity_id: Text = ""

    @property
    def failed(self) -> bool:
        """Whatever else the answer may list is left out."""
        return self.status.lower() == "failure"

    def attempt(self) -> FailedAttempt:
        """In our terms."""
        return FailedAttempt(
            event_name=self.event_name,
            entity_id=self.entity_id,
            domain_entity_id=self.domain_entity_id,
            attempted_at=self.attempted_at,
            retries_remaining=self.retries_remaining or 0,
        )


def new_registration(registration: StreamRegistration) -> dict[str, Any]:
    """What registers a stream."""
    temporary = registration.ends_at is not None
    body = {
        "id": registration.stream_id,
        "integration_type": "temporary" if temporary else "permanent",
        **changed_registration(registration),
    }
    for name, at in (("starts_at", registration.starts_at), ("ends_at", registration.ends_at)):
        if at is not None:
            body[name] = to_text(at)
    return body


def changed_registration(registration: StreamRegistration) -> dict[str, Any]:
    """What changes a stream: its id, type and times stay as they were made."""
    return {
        "callback_parameters": {
            "callback_url": registration.callback_url,
            "api_key": registration.api_key,
        },
        "filter_conditions": {"event_filter": sorted(WANTED_EVENTS)},
    }
