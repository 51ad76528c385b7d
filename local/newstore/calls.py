"""The calls that NewStore answers. Bodies are NewStore's JSON; every call may fail on order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from local.http_server import CallFaults, api_call, up_to_date
from local.newstore.job import chunk_json, error_json, job_item, job_json

if TYPE_CHECKING:
    from local.newstore.model import NewStoreModel

LIST_COUNT = 10
"""Jobs in a page, unless asked for more."""


class NewStoreCalls:
    """What the adapter asks for. Raises CallRefusedError, AnswerLostError, AnswerGarbledError."""

    def __init__(self, model: NewStoreModel, faults: CallFaults) -> None:
        self._model = model
        self.faults = faults
        self.lock = model.lock

    def advance(self) -> None:
        """Bring the model up to now()."""
        self._model.advance()

    @api_call
    def client_credentials_token(self, client_id: str, client_secret: str) -> dict[str, Any]:
        return self._model.tokens.client_credentials(client_id, client_secret)

    @api_call
    def password_token(self, username: str, password: str) -> dict[str, Any]:
        return self._model.tokens.password(username, password)

    @up_to_date
    def check_token(self, authorization: str | None) -> None:
        """CallRefusedError 401 or 403 unless the Authorization header carries a living token."""
        self._model.tokens.check(authorization)

    @api_call
    def create_import(
        self,
        *,
        provider: str,
        source_uri: str,
        name: str = "",
        entities: Sequence[str] = ("availabilities",),
        full: bool = False,
    ) -> str:
        """The new job's id; CallRefusedError 429 past 20 open jobs."""
        return self._model.jobs.create(
            provider=provider, name=name, source_uri=source_uri, entities=entities, full=full
        ).import_id  # fmt: skip

    @api_call
    def start_import(self, import_id: str, transformed_uri: str) -> dict[str, Any]:
        """CallRefusedError 404 unknown, 400 when it is not received any more."""
        return job_json(self._model.jobs.start(import_id, transformed_uri))

    @api_call
    def get_import(self, import_id: str) -> dict[str, Any]:
        """CallRefusedError 404 unknown."""
        return job_json(self._model.jobs.get(import_id))

    @api_call
    def import_errors(self, import_id: str) -> list[dict[str, Any]]:
        """CallRefusedError 404 unknown."""
        job = self._model.jobs.get(import_id)
        return [error_json(job, finding) for finding in job.findings]

    @api_call
    def import_chunks(self, import_id: str) -> list[dict[str, Any]]:
        """None before the job is processed; CallRefusedError 404 unknown."""
        job = self._model.jobs.get(import_id)
        return [chunk_json(job, chunk) for chunk in job.chunks]

    @api_call
    def set_import_failed(self, import_id: str, reason: str) -> dict[str, Any]:
        """CallRefusedError 404 unknown, 400 when it is neither received nor waiting."""
        return job_json(self._model.jobs.set_fail(import_id, reason))

    @api_call
    def list_imports(
        self, state: str = "", offset: int = 0, count: int = LIST_COUNT
    ) -> dict[str, Any]:
        """One page of the jobs in order of creation, in these states (with commas between) or all.

        CallRefusedError 400 for a page that is too large.
        """
        states = list(filter(None, state.split(",")))
        jobs, total = self._model.jobs.page(states, offset, count)
        end = offset + count
        before = self._page_url(state, max(0, offset - count), count) if offset else None
        return {
            "items": [job_item(job) for job in jobs],
            "pagination_info": {
                "count": len(jobs),
                "total": total,
                "offset": offset,
                "prev_url": before,
                "next_url": self._page_url(state, end, count) if end < total else None,
            },
        }

    def _page_url(self, state: str, offset: int, count: int) -> str:
        """At NewStore's own host, which need not be the one that was asked."""
        place = {"offset": str(offset), "count": str(count)}
        query = urlencode({"filter[state]": state, **place} if state else place)
        return f"https://{self._model.tenant}.p.newstore.net/v0/d/import?{query}"

    @api_call
    def list_locations(self) -> list[dict[str, Any]]:
        return self._model.locations.listed()

    @api_call
    def get_location(self, location_id: str) -> dict[str, Any]:
        """CallRefusedError 404 unknown."""
        return self._model.locations.get(location_id)
