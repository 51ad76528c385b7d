"""Ingest an export file: every line is an event, taken as the webhook takes it.

What is known changes nothing, so a file may be read as often as it comes, and from any line on.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import chain, islice

from inventory_sync.domain.errors import RejectedError, RetriableError
from inventory_sync.domain.inbound import ExportFile, QuarantineEntry
from inventory_sync.ports.events import ExportFiles, Quarantine
from inventory_sync.ports.observe import Clock, Observer, RemainingSeconds
from inventory_sync.use_cases.ingest.export_lines import LINE_BYTES_MAX, ExportLine, read_lines
from inventory_sync.use_cases.ingest.ingest_event import (
    COMPLETIONS_UNSTORED,
    TOO_LARGE,
    IngestEvent,
    IngestResult,
)
from inventory_sync.use_cases.ingest.tally_observer import TallyObserver

SUFFIXES = (".export", ".export.gz", ".export.zip")
LINES_AT_ONCE = 64
PORTION_BYTES_MAX = 4 * 1024**2
"""Of the lines that are held and parsed at once, or one that is longer."""
THREADS = 8
SPARE_SECONDS = 45.0
"""Kept back of the invocation for one portion that takes long, and for handing on the rest."""
_CONTROLS = bytes({*range(32)} - {*b"\t\n\r"})
CONTROLS_ONE_IN = 50
"""Where more of a file's first bytes are control characters, it is no text."""


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
                lines = read_lines(_text(chunks, file), offset)
                session.read(lines, threads, remaining_seconds)
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
        while portion := _portion(lines):
            self.results.update(threads.map(self._take, portion))
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
        if line.length <= LINE_BYTES_MAX:
            return deps.ingest(line.body).result
        deps.quarantine.add(
            QuarantineEntry(
                reason=TOO_LARGE,
                detail=f"{line.length} bytes at byte {line.begin} of {self.file.uri}, which has it"
                f" whole; parsed are at most {LINE_BYTES_MAX}",
                body=line.body,
                received_at=deps.clock.now(),
            )
        )
        deps.tally.count("EventsQuarantined")
        deps.tally.count(COMPLETIONS_UNSTORED)
        return IngestResult.QUARANTINED


def _text(chunks: Iterator[bytes], file: ExportFile) -> Iterator[bytes]:
    """The same; RejectedError where they begin with no text, so that nothing of it is taken."""
    first = next(chunks, b"")
    controls = len(first) - len(first.translate(None, _CONTROLS))
    if controls * CONTROLS_ONE_IN > len(first):
        raise RejectedError(f"{file.uri} is no text, so no export file; nothing of it was taken")
    return chain([first], chunks)


def _portion(lines: Iterator[ExportLine]) -> list[ExportLine]:
    """The next lines: few enough to be held at once, and no more than are worth the threads."""
    portion, held = [], 0
    for line in islice(lines, LINES_AT_ONCE):
        portion.append(line)
        held += len(line.body)
        if held >= PORTION_BYTES_MAX:
            break
    return portion
