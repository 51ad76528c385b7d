"""The ERP's side: its credential, what it can do and what that means, and a sample of its stock."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import uuid4

from cli.preflight.check import Check, look, mend, passed
from inventory_sync.domain.availabilities import encode_rows, unsendable_rows
from inventory_sync.domain.erp import ChangeFeed, Dedupe, ErpCapabilities
from inventory_sync.domain.errors import InventorySyncError
from inventory_sync.domain.guards import Hold
from inventory_sync.domain.locations import Location
from inventory_sync.domain.row_selection import sendable
from inventory_sync.domain.snapshot_guards import GuardLimits, check_age, check_snapshot
from inventory_sync.domain.stock import StockSnapshot, Unknown
from inventory_sync.domain.wording import counted
from inventory_sync.ports.erp import ErpBooks, ErpStock
from inventory_sync.ports.observe import OnProgress, unwatched

PRODUCTS_OF_A_LOCATION = 10
CONNECT = "docs/connect-your-erp.md"
_FEED = {
    ChangeFeed.NONE: "none: every import reads every row",
    ChangeFeed.TIMESTAMP: "by time: imports read what it names, and every row once a day",
    ChangeFeed.SEQUENCE: "by sequence: imports read what it names, and every row once a day",
}
_DEDUPE = {
    Dedupe.NATIVE: "native: it books a movement once, however often it is posted",
    Dedupe.LOOKUP: "by look-up: one writer for each movement, which looks before it posts again",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class LocationSample:
    """What one location's stock is like: its rows, their bytes in a file, how long it took."""

    location_id: str
    fulfillment_node_id: str
    seconds: float
    rows: int
    file_bytes: int
    products: tuple[str, ...]
    holds: tuple[Hold, ...]
    unsendable: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StockSample:
    """Some of the locations that are imported, and why others could not be read."""

    locations: int
    read: tuple[LocationSample, ...] = ()
    unread: dict[str, str] = field(default_factory=dict)

    @property
    def seconds_each(self) -> float:
        """To read a location, on average."""
        return sum(one.seconds for one in self.read) / len(self.read) if self.read else 0.0

    @property
    def rows(self) -> int:
        """Of all locations, if they are like the sample."""
        return self._of_all(sum(one.rows for one in self.read))

    @property
    def file_bytes(self) -> int:
        """They take in import files."""
        return self._of_all(sum(one.file_bytes for one in self.read))

    def _of_all(self, of_sample: int) -> int:
        return round(of_sample * self.locations / len(self.read)) if self.read else 0


def credential_check(erp: ErpBooks) -> tuple[Check, ErpCapabilities | None]:
    """Whether the ERP lets us in: it is asked what it can do, and for a movement it cannot have."""
    name = "ERP: credential"
    remedy = (
        "ErpBaseUrl, or ErpBucketName, and the secret that ErpSecretArn names:"
        f" docs/deploy.md, Secrets; {CONNECT}"
    )
    try:
        capabilities = erp.capabilities()
    except InventorySyncError as error:
        return mend(name, str(error), remedy), None
    found = erp.look_up(f"preflight-{uuid4().hex[:16]}")
    if isinstance(found, Unknown):
        told = f"a movement could not be looked up: {found.reason}"
        return mend(name, told, f"{CONNECT}, Movements: once each"), capabilities
    return passed(name, "let in, and a movement could be looked up"), capabilities


def capability_checks(found: ErpCapabilities, *, shadow: bool = False) -> list[Check]:
    """What the ERP can do, and what that means for the sum: docs/connectors.md has all of it."""
    reservations = "it is told of no allocation"
    if found.reservations:
        reservations = "it is told of allocations" + (" once the stack is live" if shadow else "")
    seconds = found.apply_lag.total_seconds()
    length, bulk = found.reference_length_max, found.bulk_max
    listed = "a row it lists no more is sent as 0"
    kept = "a row it lists no more keeps its last quantity less what was completed since"
    whole = "all rows are of one instant; pages of several are held"
    pages = "the earliest instant of its pages counts: the error is low until the next import"
    told = {
        "dedupe": (_DEDUPE[found.dedupe], found.dedupe.value),
        "reference length": (f"{length} characters; longer movement ids become a digest", length),
        "bulk": (f"{counted(bulk, 'movement')} in a call", bulk),
        "reservations": (
            reservations,
            found.reservations,
        ),
        "apply lag": (
            f"{seconds:g} s: until then a booked unit is taken off the snapshot once more",
            seconds,
        ),
        "change feed": (_FEED[found.change_feed], found.change_feed.value),
        "absent rows": (listed if found.absent_means_zero else kept, found.absent_means_zero),
        "snapshot": (whole if found.consistent_snapshot else pages, found.consistent_snapshot),
    }
    return [passed(f"ERP: {name}", text, value=value) for name, (text, value) in told.items()]


def sample_stock(
    places: Sequence[Location],
    erp: ErpStock,
    *,
    size: int,
    limits: GuardLimits,
    now: datetime,
    monotonic: Callable[[], float],
    progress: OnProgress = unwatched,
) -> StockSample:
    """Reads `size` of the imported locations, spread evenly over their ids, one after another."""
    enabled = sorted((p for p in places if p.enabled), key=lambda place: place.location_id)
    step = max(1, -(-len(enabled) // size))
    chosen = enabled[::step]
    read: list[LocationSample] = []
    unread: dict[str, str] = {}
    for number, place in enumerate(chosen):
        progress(number, len(chosen))
        began = monotonic()
        try:
            snapshot = erp.snapshot(place.location_id)
        except InventorySyncError as error:
            unread[place.location_id] = str(error)
            continue
        read.append(_sampled(place, snapshot, monotonic() - began, limits, now))
    return StockSample(locations=len(enabled), read=tuple(read), unread=unread)


def _sampled(
    place: Location, snapshot: StockSnapshot, seconds: float, limits: GuardLimits, now: datetime
) -> LocationSample:
    doubts = check_snapshot(snapshot, None, limits)
    quantities = {p: sendable(units) for p, units in sorted(snapshot.on_hand_units.items())}
    step = max(1, len(quantities) // PRODUCTS_OF_A_LOCATION)
    return LocationSample(
        location_id=place.location_id,
        fulfillment_node_id=place.fulfillment_node_id,
        seconds=seconds,
        rows=len(quantities),
        file_bytes=len(encode_rows(place.fulfillment_node_id, quantities).encoded),
        products=tuple(list(quantities)[::step][:PRODUCTS_OF_A_LOCATION]),
        holds=(*doubts.all, *check_age(snapshot.as_of, limits, now=now)),
        unsendable=len(unsendable_rows(quantities)),
    )


def stock_check(sample: StockSample) -> Check:
    """Whether the stock that was read would be imported, by the import's own guards."""
    name = "ERP: stock"
    rows = counted(sum(one.rows for one in sample.read), "row")
    of = f"{len(sample.read)} of {counted(sample.locations, 'location')}"
    if sample.unread:
        first, why = next(iter(sorted(sample.unread.items())))
        told = f"{counted(len(sample.unread), 'location')} could not be read, the first {first}"
        remedy = "`locations check`: erp_location in the map; or the ERP"
        return mend(name, f"{told}: {why}", remedy, unread=dict(sample.unread))
    held = {one.location_id: one.holds for one in sample.read if one.holds}
    if held:
        first, holds = next(iter(held.items()))
        told = f"the import would hold {counted(len(held), 'location')}, or rows of it"
        remedy = "docs/runbook.md, Locations held"
        kinds = {key: sorted({h.kind.value for h in found}) for key, found in held.items()}
        return look(name, f"{told}, the first {first}: {holds[0].in_words}", remedy, held=kinds)
    if left_out := sum(one.unsendable for one in sample.read):
        told = f"{counted(left_out, 'row')} of {of} that NewStore might refuse are left out"
        return look(name, told, "`import --dry-run`", unsendable=left_out)
    return passed(name, f"{rows} at {of} read, none that a guard would hold")
