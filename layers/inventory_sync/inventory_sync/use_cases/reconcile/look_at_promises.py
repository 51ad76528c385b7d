"""Look: what NewStore promises beside what the sum says it should, while another system imports."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import floor

from inventory_sync.domain.atp import SafetyStock
from inventory_sync.domain.cut import AppliedRule, LocationCut, Part, cut_snapshot
from inventory_sync.domain.drift import RowFigures
from inventory_sync.domain.errors import (
    FatalError,
    RejectedError,
    RetriableError,
    StoreFullError,
)
from inventory_sync.domain.events import EventName, OpenEvent, StoredEvent
from inventory_sync.domain.locations import Location
from inventory_sync.domain.reading import ReleaseReading
from inventory_sync.domain.row_selection import sendable
from inventory_sync.domain.shadow import Look, PromiseRow, UnshownUnits
from inventory_sync.domain.shadow_time import ShadowTime, left_to_other_system
from inventory_sync.domain.stock import StockSnapshot
from inventory_sync.ports.erp import ErpStock
from inventory_sync.ports.events import EventHistory, EventLog
from inventory_sync.ports.locations import RunLocations
from inventory_sync.ports.mode import ShadowTimes
from inventory_sync.ports.newstore import NewStoreReader, StockReader
from inventory_sync.ports.observe import Clock, Observer, RemainingSeconds
from inventory_sync.ports.runs import Leases
from inventory_sync.ports.shadow import Looks
from inventory_sync.use_cases.reconcile.patience import patiently
from inventory_sync.use_cases.reconcile.read_atp import AtpReader, Books, atp_by_keys

SPARE_SECONDS = 60.0
"""Kept back of the invocation for what was seen to be written."""
OPEN_FOR = timedelta(hours=1)
"""An event stays open so long, though it shows: a first import finds its cut end by it."""
LEASE = timedelta(minutes=16)
"""Longer than an invocation."""


@dataclass(frozen=True, slots=True)
class Looked:
    """What a tick has seen; `detail` says why it has seen nothing."""

    locations: int = 0
    unread: int = 0
    rows: int = 0
    differing: int = 0
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LookAtPromises:
    """One tick of a shadow. It changes nothing outside, and closes events that are over.

    `rule` lacks the ERP's apply lag. `mispick_hold` is how long NewStore may promise none of a
    product of which a unit was not found.
    """

    event_log: EventLog
    history: EventHistory
    erp: ErpStock
    newstore: NewStoreReader
    stock: StockReader
    location_store: RunLocations
    looks: Looks
    leases: Leases
    times: ShadowTimes
    clock: Clock
    observer: Observer
    rule: AppliedRule
    mispick_hold: timedelta

    def __call__(
        self, remaining_seconds: RemainingSeconds, *, only: frozenset[str] = frozenset()
    ) -> Looked:
        """Every location of the map, or `only` those, as far as the time goes.

        The next tick continues where this one has ended. RetriableError where NewStore cannot be
        reached at all.
        """
        now = self.clock.now()
        lease = self.leases.acquire(now=now, until=now + LEASE)
        if lease is None:
            return Looked(detail="another tick is at work")
        try:
            return _Session(self, remaining_seconds).look(now, only)
        finally:
            self.leases.release(lease)


@dataclass
class _Session:
    """One tick; holds one location at a time."""

    deps: LookAtPromises
    remaining_seconds: RemainingSeconds
    safety_stock: SafetyStock = field(default_factory=SafetyStock)

    def look(self, now: datetime, only: frozenset[str]) -> Looked:
        deps = self.deps
        first = self._note_time(now)
        places = self._places(only, first)
        self.safety_stock = patiently(deps.stock.safety_stock, deps.clock, self.remaining_seconds)
        seen: list[tuple[bool, int, int]] = []
        following = ""
        with deps.looks.writer(now) as writer:
            for place in places:
                if self.remaining_seconds() < SPARE_SECONDS:
                    following = place.location_id
                    break
                look = self._look_at(place)
                writer.add(look)
                seen.append((bool(look.unread), look.rows, len(look.differing)))
        deps.times.note(ShadowTime(left_to_other_system(now, deps.rule.go_live_at), following))
        unread = sum(failed for failed, _, _ in seen)
        if len(seen) > unread:
            deps.observer.count("WatermarkLagSeconds", 0)
        deps.observer.count("LocationsUnreadable", unread)
        return Looked(
            locations=len(seen) - unread,
            unread=unread,
            rows=sum(rows for _, rows, _ in seen),
            differing=sum(differing for _, _, differing in seen),
            detail=f"goes on with {following}" if following else "",
        )

    def _note_time(self, now: datetime) -> str:
        """Before anything is closed; returns where to begin."""
        noted = self.deps.times.own()
        first = noted.next_location if noted else ""
        until = left_to_other_system(now, self.deps.rule.go_live_at)
        if noted is None or noted.until < until:
            self.deps.times.note(ShadowTime(until, first))
        return first

    def _places(self, only: frozenset[str], first: str) -> list[Location]:
        """Those that NewStore knows and promises anything of, from `first` on."""
        known = self.deps.location_store.locations()
        wanted = [
            place
            for key, place in sorted(known.items())
            if place.enabled and (not only or key in only)
        ]
        listed = self.deps.newstore.locations({place.fulfillment_node_id for place in wanted})
        there = [
            place
            for place in wanted
            if (found := listed.get(place.fulfillment_node_id)) is not None and found.enabled
        ]
        return sorted(there, key=lambda place: (place.location_id < first, place.location_id))

    def _look_at(self, place: Location) -> Look:
        """What cannot be read says why."""
        location_id = place.location_id
        try:
            return self._compare(place)
        except (RetriableError, RejectedError, FatalError) as error:
            self.deps.observer.log("promises not read", location_id=location_id, reason=error)
            return Look(location_id=location_id, at=self.deps.clock.now(), unread=str(error))

    def _compare(self, place: Location) -> Look:
        deps, location_id = self.deps, place.location_id
        started_at = deps.clock.now()
        capabilities = deps.erp.capabilities()
        snapshot = deps.erp.snapshot(location_id)
        events = deps.event_log.open_events_of(location_id)
        cut = cut_snapshot(
            snapshot,
            events,
            cut_end=_closes_up_to(events, started_at),
            watermark=None,
            rule=_with_lag(deps.rule, capabilities.apply_lag),
            read_started_at=started_at,
            reading=ReleaseReading.IMMEDIATE,
        )
        sold = _Sold.of(deps.history.of_location(location_id))
        products = frozenset(snapshot.on_hand_units)
        if capabilities.absent_means_zero:
            products |= frozenset(cut.quantities) | sold.products
        products -= frozenset(snapshot.unreadable)
        reader = self._reader(sold.allocated)
        read_at = deps.clock.now()
        found = list(reader.rows(place, _books(cut), products - self._mispicked(events)))
        moved = self._left_meanwhile(location_id, events)
        kept = [row for row in found if not row.moving and row.product_id not in moved]
        self._close(cut, events, started_at)
        unread = (
            len(snapshot.unreadable)
            + len(snapshot.unknown)
            + reader.unchecked
            + len(found)
            - len(kept)
        )
        return Look(
            location_id=location_id,
            at=read_at,
            as_of=snapshot.as_of,
            rows=len(kept),
            unchecked=unread,
            differing=tuple(_differing(kept, snapshot, cut)),
        )

    def _reader(self, allocated: frozenset[str]) -> AtpReader:
        return AtpReader(
            stock=self.deps.stock,
            first=atp_by_keys(self.deps.stock),
            safety_stock=self.safety_stock,
            history=self.deps.history,
            clock=self.deps.clock,
            remaining_seconds=lambda: self.remaining_seconds() - SPARE_SECONDS,
            allocated=allocated,
        )

    def _mispicked(self, events: list[OpenEvent]) -> frozenset[str]:
        """NewStore promises none of them until their next update: nobody oversells by that."""
        since = self.deps.clock.now() - self.deps.mispick_hold
        return frozenset(
            product for e in events if e.event.published_at > since for product in e.event.mispicked
        )

    def _left_meanwhile(self, location_id: str, before: list[OpenEvent]) -> frozenset[str]:
        """Products of which a unit became known to have left while NewStore was asked."""
        known = {e.event.ref for e in before}
        return frozenset(
            item.product_id
            for e in self.deps.event_log.open_events_of(location_id)
            if e.event.completed and e.event.ref not in known
            for item in e.event.items
        )

    def _close(self, cut: LocationCut, events: list[OpenEvent], now: datetime) -> None:
        """What shows in the ERP, and mispicks that are over: nothing waits for an import here."""
        over = now - self.deps.mispick_hold
        found = (e for e in events if e.event.mispicked and e.forwarded_at is not None)
        mispicks = (e.event.ref for e in found if e.event.published_at <= over)
        for ref in (*cut.closed, *mispicks):
            try:
                self.deps.event_log.close(ref)
            except StoreFullError as error:
                self.deps.observer.log("event not marked", event_ref=ref, reason=str(error))


@dataclass(frozen=True, slots=True)
class _Sold:
    """What the events of a location say of its rows, as long as they are kept.

    `products` were ordered there: the ERP may list them no more. Of `allocated` ones there is an
    item that neither left nor failed.
    """

    products: frozenset[str]
    allocated: frozenset[str]

    @classmethod
    def of(cls, history: Iterable[StoredEvent]) -> "_Sold":
        """In whatever order they come."""
        assigned: dict[str, str] = {}
        over: set[str] = set()
        products: set[str] = set()
        for stored in history:
            event = stored.state.event
            products.update(item.product_id for item in event.items)
            if event.name is EventName.ASSIGNED:
                assigned |= {item.item_id: item.product_id for item in event.items}
            else:
                over.update(item.item_id for item in event.items)
        held = (product for item_id, product in assigned.items() if item_id not in over)
        return cls(frozenset(products), frozenset(held))


def _with_lag(rule: AppliedRule, apply_lag: timedelta) -> AppliedRule:
    return AppliedRule(apply_lag, rule.other_channel_lags, rule.go_live_at, rule.other_system_lag)


def _closes_up_to(events: list[OpenEvent], now: datetime) -> int:
    """The highest logical timestamp of a shipment that is an hour old."""
    old = (
        e.event.logical_timestamp
        for e in events
        if e.event.completed and e.event.published_at <= now - OPEN_FOR
    )
    return max(old, default=0)


def _books(cut: LocationCut) -> Books:
    """As if the quantities that an import would send now had been sent."""
    return Books(
        sent={product: sendable(units) for product, units in cut.quantities.items()},
        erp=None,
        late={},
        waiting=frozenset(),
        released_up_to=None,
        finished_run_id="",
    )


def _differing(
    rows: list[RowFigures], snapshot: StockSnapshot, cut: LocationCut
) -> Iterator[PromiseRow]:
    unshown = _unshown(cut)
    for row in rows:
        found = PromiseRow(
            product_id=row.product_id,
            on_hand=floor(snapshot.on_hand_units.get(row.product_id, 0)),
            unshown=unshown.get(row.product_id, ()),
            allocations=row.allocations,
            shipped=row.leaked,
            reservations=row.reservations,
            safety_stock=row.safety_stock,
            atp=row.atp,
        )
        if found.too_much or found.too_little:
            yield found


def _unshown(cut: LocationCut) -> dict[str, tuple[UnshownUnits, ...]]:
    """By product, the units taken off, event by event."""
    found: dict[str, dict[tuple[int, str], list[datetime]]] = defaultdict(dict)
    for part in cut.parts:
        if part.part is Part.SUBTRACTED:
            unit = part.unit
            key = unit.logical_timestamp, unit.unit.fulfillment_request_id
            found[unit.product_id].setdefault(key, []).append(unit.gone_at)
    return {
        product: tuple(
            UnshownUnits(at, request, max(gone), len(gone))
            for (at, request), gone in sorted(events.items())
        )
        for product, events in found.items()
    }
