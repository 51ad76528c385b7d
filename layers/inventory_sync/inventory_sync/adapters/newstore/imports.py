"""NewStore's import API, as docs/newstore.md has it."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from inventory_sync.adapters.http.answer import read_model
from inventory_sync.adapters.http.authorized import AuthorizedHttp
from inventory_sync.adapters.http.errors import HttpRejectedError, ThrottledError
from inventory_sync.adapters.http.request import HttpRequest, RetrySafety
from inventory_sync.adapters.newstore.lists import read_list
from inventory_sync.adapters.newstore.wire import JobAnswer, JobErrorAnswer, StoreAnswer
from inventory_sync.domain.errors import OutcomeUnknownError, RetriableError, TooManyJobsError
from inventory_sync.domain.import_run import ImportJob, JobError, JobState


class NewStoreClient:
    """Implements ports.NewStore and NewStoreReader. FatalError where credentials are refused."""

    def __init__(self, http: AuthorizedHttp, *, base_url: str, provider: str) -> None:
        self._http = http
        self._base_url = base_url
        self._provider = provider

    def create_job(self, *, name: str, source_uri: str, revision: int) -> str:
        """Never sent twice: after a 429 NewStore may have kept the job all the same."""
        body = {
            "provider": self._provider,
            "name": name,
            "source_uri": source_uri,
            "revision": revision,
            "entities": ["availabilities"],
            "full": False,
        }
        try:
            answer = self._http.call(self._post("/v0/d/import", body, retry=RetrySafety.NOT_SENT))
        except ThrottledError as error:
            raise TooManyJobsError(str(error)) from error
        try:
            return read_model(JobAnswer, answer, "POST /v0/d/import").job_id
        except RetriableError as error:
            raise OutcomeUnknownError(str(error)) from error

    def start_job(self, job_id: str, source_uri: str) -> None:
        """OutcomeUnknownError where no answer came: the job's state then says what happened."""
        body = {"transformed_uri": source_uri}
        self._http.call(
            self._post(
                _job_path(job_id) + "/start", body, retry=RetrySafety.NOT_TAKEN, answer=False
            )
        )

    def job(self, job_id: str) -> ImportJob | None:
        """None where NewStore answers 404."""
        request = self._get(_job_path(job_id))
        answer = self._http.find(request)
        if answer is None:
            return None
        return read_model(JobAnswer, answer, request.where).job()

    def received_jobs(self) -> list[ImportJob]:
        """Whatever else the answer may list is left out."""
        query = {"filter[state]": JobState.RECEIVED.value}
        listed = read_list(self._http, f"{self._base_url}/v0/d/import", JobAnswer, query=query)
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
            if job is None or job.state is not JobState.FAILED:
                raise

    def job_errors(self, job_id: str) -> list[JobError]:
        """In NewStore's order."""
        url = f"{self._base_url}{_job_path(job_id)}/errors"
        names = ("items", "errors")
        return [a.error() for a in read_list(self._http, url, JobErrorAnswer, names=names)]

    def known_nodes(self) -> frozenset[str]:
        """Entries without any id are left out: their locations stay unknown, and so held."""
        url = f"{self._base_url}/v0/d/stores"
        listed = read_list(self._http, url, StoreAnswer, names=("stores", "items"))
        return frozenset(answer.node_id for answer in listed if answer.node_id)

    def _get(self, path: str) -> HttpRequest:
        return HttpRequest(method="GET", url=self._base_url + path, retry=RetrySafety.ALWAYS)

    def _post(
        self, path: str, body: Mapping[str, Any], *, retry: RetrySafety, answer: bool = True
    ) -> HttpRequest:
        return HttpRequest(
            method="POST", url=self._base_url + path, retry=retry, json=body, answer=answer
        )


def _job_path(job_id: str) -> str:
    return f"/v0/d/import/{quote(job_id, safe='')}"
