"""Guards: what holds a location, or one of its rows; and those that need no snapshot."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from inventory_sync.domain.availabilities import fault_of_id
from inventory_sync.domain.locations import Location, NewStoreLocation, Node


class HoldKind(StrEnum):
    """Why a location, or a row, is held."""

    SNAPSHOT_EMPTY = "snapshot_empty"
    SNAPSHOT_INCOMPLETE = "snapshot_incomplete"
    SNAPSHOT_OLDER = "snapshot_older"
    SNAPSHOT_AHEAD = "snapshot_ahead"
    SNAPSHOT_STALE = "snapshot_stale"
    SNAPSHOT_REPEATS = "snapshot_repeats"
    PRODUCTS_VANISHED = "products_vanished"
    UNITS_FELL = "units_fell"
    UNITS_ROSE = "units_rose"
    ROW_ROSE = "row_rose"
    ROW_UNREADABLE = "row_unreadable"
    FRACTIONAL = "fractional"
    ABSURD = "absurd"
    UNKNOWN_LOCATION = "unknown_location"
    WRONG_TYPE = "wrong_type"
    NODE_SHARED = "node_shared"
    INVENTORY_MASTER = "inventory_master"
    MAPPING_MISSING = "mapping_missing"
    LEDGER_LOST = "ledger_lost"
    """No ledger of the location can be read: which rows NewStore has of it is not known."""
    COMPLETION_UNREADABLE = "completion_unreadable"
    """Units left, and their event is in quarantine: which they are nobody can read."""
    OPERATOR = "operator"
    """An operator's own: it stays until an operator resumes the location."""


FALLS = frozenset({HoldKind.SNAPSHOT_EMPTY, HoldKind.PRODUCTS_VANISHED, HoldKind.UNITS_FELL})
"""Of a whole location: the fewer units it has, the worse."""
RISES = frozenset({HoldKind.UNITS_ROSE, HoldKind.ROW_ROSE, HoldKind.ABSURD})
"""Of a location or a row: the more units it has, the worse."""
DISBELIEVED = FALLS | RISES | {kind for kind in HoldKind if kind.startswith("snapshot_")}
"""What the ERP shows there may be wrong; elsewhere it is right, and something else holds it."""
APPROVABLE = FALLS | RISES | {HoldKind.FRACTIONAL, HoldKind.SNAPSHOT_REPEATS, HoldKind.LEDGER_LOST}
"""What an operator may let through; the others have to be put right at their source."""


@dataclass(frozen=True, slots=True)
class Hold:
    """One reason, with the figures that tripped it.

    `units` are what the snapshot has of the location, or of the row where there is a `product_id`.
    """

    kind: HoldKind
    figures: str
    units: int = 0
    product_id: str = ""

    @property
    def in_words(self) -> str:
        """The figures, and of which row they are."""
        return f"{self.product_id!r}: {self.figures}" if self.product_id else self.figures


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


def ledger_lost(location_id: str) -> Hold:
    """Rows that the ERP has stopped listing would keep at NewStore what they had."""
    figures = (
        "none of its ledgers can be read, so a row that the ERP no longer lists could not be sent"
        f" as 0: put an earlier version of ledger/{location_id}/ back in the import bucket, or"
        " approve once no such row is left at NewStore"
    )
    return Hold(HoldKind.LEDGER_LOST, figures)
