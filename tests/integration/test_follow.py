"""`status --follow` waits for the first import of all that is not held, and no longer than told."""

from collections.abc import Iterator
from datetime import timedelta
from io import StringIO

import pytest

from inventory_sync.domain.locations import Location
from local.stack import load_map
from tests.integration.operator import SKU, WHO, LocalConnect, Operated, operated

NEW = "L2"


class TickingConnect(LocalConnect):
    """While a command waits, the schedule ticks."""

    def sleep(self, seconds: float) -> None:
        super().sleep(seconds)
        self._stack.tick()


class Ticking(Operated):
    def connect(self) -> LocalConnect:
        return TickingConnect(self.stack, self.log, self.session)


@pytest.fixture
def shop() -> Iterator[Operated]:
    """With a location that no import has had yet."""
    with operated(StringIO()) as shop:
        shop.run("stream", "register", *WHO)
        shop.stack.erp.add_location(NEW)
        shop.stack.erp.set_stock((NEW, SKU), 5)
        place = Location(
            location_id=NEW, fulfillment_node_id=NEW, store_id="", erp_location=NEW, create=True
        )
        load_map(shop.stack.state, [place], shop.stack.clock.now())
        yield shop


def minutes_taken(shop: Operated, minutes: int) -> float:
    began = shop.stack.clock.now()
    shop.answer("status", "--offline", "--follow", str(minutes))
    return (shop.stack.clock.now() - began) / timedelta(minutes=1)


def test_it_ends_as_soon_as_every_location_is_in(shop: Operated) -> None:
    ticking = Ticking(shop.stack, shop.log)

    taken = minutes_taken(ticking, 120)

    assert 0 < taken < 120
    assert ticking.answer("status", "--offline")["refresh"]["never_imported"] == 0
    assert minutes_taken(ticking, 120) == 0


def test_it_ends_in_time_where_nothing_is_imported(shop: Operated) -> None:
    assert minutes_taken(shop, 3) == 3


def test_what_is_held_is_not_waited_for(shop: Operated) -> None:
    shop.run("hold", NEW, *WHO)

    assert minutes_taken(shop, 60) == 0


def test_before_any_import_it_waits_for_one(shop: Operated) -> None:
    shop.stack.state.delete("head", "import")
    shop.run("hold", NEW, *WHO)

    assert minutes_taken(shop, 1) == 1
