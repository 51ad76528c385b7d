"""The map between NewStore's locations and the ERP's."""

from dataclasses import dataclass
from enum import StrEnum


class InventoryMaster(StrEnum):
    """Who owns a location's stock figure."""

    ERP = "erp"
    NEWSTORE = "newstore"


@dataclass(frozen=True, slots=True, kw_only=True)
class Location:
    """One row of the location map; ids are the same everywhere unless it says otherwise.

    `store_id` is empty for a distribution centre. `confirmed` says that an operator vouches that
    NewStore knows the location, for those its store list does not show.
    """

    location_id: str
    fulfillment_node_id: str
    store_id: str
    erp_location: str
    enabled: bool = True
    inventory_master: InventoryMaster = InventoryMaster.ERP
    confirmed: bool = False

    @property
    def imported(self) -> bool:
        """Whether the adapter is the one that tells NewStore this location's stock."""
        return self.enabled and self.inventory_master is InventoryMaster.ERP
