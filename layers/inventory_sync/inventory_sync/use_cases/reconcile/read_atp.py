"""Read NewStore's figures of a location's rows, at a pace NewStore allows."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Protocol, TypeVar

from inventory_sync.domain.atp import AtpKey, SafetyStock, StockInsights
from inventory_sync.domain.drift import RowFigures
from inventory_sync.domain.errors import BlockedError
from inventory_sync.domain.locations import Location
from inventory_sync.ports.events import EventHistory
from inventory_sync.ports.newstore import ExportedAtp, StockReader
from inventory_sync.ports.observe import Clock, RemainingSeconds
from inventory_sync.use_cases.reconcile.patience import patiently

KEYS_PER_CALL = 2_000
INSIGHTS_PER_SECOND = 60
"""18,000 in five minutes: NewStore allows an address 30,000 calls of any kind."""
ROUNDS_MAX = 4
"""A row whose figures change while they are read is read again so often."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Books:
    """One location by our books: units by product; `erp` is None where it could not be read.

    Completed items up to `released_up_to` that an import has counted are no allocations any more;
    where it is None nobody waits for a range, and no completed item is.
    """

    sent: Mapping[str, int]
    erp: Mapping[str, int] | None
    late: Mapping[str, int]
    waiting: frozenset[str]
    released_up_to: int | None
    finished_run_id: str

    def row(self, location_id: str, product_id: str, atp: int) -> RowFigures:
        """The row, as long as nothing is known of its allocations."""
        return RowFigures(
            location_id=location_id,
            product_id=product_id,
            sent=self.sent.get(product_id, 0),
            erp=None if self.erp is None else self.erp.get(product_id, 0),
            late=self.late.get(product_id, 0),
            atp=atp,
            allocations=0,
            leaked=0,
            reservations=0,
            waiting=product_id in self.waiting,
            moving=False,
        )


class FirstAtp(Protocol):
    """Where the ATP of a location's rows is first looked at."""

    def __call__(self, fulfillment_node_id: str, products: list[str]) -> Mapping[str, int]:
        """Units by product; those that NewStore does not list are left out."""


@dataclass(kw_only=True)
class AtpReader:
    """`unchecked` counts the rows there was no time for, and those NewStore says too little of.

    `first` may be minutes old: rows that agree by it are not asked for again, all others are, and
    those of `allocated` products: as many units too many as are allocated would look right.
    """

    stock: StockReader
    first: FirstAtp
    safety_stock: SafetyStock
    history: EventHistory
    clock: Clock
    remaining_seconds: RemainingSeconds
    allocated: frozenset[str] = frozenset()
    unchecked: int = field(default=0)

    def rows(
        self, place: Location, books: Books, only: frozenset[str] | None = None
    ) -> Iterator[RowFigures]:
        """Each row of the books, or those named."""
        products = sorted({*books.sent, *(books.erp or {}), *books.late} if only is None else only)
        for start in range(0, len(products), KEYS_PER_CALL):
            chunk = products[start : start + KEYS_PER_CALL]
            if self.remaining_seconds() < 0:
                self.unchecked += len(products) - start
                return
            yield from self._chunk(place, books, chunk)

    def _chunk(self, place: Location, books: Books, products: list[str]) -> Iterator[RowFigures]:
        """A row's allocations are asked for only where its promise is not its stock."""
        node = place.fulfillment_node_id
        safety = {p: self.safety_stock.of(AtpKey(p, node)) for p in products}
        try:
            atp = self._patiently(partial(self.first, node, products))
        except BlockedError:
            self.unchecked += len(products)
            return
        differing = []
        for p in products:
            row = replace(books.row(place.location_id, p, atp.get(p, 0)), safety_stock=safety[p])
            if row.rest or p in self.allocated:
                differing.append(p)
            else:
                yield row
        found = self._readings(place, differing)
        leaked = self._leaked(place, books, found)
        for p, read in found.items():
            row = replace(
                books.row(place.location_id, p, read.atp),
                allocations=len(read.insights.allocations),
                leaked=sum(a.item_uuid in leaked for a in read.insights.allocations),
                reservations=read.insights.reservations,
                moving=read.moving,
                safety_stock=safety[p],
                complete=read.insights.complete,
            )
            if row.judged:
                yield row
            else:
                self.unchecked += 1

    def _readings(self, place: Location, products: list[str]) -> dict[str, "Reading"]:
        """As far as the time goes."""
        found: dict[str, Reading] = {}
        for start in range(0, len(products), INSIGHTS_PER_SECOND):
            group = products[start : start + INSIGHTS_PER_SECOND]
            try:
                if self.remaining_seconds() < 0:
                    break
                found |= self._patiently(partial(self._group, place, group))
            except BlockedError:
                break
        self.unchecked += len(products) - len(found)
        return found

    def _patiently(self, ask: Callable[[], T]) -> T:
        return patiently(ask, self.clock, self.remaining_seconds)

    def _group(self, place: Location, products: list[str]) -> dict[str, "Reading"]:
        """Allocations are read between two equal promises, so that both belong together."""
        found: dict[str, Reading] = {}
        moving = products
        for _ in range(ROUNDS_MAX):
            before = self._atp(place, moving)
            insights = {p: self._insights(place, p) for p in moving}
            after = self._atp(place, moving)
            for p in moving:
                found[p] = Reading(after[p], insights[p], before[p] != after[p])
            moving = [p for p in moving if found[p].moving]
            if not moving:
                break
        return found

    def _atp(self, place: Location, products: list[str]) -> dict[str, int]:
        """A row that NewStore does not list has nothing to promise."""
        found = atp_by_keys(self.stock)(place.fulfillment_node_id, products)
        return {p: found.get(p, 0) for p in products}

    def _insights(self, place: Location, product_id: str) -> StockInsights:
        self.clock.sleep(1 / INSIGHTS_PER_SECOND)
        return self.stock.insights(AtpKey(product_id, place.fulfillment_node_id))

    def _leaked(
        self, place: Location, books: Books, found: Mapping[str, "Reading"]
    ) -> frozenset[str]:
        """Items among the allocations that are completed, and released, by our books."""
        asked = {
            a.item_uuid
            for p, read in found.items()
            if p not in books.waiting
            for a in read.insights.allocations
        }
        leaked: set[str] = set()
        history = self.history.of_location(place.location_id, last=books.released_up_to)
        for stored in history if asked else ():
            counted = stored.state.counted_by is not None or not stored.is_open
            released = books.released_up_to is None or counted
            if stored.state.event.completed and released:
                leaked |= asked & {item.item_id for item in stored.state.event.items}
        return frozenset(leaked)


@dataclass(frozen=True, slots=True)
class Reading:
    """What NewStore said of one row; `moving` if it said something else before and after."""

    atp: int
    insights: StockInsights
    moving: bool


def atp_by_keys(stock: StockReader) -> FirstAtp:
    """Asked for row by row, 2,000 in a call."""

    def first(fulfillment_node_id: str, products: list[str]) -> Mapping[str, int]:
        found = stock.atp([AtpKey(p, fulfillment_node_id) for p in products])
        return {key.product_id: units for key, units in found.items()}

    return first


def atp_of_export(exported: ExportedAtp) -> FirstAtp:
    """Out of an export; the rows of the location at hand are kept."""
    kept: dict[str, Mapping[str, int]] = {}

    def first(fulfillment_node_id: str, products: list[str]) -> Mapping[str, int]:
        if fulfillment_node_id not in kept:
            kept.clear()
            kept[fulfillment_node_id] = exported.of(fulfillment_node_id)
        return kept[fulfillment_node_id]

    return first
