"""One import job, and what may go wrong with it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from local.newstore.availabilities import ImportFinding
from local.newstore.events import iso_instant
from local.newstore.fulfillment import StockKey

JobState = Literal[
    "received", "waiting", "processing", "cleaning", "finished", "partially_failed", "failed"
]
"""`cleaning` is for full imports, which there are none of for availabilities."""


@dataclass(frozen=True)
class JobFaults:
    """What goes wrong with one job; the default is nothing."""

    fail_after_files: int | None = None
    """Fail once so many files were applied whole."""
    fail_after_rows: int = 0
    """And so many rows of the next file, without its release."""
    reason: str = "internal error"
    stuck_in: JobState | None = None
    """Stay in this state (waiting or processing) for ever, with nothing applied."""
    findings: tuple[ImportFinding, ...] = ()
    """Errors to list, whether the job finishes or fails."""
    skipped_keys: frozenset[StockKey] = frozenset()
    """Rows not applied; where they are many, their chunk fails (`CHUNK_ERRORS_MAX`)."""
    failed_chunks: frozenset[int] = frozenset()
    """Chunks, counted from 0, of which no row is applied."""


@dataclass(frozen=True)
class Chunk:
    """Rows that NewStore processed together."""

    number: int
    size: int
    at: datetime
    failure: str | None


@dataclass
class ImportJob:
    """One job as NewStore keeps it. `revision` is set when the job starts."""

    import_id: str
    provider: str
    name: str
    source_uri: str
    entities: tuple[str, ...]
    full: bool
    created_at: datetime
    revision: int | None = None
    state: JobState = "received"
    transformed_uri: str | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    reason: str | None = None
    findings: list[ImportFinding] = field(default_factory=list)
    chunks: list[Chunk] = field(default_factory=list)
    files_applied: int = 0
    faults: JobFaults = JobFaults()


def job_json(job: ImportJob) -> dict[str, Any]:
    """The job as `GET /v0/d/import/{id}` shows it."""
    fields = {
        "import_id": job.import_id,
        "state": job.state,
        "provider": job.provider,
        "name": job.name,
        "source_uri": job.source_uri,
        "transformed_uri": job.transformed_uri,
        "revision": job.revision,
        "entities": list(job.entities),
        "full": job.full,
        "reason": job.reason,
        "received_at": iso_instant(job.created_at),
    }
    known = {name: value for name, value in fields.items() if value is not None}
    return {**known, "completed_at": None if job.ended_at is None else iso_instant(job.ended_at)}


def job_item(job: ImportJob) -> dict[str, Any]:
    """The job as the list of jobs shows it: with less, and its entities as one text."""
    fields = {
        "import_id": job.import_id,
        "state": job.state,
        "name": job.name,
        "entities": ",".join(job.entities),
        "full": job.full,
        "received_at": iso_instant(job.created_at),
    }
    return fields if job.ended_at is None else {**fields, "completed_at": iso_instant(job.ended_at)}


def error_json(job: ImportJob, finding: ImportFinding) -> dict[str, Any]:
    """One entry of `GET /v0/d/import/{id}/errors`."""
    return {
        "entity_type": finding.entity_type,
        "entity_id": finding.entity_id,
        "reason": finding.reason,
        "created_at": iso_instant(job.ended_at or job.created_at),
    }


def chunk_json(job: ImportJob, chunk: Chunk) -> dict[str, Any]:
    """One entry of `GET /v0/d/import/{id}/chunks`."""
    fields = {
        "chunk_id": f"{job.import_id}-{chunk.number}",
        "created_at": iso_instant(chunk.at),
        "completed_at": iso_instant(chunk.at),
        "size": chunk.size,
        "failed": chunk.failure is not None,
        "entity": "availabilities",
    }
    return fields if chunk.failure is None else {**fields, "failure_message": chunk.failure}
