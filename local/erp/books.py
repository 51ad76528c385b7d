"""An ERP as the adapter meets it, in memory: no HTTP, no clock of its own, nothing random."""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from local.erp.allocations import AllocationBook
from local.erp.changes import ChangeLog, Log
from local.erp.records import (
    BookedMovement,
    Capabilities,
    ChangeFeed,
    Dedupe,
    Movement,
    StockKey,
    Unit,
)
from local.erp.snapshots import PlannedSpoiling, Rows, Snapshots
from local.erp.stock import StockLedger
from local.http_server import ASKED_KEPT, CallFaults, up_to_date

TICK = timedelta(microseconds=1)


class ErpBooks:
    """What is true in the ERP. Methods never fail by a planned fault.

    No two bookings or readings share an instant of its clock: a snapshot holds exactly
    the movements with applied_at <= as_of - apply lag, even where `now()` stands still.
    Keys are (location, product).
    """

    def __init__(
        self,
        now: Callable[[], datetime],
        *,
        dedupe: Dedupe = "native",
        change_feed: ChangeFeed = "none",
        apply_lag_seconds: float = 0,
        consistent_snapshot: bool = True,
        absent_means_zero: bool = True,
        page_rows: int = 1000,
        bulk_max: int = 100,
        reference_length_max: int = 128,
        reservations: bool = True,
        sleep: Callable[[float], None] | None = None,
    ) -> None:
        self.clock_ahead = timedelta(0)
        """Of the time that everybody else has."""
        self._time, self._now = now, self._erp_time
        self._last_instant: datetime | None = None
        self.capabilities = Capabilities(
            dedupe=dedupe,
            reference_length_max=reference_length_max,
            bulk_max=bulk_max,
            reservations=reservations,
            change_feed=change_feed,
            consistent_snapshot=consistent_snapshot,
            absent_means_zero=absent_means_zero,
            apply_lag_seconds=apply_lag_seconds,
        )
        self.page_rows = page_rows
        self.token = ""
        """What callers over HTTP have to bear."""
        self.actual_lag_seconds = apply_lag_seconds
        """How late a movement really shows; at most the declared lag, or the ERP lies."""
        self.lock = threading.RLock()
        self.faults = CallFaults(now)
        self.asked: deque[str] = deque(maxlen=ASKED_KEPT)
        """Over HTTP, by method and path."""
        self.faults.sleep = sleep
        self.ledger = StockLedger()
        self.allocations = AllocationBook()
        self.snapshots = Snapshots(self._read_location, consistent_snapshot)
        self.changes = ChangeLog(self._read_log, change_feed)
        self.movements: dict[str, list[BookedMovement]] = {}
        """What is in the books by movement id: more than one of an id is a double booking."""
        self.double_bookings = 0
        self.booked_units: Counter[Unit] = Counter()
        """How often each unit is in the books, under whatever movement ids."""
        self.double_booked_units = 0
        self._documents = 0
        self.rejected_products: dict[str, str] = {}
        """Reason by product: movements with it are refused for good."""
        self.busy_products: dict[str, str] = {}
        """Reason by product: movements with it are refused for now."""
        self.unlisted: set[StockKey] = set()
        """Keys that snapshots leave out."""

    # Truth: what happens in the ERP by other ways than ours

    @up_to_date
    def add_location(self, location: str) -> None:
        """Make a location known, with no stock."""
        self.ledger.add_location(location)

    @up_to_date
    def set_stock(self, key: StockKey, units: int) -> None:
        """Book what makes the stock so many units."""
        self._book_now(key, units - self.on_hand(key), 0)

    @up_to_date
    def receive(self, key: StockKey, units: int) -> None:
        """Goods came in."""
        self._book_now(key, units, 0)

    @up_to_date
    def correct(self, key: StockKey, difference: int) -> None:
        """A count found more, or less (negative)."""
        self._book_now(key, difference, 0)

    @up_to_date
    def sell_at_counter(self, key: StockKey, units: int, lag_seconds: float = 0) -> None:
        """A sale that a POS feed posts, seen by snapshots so much later."""
        self._book_now(key, -units, lag_seconds)

    @up_to_date
    def on_hand(self, key: StockKey) -> int:
        """Units in the books now, whatever snapshots show yet."""
        return self.ledger.booked.get(key[0], {}).get(key[1], 0)

    @up_to_date
    def shown(self, key: StockKey) -> int:
        """Units that a snapshot begun now would show."""
        if key[0] not in self.ledger.booked:
            return 0
        as_of = max(self._now(), self._last_instant or self._now())
        return self.ledger.shown(key[0], as_of).get(key[1], 0)

    @up_to_date
    def allocated(self, key: StockKey) -> int:
        """Units allocated."""
        return self.allocations.allocated[key]

    @up_to_date
    def booked(self, movement_id: str) -> Sequence[BookedMovement]:
        """Every booking of a movement id: none, one, or (too) many."""
        return tuple(self.movements.get(movement_id, ()))

    def down_until(self) -> datetime | None:
        """When it answers again; None while it answers."""
        until = self.faults.down_until
        return until if until is not None and self._now() < until else None

    # Faults of what is in the books; those of calls are in `faults`

    def truncate_next_snapshot(self, rows: int = 1, location: str | None = None) -> None:
        """Leave out the last rows, and count them all the same."""
        self.snapshots.planned.append(PlannedSpoiling("truncated", location, rows))

    def empty_next_snapshot(self, location: str | None = None) -> None:
        """Claim to have nothing at all."""
        self.snapshots.planned.append(PlannedSpoiling("empty", location))

    def repeat_next_cursor(self, location: str | None = None) -> None:
        """Give a cursor that leads back to itself."""
        self.snapshots.planned.append(PlannedSpoiling("repeated_cursor", location))

    def show_instead(self, key: StockKey, figure: object) -> None:
        """Show any JSON value in place of the stock, until `show_truth`."""
        self.snapshots.shown_instead[key] = figure

    def show_truth(self) -> None:
        self.snapshots.shown_instead.clear()

    # Inside

    def advance(self) -> None:
        """Nothing waits for time here: what falls due is taken in when it is looked at."""

    def _erp_time(self) -> datetime:
        """A method, so that a copy of the model has the time of its own world."""
        return self._time() + self.clock_ahead

    @property
    def clock_now(self) -> datetime:
        """What its clock says."""
        return self._now()

    def draw_instant(self) -> datetime:
        """The ERP's clock: at or just after now(), and later than any instant drawn before."""
        instant = self._now()
        if self._last_instant is not None and instant <= self._last_instant:
            instant = self._last_instant + TICK
        self._last_instant = instant
        return instant

    def book_movement(self, movement: Movement) -> BookedMovement:
        """Put it in the books, whatever is in them already."""
        applied_at = self.draw_instant()
        for key, units in movement.effect().items():
            self.ledger.book(key, -units, applied_at + timedelta(seconds=self.actual_lag_seconds))
        self.double_booked_units += sum(unit in self.booked_units for unit in movement.units())
        self.booked_units.update(movement.units())
        bookings = self.movements.setdefault(movement.movement_id, [])
        self._documents += 1
        self.double_bookings += bool(bookings)
        bookings.append(BookedMovement(movement, applied_at, f"DOC-{self._documents:06d}"))
        return bookings[-1]

    def _book_now(self, key: StockKey, units: int, lag_seconds: float) -> None:
        self.ledger.book(key, units, self.draw_instant() + timedelta(seconds=lag_seconds))

    def _read_location(self, location: str) -> tuple[datetime, Rows]:
        as_of = self.draw_instant()
        hides_zero = self.capabilities.absent_means_zero
        rows: Rows = [
            (product, units)
            for product, units in sorted(self.ledger.shown(location, as_of).items())
            if (units != 0 or not hides_zero) and (location, product) not in self.unlisted
        ]
        return as_of, rows

    def _read_log(self, location: str) -> tuple[datetime, Log]:
        as_of = self.draw_instant()
        self.ledger.shown(location, as_of)
        return as_of, self.ledger.log
