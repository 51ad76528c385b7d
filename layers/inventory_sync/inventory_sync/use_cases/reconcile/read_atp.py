"""Read NewStore's figures of a location's rows, at a pace NewStore allows."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from inventory_sync.domain.atp import AtpKey, StockInsights
from inventory_sync.domain.drift import RowFigures
from inventory_sync.domain.locations import Location
from inventory_sync.ports.events import EventHistory
from inventory_sync.ports.newstore import NewStoreReader
from inventory_sync.ports.observe import Clock, RemainingSeconds

KEYS_PER_CALL = 2_000
INSIGHTS_PER_SECOND = 60
"""NewStore allows 90; what else asks it needs some."""
ROUNDS_MAX = 4
"""A row whose figures change while they are read is read again so often."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Books:
    """One location by our books: units by product; `erp` is None where it could not be read."""

    sent: Mapping[str, int]
    erp: Mapping[str, int] | None
    late: Mapping[str, int]
    waiting: frozenset[str]
    released_up_to: int
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


@dataclass(kw_only=True)
class AtpReader:
    """`unchecked` counts the rows there was no time for."""

    newstore: NewStoreReader
    history: EventHistory
    clock: Clock
    remaining_seconds: RemainingSeconds
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
        atp = self._atp(place, products)
        differing = [p for p in products if atp[p] != books.sent.get(p, 0)]
        for p in products:
            if atp[p] == books.sent.get(p, 0):
                yield books.row(place.location_id, p, atp[p])
        found: dict[str, Reading] = {}
        for start in range(0, len(differing), INSIGHTS_PER_SECOND):
            if self.remaining_seconds() < 0:
                self.unchecked += len(differing) - start
                break
            found |= self._group(place, differing[start : start + INSIGHTS_PER_SECOND])
        leaked = self._leaked(place, books, found)
        for p, read in found.items():
            yield replace(
                books.row(place.location_id, p, read.atp),
                allocations=len(read.insights.allocations),
                leaked=sum(a.item_uuid in leaked for a in read.insights.allocations),
                reservations=read.insights.reservations,
                moving=read.moving,
            )

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
        node = place.fulfillment_node_id
        found = self.newstore.atp([AtpKey(p, node) for p in products])
        return {p: found.get(AtpKey(p, node), 0) for p in products}

    def _insights(self, place: Location, product_id: str) -> StockInsights:
        self.clock.sleep(1 / INSIGHTS_PER_SECOND)
        return self.newstore.insights(AtpKey(product_id, place.fulfillment_node_id))

    def _leaked(
        self, place: Location, books: Books, found: Mapping[str, "Reading"]
    ) -> frozenset[str]:
        """Items among the allocations that are completed and released by our books."""
        asked = {
            a.item_uuid
            for p, read in found.items()
            if p not in books.waiting
            for a in read.insights.allocations
        }
        leaked: set[str] = set()
        history = self.history.of_location(place.location_id, last=books.released_up_to)
        for stored in history if asked else ():
            released = stored.state.counted_by is not None or not stored.is_open
            if stored.state.event.completed and released:
                leaked |= asked & {item.item_id for item in stored.state.event.items}
        return frozenset(leaked)


@dataclass(frozen=True, slots=True)
class Reading:
    """What NewStore said of one row; `moving` if it said something else before and after."""

    atp: int
    insights: StockInsights
    moving: bool
