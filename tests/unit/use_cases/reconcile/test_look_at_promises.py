"""A shadow looks at what NewStore promises beside another system, and changes nothing there."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from inventory_sync.adapters.erp.booked_elsewhere import BookedElsewhere
from inventory_sync.adapters.newstore.event_body import parse_event
from inventory_sync.domain.cut import AppliedRule
from inventory_sync.domain.errors import RetriableError
from inventory_sync.domain.events import FulfillmentEvent
from inventory_sync.domain.shadow import Look, PromiseRow
from inventory_sync.domain.stock import StockSnapshot
from inventory_sync.use_cases.forward.forward_events import ForwardEvents
from inventory_sync.use_cases.mode_checks import NoteShadow
from inventory_sync.use_cases.reconcile.look_at_promises import (
    OPEN_FOR,
    SPARE_SECONDS,
    LookAtPromises,
    Looked,
)
from local.newstore.events import event_bytes
from local.newstore.locations import store
from tests.builders import DC, HOUR, MINUTE, SKU, STORE
from tests.fakes.looks import FakeLooks
from tests.fakes.mode import FakeShadowTimes
from tests.fakes.run_history import FakeEventHistory
from tests.fakes.stock import ModelStock
from tests.unit.use_cases.import_world import TENANT, ImportWorld

LAG = 20 * MINUTE
OTHER = "SKU-2"


class Beside:
    """A world in which another system imports and books, and its shadow."""

    def __init__(self, *places: str, units: int = 10, **settings: Any) -> None:
        self.world = ImportWorld(*places, **settings)
        self.world.newstore_model.release = "immediate"
        self.rule = AppliedRule(other_system_lag=LAG)
        self.looks, self.times = FakeLooks(), FakeShadowTimes()
        self.stock = ModelStock(self.world.newstore_model)
        self.seconds = 900.0
        for place in self.world.places:
            self.world.stock(units, at=place)
            self.import_by_other(place)

    def import_by_other(self, place: str = DC, product: str = SKU) -> None:
        """What the ERP shows now, without a range."""
        key = (place, product)
        self.world.newstore_model.set_imported(key, self.world.erp_model.shown(key))

    def ship(self, number: int, *products: str, booked: bool = True, **how: Any) -> Any:
        """The other system books it, and it shows once its lag is over."""
        event = self.world.ship(number, *products, **how)
        for item in event.items if booked else ():
            key = (event.location_id, item.product_id)
            self.world.erp_model.sell_at_counter(key, 1, LAG.total_seconds())
        return event

    def forward(self) -> None:
        """Everything that is stored goes the shadow's way."""
        world = self.world
        books: Any = BookedElsewhere()
        times = FakeShadowTimes("forward", self.times.shared)
        forward = ForwardEvents(
            event_log=world.event_log,
            owners=world.owners,
            quarantine=world.quarantine,
            erp=books,
            clock=world.clock,
            observer=world.observer,
            rule=self.rule,
            claim=3 * MINUTE,
            sweep_age=timedelta(0),
            mode_check=NoteShadow(times=times, rule=self.rule, clock=world.clock),
            shadow=True,
        )
        forward(list(world.event_log.open_events()))

    def tick(self, *only: str, **ports: Any) -> Looked:
        world = self.world
        look = LookAtPromises(
            event_log=world.event_log,
            history=FakeEventHistory(world.event_log),
            erp=world.erp,
            newstore=world.newstore,
            stock=self.stock,
            location_store=world.location_store,
            looks=self.looks,
            leases=world.leases,
            times=self.times,
            clock=world.clock,
            observer=world.observer,
            rule=self.rule,
            mispick_hold=24 * HOUR,
        )
        start = world.clock.now()

        def remaining() -> float:
            return self.seconds - (world.clock.now() - start).total_seconds()

        return replace(look, **ports)(remaining, only=frozenset(only))

    def seen(self, **ports: Any) -> list[Look]:
        """What the next tick sees."""
        self.tick(**ports)
        self.world.clock.advance(MINUTE)
        return list(self.looks.kept.values())[-1]

    def row(self) -> PromiseRow | None:
        """The one row that differs, or none."""
        [look] = self.seen()
        assert not look.unread
        [row] = look.differing or (None,)
        return row


def test_where_the_promise_is_right_nothing_is_kept_but_the_count() -> None:
    beside = Beside(DC, STORE)
    beside.world.newstore_model.assign("open", "o", DC, [("open-1", SKU)], "STANDARD")
    beside.world.newstore_model.reservations[STORE, SKU] = 2
    beside.world.newstore_model.safety_stock[DC, SKU] = 3

    assert [(look.rows, look.differing) for look in beside.seen()] == [(1, ()), (1, ())]


def test_a_figure_that_lacks_a_shipment_is_promised_once_too_often() -> None:
    beside = Beside()
    beside.ship(10)
    assert beside.row() is None  # NewStore has taken it off itself

    beside.import_by_other()

    row = beside.row()
    assert row is not None
    assert (row.on_hand, row.unshown_units, row.atp, row.should_be) == (10, 1, 10, 9)
    assert (row.too_much, row.certain) == (1, 0)
    [unshown] = row.unshown
    assert (unshown.logical_timestamp, unshown.fulfillment_request_id) == (10, "ff1")


def test_once_the_lag_is_over_it_is_certain() -> None:
    beside = Beside()
    beside.ship(10)
    beside.forward()
    beside.import_by_other()
    beside.world.clock.advance(LAG + MINUTE)

    row = beside.row()

    assert row is not None
    assert (row.on_hand, row.unshown, row.too_much, row.certain) == (9, (), 1, 1)


def test_what_comes_in_shows_as_promised_too_little_until_it_is_imported() -> None:
    beside = Beside()
    beside.world.erp_model.receive((DC, SKU), 5)

    row = beside.row()
    assert row is not None
    assert (row.too_little, row.would_send) == (5, 15)

    beside.import_by_other()
    assert beside.row() is None


def test_allocations_of_what_has_shipped_are_not_to_be_taken_off() -> None:
    """Under `range` NewStore keeps them, as the other system releases none."""
    beside = Beside()
    beside.world.newstore_model.release = "range"
    beside.ship(10)
    beside.forward()
    beside.world.clock.advance(LAG)
    beside.import_by_other()

    row = beside.row()

    assert row is not None
    assert (row.allocations, row.shipped, row.too_little) == (1, 1, 1)


def test_so_are_those_of_events_that_are_closed_by_now() -> None:
    beside = Beside()
    beside.world.newstore_model.release = "range"
    event = beside.ship(10)
    beside.forward()
    beside.world.clock.advance(max(LAG, OPEN_FOR))
    beside.import_by_other()
    beside.seen()
    assert not beside.world.is_open(event)

    row = beside.row()

    assert row is not None
    assert (row.shipped, row.too_little) == (1, 1)


def test_a_row_the_erp_does_not_list_has_no_stock_unless_that_means_nothing() -> None:
    for absent_means_zero, rows in ((True, 1), (False, 0)):
        beside = Beside(absent_means_zero=absent_means_zero)
        beside.ship(10, OTHER, booked=False)
        beside.world.erp_model.unlisted.add((DC, SKU))

        [look] = beside.seen()

        assert look.rows == rows


def test_as_many_units_too_many_as_are_allocated_do_not_look_right() -> None:
    """The promise is the stock, and should be one less."""
    beside = Beside()
    raw = beside.world.newstore_model.assign("open", "o", DC, [("open-1", SKU)], "STANDARD")
    order = parse_event(event_bytes(raw), TENANT)
    assert isinstance(order, FulfillmentEvent)
    beside.world.deliver(order)
    beside.ship(10)
    beside.forward()
    beside.import_by_other()
    assert beside.world.atp() == 9

    row = beside.row()

    assert row is not None
    assert (row.allocations, row.should_be, row.too_much) == (1, 8, 1)


def test_a_row_that_has_sold_out_is_compared_though_the_erp_lists_it_no_more() -> None:
    beside = Beside(units=1)
    beside.ship(10)
    beside.forward()
    beside.import_by_other()
    beside.world.clock.advance(LAG + MINUTE)
    assert beside.world.erp.snapshot(DC).on_hand_units == {}

    row = beside.row()

    assert row is not None
    assert (row.on_hand, row.atp, row.certain) == (0, 1, 1)


def test_a_row_that_cannot_be_read_is_not_compared() -> None:
    beside = Beside()
    beside.world.stock(4, OTHER)
    beside.import_by_other(product=OTHER)
    read = beside.world.erp.snapshot(DC)
    beside.world.erp.shown[DC] = StockSnapshot(DC, read.as_of, {OTHER: 4}, {SKU: "is no number"})

    [look] = beside.seen()

    assert (look.rows, look.unchecked, look.differing) == (1, 1, ())


def test_a_product_that_was_not_found_is_not_compared_as_long_as_newstore_blocks_it() -> None:
    beside = Beside()
    event = beside.world.mispick()
    beside.forward()

    [look] = beside.seen()
    assert (look.rows, look.differing, beside.world.is_open(event)) == (0, (), True)

    beside.world.clock.advance(24 * HOUR)
    [look] = beside.seen()
    assert (look.rows, len(look.differing), beside.world.is_open(event)) == (1, 1, False)


def test_what_becomes_known_while_newstore_is_asked_is_left_out() -> None:
    beside = Beside()
    calls = iter(range(100))

    def meanwhile() -> None:
        if next(calls) == 1:
            beside.ship(10, booked=False)

    beside.stock.meanwhile = meanwhile

    [look] = beside.seen()

    assert (look.rows, look.unchecked, look.differing) == (0, 1, ())


@pytest.mark.parametrize("what", ["snapshot", "atp"])
def test_a_location_that_cannot_be_read_says_why_and_the_others_are_looked_at(what: str) -> None:
    beside = Beside(DC, STORE)
    if what == "snapshot":
        beside.world.erp.shown[DC] = RetriableError("down")
    else:
        calls = iter([RetriableError("down")])

        def fail_once() -> None:
            for error in calls:
                raise error

        beside.stock.meanwhile = lambda: None
        first = beside.stock.atp

        def atp(keys: Any) -> Any:
            fail_once()
            return first(keys)

        beside.stock.atp = atp  # type: ignore[method-assign]

    found = beside.tick()

    [looks] = beside.looks.kept.values()
    assert [(look.location_id, look.unread, look.rows) for look in looks] == [
        (DC, "down", 0), (STORE, "", 1)
    ]  # fmt: skip
    assert (found.locations, found.unread) == (1, 1)
    assert beside.world.observer.counts["LocationsUnreadable"] == 1


def test_a_tick_that_sees_nothing_at_all_is_missed_by_the_alarm() -> None:
    beside = Beside()
    assert beside.tick().locations == 1
    assert "WatermarkLagSeconds" in beside.world.observer.counts

    beside = Beside()
    beside.world.erp.shown[DC] = RetriableError("down")
    beside.tick()

    assert "WatermarkLagSeconds" not in beside.world.observer.counts


def test_a_location_that_is_off_or_unknown_or_not_asked_for_is_not_looked_at() -> None:
    beside = Beside(DC, STORE)
    beside.world.newstore_model.locations.add(store(STORE, is_enabled=False))
    assert [look.location_id for look in beside.seen()] == [DC]

    beside.world.put_location(DC, fulfillment_node_id="elsewhere")
    assert beside.seen() == []

    beside = Beside(DC, STORE)
    assert beside.tick(STORE).locations == 1


def test_the_next_tick_goes_on_where_there_was_no_time_left() -> None:
    beside = Beside("A", "B", "C")
    read = beside.world.erp.snapshot

    def slow(location_id: str) -> Any:
        beside.world.clock.advance(100)
        return read(location_id)

    beside.world.erp.snapshot = slow  # type: ignore[method-assign]
    beside.seconds = SPARE_SECONDS + 150

    seen = [[look.location_id for look in beside.seen()] for _ in range(3)]

    assert seen == [["A", "B"], ["C", "A"], ["B", "C"]]


def test_one_tick_at_a_time() -> None:
    beside = Beside()
    beside.world.take_lease()

    assert beside.tick().detail == "another tick is at work"
    assert beside.looks.kept == {}


def test_an_event_is_closed_once_it_shows_and_is_an_hour_old() -> None:
    beside = Beside()
    event = beside.ship(10)
    beside.forward()
    beside.world.clock.advance(LAG)
    beside.seen()
    assert beside.world.is_open(event)

    beside.world.clock.advance(OPEN_FOR)
    beside.seen()

    assert not beside.world.is_open(event)


def test_by_stock_of_before_it_stays_open_however_old_it_is() -> None:
    beside = Beside()
    event = beside.ship(10)
    beside.forward()
    old = beside.world.erp.snapshot(DC)
    beside.world.clock.advance(10 * HOUR)
    beside.world.erp.shown[DC] = old

    row = beside.row()

    assert beside.world.is_open(event)
    assert row is None  # NewStore has taken it off, and so does the sum


def test_what_is_for_the_live_stack_stays_open() -> None:
    beside = Beside()
    beside.rule = replace(beside.rule, go_live_at=beside.world.clock.now())
    event = beside.ship(10)
    beside.forward()
    beside.world.clock.advance(10 * HOUR)
    beside.seen()

    assert beside.world.is_open(event)
    assert beside.times.until() == beside.rule.go_live_at


class Called:
    """Notes which methods of a port are called."""

    def __init__(self, port: Any, names: set[str]) -> None:
        self._port, self._names = port, names

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._port, name)
        self._names.add(name)
        return found


def test_a_tick_asks_the_erp_and_newstore_and_tells_them_nothing() -> None:
    beside = Beside()
    beside.world.newstore_model.assign("open", "o", DC, [("open-1", SKU)], "STANDARD")
    beside.ship(10)
    beside.forward()
    erp: set[str] = set()
    newstore: set[str] = set()
    stock: set[str] = set()

    beside.tick(
        erp=Called(beside.world.erp, erp),
        newstore=Called(beside.world.newstore, newstore),
        stock=Called(beside.stock, stock),
    )

    assert erp == {"capabilities", "snapshot"}
    assert newstore == {"locations"}
    assert stock == {"atp", "insights", "safety_stock"}
    assert beside.world.jobs() == []
    assert beside.world.erp_model.movements == {}
    assert beside.world.erp_model.allocations.items == {}
