"""Ingest an export file: every line is an event, taken as the webhook takes it.

What is known changes nothing, so a file may be read as often as it comes, and from any line on.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice

from inventory_sync.domain.errors import RejectedError, RetriableError
from inventory_sync.domain.inbound import ExportFile, QuarantineEntry
from inventory_sync.ports.events import ExportFiles, Quarantine
from inventory_sync.ports.observe import Clock, Observer, RemainingSeconds
from inventory_sync.use_cases.ingest.export_lines import ExportLine, read_lines
from inventory_sync.use_cases.ingest.ingest_event import IngestEvent, IngestResult
from inventory_sync.use_cases.ingest.tally_observer import TallyObserver

TOO_LARGE = "too_large"
SUFFIXES = (".export", ".export.gz")
LINES_AT_ONCE = 64
THREADS = 8
SPARE_SECONDS = 45.0
"""Kept back of the invocation for one portion that takes long, and for handing on the rest."""
PROBE_LINES_MIN = 8
"""Where so many lines stand in a file's first portion and none is an event, it is no export."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportProgress:
    """Read up to byte `offset`; not `done` where time ran out or, with a `failure`, a store failed.

    `results` says what became of the lines.
    """

    offset: int
    done: bool
    results: Mapping[IngestResult, int]
    failure: RetriableError | None = None

    @property
    def lines(self) -> int:
        """How many were read."""
        return sum(self.results.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestExport:
    """`ingest` counts with `tally`."""

    files: ExportFiles
    ingest: IngestEvent
    tally: TallyObserver
    quarantine: Quarantine
    clock: Clock
    observer: Observer

    def __call__(
        self, file: ExportFile, offset: int, remaining_seconds: RemainingSeconds
    ) -> ExportProgress:
        """RejectedError for what is no export file; RetriableError where nothing was read."""
        if not file.key.endswith(SUFFIXES):
            raise RejectedError(f"{file.uri}: export files end in {' or '.join(SUFFIXES)}")
        session = _Session(self, file, offset)
        try:
            with (
                self.files.chunks(file, offset) as chunks,
                ThreadPoolExecutor(THREADS) as threads,
            ):
                session.read(read_lines(chunks, offset), threads, remaining_seconds)
        except RetriableError as error:
            if session.offset == offset:
                raise
            session.failure = error
        finally:
            self.tally.flush_counts()
        progress = session.progress()
        self._count(progress, file)
        return progress

    def _count(self, progress: ExportProgress, file: ExportFile) -> None:
        self.observer.count("EventsRecovered", progress.results.get(IngestResult.STORED, 0))
        figures = {result.value: count for result, count in progress.results.items()}
        self.observer.log(
            "export read",
            file=file.uri,
            offset=progress.offset,
            done=progress.done,
            lines=progress.lines,
            **figures,
        )


@dataclass
class _Session:
    """One reading; at most a portion of lines is held."""

    deps: IngestExport
    file: ExportFile
    offset: int
    done: bool = False
    failure: RetriableError | None = None
    results: Counter[IngestResult] = field(default_factory=Counter)

    def read(
        self,
        lines: Iterator[ExportLine],
        threads: ThreadPoolExecutor,
        remaining_seconds: RemainingSeconds,
    ) -> None:
        """The order of events means nothing, so those of a portion are taken side by side."""
        first = self.offset == 0
        while portion := list(islice(lines, LINES_AT_ONCE)):
            results = list(threads.map(self._take, portion))
            self.results.update(results)
            if first:
                self._refuse_what_is_no_export(results)
            first = False
            self.offset = portion[-1].end
            if remaining_seconds() < SPARE_SECONDS:
                return
        self.done = True

    def progress(self) -> ExportProgress:
        return ExportProgress(
            offset=self.offset, done=self.done, results=dict(self.results), failure=self.failure
        )

    def _take(self, line: ExportLine) -> IngestResult:
        deps = self.deps
        if line.length <= deps.ingest.body_bytes_max:
            return deps.ingest(line.body).result
        # The webhook can refuse such an event; here nobody is left to send it again.
        deps.quarantine.add(
            QuarantineEntry(
                reason=TOO_LARGE,
                detail=f"{line.length} bytes at byte {line.begin} of {self.file.uri}, which has it"
                f" whole; allowed are {deps.ingest.body_bytes_max}",
                body=line.body,
                received_at=deps.clock.now(),
            )
        )
        deps.tally.count("EventsQuarantined")
        return IngestResult.QUARANTINED

    def _refuse_what_is_no_export(self, results: list[IngestResult]) -> None:
        if len(results) >= PROBE_LINES_MIN and set(results) == {IngestResult.QUARANTINED}:
            raise RejectedError(
                f"{self.file.uri}: none of its first {len(results)} lines is an event; they are in"
                " quarantine, the rest was not read. Is it of this tenant?"
            )
