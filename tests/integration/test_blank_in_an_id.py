"""An id is taken as it stands, with a blank at its end: mapped, imported, held and explained."""

from collections.abc import Iterator

import pytest

from inventory_sync.domain.locations import Location
from local.stack import StackPlan, local_stack
from tests.integration.operator import SKU, WHO, Operated

BLANK = "DC01 "
"""Another location than DC01."""


@pytest.fixture
def shop() -> Iterator[Operated]:
    places = [
        Location(location_id=name, fulfillment_node_id=name, store_id="", erp_location=erp)
        for name, erp in (("DC01", "100"), (BLANK, "200"))
    ]
    with local_stack(StackPlan(locations=places)) as stack:
        operated = Operated(stack, None)
        stack.erp.set_stock(("100", SKU), 20)
        stack.erp.set_stock(("200", SKU), 7)
        operated.tick()
        yield operated


def test_its_rows_are_explained_and_not_those_of_its_neighbour(shop: Operated) -> None:
    found = shop.json("explain", BLANK, SKU, "--offline")

    assert (found["location_id"], found["sent"]) == (BLANK, 7)
    assert shop.json("explain", "DC01", SKU, "--offline")["sent"] == 20


def test_it_is_held_listed_and_resumed_by_itself(shop: Operated) -> None:
    shop.run("hold", BLANK, *WHO)

    [row] = shop.json("holds", "list")["holds"]
    assert row["location_id"] == BLANK
    shop.run("resume", BLANK, *WHO)
    assert shop.json("holds", "list")["holds"] == []


def test_it_is_reconciled_by_itself(shop: Operated) -> None:
    found = shop.json("reconcile", "--location", BLANK)

    assert found["agreeing"] == 1
