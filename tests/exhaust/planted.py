"""Bugs to be found: stand-ins for the port of the owners, as an invocation has it."""

from typing import Any

from inventory_sync.domain.events import FulfillmentEvent
from inventory_sync.domain.units import Ownership, UnitId, owner_mark, ownership, unit_ids
from tests.exhaust.small_world import SmallWorld
from tests.fakes.unit_owners import FakeUnitOwners


class ItemsOfTheirOwn:
    """Every event owns all that it lists."""

    def __init__(self, port: Any) -> None:
        """The store is not asked."""

    def own(self, event: FulfillmentEvent, now: Any) -> Ownership:
        return Ownership(frozenset(item.item_id for item in event.items), lowers=False)


class ReadThenWrite:
    """Who owns a unit is read first, and written where it was nobody."""

    def __init__(self, port: Any) -> None:
        self._port = port

    def own(self, event: FulfillmentEvent, now: Any) -> Ownership:
        listed = zip(unit_ids(event), event.items, strict=True)
        owners = {
            unit: self._port.owner_of(unit) or owner_mark(event, item.product_id)
            for unit, item in listed
        }
        self._port.put(owners)
        return ownership(event, {unit.item_id: owner for unit, owner in owners.items()})


class OwnersInTwoSteps(FakeUnitOwners):
    """A store that `ReadThenWrite` can do its harm to."""

    def owner_of(self, unit: UnitId) -> str | None:
        return self.owners.get(unit)

    def put(self, owners: dict[UnitId, str]) -> None:
        self.owners |= owners


def owners_in_two_steps(world: SmallWorld) -> None:
    """Put it in place."""
    world.unit_owners = OwnersInTwoSteps()
