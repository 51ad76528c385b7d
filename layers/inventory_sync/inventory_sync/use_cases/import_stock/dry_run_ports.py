"""Ports that read what there is and keep to themselves what a dry run would write."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field

from inventory_sync.domain.holds import Approval, LocationHold, OperatorHold, Resend
from inventory_sync.domain.import_run import ImportRun
from inventory_sync.domain.locations import Location
from inventory_sync.domain.manifest import Finalization, KeptLedger, Ledger, Manifest
from inventory_sync.domain.run_record import LocationRecord
from inventory_sync.ports.files import ArchiveWriter, FileStore, ScratchArchive
from inventory_sync.ports.locations import RunLocations


@dataclass(frozen=True, slots=True)
class DryFiles:
    """A FileStore that writes nothing; `on_ledger` is told what would be kept of a location."""

    inner: FileStore
    scratch: ScratchArchive
    on_ledger: Callable[[Ledger], None]

    def archive(self, run_id: str) -> AbstractContextManager[ArchiveWriter]:
        """Kept on this machine."""
        return self.scratch.archive()

    def archive_uri(self, run_id: str) -> str:
        """As the real one: a URI that would not live long enough is found out here too."""
        return self.inner.archive_uri(run_id)

    def manifest(self, run_id: str) -> Manifest:
        """As it stands."""
        return self.inner.manifest(run_id)

    def ledger(self, location_id: str, run_id: str) -> Ledger | None:
        """As it stands."""
        return self.inner.ledger(location_id, run_id)

    def latest_ledger(self, location_id: str) -> KeptLedger:
        """As it stands."""
        return self.inner.latest_ledger(location_id)

    def finalization(self, run_id: str) -> Finalization:
        """As it stands."""
        return self.inner.finalization(run_id)

    def save_ledger(self, ledger: Ledger) -> None:
        """Told, not kept."""
        self.on_ledger(ledger)

    def save_manifest(self, manifest: Manifest) -> None:
        """Not kept."""

    def save_finalization(self, run_id: str, finalization: Finalization) -> None:
        """Not kept."""


@dataclass(slots=True)
class DryRecords:
    """RunRecords of one run that is never there; what it would keep stands in `written`."""

    written: list[LocationRecord] = field(default_factory=list)

    @contextmanager
    def writer(self, run_id: str) -> Iterator["DryRecords"]:
        """A build that chooses its cut end again begins anew."""
        self.written.clear()
        yield self

    def add(self, record: LocationRecord) -> None:
        """Append one location."""
        self.written.append(record)

    def locations(self, run_id: str) -> Iterator[LocationRecord]:
        """Nothing was ever written."""
        return iter(())

    def save_outcome(self, run: ImportRun) -> None:
        """Not kept."""

    def outcome(self, run_id: str) -> ImportRun | None:
        """It never ended."""
        return None


@dataclass(slots=True)
class DryLocations:
    """RunLocations whose holds change here alone."""

    inner: RunLocations
    held: dict[str, LocationHold] = field(default_factory=dict)

    def locations(self) -> Mapping[str, Location]:
        """As it stands."""
        return self.inner.locations()

    def approvals(self) -> Mapping[str, tuple[Approval, ...]]:
        """As it stands."""
        return self.inner.approvals()

    def end_approval(self, approval: Approval) -> None:
        """Not ended."""

    def resends(self) -> Mapping[str, Resend]:
        """As it stands."""
        return self.inner.resends()

    def operator_holds(self) -> Mapping[str, OperatorHold]:
        """As it stands."""
        return self.inner.operator_holds()

    def holds(self) -> Mapping[str, LocationHold]:
        """As it stands."""
        return self.inner.holds()

    def set_hold(self, hold: LocationHold) -> None:
        """Kept here."""
        self.held[hold.location_id] = hold

    def clear_hold(self, location_id: str) -> None:
        """Where the real run would clear it."""
        self.held.pop(location_id, None)
