"""NewStore's event stream API: registrations and publications, as docs/newstore.md has it."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

from inventory_sync.adapters.http.answer import read_model
from inventory_sync.adapters.http.authorized import AuthorizedHttp
from inventory_sync.adapters.http.errors import HttpRejectedError
from inventory_sync.adapters.http.request import HttpRequest, RetrySafety
from inventory_sync.adapters.newstore.lists import read_list
from inventory_sync.adapters.newstore.streams_wire import (
    BodyForm,
    PublicationAnswer,
    StreamAnswer,
    registration_body,
)
from inventory_sync.domain.errors import NotOfferedError, RejectedError
from inventory_sync.domain.event_stream import EventStream, StreamRegistration
from inventory_sync.domain.publications import Publication

STREAMS = "/api/v1/org/integrations/eventstream"
PUBLISHED = "/api/v1/org/integrations/published-events"
RETRY = f"{STREAMS}/{{stream_id}}/publications/{{publication_id}}/_retry"
"""NewStore documents the call ("Retry event publication"), its path [open] could not be read."""

_ID_TAKEN = 409
_NO_SUCH_CALL = frozenset({404, 405, 501})
_TO_THE_NEXT = timedelta(microseconds=999_999)
"""Instants of a list's bounds are whole seconds, as in NewStore's documents."""
_OTHER_FORM = frozenset({400, 422})


class NewStoreStreams:
    """Implements ports.EventStreams. FatalError where credentials are refused."""

    def __init__(self, http: AuthorizedHttp, *, base_url: str) -> None:
        self._http = http
        self._base_url = base_url

    def streams(self) -> list[EventStream]:
        """In NewStore's order."""
        listed = read_list(
            self._http, f"{self._base_url}{STREAMS}", StreamAnswer, names=("integrations", "items")
        )
        return [answer.stream() for answer in listed]

    def stream(self, stream_id: str) -> EventStream | None:
        """None where NewStore answers 404."""
        request = self._request("GET", _path(stream_id))
        answer = self._http.find(request)
        if answer is None:
            return None
        return read_model(StreamAnswer, answer, request.where).stream()

    def create(self, registration: StreamRegistration) -> None:
        """NewStore starts it by itself. Taken ids are refused, but not the very same request."""
        self._register("POST", STREAMS, registration, with_id=True)

    def change(self, registration: StreamRegistration) -> None:
        """Whether it runs stays as it is."""
        self._register("PATCH", _path(registration.stream_id), registration, with_id=False)

    def start(self, stream_id: str) -> None:
        """Nothing happens where it runs."""
        self._http.call(self._request("POST", _path(stream_id) + "/_start", json={}))

    def delete(self, stream_id: str) -> None:
        """Nothing happens where it is gone."""
        self._http.find(self._request("DELETE", _path(stream_id)))

    def failures(self, stream_id: str, since: datetime, until: datetime) -> list[Publication]:
        """In NewStore's order."""
        query = {
            "integration_id": stream_id,
            "status": "failure",
            "from": _instant(since),
            "to": _instant(until + _TO_THE_NEXT),
        }
        url = f"{self._base_url}{PUBLISHED}"
        try:
            listed = read_list(
                self._http, url, PublicationAnswer, names=("items", "events"), query=query
            )
        except HttpRejectedError as error:
            raise _not_offered(error) from error
        # Asked for, but a filter that NewStore does not know would be passed over.
        ours = [a for a in listed if a.failed and a.integration_id in ("", stream_id)]
        return [answer.publication() for answer in ours]

    def retry(self, stream_id: str, publication_id: str) -> None:
        """The outcome is in the list later; what is stored already is answered 200 here."""
        path = RETRY.format(
            stream_id=quote(stream_id, safe=""), publication_id=quote(publication_id, safe="")
        )
        try:
            self._http.call(self._request("POST", path, json={}))
        except HttpRejectedError as error:
            raise _not_offered(error) from error

    def _register(
        self, method: str, path: str, registration: StreamRegistration, *, with_id: bool
    ) -> None:
        """In the form that NewStore takes; RejectedError where it shows another URL afterwards."""
        self._send_in_either_form(method, path, registration, with_id)
        found = self.stream(registration.stream_id)
        if found is None or found.callback_url not in ("", registration.callback_url):
            raise RejectedError(
                f"{method} {path}: NewStore does not show the registration as it was asked for;"
                " look at it in Omnichannel Manager under Tools > Event Stream"
            )

    def _send_in_either_form(
        self, method: str, path: str, registration: StreamRegistration, with_id: bool
    ) -> None:
        """An id that is taken is for the caller to look at: it may be by this very request."""
        refusals = []
        for form in BodyForm:
            body = registration_body(registration, form, with_id)
            try:
                self._http.call(self._request(method, path, json=body))
            except HttpRejectedError as error:
                if error.status == _ID_TAKEN:
                    return
                if error.status not in _OTHER_FORM:
                    raise
                refusals.append(error)
            else:
                return
        raise RejectedError("; in the other form: ".join(map(str, refusals)))

    def _request(
        self, method: str, path: str, json: Mapping[str, Any] | None = None
    ) -> HttpRequest:
        return HttpRequest(
            method=method,
            url=self._base_url + path,
            retry=RetrySafety.ALWAYS,
            json=json,
            hidden=_keys(json or {}),
            answer=method == "GET",
        )


def _not_offered(error: HttpRejectedError) -> RejectedError:
    if error.status not in _NO_SUCH_CALL:
        return error
    return NotOfferedError(f"{error}; this NewStore does not offer it: see docs/newstore.md")


def _keys(body: Mapping[str, Any]) -> tuple[str, ...]:
    nested = body.get("callback_parameters") or {}
    return tuple(filter(None, (body.get("api_key"), nested.get("api_key"))))


def _path(stream_id: str) -> str:
    return f"{STREAMS}/{quote(stream_id, safe='')}"


def _instant(instant: datetime) -> str:
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
