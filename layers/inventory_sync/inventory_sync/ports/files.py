"""Files that runs and reconciliations leave behind."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from typing import Protocol

from inventory_sync.domain.availabilities import FileHead, PackedFile, RowBlock
from inventory_sync.domain.drift import RowDrift
from inventory_sync.domain.import_run import ImportRun
from inventory_sync.domain.manifest import Finalization, KeptLedger, Ledger, Manifest
from inventory_sync.domain.run_record import LocationRecord


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
        """What the run knew; FatalError where it cannot be read.

        Without it nobody knows what NewStore has, nor which snapshots lack what was closed.
        """

    def save_ledger(self, ledger: Ledger) -> None:
        """Keep a location's quantities as of the run."""

    def ledger(self, location_id: str, run_id: str) -> Ledger | None:
        """A location's quantities as of the run; None where it has none that can be read."""

    def latest_ledger(self, location_id: str) -> KeptLedger:
        """A location's quantities as of the last run that kept any which can be read."""

    def save_finalization(self, run_id: str, finalization: Finalization) -> None:
        """Keep what to mark once the run has finished."""

    def finalization(self, run_id: str) -> Finalization:
        """What to mark once the run has finished; nothing where it cannot be read.

        What is not marked the next run counts once more, which changes no quantity.
        """


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
