"""The events table as the flows use it, and what comes in before it is there."""

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Protocol

from inventory_sync.domain.events import EventRef, FulfillmentEvent, OpenEvent, StoredEvent
from inventory_sync.domain.inbound import (
    AppendResult,
    ClaimResult,
    ExportFile,
    QuarantinedCompletion,
    QuarantineEntry,
)
from inventory_sync.domain.stock import Acknowledgement
from inventory_sync.domain.units import Ownership
from inventory_sync.domain.unreadable import UnreadableEvent


class EventLog(Protocol):
    """The events table. Every method raises RetriableError when the store cannot be reached."""

    def append(self, event: FulfillmentEvent, body: bytes, received_at: datetime) -> AppendResult:
        """Store the event and its body under the event's ref unless something stands there."""

    def has(self, ref: EventRef) -> bool:
        """Whether an event is stored there, open or closed, read consistently."""

    def open_events(self) -> Iterator[OpenEvent]:
        """Every open event of every location, read consistently."""

    def unreadable_events(self) -> tuple[UnreadableEvent, ...]:
        """Open events that the last `open_events`, read to its end, left out as unreadable."""

    def open_events_of(self, location_id: str) -> list[OpenEvent]:
        """The open events of one location, read consistently, by logical timestamp."""

    def claim(self, ref: EventRef, *, now: datetime, until: datetime) -> ClaimResult:
        """Become the one writer of an event's reference until then."""

    def mark_owned(self, event: FulfillmentEvent, owned: frozenset[str]) -> None:
        """The event's movement books only these of its items, by their ids; others own the rest.

        An event that is applied or forwarded without it owns all of its items.
        """

    def mark_applied(self, ref: EventRef, applied_at: datetime, document_id: str) -> None:
        """The ERP booked the movement; the first acknowledgement stands."""

    def mark_forwarded(
        self,
        ref: EventRef,
        forwarded_at: datetime,
        *,
        close: bool,
        applied: Acknowledgement | None = None,
    ) -> float:
        """The ERP has everything the event asks for; `close` where no import waits for it.

        With `applied` it marks that too, in the same write. Returns how many gigabytes the
        location's events take at most; 0 where the store does not say.
        """

    def mark_rejected(self, ref: EventRef, reason: str) -> None:
        """The ERP refused: nothing forwards the event again until an operator says so."""

    def mark_counted(self, ref: EventRef, run_id: str) -> None:
        """A finished import's quantity counts the event; the first such run stands."""

    def close(self, ref: EventRef) -> None:
        """Applied and released: the event is history."""


class UnitOwners(Protocol):
    """Which event of a request books which of its units."""

    def own(self, event: FulfillmentEvent, now: datetime) -> Ownership:
        """Let the event own each of its units that no other event owns, for good.

        Durable when it returns, and the same at every repeat, in whatever order the events of a
        request come. RetriableError where the store cannot be reached, RejectedError where a
        request has more units than it can keep.
        """


class Quarantine(Protocol):
    """Where bad input is kept whole."""

    def add(self, entry: QuarantineEntry) -> None:
        """Keep it; the same entry twice is kept once.

        Its completion stands among the unstored ones until somebody resolves the entry.
        """

    def depth(self) -> int:
        """How many entries there are, counted as far as that is cheap."""


class UnstoredCompletions(Protocol):
    """The shipments in quarantine that no stored event reports."""

    def unresolved(self) -> Iterable[QuarantinedCompletion]:
        """Those that nobody has resolved yet, read consistently; raises RetriableError."""


class ExportFiles(Protocol):
    """Where export files are read. Methods raise RetriableError, FatalError or RejectedError."""

    def chunks(self, file: ExportFile, offset: int) -> AbstractContextManager[Iterator[bytes]]:
        """What stands from a byte on, unpacked, piece by piece.

        RejectedError where the file is gone, was replaced, or cannot be unpacked.
        """


class ExportQueue(Protocol):
    """Files that wait to be read, or read on."""

    def put(self, file: ExportFile, offset: int, delay_seconds: int) -> None:
        """Have a file read on from a byte; raises RetriableError."""

    def read(self, message: str) -> tuple[ExportFile, int]:
        """The file of a message and where to begin.

        RejectedError where it names none, or one that has come back too often.
        """


class InboundKeys(Protocol):
    """The keys NewStore may call with."""

    def accepts(self, key: str) -> bool:
        """Whether it is one of the valid keys, compared in constant time."""


class EventHistory(Protocol):
    """The events table as operators read it. Methods raise RetriableError."""

    def of_location(
        self, location_id: str, *, first: int = 0, last: int | None = None
    ) -> Iterator[StoredEvent]:
        """Events of one location by logical timestamp, both bounds inclusive."""

    def event(self, ref: EventRef) -> StoredEvent | None:
        """One event; None where there is none, or none any more."""

    def published_between(self, since: datetime, until: datetime) -> Iterator[StoredEvent]:
        """Events of all locations that NewStore published from `since` on and before `until`.

        In no order. Reads the whole table, in minutes where it holds millions.
        """
