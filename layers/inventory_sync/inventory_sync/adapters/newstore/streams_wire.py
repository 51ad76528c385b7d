"""Registrations and publications as NewStore has them in JSON."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from pydantic import AliasChoices, AwareDatetime, Field

from inventory_sync.adapters.newstore.wire import Answer, Id, Text
from inventory_sync.domain.event_stream import WANTED_EVENTS, EventStream, StreamRegistration
from inventory_sync.domain.publications import Publication

ID_CHARACTERS_MAX = 200
"""Of what is remembered of a publication."""


class BodyForm(StrEnum):
    """Where the URL and the key stand: which of the two NewStore takes is not documented."""

    FLAT = "flat"
    NESTED = "nested"
    """In `callback_parameters`, as its answers have them."""


class _Callback(Answer):
    callback_url: Text = ""


class _Filter(Answer):
    event_filter: list[str] | None = None
    entity_filter: list[str] | None = None


class StreamAnswer(Answer):
    """A registration; the key it may show is not read."""

    id: Id
    status: Text = ""
    callback_url: Text = ""
    callback_parameters: _Callback | None = None
    integration_type: Text = ""
    filter_conditions: _Filter | None = None

    def stream(self) -> EventStream:
        """In our terms."""
        nested = self.callback_parameters or _Callback()
        filters = self.filter_conditions or _Filter()
        return EventStream(
            stream_id=self.id,
            status=self.status,
            callback_url=self.callback_url or nested.callback_url,
            event_filter=frozenset(filters.event_filter or ()),
            entity_filter=frozenset(filters.entity_filter or ()),
            temporary=self.integration_type == "temporary",
        )


class PublicationAnswer(Answer):
    """One attempt to publish; documented without an id, which retrying it needs."""

    publication_id: Text = Field("", validation_alias=AliasChoices("publication_id", "id"))
    integration_id: Text = Field(
        "", validation_alias=AliasChoices("integration_id", "subscription_id")
    )
    status: Text = ""
    attempted_at: AwareDatetime
    retries_remaining: int | None = None
    event_name: Text = ""
    entity_id: Text = ""
    domain_entity_id: Text = ""

    @property
    def failed(self) -> bool:
        """Whatever else the answer may list is left out."""
        return self.status.lower() == "failure"

    def publication(self) -> Publication:
        """In our terms."""
        return Publication(
            publication_id=self.publication_id[:ID_CHARACTERS_MAX],
            event_name=self.event_name[:ID_CHARACTERS_MAX],
            entity_id=self.entity_id[:ID_CHARACTERS_MAX],
            domain_entity_id=self.domain_entity_id[:ID_CHARACTERS_MAX],
            attempted_at=self.attempted_at.astimezone(UTC),
            retries_remaining=self.retries_remaining or 0,
        )


def registration_body(
    registration: StreamRegistration, form: BodyForm, with_id: bool
) -> dict[str, Any]:
    """What NewStore is sent; the id stands in the path once it is registered."""
    callback = {"callback_url": registration.callback_url, "api_key": registration.api_key}
    temporary = registration.ends_at is not None
    body: dict[str, Any] = {
        **({"id": registration.stream_id} if with_id else {}),
        **(callback if form is BodyForm.FLAT else {"callback_parameters": callback}),
        "integration_type": "temporary" if temporary else "permanent",
        "filter_conditions": {"event_filter": sorted(WANTED_EVENTS)},
    }
    for name, at in (("starts_at", registration.starts_at), ("ends_at", registration.ends_at)):
        if at is not None:
            body[name] = _iso(at)
    return body


def _iso(instant: datetime) -> str:
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
