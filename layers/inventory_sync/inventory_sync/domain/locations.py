"""The map between NewStore's locations and the ERP's, and what NewStore itself says of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

LOCATIONS_LISTED_MAX = 2_000
"""NewStore's list has no more (docs/newstore.md, Locations): what a full list lacks may be there
all the same."""


class LocationType(StrEnum):
    """NewStore's; OTHER is one that its documents do not name."""

    STORE = "store"
    DC = "dc"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewStoreLocation:
    """A location as NewStore has it; its id is the `fulfillment_node_id` of an import.

    `store_id` is empty for a distribution centre. One that is not enabled has ATP 0, whatever its
    stock. Id and type never change.
    """

    location_id: str
    type: LocationType
    store_id: str = ""
    inventory_master: bool = False
    enabled: bool = True


NewStoreLocations = Mapping[str, NewStoreLocation]
"""By their ids."""
NO_LOCATIONS: NewStoreLocations = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Node:
    """How an import names a location; `store_id` is empty for a distribution centre."""

    fulfillment_node_id: str
    store_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Location:
    """One row of the location map; ids are the same everywhere unless it says otherwise.

    `store_id` is empty for a distribution centre. `enabled` says whether the adapter tells NewStore
    this location's stock. `create` lets the first import of the location create it at NewStore,
    which nobody can undo.
    """

    location_id: str
    fulfillment_node_id: str
    store_id: str
    erp_location: str
    enabled: bool = True
    create: bool = False

    @property
    def type(self) -> LocationType:
        """What the map takes it for."""
        return LocationType.STORE if self.store_id else LocationType.DC

    def node(self, listed: NewStoreLocation | None) -> Node:
        """Of the type that NewStore has; of the map's where NewStore does not list it yet."""
        if listed is None:
            return Node(self.fulfillment_node_id, self.store_id)
        is_store = listed.type is LocationType.STORE
        store_id = (listed.store_id or self.store_id) if is_store else ""
        return Node(self.fulfillment_node_id, store_id)
