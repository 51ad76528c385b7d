"""In-memory lease, run store, files and location map; the contract suite holds them to the real."""

import io
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime

from inventory_sync.adapters.dynamodb.audit import Author
from inventory_sync.adapters.instants import to_milliseconds
from inventory_sync.adapters.s3.file_store import ZipArchive, archive_key, zip_into
from inventory_sync.domain.errors import FatalError, LeaseLostError, RejectedError
from inventory_sync.domain.holds import Approval, LocationHold, OperatorHold, Resend
from inventory_sync.domain.import_head import ImportHead, Lease
from inventory_sync.domain.import_run import ImportRun
from inventory_sync.domain.locations import Location
from inventory_sync.domain.manifest import Finalization, KeptLedger, Ledger, Manifest
from inventory_sync.domain.release_evidence import VerdictChange


class FakeLeases:
    """The lease as a value; the token grows with each acquisition."""

    def __init__(self) -> None:
        self.token = 0
        self.expires_at: datetime | None = None

    def acquire(self, *, now: datetime, until: datetime) -> Lease | None:
        if self._holds(now):
            return None
        self.token += 1
        self.expires_at = until
        return Lease(self.token, until)

    def renew(self, lease: Lease, *, now: datetime, until: datetime) -> Lease:
        self.check(lease, now)
        self.expires_at = until
        return Lease(lease.fencing_token, until)

    def release(self, lease: Lease) -> None:
        if lease.fencing_token == self.token:
            self.expires_at = None

    def check(self, lease: Lease, now: datetime) -> None:
        if lease.fencing_token != self.token or not self._holds(now):
            raise LeaseLostError(f"fencing token {lease.fencing_token} is over")

    def _holds(self, now: datetime) -> bool:
        """In whole milliseconds, as it is stored."""
        return self.expires_at is not None and to_milliseconds(self.expires_at) > to_milliseconds(
            now
        )


class FakeRunStore:
    """The head, and every run as last written."""

    def __init__(self, leases: FakeLeases) -> None:
        self._leases = leases
        self._head = ImportHead()
        self.history: dict[str, ImportRun] = {}
        self.verdicts: list[VerdictChange] = []

    def head(self) -> ImportHead:
        return self._head

    def save(
        self,
        head: ImportHead,
        *,
        lease: Lease,
        now: datetime,
        verdict: VerdictChange | None = None,
    ) -> ImportHead:
        self._leases.check(lease, now)
        if head.version != self._head.version:
            raise LeaseLostError(f"another run wrote version {self._head.version}")
        self._head = replace(head, version=head.version + 1)
        if verdict is not None:
            self.verdicts.append(verdict)
        if head.run is not None:
            self.history[head.run.run_id] = head.run
        return self._head


class FakeFileStore:
    """Files by key, as bytes where NewStore reads them."""

    def __init__(self, bucket: str = "imports") -> None:
        self._bucket = bucket
        self.archives: dict[str, bytes] = {}
        self.manifests: dict[str, Manifest] = {}
        self.ledgers: dict[tuple[str, str], Ledger] = {}
        self.broken_ledgers: set[tuple[str, str]] = set()
        """That cannot be read."""
        self.finalizations: dict[str, Finalization] = {}

    @contextmanager
    def archive(self, run_id: str) -> Iterator[ZipArchive]:
        buffer = io.BytesIO()
        with zip_into(buffer) as zipped:
            yield zipped
        self.archives[self.archive_uri(run_id)] = buffer.getvalue()

    def archive_uri(self, run_id: str) -> str:
        return f"s3://{self._bucket}/{archive_key(run_id)}"

    def fetch(self, uri: str) -> bytes:
        """What NewStore gets."""
        return self.archives[uri]

    def save_manifest(self, manifest: Manifest) -> None:
        self.manifests[manifest.run_id] = manifest

    def manifest(self, run_id: str) -> Manifest:
        if run_id not in self.manifests:
            raise FatalError(f"manifest of {run_id} is missing")
        return self.manifests[run_id]

    def save_ledger(self, ledger: Ledger) -> None:
        self.ledgers[(ledger.location_id, ledger.run_id)] = ledger

    def ledger(self, location_id: str, run_id: str) -> Ledger | None:
        key = (location_id, run_id)
        return None if key in self.broken_ledgers else self.ledgers.get(key)

    def latest_ledger(self, location_id: str) -> KeptLedger:
        kept = sorted(key for key in self.ledgers if key[0] == location_id)
        readable = [key for key in kept if key not in self.broken_ledgers]
        newest = self.ledgers[readable[-1]] if readable else None
        return KeptLedger(newest, lost=kept[-1:] != readable[-1:])

    def save_finalization(self, run_id: str, finalization: Finalization) -> None:
        self.finalizations[run_id] = finalization

    def finalization(self, run_id: str) -> Finalization:
        return self.finalizations.get(run_id, Finalization(counted=(), closed=()))


class FakeLocationStore:
    """The location map as runs see it, and the changes that operators make to it."""

    def __init__(self, *locations: Location) -> None:
        self._locations = {location.location_id: location for location in locations}
        self._approvals: dict[tuple[str, str, str], Approval] = {}
        self._holds: dict[str, LocationHold] = {}
        self._resends: dict[str, Resend] = {}
        self._operator_holds: dict[str, OperatorHold] = {}
        self.used: list[tuple[str, Approval]] = []

    def locations(self) -> Mapping[str, Location]:
        return dict(self._locations)

    def approvals(self) -> Mapping[str, tuple[Approval, ...]]:
        found: dict[str, tuple[Approval, ...]] = {}
        for (place, _, _), approval in sorted(self._approvals.items()):
            found[place] = (*found.get(place, ()), approval)
        return found

    def use_approval(self, approval: Approval, run_id: str) -> None:
        if _guard(approval) in self._approvals:
            self.used.append((run_id, approval))
            self.end_approval(approval)

    def end_approval(self, approval: Approval) -> None:
        if self._approvals.get(_guard(approval)) == approval:
            del self._approvals[_guard(approval)]

    def resends(self) -> Mapping[str, Resend]:
        return dict(self._resends)

    def resend_done(self, resend: Resend) -> None:
        if self._resends.get(resend.location_id) == resend:
            del self._resends[resend.location_id]

    def operator_holds(self) -> Mapping[str, OperatorHold]:
        return dict(self._operator_holds)

    def holds(self) -> Mapping[str, LocationHold]:
        return dict(self._holds)

    def set_hold(self, hold: LocationHold) -> None:
        self._holds[hold.location_id] = hold

    def clear_hold(self, location_id: str) -> None:
        self._holds.pop(location_id, None)

    # As `LocationChanges`, without a record of who it was

    def put_locations(self, locations: Iterable[Location], author: Author) -> None:
        self._locations |= {location.location_id: location for location in locations}

    def approve(self, approvals: Iterable[Approval], author: Author) -> None:
        self._approvals |= {_guard(approval): approval for approval in approvals}

    def revoke(self, approvals: Iterable[Approval], author: Author) -> None:
        for approval in approvals:
            if self._approvals.get(_guard(approval)) != approval:
                raise RejectedError("changed meanwhile")
            del self._approvals[_guard(approval)]

    def hold(self, hold: OperatorHold, author: Author) -> None:
        self._operator_holds[hold.location_id] = hold

    def resume(self, location_id: str, author: Author) -> bool:
        return self._operator_holds.pop(location_id, None) is not None

    def request_resend(self, resend: Resend, author: Author) -> Resend:
        earlier = self._resends.get(resend.location_id)
        if earlier is not None:
            both = tuple(sorted({*earlier.products, *resend.products}))
            resend = replace(resend, products=both if earlier.products and resend.products else ())
        self._resends[resend.location_id] = resend
        return resend


def _guard(approval: Approval) -> tuple[str, str, str]:
    return approval.location_id, approval.kind.value, approval.product_id
