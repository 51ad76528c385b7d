"""What NewStore keeps of an event stream: its log, rejected events and failed attempts."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TypeVar
from urllib.parse import quote

from pydantic import BaseModel

from inventory_sync.adapters.http.authorized import AuthorizedHttp
from inventory_sync.adapters.http.request import HttpRequest, RetrySafety
from inventory_sync.adapters.newstore.lists import most_of, read_list
from inventory_sync.adapters.newstore.streams import stream_path
from inventory_sync.adapters.newstore.streams_wire import (
    PUBLISHED,
    AttemptAnswer,
    LogAnswer,
    RejectedAnswer,
)
from inventory_sync.domain.errors import RetriableError
from inventory_sync.domain.stream_records import FailedAttempt, RejectedEvent, StreamLogEntry

_TO_THE_NEXT = timedelta(microseconds=999_999)
"""Instants of a list's bounds are whole seconds, as in NewStore's examples."""

M = TypeVar("M", bound=BaseModel)


class NewStoreStreamRecords:
    """Implements ports.StreamRecords. FatalError where credentials are refused."""

    def __init__(self, http: AuthorizedHttp, *, base_url: str) -> None:
        self._http = http
        self._base_url = base_url

    def log(self, stream_id: str) -> list[StreamLogEntry]:
        """The latest first; none where NewStore does not know the stream."""
        found = self._listed(stream_path(stream_id) + "/logs", "entries", LogAnswer)
        return sorted((a.entry() for a in found), key=lambda entry: entry.at, reverse=True)

    def failures(self, stream_id: str, since: datetime, until: datetime) -> list[FailedAttempt]:
        """In NewStore's order."""
        found = self._attempts(stream_id, "failure", since, until)
        # Asked for, but a filter that NewStore does not know would be passed over.
        return [a.attempt() for a in found if a.failed]

    def delivered(self, stream_id: str, since: datetime, until: datetime) -> bool:
        """Bounds to whole seconds."""
        return any(not a.failed for a in self._attempts(stream_id, "success", since, until))

    def _attempts(
        self, stream_id: str, status: str, since: datetime, until: datetime
    ) -> list[AttemptAnswer]:
        query = {
            "integration_id": stream_id,
            "status": status,
            "from": _instant(since),
            "to": _instant(until + _TO_THE_NEXT),
        }
        url = f"{self._base_url}{PUBLISHED}"
        listed = read_list(self._http, url, AttemptAnswer, names=("events",), query=query)
        return [a for a in listed if a.integration_id == stream_id]

    def rejected_events(self, stream_id: str) -> list[RejectedEvent]:
        """The oldest first; none where NewStore does not know the stream."""
        found = self._listed(_rejected_path(stream_id), "rejected_events", RejectedAnswer)
        return sorted(
            (answer.rejected() for answer in found),
            key=lambda rejected: (rejected.rejected_at, rejected.rejected_id),
        )

    def rejected_event(self, stream_id: str, rejected_id: str) -> bytes | None:
        """As NewStore shows it: not byte for byte what it sends to the webhook."""
        answer = self._http.find(self._request("GET", _rejected_path(stream_id, rejected_id)))
        return None if answer is None else json.dumps(answer, default=_number).encode()

    def retry_rejected(self, stream_id: str, rejected_id: str) -> None:
        """502 is our own webhook's refusal. Nothing happens where it is not kept any more."""
        path = _rejected_path(stream_id, rejected_id) + "/_retry"
        self._http.find(self._request("POST", path))

    def delete_rejected(self, stream_id: str, rejected_id: str) -> None:
        """Nothing happens where it is gone."""
        self._http.find(self._request("DELETE", _rejected_path(stream_id, rejected_id)))

    def _listed(self, path: str, name: str, entry: type[M]) -> list[M]:
        """One page: NewStore bounds these lists at 50 and 30."""
        request = self._request("GET", path)
        answer = self._http.find(request)
        if answer is None:
            return []
        if not isinstance(values := answer.get(name), list):
            raise RetriableError(f"{request.where}: expected a list under {name}")
        return most_of(entry, values, request.where)

    def _request(self, method: str, path: str) -> HttpRequest:
        return HttpRequest(
            method=method,
            url=self._base_url + path,
            retry=RetrySafety.ALWAYS,
            answer=method == "GET",
        )


def _rejected_path(stream_id: str, *rejected: str) -> str:
    return "/".join(
        [stream_path(stream_id), "rejected_events", *(quote(r, safe="") for r in rejected)]
    )


def _number(value: object) -> float:
    """Fractions come as Decimal; nothing that is read of an event has any."""
    if isinstance(value, Decimal):
        return float(value)
    raise TypeError(type(value).__name__)


def _instant(instant: datetime) -> str:
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
