"""NewStore's import and location API, as docs/newstore.md has it."""

from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import quote

from inventory_sync.adapters.http.answer import read_model
from inventory_sync.adapters.http.authorized import AuthorizedHttp
from inventory_sync.adapters.http.errors import HttpRejectedError, ThrottledError
from inventory_sync.adapters.http.request import HttpRequest, RetrySafety
from inventory_sync.adapters.newstore.lists import read_each, read_pages, readable
from inventory_sync.adapters.newstore.wire import (
    JobAnswer,
    JobChunkAnswer,
    JobErrorAnswer,
    LocationAnswer,
)
from inventory_sync.domain.errors import OutcomeUnknownError, RetriableError, TooManyJobsError
from inventory_sync.domain.import_run import (
    JOB_FAILED,
    ImportJob,
    JobChunk,
    JobError,
    JobState,
)
from inventory_sync.domain.locations import (
    LOCATIONS_LISTED_MAX,
    NewStoreLocation,
    NewStoreLocations,
)

LOOKUPS_AT_ONCE = 8
"""Locations that are asked for by their ids."""


class NewStoreLocationList:
    """Implements ports.NewStoreReader. Sends nothing but GET requests."""

    def __init__(self, http: AuthorizedHttp, *, base_url: str) -> None:
        self._http = http
        self._base_url = base_url

    def locations(self, ids: Collection[str]) -> NewStoreLocations:
        """Those of the list; where it is full, those of `ids` that it lacks are asked for too.

        One that cannot be read counts as not listed.
        """
        url = f"{self._base_url}/v0/locations"
        answers, listed = read_each(self._http, url, LocationAnswer, names=("locations",))
        if listed and not answers:
            raise RetriableError(f"GET /v0/locations: none of {listed} locations can be read")
        found = {answer.id: answer.location() for answer in answers}
        if listed < LOCATIONS_LISTED_MAX:
            return found
        with ThreadPoolExecutor(LOOKUPS_AT_ONCE, thread_name_prefix="locations") as pool:
            asked = pool.map(self._location, sorted(set(ids) - found.keys()))
            return found | {one.location_id: one for one in asked if one is not None}

    def _location(self, location_id: str) -> NewStoreLocation | None:
        request = self._get(f"/v0/locations/{quote(location_id, safe='')}")
        answer = self._http.find(request)
        found = [] if answer is None else readable(LocationAnswer, [answer], request.where)
        return found[0].location() if found else None

    def _get(self, path: str) -> HttpRequest:
        return HttpRequest(method="GET", url=self._base_url + path, retry=RetrySafety.ALWAYS)


class NewStoreClient(NewStoreLocationList):
    """Implements ports.NewStore. FatalError where credentials are refused."""

    def __init__(self, http: AuthorizedHttp, *, base_url: str, provider: str) -> None:
        super().__init__(http, base_url=base_url)
        self._provider = provider

    def create_job(self, *, name: str, source_uri: str) -> str:
        """Never sent twice: after a 429 NewStore may have kept the job all the same."""
        body = {
            "provider": self._provider,
            "name": name,
            "source_uri": source_uri,
            "entities": ["availabilities"],
            "full": False,
        }
        try:
            answer = self._http.call(self._post("/v0/d/import", body, retry=RetrySafety.NOT_SENT))
        except ThrottledError as error:
            raise TooManyJobsError(str(error), error.retry_after_seconds) from error
        try:
            return read_model(JobAnswer, answer, "POST /v0/d/import").job_id
        except RetriableError as error:
            raise OutcomeUnknownError(str(error)) from error

    def start_job(self, job_id: str, source_uri: str) -> None:
        """OutcomeUnknownError where no answer came: the job's state then says what happened.

        RejectedError where NewStore refuses to, unless it has started the job already.
        """
        path, body = _job_path(job_id) + "/start", {"transformed_uri": source_uri}
        request = self._post(path, body, retry=RetrySafety.NOT_TAKEN, answer=False)
        try:
            self._http.call(request)
        except HttpRejectedError:
            job = self.job(job_id)
            if job is None or job.state is JobState.RECEIVED:
                raise

    def job(self, job_id: str) -> ImportJob | None:
        """None where NewStore answers 404; RetriableError where it answers with another job."""
        request = self._get(_job_path(job_id))
        answer = self._http.find(request)
        if answer is None:
            return None
        found = read_model(JobAnswer, answer, request.where).job()
        if found.job_id != job_id:
            raise RetriableError(f"{request.where}: the answer is about job {found.job_id!r}")
        return found

    def received_jobs(self) -> list[ImportJob]:
        """Whatever else the answer may list is left out."""
        query = {"filter[state]": JobState.RECEIVED.value}
        listed = read_pages(self._http, f"{self._base_url}/v0/d/import", JobAnswer, query=query)
        received = [
            answer.model_copy(update={"state": answer.state or JobState.RECEIVED.value}).job()
            for answer in listed
        ]
        return [job for job in received if job.state is JobState.RECEIVED]

    def fail_job(self, job_id: str, reason: str) -> None:
        """Nothing happens where the job has failed already; RejectedError where it cannot fail."""
        path = _job_path(job_id) + "/set_fail"
        request = self._post(path, {"reason": reason}, retry=RetrySafety.ALWAYS, answer=False)
        try:
            self._http.call(request)
        except HttpRejectedError:
            job = self.job(job_id)
            if job is None or job.state not in JOB_FAILED:
                raise

    def job_errors(self, job_id: str) -> list[JobError]:
        """In NewStore's order."""
        url = f"{self._base_url}{_job_path(job_id)}/errors"
        found, listed = read_each(self._http, url, JobErrorAnswer)
        unread = [JobError("an error that cannot be read", "", "")] * (listed - len(found))
        return [*(answer.error() for answer in found), *unread]

    def job_chunks(self, job_id: str) -> list[JobChunk]:
        """In NewStore's order; there are none before it processes the job."""
        url = f"{self._base_url}{_job_path(job_id)}/chunks"
        return [answer.chunk() for answer in read_each(self._http, url, JobChunkAnswer)[0]]

    def _post(
        self, path: str, body: Mapping[str, Any], *, retry: RetrySafety, answer: bool = True
    ) -> HttpRequest:
        return HttpRequest(
            method="POST", url=self._base_url + path, retry=retry, json=body, answer=answer
        )


def _job_path(job_id: str) -> str:
    return f"/v0/d/import/{quote(job_id, safe='')}"
