"""What the use cases need from the world, in their own terms."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple, Protocol

from inventory_sync.domain.availabilities import FileHead, RowBlock
from inventory_sync.domain.cut import LogicalRange
from inventory_sync.domain.drift import RowDrift
from inventory_sync.domain.event_stream import EventStream, StreamRegistration
from inventory_sync.domain.events import EventRef, FulfillmentEvent, OpenEvent
from inventory_sync.domain.guards import Hold
from inventory_sync.domain.import_run import ImportJob, ImportRun, JobError
from inventory_sync.domain.inbound import AppendResult as AppendResult
from inventory_sync.domain.inbound import ClaimResult as ClaimResult
from inventory_sync.domain.inbound import QuarantineEntry as QuarantineEntry
from inventory_sync.domain.locations import Location
from inventory_sync.domain.manifest import Ledger, Manifest, Settlement
from inventory_sync.domain.publications import Publication
from inventory_sync.domain.run_record import LocationRecord
from inventory_sync.domain.stock import (
    Acknowledgement,
    AllocationChange,
    AllocationOutcome,
    MovementOutcome,
    StockMovement,
    StockSnapshot,
)
from inventory_sync.domain.stream_watch import WatchMemory


class Clock(Protocol):
    """Our own time."""

    def now(self) -> datetime:
        """UTC, aware."""

    def sleep(self, seconds: float) -> None:
        """Wait."""


class EventLog(Protocol):
    """The events table. Every method raises RetriableError when the store cannot be reached."""

    def append(self, event: FulfillmentEvent, body: bytes, received_at: datetime) -> AppendResult:
        """Store the event and its body under the event's ref unless something stands there."""

    def open_events(self) -> Iterator[OpenEvent]:
        """Every open event of every location, read consistently."""

    def open_events_of(self, location_id: str) -> list[OpenEvent]:
        """The open events of one location, read consistently, by logical timestamp."""

    def claim(self, ref: EventRef, *, now: datetime, until: datetime) -> ClaimResult:
        """Become the one writer of an event's reference until then."""

    def note_applied(self, ref: EventRef, applied_at: datetime, document_id: str) -> None:
        """The ERP booked the movement; the first acknowledgement stands."""

    def note_forwarded(
        self,
        ref: EventRef,
        forwarded_at: datetime,
        *,
        close: bool,
        applied: Acknowledgement | None = None,
    ) -> float:
        """The ERP has everything the event asks for; `close` where no import waits for it.

        With `applied` it notes that too, as `note_applied` does, in the same write. Returns how
        many gigabytes the location's events take at most; 0 where the store does not say.
        """

    def note_rejected(self, ref: EventRef, reason: str) -> None:
        """The ERP refused: nothing forwards the event again until an operator says so."""

    def note_counted(self, ref: EventRef, run_id: str) -> None:
        """A finished import's quantity counts the event; the first such run stands."""

    def close(self, ref: EventRef) -> None:
        """Applied and released: the event is history."""


class Quarantine(Protocol):
    """Where bad input is kept whole."""

    def add(self, entry: QuarantineEntry) -> None:
        """Keep it; the same entry twice is kept once."""

    def depth(self) -> int:
        """How many entries there are, counted as far as that is cheap."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportFile:
    """A file of NewStore's S3 export; `etag` says which content, where that is known."""

    bucket: str
    key: str
    etag: str = ""

    @property
    def uri(self) -> str:
        """For people."""
        return f"s3://{self.bucket}/{self.key}" if self.bucket else self.key


class ExportFiles(Protocol):
    """Where export files are read. Methods raise RetriableError, FatalError or RejectedError."""

    def chunks(self, file: ExportFile, offset: int) -> AbstractContextManager[Iterator[bytes]]:
        """What stands from a byte on, unpacked, piece by piece.

        RejectedError where the file is gone, was replaced, or cannot be unpacked.
        """


class ExportQueue(Protocol):
    """Files that wait to be read, or read on."""

    def put(self, file: ExportFile, offset: int, delay_seconds: int) -> None:
        """Have a file read on from a byte; raises RetriableError."""

    def read(self, message: str) -> tuple[ExportFile, int]:
        """The file of a message and where to begin; RejectedError where it names none."""


class InboundKeys(Protocol):
    """The keys NewStore may call with."""

    def accepts(self, key: str) -> bool:
        """Whether it is one of the valid keys, compared in constant time."""


class Dedupe(StrEnum):
    """How the ERP treats a reference it has seen."""

    NATIVE = "native"
    """A repeat is recognised and answered as such."""
    LOOKUP = "lookup"
    """A repeat books twice; a reference can be looked up."""


class ChangeFeed(StrEnum):
    """How the ERP tells which products' stock has changed."""

    NONE = "none"
    """It does not: every import reads everything."""
    TIMESTAMP = "timestamp"
    """By a time of change, which may miss what is committed late: read everything now and then."""
    SEQUENCE = "sequence"
    """By a counter in the order of commits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ErpCapabilities:
    """What a connector can do; `apply_lag` is how long what it acknowledged may take to show.

    `reference_length_max` is in characters. `absent_means_zero`: a product that a snapshot or
    a read leaves out has no stock; else its stock is not known. `consistent_snapshot`: all rows
    are of one instant.
    """

    dedupe: Dedupe
    bulk_max: int
    reservations: bool
    apply_lag: timedelta
    reference_length_max: int = 128
    change_feed: ChangeFeed = ChangeFeed.NONE
    absent_means_zero: bool = True
    consistent_snapshot: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """Products of one location whose stock may have changed since a cursor, and the next cursor.

    `as_of`, on the ERP's clock, is when the reading of the feed began: a product that is not
    named has not changed up to then. Not `complete`: the feed does not reach back to the cursor,
    so that everything has to be read.
    """

    product_ids: frozenset[str]
    cursor: str
    as_of: datetime
    complete: bool


class Erp(Protocol):
    """One retailer's ERP behind its connector."""

    def capabilities(self) -> ErpCapabilities:
        """What the connector can do; raises RetriableError."""

    def post_movements(self, movements: list[StockMovement]) -> list[MovementOutcome]:
        """Book each, one outcome per movement in order; never raises for a single one."""

    def look_up(self, movement_id: str) -> MovementOutcome | None:
        """The booked movement's Acknowledgement; None where the ERP has none; or no answer."""

    def change_allocations(self, changes: list[AllocationChange]) -> list[AllocationOutcome]:
        """Set items aside or give them back, one outcome per change in order."""

    def snapshot(self, location_id: str) -> StockSnapshot:
        """All rows of a location; RetriableError, RejectedError or SnapshotIncompleteError."""

    def changes(self, location_id: str, cursor: str | None) -> Changes:
        """What has changed since the cursor; without one only where the feed stands now.

        For connectors with a change feed; errors as for `snapshot`. The first cursor has to be
        taken before the snapshot that it is to continue.
        """

    def read(self, location_id: str, product_ids: frozenset[str]) -> StockSnapshot:
        """The rows of these products only; errors as for `snapshot`."""


class NewStore(Protocol):
    """NewStore's import API. Methods raise RetriableError, OutcomeUnknownError or RejectedError."""

    def create_job(self, *, name: str, source_uri: str, revision: int) -> str:
        """The new job's id; TooManyJobsError when NewStore has too many open ones."""

    def start_job(self, job_id: str, source_uri: str) -> None:
        """Let NewStore process the file."""

    def job(self, job_id: str) -> ImportJob | None:
        """The job, or None where NewStore does not know it."""

    def received_jobs(self) -> list[ImportJob]:
        """Jobs created but never started, ours and others'."""

    def fail_job(self, job_id: str, reason: str) -> None:
        """Set a job to failed."""

    def job_errors(self, job_id: str) -> list[JobError]:
        """What NewStore found wrong with the job's file."""

    def known_nodes(self) -> frozenset[str]:
        """Ids of the locations NewStore lists."""


class AtpKey(NamedTuple):
    """A row of stock under NewStore's names."""

    product_id: str
    fulfillment_node_id: str


@dataclass(frozen=True, slots=True)
class Allocation:
    """An item that NewStore takes off a row: ordered, or completed and not released yet."""

    order_uuid: str
    item_uuid: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StockInsights:
    """Everything but the safety stock that NewStore takes off a row's quantity."""

    allocations: tuple[Allocation, ...]
    reservations: int


class NewStoreReader(Protocol):
    """What NewStore shows of itself. Methods raise RetriableError or RejectedError."""

    def known_nodes(self) -> frozenset[str]:
        """Ids of the locations it lists."""

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


class WatchMemories(Protocol):
    """Where the watch over a stream keeps its memory."""

    def load(self, stream_id: str) -> WatchMemory:
        """Read consistently; an empty one where there is none."""

    def save(self, stream_id: str, memory: WatchMemory) -> WatchMemory:
        """The next version; LeaseLostError where another look wrote meanwhile."""


class DriftReport(Protocol):
    """One reconciliation's report being written."""

    def add(self, drift: RowDrift) -> None:
        """Append a row that differs."""


class Reports(Protocol):
    """Where reconciliations leave what they found. Methods raise RetriableError."""

    def writer(self, report_id: str) -> AbstractContextManager[DriftReport]:
        """Rows, kept once the block ends without an error."""

    def save_summary(self, report_id: str, summary: Mapping[str, object]) -> str:
        """Keep the totals; where the report stands, in words."""


class ArchiveWriter(Protocol):
    """One import archive being written."""

    def add_file(self, number: int, head: FileHead, blocks: Iterable[RowBlock]) -> None:
        """Append the availabilities file of that number, from 1 up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PackedFile:
    """One file of an archive; `sha256` is of its content, so the same whatever packed it."""

    name: str
    released: LogicalRange
    content_bytes: int
    sha256: str


class ScratchArchive(Protocol):
    """Packs an archive as a FileStore does, but keeps it here."""

    def archive(self) -> AbstractContextManager[ArchiveWriter]:
        """Write the archive; one that was written before is forgotten."""

    def packed(self) -> tuple[int, tuple[PackedFile, ...]]:
        """How many bytes the archive has, and its files; none where none was written."""


class FileStore(Protocol):
    """Files of runs. Methods raise RetriableError when the store cannot be reached."""

    def archive(self, run_id: str) -> AbstractContextManager[ArchiveWriter]:
        """Write the run's archive; it is there once the block ends without an error."""

    def archive_uri(self, run_id: str) -> str:
        """Where NewStore fetches the archive; FatalError if the URI would not live long enough."""

    def save_manifest(self, manifest: Manifest) -> None:
        """Keep what the run knew."""

    def manifest(self, run_id: str) -> Manifest:
        """What the run knew."""

    def save_ledger(self, ledger: Ledger) -> None:
        """Keep a location's quantities as of the run."""

    def ledger(self, location_id: str, run_id: str) -> Ledger | None:
        """A location's quantities as of the run; None where the run has none for it."""

    def latest_ledger(self, location_id: str) -> Ledger | None:
        """A location's quantities as of the last run that kept any; None where there is none."""

    def save_settlement(self, run_id: str, settlement: Settlement) -> None:
        """Keep what to mark once the run has finished."""

    def settlement(self, run_id: str) -> Settlement:
        """What to mark once the run has finished."""


class RecordWriter(Protocol):
    """The record of one run being written."""

    def add(self, record: LocationRecord) -> None:
        """Append one location."""


class RunRecords(Protocol):
    """What each run leaves behind so that it can be explained. Methods raise RetriableError."""

    def writer(self, run_id: str) -> AbstractContextManager[RecordWriter]:
        """Write the run's locations; they are kept once the block ends without an error."""

    def locations(self, run_id: str) -> Iterator[LocationRecord]:
        """In the order in which they were written; none where the run kept none."""

    def save_outcome(self, run: ImportRun) -> None:
        """Keep how the run ended, with NewStore's answers."""

    def outcome(self, run_id: str) -> ImportRun | None:
        """How the run ended; None where it has not, or is kept no longer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportHead:
    """The one record all ticks work on; `version` grows with each write.

    `watermark` is None before the first finished import, and unused under location scope, where
    each location's is in the manifest of `finished_run_id`. `unfinished_run_id` is the last
    attempted run that did not finish: its rows' state at NewStore is unknown. `watermarks_set`,
    by location and under location scope only, are those that an operator has moved back since.
    """

    version: int = 0
    run: ImportRun | None = None
    finished_run_id: str | None = None
    unfinished_run_id: str | None = None
    watermark: int | None = None
    last_revision: int = 0
    last_job_created_at: datetime | None = None
    last_finished_at: datetime | None = None
    last_full_at: datetime | None = None
    watermarks_set: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to advance the run until `expires_at`; a higher token always wins."""

    fencing_token: int
    expires_at: datetime


class Leases(Protocol):
    """At most one holder at a time."""

    def acquire(self, *, now: datetime, until: datetime) -> Lease | None:
        """The lease, or None while another holds it."""

    def renew(self, lease: Lease, *, now: datetime, until: datetime) -> Lease:
        """The lease, longer; LeaseLostError when it is no longer ours."""

    def release(self, lease: Lease) -> None:
        """Give it back; nothing happens when it is no longer ours."""


class RunStore(Protocol):
    """Where the import head and the history of runs live."""

    def head(self) -> ImportHead:
        """The head, read consistently."""

    def save(self, head: ImportHead, *, lease: Lease, now: datetime) -> ImportHead:
        """Write the next version; LeaseLostError unless the lease is current and nobody wrote."""


class RunHistory(Protocol):
    """Every run that is still on record. Methods raise RetriableError."""

    def newest_first(self) -> Iterator[ImportRun]:
        """From the last planned on; read as far as it is asked for."""

    def run(self, run_id: str) -> ImportRun | None:
        """None where there is no such run, or none any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredEvent:
    """An event as it stands in the log, open or history; `attempts` are those to post it."""

    state: OpenEvent
    is_open: bool
    document_id: str = ""
    attempts: int = 0


class EventHistory(Protocol):
    """The events table as operators read it. Methods raise RetriableError."""

    def of_location(
        self, location_id: str, *, first: int = 0, last: int | None = None
    ) -> Iterator[StoredEvent]:
        """Events of one location by logical timestamp, both bounds inclusive."""

    def event(self, ref: EventRef) -> StoredEvent | None:
        """One event; None where there is none, or none any more."""

    def published_between(self, since: datetime, until: datetime) -> Iterator[StoredEvent]:
        """Events of all locations that NewStore published from `since` on and before `until`.

        In no order. Reads the whole table, in minutes where it holds millions.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class LocationHold:
    """A held location as operators see it."""

    location_id: str
    holds: tuple[Hold, ...]
    since: datetime
    run_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """An operator lets one import through the named guards, once."""

    location_id: str
    kinds: tuple[str, ...]
    who: str
    why: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Resend:
    """Rows of a location that the next import sends whatever they were; none named means all."""

    location_id: str
    products: tuple[str, ...]
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorHold:
    """An operator keeps a location out of imports until it is resumed.

    Without a `location_id`, `ALL_IMPORTS`: imports are paused altogether.
    """

    location_id: str
    who: str
    why: str
    at: datetime

    def __str__(self) -> str:
        return f"{self.who}, {self.at:%Y-%m-%d %H:%M}Z: {self.why}"


ALL_IMPORTS = ""


class RunLocations(Protocol):
    """What a run reads of the location map, and the holds it keeps up to date."""

    def locations(self) -> Mapping[str, Location]:
        """The whole map by location id, read consistently."""

    def approvals(self) -> Mapping[str, Approval]:
        """Unused approvals by location id."""

    def resends(self) -> Mapping[str, Resend]:
        """Rows to be sent again, by location id."""

    def operator_holds(self) -> Mapping[str, OperatorHold]:
        """What operators hold, by location id; under `ALL_IMPORTS` that imports are paused."""

    def holds(self) -> Mapping[str, LocationHold]:
        """What is held now, by location id."""

    def set_hold(self, hold: LocationHold) -> None:
        """Note that a location is held."""

    def clear_hold(self, location_id: str) -> None:
        """Note that it no longer is."""


class LocationStore(RunLocations, Protocol):
    """The location map, what is held and approved, and which rows are to be sent again."""

    def put_location(self, location: Location) -> None:
        """Add or replace a row of the map."""

    def approve(self, approval: Approval) -> None:
        """Record it."""

    def use_approval(self, location_id: str, run_id: str) -> None:
        """It was used by that run and counts no more; kept as a record."""

    def ask_resend(self, resend: Resend) -> None:
        """Record it; it replaces what was asked for the location before."""

    def resend_done(self, resend: Resend) -> None:
        """A finished import has sent them; one that was asked for since stands."""

    def set_operator_hold(self, hold: OperatorHold) -> None:
        """Record it."""

    def end_operator_hold(self, location_id: str) -> None:
        """From the next run on the location is read again, or imports go on."""


class Observer(Protocol):
    """Where counts and notable happenings go; names are in docs/metrics.md."""

    def count(self, name: str, value: float = 1, **dimensions: str) -> None:
        """Add to a metric."""

    def note(self, message: str, **figures: object) -> None:
        """One structured log line."""


RemainingSeconds = Callable[[], float]
"""How long this invocation may still run."""
