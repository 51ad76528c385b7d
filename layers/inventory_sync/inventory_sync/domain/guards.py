"""Guards: what holds a location's import until an operator approves it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from inventory_sync.domain.availabilities import fault_of_id
from inventory_sync.domain.locations import Location, NewStoreLocation, Node
from inventory_sync.domain.stock import StockSnapshot, Units, totals_of


class HoldKind(StrEnum):
    """Why a location is held."""

    SNAPSHOT_EMPTY = "snapshot_empty"
    SNAPSHOT_INCOMPLETE = "snapshot_incomplete"
    SNAPSHOT_OLDER = "snapshot_older"
    SNAPSHOT_AHEAD = "snapshot_ahead"
    ROWS_FELL = "rows_fell"
    UNITS_FELL = "units_fell"
    NEGATIVE = "negative"
    FRACTIONAL = "fractional"
    ABSURD = "absurd"
    UNKNOWN_LOCATION = "unknown_location"
    WRONG_TYPE = "wrong_type"
    NODE_SHARED = "node_shared"
    INVENTORY_MASTER = "inventory_master"
    MAPPING_MISSING = "mapping_missing"
    COMPLETION_UNREADABLE = "completion_unreadable"
    """Units left, and their event is in quarantine: which they are nobody can read."""
    OPERATOR = "operator"
    """An operator's own: it stays until an operator resumes the location."""


APPROVABLE = frozenset(HoldKind) - {
    HoldKind.UNKNOWN_LOCATION,
    HoldKind.WRONG_TYPE,
    HoldKind.NODE_SHARED,
    HoldKind.SNAPSHOT_INCOMPLETE,
    HoldKind.SNAPSHOT_OLDER,
    HoldKind.SNAPSHOT_AHEAD,
    HoldKind.INVENTORY_MASTER,
    HoldKind.MAPPING_MISSING,
    HoldKind.COMPLETION_UNREADABLE,
    HoldKind.OPERATOR,
}
"""What an operator may let through; the others have to be put right at their source."""


@dataclass(frozen=True, slots=True)
class Hold:
    """One reason, with the figures that tripped it."""

    kind: HoldKind
    figures: str


@dataclass(frozen=True, slots=True)
class GuardLimits:
    """Shares are of the last finished import's rows and units at the location, 0 to 1."""

    fall_share_max: float = 0.5
    fall_units_min: int = 20
    quantity_units_max: int = 1_000_000


@dataclass(frozen=True, slots=True)
class LastFigures:
    """What the last finished import of a location counted."""

    rows: int
    units: int


def check_location(
    location: Location | None, listed: NewStoreLocation | None, told: Node | None = None
) -> tuple[Hold, ...]:
    """Guards that need no snapshot.

    `listed` is what NewStore has under the location's node, None where it lists none. `told` is the
    node that imports of the location had until now.
    """
    if location is None:
        figures = "the location map has no row for it: load one with `make locations FILE=...`"
        return (Hold(HoldKind.MAPPING_MISSING, figures),)
    if listed is None:
        return _check_unlisted(location, told)
    node = location.fulfillment_node_id
    if location.enabled and listed.inventory_master:
        figures = f"NewStore is the inventory master of {node!r}: disable it in the location map"
        return (Hold(HoldKind.INVENTORY_MASTER, figures),)
    if listed.type is not location.type:
        figures = (
            f"{node!r} is a {listed.type} at NewStore, and in the location map a {location.type}:"
            f" set `store_id` there to {listed.store_id!r}"
        )
        return (Hold(HoldKind.WRONG_TYPE, figures),)
    return ()


def _check_unlisted(location: Location, told: Node | None) -> tuple[Hold, ...]:
    """`create` speaks for the first node of a location only: another one is a typing error."""
    node = location.fulfillment_node_id
    if location.create and (told is None or told.fulfillment_node_id == node):
        fault = fault_of_id(node)
        figures = f"NewStore cannot create {node!r}: it {fault}"
        return (Hold(HoldKind.UNKNOWN_LOCATION, figures),) if fault else ()
    figures = f"NewStore does not list {node!r}; an import would create it for ever"
    if told is not None and told.fulfillment_node_id != node:
        figures += f": its imports had {told.fulfillment_node_id!r}"
    else:
        figures += ": set `create` in the location map if that is right"
    return (Hold(HoldKind.UNKNOWN_LOCATION, figures),)


def node_shared(node: str, location_ids: Sequence[str]) -> Hold:
    """Two locations of the map have one node: each would overwrite the other's rows."""
    return Hold(HoldKind.NODE_SHARED, f"{node!r} is the node of {', '.join(location_ids)}")


def check_snapshot(
    snapshot: StockSnapshot,
    last: LastFigures | None,
    limits: GuardLimits,
    kept: Mapping[str, Units] = MappingProxyType({}),
) -> tuple[Hold, ...]:
    """Every guard the snapshot trips, each named once with its figures.

    `kept` are the last quantities, where products that it leaves out keep theirs: then only what
    it lists can have fallen, and no row at all says nothing.
    """
    rows = snapshot.on_hand_units
    holds = list(_row_holds(snapshot, limits))
    if not rows and kept:
        figures = "the ERP listed no row, and what it leaves out need not be none"
        holds.append(Hold(HoldKind.SNAPSHOT_INCOMPLETE, figures))
    elif not rows and (last is None or _more_than_could_sell_out(last, limits)):
        holds.append(Hold(HoldKind.SNAPSHOT_EMPTY, "the ERP listed no row"))
    if last is not None and rows:
        whole = {**kept, **rows} if kept else rows
        holds += _falls(HoldKind.ROWS_FELL, len(whole), last.rows, limits)
        units = (totals_of(whole) if kept else snapshot.totals).units
        holds += _falls(HoldKind.UNITS_FELL, units, last.units, limits)
    return tuple(holds)


def _more_than_could_sell_out(last: LastFigures, limits: GuardLimits) -> bool:
    """Whether no row at all looks like an outage; below the minimum of a fall it is an answer."""
    return last.units > 0 and max(last.units, last.rows) >= limits.fall_units_min


def _row_holds(snapshot: StockSnapshot, limits: GuardLimits) -> Iterator[Hold]:
    rows, totals = snapshot.on_hand_units, snapshot.totals
    if totals.plain and totals.highest <= limits.quantity_units_max:
        return
    tests: tuple[tuple[HoldKind, Callable[[Units], bool]], ...] = (
        (HoldKind.NEGATIVE, lambda quantity: quantity < 0),
        (HoldKind.FRACTIONAL, lambda quantity: quantity != int(quantity)),
        (HoldKind.ABSURD, lambda quantity: quantity > limits.quantity_units_max),
    )
    for kind, trips in tests:
        found = [(product, quantity) for product, quantity in rows.items() if trips(quantity)]
        if found:
            product, quantity = min(found)
            figures = f"{len(found)} of {len(rows)} rows, the first {product!r}: {quantity}"
            yield Hold(kind, figures)


def _falls(kind: HoldKind, now: int, before: int, limits: GuardLimits) -> list[Hold]:
    fell = before - now
    if fell <= limits.fall_share_max * before or fell < limits.fall_units_min:
        return []
    figures = f"{now} now, {before} at the last import; allowed fall {limits.fall_share_max:.0%}"
    return [Hold(kind, figures)]
