"""Errors, named for what the caller does next.

InventorySyncError
|-- RetriableError        nothing happened, or nothing that a repeat would harm: the next tick
|   |                     may succeed
|   |-- BlockedError             NewStore has blocked our address for asking too often: wait
|   |-- TooManyJobsError         NewStore has 20 open jobs; it may have kept the job all the same
|   `-- SnapshotIncompleteError  the ERP's rows do not add up to a whole snapshot
|-- OutcomeUnknownError   sent, no answer: look before repeating
|-- RejectedError         the other side said no: quarantine, alarm, go on with the others
|   `-- StoreFullError           the table takes no more of one location: keep it elsewhere, or wait
|-- LeaseLostError        another run holds the lease: stop, write nothing more
|-- FatalError            bad configuration: stop and page; what needs none of it may go on
|   `-- LaterRecordError         a record has a field of a later version: to save it would lose that
`-- InvariantError        one of the invariants of docs/design.md is about to break: nothing goes on
"""

RETRY_AFTER_SECONDS_MAX = 3_600.0
"""Of what the other side asks to wait. Longer is no pause but a mistake: it would stop what waits
for it until somebody looks."""


class InventorySyncError(Exception):
    """Any failure this package raises on purpose."""


class RetriableError(InventorySyncError):
    """The next tick may succeed."""


class BlockedError(RetriableError):
    """Nothing is sent for `seconds` more; nothing was taken, and credentials are not at fault."""

    def __init__(self, text: str, seconds: float) -> None:
        super().__init__(text)
        self.seconds = seconds


class TooManyJobsError(RetriableError):
    """NewStore refused a job with 429; it may have kept the job: list before creating again.

    `retry_after_seconds` is what it asked to wait, None where it did not say.
    """

    def __init__(self, text: str, retry_after_seconds: float | None = None) -> None:
        super().__init__(text)
        self.retry_after_seconds = retry_after_seconds


class SnapshotIncompleteError(RetriableError):
    """The ERP's rows do not add up to a whole snapshot; the text has the figures."""


class OutcomeUnknownError(InventorySyncError):
    """The request was sent and no answer came; only a look-up or an idempotent repeat is safe."""


class RejectedError(InventorySyncError):
    """The other side understood and said no; repeating cannot help."""


class StoreFullError(RejectedError):
    """The store takes no more of one location until some of what it has is gone."""


class LeaseLostError(InventorySyncError):
    """The fencing token is no longer current, or the lease has run out."""


class FatalError(InventorySyncError):
    """A person has to change something before this can work."""


class LaterRecordError(FatalError):
    """A stored record has a field that nobody knows; it is left as it is."""


class InvariantError(InventorySyncError):
    """An invariant of docs/design.md would break; nothing was written."""

    def __init__(self, name: str, figures: str) -> None:
        super().__init__(f"{name}: {figures}")
        self.name = name


def invariant(condition: bool, name: str, figures: str) -> None:
    """Raise InvariantError(name) unless the condition holds."""
    if not condition:
        raise InvariantError(name, figures)
