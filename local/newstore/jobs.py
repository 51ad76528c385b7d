"""Import jobs: their states, their steps in time, and the ways in which they can go wrong."""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count

from local.http_server import CallRefusedError
from local.newstore.availabilities import (
    AvailabilitiesFile,
    ImportFinding,
    Mode,
    Row,
    UnusableImportError,
    open_zip,
    read_file,
)
from local.newstore.fulfillment import StockKey
from local.newstore.job import Chunk, ImportJob, JobFaults, JobState

OPEN_JOBS_MAX = 20
JOB_SPACING = timedelta(minutes=5)
RETRY_AFTER_SECONDS = 60
LIST_COUNT_MAX = 1000
"""NewStore refuses a page of more with 400; how many it gives is not documented."""

CHUNK_ROWS = 1000
"""NewStore does not say how large its chunks are."""
CHUNK_ERRORS_MAX = 49
"""A chunk with more failing items fails as a whole."""

ApplyFile = Callable[[AvailabilitiesFile], None]
CheckFile = Callable[[AvailabilitiesFile], None]
"""Raises UnusableImportError for what the tenant refuses of a file that is valid in itself."""
ApplyRows = Callable[[Sequence[Row], Mode], None]


class ImportJobs:
    """The queue. Steps fall due in time and run in `advance()`, in order of their due time.

    A started job waits for half of `job_seconds`, is processed for the other half, and then applies
    one file every `seconds_between_files`; it ends with its last file. One job is processed at a
    time: the others wait, except behind one that hangs. What a file does shows
    `visible_after_seconds` later (NewStore: minutes, rarely days).
    `fetch` raises OSError, LookupError or ValueError for a URI that cannot be read.
    """

    def __init__(
        self, now: Callable[[], datetime], fetch: Callable[[str], bytes], apply: ApplyFile,
        apply_rows: ApplyRows, check: CheckFile,
    ) -> None:  # fmt: skip
        self._now, self._fetch, self._apply, self._apply_rows = now, fetch, apply, apply_rows
        self._check = check
        self.by_id: dict[str, ImportJob] = {}
        self.job_seconds: float = 0
        self.seconds_between_files: float = 0
        self.visible_after_seconds: float = 0
        self.file_order: Callable[[list[str]], list[str]] = sorted
        """In which order a zip's files are taken, by their names."""
        self.chunk_rows = CHUNK_ROWS
        self.keep_on_429 = False
        """Keep the job that is one too many as received, although the answer is 429."""
        self.next_jobs: deque[JobFaults] = deque()
        """Faults of the next jobs to be started, one each."""
        self.refused_rows: set[StockKey] = set()
        """Rows that a job was sent and did not apply, whatever became of the job."""
        self.jobs_too_close = 0
        """Starts less than five minutes after the one before."""
        self._last_start: datetime | None = None
        self._revisions = count(1)
        self._newest: dict[StockKey, int] = {}
        """The revision that each row was last written with."""
        self._processed: ImportJob | None = None
        self._behind: deque[ImportJob] = deque()
        self._steps: list[tuple[datetime, int, Callable[[datetime], None]]] = []
        self._sequence = count()

    def create(
        self, *, provider: str, name: str, source_uri: str, entities: Sequence[str], full: bool
    ) -> ImportJob:
        """Receive a job; CallRefusedError 429 past 20 open ones (see `keep_on_429`)."""
        crowded = len(self.open_jobs()) >= OPEN_JOBS_MAX
        if crowded and not self.keep_on_429:
            raise CallRefusedError(429, "too many open imports", RETRY_AFTER_SECONDS)
        job = ImportJob(
            f"00000000-0000-4000-8000-{len(self.by_id) + 1:012d}", provider, name, source_uri,
            tuple(entities), full, self._now(),
        )  # fmt: skip
        self.by_id[job.import_id] = job
        if crowded:
            raise CallRefusedError(429, "too many open imports", RETRY_AFTER_SECONDS)
        return job

    def start(self, import_id: str, transformed_uri: str) -> ImportJob:
        """Queue a received job; CallRefusedError 404 unknown, 400 in any other state."""
        job = self.get(import_id)
        if job.state != "received":
            raise CallRefusedError(400, f"import is {job.state}")
        now = self._now()
        if self._last_start is not None and now - self._last_start < JOB_SPACING:
            self.jobs_too_close += 1
        self._last_start = now
        job.state, job.started_at, job.transformed_uri = "waiting", now, transformed_uri
        job.revision = next(self._revisions)
        job.faults = self.next_jobs.popleft() if self.next_jobs else JobFaults()
        if job.faults.stuck_in != "waiting":
            self._at(now, self.job_seconds / 2, lambda due: self._open(job, due))
        return job

    def set_fail(self, import_id: str, reason: str) -> ImportJob:
        """End a received or waiting job; CallRefusedError 404 unknown, 400 in other states."""
        job = self.get(import_id)
        if job.state not in ("received", "waiting"):
            raise CallRefusedError(400, f"import is {job.state}")
        self._end(job, "failed", self._now(), reason)
        return job

    def get(self, import_id: str) -> ImportJob:
        """CallRefusedError 404 for an unknown id."""
        if import_id not in self.by_id:
            raise CallRefusedError(404, "unknown import")
        return self.by_id[import_id]

    def plan_next_job(self, faults: JobFaults) -> None:
        """Faults for the next job to be started for which none are planned yet."""
        self.next_jobs.append(faults)

    def fail_next_job(
        self, after_files: int = 0, reason: str = "internal error", after_rows: int = 0
    ) -> None:
        """Fail after so many whole files, and so many rows of the next one without its release."""
        self.plan_next_job(JobFaults(after_files, after_rows, reason))

    def never_finish_next_job(self, stuck_in: JobState = "processing") -> None:
        self.plan_next_job(JobFaults(stuck_in=stuck_in))

    def report_errors_next_job(
        self, findings: Sequence[ImportFinding], skipped_keys: Iterable[StockKey] = ()
    ) -> None:
        """Finish with errors, and without the rows of the skipped keys."""
        faults = JobFaults(findings=tuple(findings), skipped_keys=frozenset(skipped_keys))
        self.plan_next_job(faults)

    def fail_chunks_of_next_job(self, *numbers: int) -> None:
        """Apply none of the rows of these chunks, counted from 0."""
        self.plan_next_job(JobFaults(failed_chunks=frozenset(numbers)))

    def open_jobs(self) -> list[ImportJob]:
        """Those that count against the limit of 20."""
        return [job for job in self.by_id.values() if job.state in ("received", "waiting")]

    def page(self, states: Sequence[str], offset: int, count: int) -> tuple[list[ImportJob], int]:
        """Jobs in these states, or in any, in order of creation; and how many there are in all.

        CallRefusedError 400 for a page that is too large.
        """
        if not 1 <= count <= LIST_COUNT_MAX or offset < 0:
            raise CallRefusedError(400, f"count is 1 to {LIST_COUNT_MAX}, offset 0 or more")
        jobs = [job for job in self.by_id.values() if not states or job.state in states]
        return jobs[offset : offset + count], len(jobs)

    def next_due(self) -> datetime | None:
        """When the next step of any job is due: until then no job changes anything."""
        return self._steps[0][0] if self._steps else None

    def advance(self) -> None:
        """Run every step that is due."""
        now = self._now()
        while self._steps and self._steps[0][0] <= now:
            due, _, step = heapq.heappop(self._steps)
            step(due)

    def _at(self, start: datetime, seconds: float, step: Callable[[datetime], None]) -> None:
        heapq.heappush(
            self._steps, (start + timedelta(seconds=seconds), next(self._sequence), step)
        )

    def _open(self, job: ImportJob, due: datetime) -> None:
        if job.state != "waiting":
            return
        if self._processed is not None:
            self._behind.append(job)
            return
        job.state = "processing"
        if job.faults.stuck_in == "processing":
            return
        self._processed = job
        reason = self._unsupported(job)
        if reason is not None:
            self._end(job, "failed", due, reason)
            return
        try:
            files = dict(open_zip(self._fetch(job.transformed_uri or "")))
        except UnusableImportError as error:
            self._fail(job, due, error)
            return
        except (OSError, LookupError, ValueError) as error:
            self._end(job, "failed", due, f"could not fetch: {error}")
            return
        waiting = deque((name, files[name]) for name in self.file_order(list(files)))
        self._at(due, self.job_seconds / 2, lambda at: self._take_file(job, waiting, at))

    def _unsupported(self, job: ImportJob) -> str | None:
        if job.entities != ("availabilities",):
            return f"this simulator imports availabilities, not {job.entities}"
        if job.full:
            return "full imports of availabilities are not supported"
        return None

    def _take_file(self, job: ImportJob, waiting: deque[tuple[str, bytes]], due: datetime) -> None:
        try:
            file = read_file(*waiting.popleft()) if waiting else None
            if file is not None:
                self._check(file)
        except UnusableImportError as error:
            self._fail(job, due, error)
            return
        if job.files_applied == job.faults.fail_after_files:
            if file is not None:
                rows = self._in_order(job, file.rows[: job.faults.fail_after_rows])
                self._show(due, lambda: self._apply_rows(rows, file.mode))
            job.findings.extend(job.faults.findings)
            self._end(job, "failed", due, job.faults.reason)
            return
        if file is None:
            self._finish(job, due)
            return
        kept = [
            row for chunk in self._chunks(file.rows) for row in self._take_chunk(job, chunk, due)
        ]
        shown = replace(file, rows=self._in_order(job, kept))
        self._show(due, lambda: self._apply(shown))
        job.files_applied += 1
        pause = self.seconds_between_files if waiting else 0
        self._at(due, pause, lambda at: self._take_file(job, waiting, at))

    def _take_chunk(self, job: ImportJob, rows: Sequence[Row], due: datetime) -> Sequence[Row]:
        """The rows of it that count."""
        number = len(job.chunks)
        kept = [row for row in rows if row.key not in job.faults.skipped_keys]
        broken = number in job.faults.failed_chunks or len(rows) - len(kept) > CHUNK_ERRORS_MAX
        failure = "too many items failed" if broken else None
        job.chunks.append(Chunk(number, len(rows), due, failure))
        applied = () if broken else kept
        self.refused_rows |= {row.key for row in rows} - {row.key for row in applied}
        return applied

    def _in_order(self, job: ImportJob, rows: Sequence[Row]) -> tuple[Row, ...]:
        """A job never overwrites what one with a higher revision has written."""
        revision = job.revision or 0
        newest = tuple(row for row in rows if self._newest.get(row.key, 0) <= revision)
        self._newest.update((row.key, revision) for row in newest)
        return newest

    def _finish(self, job: ImportJob, due: datetime) -> None:
        """By how many of its chunks failed."""
        job.findings.extend(job.faults.findings)
        broken = sum(chunk.failure is not None for chunk in job.chunks)
        if not broken:
            self._end(job, "finished", due, None)
            return
        state: JobState = "failed" if broken == len(job.chunks) else "partially_failed"
        self._end(job, state, due, f"{broken} of {len(job.chunks)} chunks failed")

    def _show(self, due: datetime, effect: Callable[[], None]) -> None:
        if self.visible_after_seconds == 0:
            effect()
        else:
            self._at(due, self.visible_after_seconds, lambda _: effect())

    def _fail(self, job: ImportJob, due: datetime, error: UnusableImportError) -> None:
        job.findings.extend(error.findings)
        self._end(job, "failed", due, str(error))

    def _end(self, job: ImportJob, state: JobState, due: datetime, reason: str | None) -> None:
        job.state, job.ended_at, job.reason = state, due, reason
        if job is self._processed:
            self._processed = None
            while self._behind and self._processed is None:
                self._open(self._behind.popleft(), due)

    def _chunks(self, rows: Sequence[Row]) -> list[Sequence[Row]]:
        size = self.chunk_rows
        return [rows[start : start + size] for start in range(0, len(rows), size)]
