"""NewStore's APIs as the flows use them."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Protocol

from inventory_sync.domain.atp import AtpKey, StockInsights
from inventory_sync.domain.event_stream import EventStream, StreamRegistration
from inventory_sync.domain.import_run import ImportJob, JobChunk, JobError
from inventory_sync.domain.locations import NewStoreLocations
from inventory_sync.domain.publications import Publication
from inventory_sync.domain.stream_check import StreamCheckState


class NewStore(Protocol):
    """NewStore's import API. Methods raise RetriableError, OutcomeUnknownError or RejectedError."""

    def create_job(self, *, name: str, source_uri: str) -> str:
        """The new job's id; TooManyJobsError when NewStore has too many open ones."""

    def start_job(self, job_id: str, source_uri: str) -> None:
        """Let NewStore process the file; nothing happens where the job has started already."""

    def job(self, job_id: str) -> ImportJob | None:
        """The job, or None where NewStore does not know it."""

    def received_jobs(self) -> list[ImportJob]:
        """Jobs created but never started, ours and others'."""

    def fail_job(self, job_id: str, reason: str) -> None:
        """Set a job to failed."""

    def job_errors(self, job_id: str) -> list[JobError]:
        """What NewStore found wrong with the job's file, be it finished or failed."""

    def job_chunks(self, job_id: str) -> list[JobChunk]:
        """The parts in which NewStore processed the job."""

    def locations(self, ids: Collection[str]) -> NewStoreLocations:
        """Those NewStore has: all of them, or at least those of `ids`, where it lists too few."""


class NewStoreReader(Protocol):
    """What NewStore shows of itself. Methods raise RetriableError or RejectedError."""

    def locations(self, ids: Collection[str]) -> NewStoreLocations:
        """Those it has: all of them, or at least those of `ids`, where it lists too few."""

    def atp(self, keys: Iterable[AtpKey]) -> Mapping[AtpKey, int]:
        """Units it would promise; keys it does not list are left out."""

    def insights(self, key: AtpKey) -> StockInsights:
        """What it takes off one row."""


class EventStreams(Protocol):
    """NewStore's registrations of event streams, and what it published by them.

    Methods raise RetriableError or RejectedError; a repeat of any of them is harmless.
    """

    def streams(self) -> list[EventStream]:
        """All of the tenant, ours and others'."""

    def stream(self, stream_id: str) -> EventStream | None:
        """One; None where there is none."""

    def create(self, registration: StreamRegistration) -> None:
        """Register and start it; RejectedError where the id is taken."""

    def change(self, registration: StreamRegistration) -> None:
        """Have a registration call this URL with this key, for the wanted events."""

    def start(self, stream_id: str) -> None:
        """Let events flow."""

    def delete(self, stream_id: str) -> None:
        """Forget it, with what is known of its publications."""

    def failures(self, stream_id: str, since: datetime, until: datetime) -> list[Publication]:
        """Attempts of that time to publish by the stream that failed; NotOfferedError."""

    def retry(self, stream_id: str, publication_id: str) -> None:
        """Have NewStore publish it once more; NotOfferedError where it has no such call."""


class StreamCheckStates(Protocol):
    """Where the watch over a stream keeps its memory."""

    def load(self, stream_id: str) -> StreamCheckState:
        """Read consistently; an empty one where there is none."""

    def save(self, stream_id: str, memory: StreamCheckState) -> StreamCheckState:
        """The next version; LeaseLostError where another look wrote meanwhile."""
