"""NewStore's APIs as the flows use them."""

from collections.abc import Callable, Collection, Iterable, Mapping, Set
from datetime import datetime
from typing import Protocol

from inventory_sync.domain.atp import (
    AtpExport,
    AtpKey,
    RequestedItem,
    SafetyStock,
    StockInsights,
)
from inventory_sync.domain.event_stream import EventStream, StreamRegistration
from inventory_sync.domain.import_run import ImportJob, JobChunk, JobError
from inventory_sync.domain.locations import NewStoreLocations
from inventory_sync.domain.stream_check import StreamCheckState
from inventory_sync.domain.stream_records import FailedAttempt, RejectedEvent, StreamLogEntry


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
    """What NewStore shows of its locations. Methods raise RetriableError or RejectedError."""

    def locations(self, ids: Collection[str]) -> NewStoreLocations:
        """Those it has: all of them, or at least those of `ids`, where it lists too few."""


class RowReader(Protocol):
    """What NewStore shows of single rows, with the errors of StockReader."""

    def atp(self, keys: Iterable[AtpKey]) -> Mapping[AtpKey, int]:
        """Units it would promise, never below 0; keys it does not list are left out."""

    def insights(self, key: AtpKey) -> StockInsights:
        """What it takes off one row."""


class StockReader(RowReader, Protocol):
    """What NewStore shows of stock. Methods raise RetriableError, BlockedError or RejectedError."""

    def safety_stock(self) -> SafetyStock:
        """What it holds back of every row."""

    def requested_items(self, order_uuid: str) -> list[RequestedItem]:
        """What became of each item of an order; none where it has not been routed."""


class ExportedAtp(Protocol):
    """The rows of an export."""

    def of(self, fulfillment_node_id: str) -> Mapping[str, int]:
        """Units by product."""


class AtpExports(Protocol):
    """Exports of all rows' ATP. Methods raise RetriableError, BlockedError or RejectedError."""

    def start(self, since: int | None) -> str:
        """Of everything, or of what was updated after that cursor; the export's id."""

    def export(self, export_id: str) -> AtpExport:
        """How far it is."""

    def fetch(self, export: AtpExport, nodes: Set[str], in_time: Callable[[], bool]) -> ExportedAtp:
        """The rows of those nodes; RetriableError where they cannot be had whole and in time."""


class EventStreams(Protocol):
    """NewStore's registrations of event streams.

    Methods raise RetriableError or RejectedError; a repeat of any of them is harmless.
    """

    def streams(self) -> list[EventStream]:
        """All of the tenant, ours and others'."""

    def stream(self, stream_id: str) -> EventStream | None:
        """One; None where there is none."""

    def create(self, registration: StreamRegistration) -> None:
        """Register and start it; RejectedError where the id is taken."""

    def change(self, registration: StreamRegistration) -> None:
        """Have a stopped one call this URL with this key, for the wanted events."""

    def start(self, stream_id: str) -> None:
        """Let events flow, those of the time it was stopped first."""

    def stop(self, stream_id: str) -> None:
        """Let it stop: `stream` says when it has."""

    def delete(self, stream_id: str) -> None:
        """Forget it, with its log and its rejected events."""


class StreamRecords(Protocol):
    """What NewStore keeps of an event stream. Methods raise RetriableError or RejectedError.

    Of a stream that NewStore does not know there is nothing.
    """

    def log(self, stream_id: str) -> list[StreamLogEntry]:
        """The last 50 entries, the latest first."""

    def failures(self, stream_id: str, since: datetime, until: datetime) -> list[FailedAttempt]:
        """Attempts of that time to publish by the stream that failed."""

    def delivered(self, stream_id: str, since: datetime, until: datetime) -> bool:
        """Whether an attempt of that time to publish by the stream succeeded."""

    def rejected_events(self, stream_id: str) -> list[RejectedEvent]:
        """The oldest first."""

    def rejected_event(self, stream_id: str, rejected_id: str) -> bytes | None:
        """The event's body as JSON; None where it is not kept any more."""

    def retry_rejected(self, stream_id: str, rejected_id: str) -> None:
        """Have it sent once more; RetriableError where our webhook did not take it.

        Once it is taken, NewStore deletes the entry.
        """

    def delete_rejected(self, stream_id: str, rejected_id: str) -> None:
        """Forget it; nothing happens where it is gone."""


class StreamCheckStates(Protocol):
    """Where the stream check keeps its memory."""

    def load(self, stream_id: str) -> StreamCheckState:
        """Read consistently; an empty one where there is none."""

    def save(self, stream_id: str, memory: StreamCheckState) -> StreamCheckState:
        """The next version; LeaseLostError where another check wrote meanwhile."""
