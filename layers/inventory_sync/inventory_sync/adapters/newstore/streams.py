"""NewStore's registrations of event streams, as docs/newstore.md has them."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from inventory_sync.adapters.http.answer import read_model
from inventory_sync.adapters.http.authorized import AuthorizedHttp
from inventory_sync.adapters.http.errors import HttpRejectedError
from inventory_sync.adapters.http.request import HttpRequest, RetrySafety
from inventory_sync.adapters.newstore.lists import read_list
from inventory_sync.adapters.newstore.streams_wire import (
    STREAMS,
    StreamAnswer,
    changed_registration,
    new_registration,
)
from inventory_sync.domain.errors import RejectedError
from inventory_sync.domain.event_stream import EventStream, StreamRegistration

_ID_TAKEN = 409


class NewStoreStreams:
    """Implements ports.EventStreams. FatalError where credentials are refused."""

    def __init__(self, http: AuthorizedHttp, *, base_url: str) -> None:
        self._http = http
        self._base_url = base_url

    def streams(self) -> list[EventStream]:
        """In NewStore's order."""
        url = f"{self._base_url}{STREAMS}"
        listed = read_list(self._http, url, StreamAnswer, names=("integrations",))
        return [answer.stream() for answer in listed]

    def stream(self, stream_id: str) -> EventStream | None:
        """None where NewStore answers 404."""
        request = self._request("GET", stream_path(stream_id))
        answer = self._http.find(request)
        if answer is None:
            return None
        return read_model(StreamAnswer, answer, request.where).stream()

    def create(self, registration: StreamRegistration) -> None:
        """NewStore starts it by itself. Taken ids are refused, but not the very same request."""
        try:
            self._http.call(self._request("POST", STREAMS, new_registration(registration)))
        except HttpRejectedError as error:
            if error.status != _ID_TAKEN:
                raise
        self._check(registration)

    def change(self, registration: StreamRegistration) -> None:
        """RejectedError where it runs; whether it runs stays as it is."""
        path, body = stream_path(registration.stream_id), changed_registration(registration)
        self._http.call(self._request("PATCH", path, body))
        self._check(registration)

    def start(self, stream_id: str) -> None:
        """Nothing happens where it runs."""
        self._http.call(self._request("POST", stream_path(stream_id) + "/_start"))

    def stop(self, stream_id: str) -> None:
        """Nothing happens where it is stopped."""
        self._http.call(self._request("POST", stream_path(stream_id) + "/_stop"))

    def delete(self, stream_id: str) -> None:
        """Nothing happens where it is gone."""
        self._http.find(self._request("DELETE", stream_path(stream_id)))

    def _check(self, registration: StreamRegistration) -> None:
        """RejectedError where NewStore shows another URL: the id is somebody else's."""
        found = self.stream(registration.stream_id)
        if found is None or found.callback_url != registration.callback_url:
            raise RejectedError(
                f"NewStore does not show {registration.stream_id} as it was asked for: another"
                " stream may have that id; see `stream show`"
            )

    def _request(
        self, method: str, path: str, json: Mapping[str, Any] | None = None
    ) -> HttpRequest:
        key = (json or {}).get("callback_parameters", {}).get("api_key")
        return HttpRequest(
            method=method,
            url=self._base_url + path,
            retry=RetrySafety.ALWAYS,
            json=json,
            hidden=(key,) if key else (),
            answer=method == "GET",
        )


def stream_path(stream_id: str) -> str:
    """Of one registration."""
    return f"{STREAMS}/{quote(stream_id, safe='')}"
