"""Import runs, and the right to advance them."""

from collections.abc import Iterator
from datetime import datetime
from typing import Protocol

from inventory_sync.domain.import_head import ImportHead, Lease
from inventory_sync.domain.import_run import ImportRun
from inventory_sync.domain.release_evidence import VerdictChange


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

    def save(
        self,
        head: ImportHead,
        *,
        lease: Lease,
        now: datetime,
        verdict: VerdictChange | None = None,
    ) -> ImportHead:
        """Write the next version; LeaseLostError unless the lease is current and nobody wrote.

        `verdict` is a change of the verdict in it: recorded among what operators have changed.
        """


class RunHistory(Protocol):
    """Every run that is still on record. Methods raise RetriableError."""

    def newest_first(self) -> Iterator[ImportRun]:
        """From the last planned on; read as far as it is asked for."""

    def run(self, run_id: str) -> ImportRun | None:
        """None where there is no such run, or none any more."""
