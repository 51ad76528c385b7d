"""One import job, and what may go wrong with it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from local.newstore.availabilities import ImportFinding
from local.newstore.events import iso_instant
from local.newstore.fulfillment import StockKey

JobState = Literal["received", "waiting", "processing", "finished", "failed"]
"""`processing` stands for the states in between, which NewStore does not name."""


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
    """Rows not applied although the job finishes."""


@dataclass
class ImportJob:
    """One job as NewStore keeps it."""

    import_id: str
    provider: str
    name: str
    source_uri: str
    revision: int
    entities: tuple[str, ...]
    full: bool
    created_at: datetime
    stale: bool
    """Its revision did not grow."""
    state: JobState = "received"
    transformed_uri: str | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    reason: str | None = None
    findings: list[ImportFinding] = field(default_factory=list)
    files_applied: int = 0
    faults: JobFaults = JobFaults()


def job_json(job: ImportJob) -> dict[str, Any]:
    """The job as `GET /v0/d/import/{id}` shows it."""
    instants = {
        "created_at": job.created_at,
        "started_at": job.started_at,
        "ended_at": job.ended_at,
    }
    return {
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
        **{name: None if at is None else iso_instant(at) for name, at in instants.items()},
    }
