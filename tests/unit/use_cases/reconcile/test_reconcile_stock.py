"""Reconcile: every cause is told from the others, and a busy shop raises no alarm."""

from dataclasses import replace
from datetime import timedelta
from random import Random

import pytest

from inventory_sync.domain.atp import SafetyStock
from inventory_sync.domain.drift import Cause
from inventory_sync.domain.errors import RejectedError, RetriableError
from inventory_sync.domain.reading import ReleaseReading
from inventory_sync.ports.observe import OnProgress, unwatched
from inventory_sync.use_cases.reconcile.export_atp import ExportAtp
from inventory_sync.use_cases.reconcile.reconcile_stock import (
    ROWS_BY_KEYS_MAX,
    Reconciled,
    ReconcileLimits,
    ReconcileStock,
)
from local.newstore.availabilities import ImportFinding
from local.newstore.locations import store
from tests.builders import DC, HOUR, SKU, STORE
from tests.fakes.reports import FakeReports
from tests.fakes.run_history import FakeEventHistory, FakeRunHistory
from tests.fakes.stock import ModelExports, ModelStock
from tests.unit.use_cases.import_world import ImportWorld


class Shop:
    """A world that has imported once, and its reconciliation."""

    def __init__(self, *places: str, units: int = 20) -> None:
        self.world = ImportWorld(*places)
        for place in self.world.places:
            self.world.stock(units, at=place)
        self.world.import_now()
        self.pass_window()
        self.stock = ModelStock(self.world.newstore_model)
        self.exports = ModelExports(self.world.newstore_model)
        self.reports = FakeReports()

    def pass_window(self) -> None:
        """What the last import did shows at NewStore for certain."""
        self.world.clock.advance(HOUR)

    def reconcile(
        self,
        *only: str,
        seconds: float = 900,
        read_erp: bool = True,
        progress: OnProgress = unwatched,
    ) -> Reconciled:
        world = self.world
        reconcile = ReconcileStock(
            event_log=world.event_log,
            history=FakeEventHistory(world.event_log),
            erp=world.erp,
            newstore=world.newstore,
            stock=self.stock,
            export_atp=ExportAtp(self.exports, world.clock),
            files=world.files,
            runs=world.runs,
            run_history=FakeRunHistory(world.runs),
            location_store=world.location_store,
            reports=self.reports,
            clock=world.clock,
            observer=world.observer,
            limits=ReconcileLimits(other_channel_lags={}),
        )
        start = world.clock.now()

        def remaining() -> float:
            return seconds - (world.clock.now() - start).total_seconds()

        return reconcile(remaining, only=frozenset(only), read_erp=read_erp, progress=progress)

    def causes(self, **how) -> dict[Cause, int]:
        """Units by cause of the one row that differs, or nothing."""
        found = self.reconcile(**how)
        (drift,) = found.drifts or (None,)
        return dict(drift.parts) if drift else {}


def test_where_all_agree_nothing_is_reported() -> None:
    shop = Shop(DC, STORE)
    shop.world.ship(10)
    shop.world.newstore_model.assign("open", "o", DC, [("open-1", SKU)], "STANDARD")
    shop.world.newstore_model.reservations[DC, SKU] = 2

    found = shop.reconcile()

    assert (found.totals.rows, found.totals.agreeing, found.drifts) == (2, 2, ())
    assert shop.world.observer.counts["RowsUnexplained"] == 0
    assert shop.reports.summaries[found.report_id]["agreeing"] == 2


def test_who_watches_is_told_how_far_it_is() -> None:
    told: list[tuple[int, int]] = []

    Shop(DC, STORE).reconcile(progress=lambda done, total: told.append((done, total)))

    assert told == [(0, 2), (1, 2)]


@pytest.mark.parametrize("forwarded", [True, False])
@pytest.mark.parametrize("reading", list(ReleaseReading))
def test_a_unit_after_the_range_is_no_drift_under_any_reading(
    reading: ReleaseReading, forwarded: bool
) -> None:
    shop = Shop()
    world = shop.world
    world.build_settings = replace(world.build_settings, reading=reading)
    world.ship(10)
    world.settle()
    world.ship(11)
    if forwarded:
        world.forward()
    world.import_now()
    shop.pass_window()

    assert world.on_hand() == (19 if reading is ReleaseReading.RANGE else 18)
    assert shop.causes() == {}


def test_a_receipt_in_the_erp_is_for_the_next_import() -> None:
    shop = Shop()
    shop.world.erp_model.receive((DC, SKU), 5)

    assert shop.causes() == {Cause.ERP_CORRECTION: -5}
    assert shop.causes(read_erp=False) == {}


def test_a_row_the_erp_leaves_out_is_a_correction_only_where_that_means_none() -> None:
    shop = Shop()
    world = shop.world
    world.ship(10)
    world.settle()
    world.import_now()
    shop.pass_window()
    world.erp_model.unlisted.add((DC, SKU))
    assert shop.causes() == {Cause.ERP_CORRECTION: 19}

    world.erp_model.capabilities = replace(world.erp_model.capabilities, absent_means_zero=False)

    assert shop.causes() == {}


def test_an_event_that_came_late_oversells_until_the_next_import() -> None:
    shop = Shop()
    late = shop.world.ship(10, SKU, SKU, delivered=False)
    shop.world.ship(11)
    shop.world.settle()
    shop.world.import_now()
    shop.pass_window()
    shop.world.deliver(late)

    assert shop.causes() == {Cause.LATE: 2}
    shop.world.import_now()
    shop.pass_window()
    assert shop.causes() == {}


def test_a_location_that_is_off_promises_nothing_and_has_not_drifted() -> None:
    shop = Shop(DC, STORE)
    shop.world.newstore_model.locations.add(store(STORE, is_enabled=False))

    found = shop.reconcile()

    assert (found.off, found.drifts, found.totals.rows) == ((STORE,), (), 1)
    [summary] = shop.reports.summaries.values()
    assert summary["locations_off"] == [STORE]


def test_a_location_is_compared_under_the_node_that_its_quantities_are_at() -> None:
    shop = Shop()
    shop.world.put_location(DC, fulfillment_node_id="DCO1")

    assert shop.causes() == {}


def test_an_event_on_its_way_is_in_newstores_allocations_already() -> None:
    shop = Shop()
    shop.world.ship(10, delivered=False)

    assert shop.causes() == {}


def test_an_allocation_of_an_item_that_is_completed_and_released_is_leaked() -> None:
    shop = Shop()
    world = shop.world
    event = world.ship(10)
    world.settle()
    world.import_now()
    shop.pass_window()
    item = event.items[0].item_id
    world.newstore_model.assign("again", "o", DC, [(item, SKU)], "STANDARD")

    found = shop.reconcile()

    assert dict(found.drifts[0].parts) == {Cause.LEAKED_ALLOCATION: -1}
    assert world.observer.counts["AllocationsLeaked"] == 1


def test_a_quantity_that_nobody_of_ours_sent_is_unexplained() -> None:
    shop = Shop(DC, STORE)
    shop.world.newstore_model.set_imported((STORE, SKU), 23)

    found = shop.reconcile()

    assert [(d.figures.location_id, dict(d.parts)) for d in found.drifts] == [
        (STORE, {Cause.UNEXPLAINED: 3})
    ]
    assert found.totals.oversold_units == 3
    assert shop.world.observer.counts["RowsUnexplained"] == 1
    logged = dict(shop.world.observer.notes)["rows reconciled"]
    assert (logged["rows"], logged["drifted_unexplained"], logged["drifted_late"]) == (2, 1, 0)


def test_a_row_that_newstore_does_not_list_promises_nothing() -> None:
    shop = Shop()
    del shop.world.newstore_model.imported[DC, SKU]

    assert shop.causes() == {Cause.UNEXPLAINED: -20}


def test_rows_of_an_import_that_did_not_finish_are_waiting() -> None:
    shop = Shop()
    shop.world.stock(30)
    shop.world.newstore_model.jobs.fail_next_job(after_files=0, after_rows=1)
    shop.world.import_now()
    shop.pass_window()

    assert shop.causes(read_erp=False) == {Cause.WAITING_FOR_IMPORT: 10}


def test_rows_that_newstore_refused_are_waiting_to_be_sent_again() -> None:
    shop = Shop()
    shop.world.stock(30)
    finding = ImportFinding("busy", "availabilities", SKU)
    shop.world.newstore_model.jobs.report_errors_next_job([finding], [(DC, SKU)])
    shop.world.import_now()

    assert shop.causes() == {Cause.WAITING_FOR_IMPORT: -10}


def test_a_finished_import_may_take_a_while_to_show() -> None:
    shop = Shop()
    shop.world.stock(30)
    shop.world.import_now()
    shop.world.newstore_model.set_imported((DC, SKU), 20)

    assert shop.causes() == {Cause.WAITING_FOR_IMPORT: -10}
    shop.pass_window()
    assert shop.causes() == {Cause.UNEXPLAINED: -10}


def test_what_is_put_right_before_the_second_look_was_in_flight() -> None:
    shop = Shop()
    shop.world.newstore_model.set_imported((DC, SKU), 25)
    calls = iter(range(100))

    def put_right() -> None:
        if next(calls) == 4:
            shop.world.newstore_model.set_imported((DC, SKU), 20)

    shop.stock.meanwhile = put_right

    assert shop.reconcile().totals.rows_by_cause[Cause.UNEXPLAINED] == 0


def test_an_erp_that_cannot_be_read_is_named_and_the_rest_compared() -> None:
    shop = Shop(DC, STORE)
    shop.world.erp.shown[DC] = RetriableError("down")
    shop.world.newstore_model.set_imported((DC, SKU), 23)

    found = shop.reconcile()

    assert found.unread == {DC: "down"}
    assert [dict(d.parts) for d in found.drifts] == [{Cause.UNEXPLAINED: 3}]


def test_only_the_locations_asked_for_are_compared() -> None:
    shop = Shop(DC, STORE)

    assert shop.reconcile(STORE).totals.rows == 1
    with pytest.raises(RejectedError, match="no import has finished for nowhere"):
        shop.reconcile("nowhere")


def test_before_the_first_import_there_is_nothing_to_compare_with() -> None:
    shop = Shop()
    shop.world.forget_head()

    with pytest.raises(RejectedError, match="no import has finished yet"):
        shop.reconcile()


def test_what_there_is_no_time_for_is_counted() -> None:
    shop = Shop()

    found = shop.reconcile(seconds=10)

    assert (found.totals.rows, found.totals.unchecked) == (0, 1)


def test_safety_stock_is_no_drift() -> None:
    shop = Shop(DC, STORE)
    shop.world.newstore_model.safety_stock[DC, SKU] = 3
    shop.world.newstore_model.safety_stock[STORE, SKU] = 25

    found = shop.reconcile()

    assert (found.totals.rows, found.totals.agreeing, found.without) == (2, 2, ())


def test_without_the_safety_stock_the_rest_is_compared_and_that_is_said() -> None:
    shop = Shop()

    def refuse() -> SafetyStock:
        raise RejectedError("no right")

    shop.stock.safety_stock = refuse  # type: ignore[method-assign]

    found = shop.reconcile()

    assert (found.totals.agreeing, found.without) == (1, ("safety stock",))


def test_a_row_with_more_allocations_than_newstore_lists_is_not_judged() -> None:
    shop = Shop(units=1_500)
    shop.world.newstore_model.assign(
        "large", "o", DC, [(f"large-{n}", SKU) for n in range(1_200)], "STANDARD"
    )

    found = shop.reconcile()

    assert (found.totals.rows, found.totals.unchecked, found.drifts) == (0, 1, ())


def test_unless_newstore_promises_too_much_even_so() -> None:
    shop = Shop(units=1_500)
    shop.world.newstore_model.assign(
        "large", "o", DC, [(f"large-{n}", SKU) for n in range(1_200)], "STANDARD"
    )
    shop.world.newstore_model.set_imported((DC, SKU), 2_000)

    assert shop.causes() == {Cause.UNEXPLAINED: 300}


class Block:
    """Our address is blocked at the call of that number, and asks on all the same or not."""

    def __init__(self, shop: Shop, call: int) -> None:
        self.shop, self.call = shop, call
        self.limit = shop.world.newstore_model.request_limit
        self.limit._now = shop.world.clock.now
        shop.stock.meanwhile = self

    def __call__(self) -> None:
        if self.shop.stock.calls == self.call:
            self.limit.block()


@pytest.mark.parametrize("call", [1, 2, 3, 4, 5])
def test_a_block_of_our_address_is_waited_for_and_nothing_is_asked_meanwhile(call: int) -> None:
    shop = Shop()
    shop.world.newstore_model.assign("open", "o", DC, [("open-1", SKU)], "STANDARD")
    block = Block(shop, call)
    start = shop.world.clock.now()

    found = shop.reconcile()

    assert (found.totals.agreeing, found.totals.unchecked, found.without) == (1, 0, ())
    assert block.limit.refused == 1
    assert shop.world.clock.now() - start >= timedelta(minutes=5)


@pytest.mark.parametrize("call", [2, 3, 4, 5])
def test_where_there_is_no_time_to_wait_for_it_rows_are_left_unchecked(call: int) -> None:
    shop = Shop()
    shop.world.newstore_model.assign("open", "o", DC, [("open-1", SKU)], "STANDARD")
    Block(shop, call)

    found = shop.reconcile(seconds=350)

    assert (found.totals.rows, found.totals.unchecked) == (0, 1)


def large_shop() -> Shop:
    """More rows than are asked for by their keys."""
    shop = Shop(DC, STORE)
    for number in range(ROWS_BY_KEYS_MAX):
        shop.world.stock(number % 7 + 1, f"P{number}")
    shop.world.import_now()
    shop.pass_window()
    return shop


def test_many_rows_are_compared_by_an_export() -> None:
    shop = large_shop()
    shop.world.newstore_model.assign("open", "o", DC, [("open-1", "P3")], "STANDARD")
    shop.world.newstore_model.set_imported((STORE, SKU), 23)

    found = shop.reconcile()

    assert found.totals.rows == ROWS_BY_KEYS_MAX + 2
    assert found.totals.agreeing == found.totals.rows - 1
    assert [(d.figures.location_id, dict(d.parts)) for d in found.drifts] == [
        (STORE, {Cause.UNEXPLAINED: 3})
    ]
    assert shop.stock.calls < 20
    assert found.without == ()


def test_a_few_locations_of_many_rows_are_compared_by_keys() -> None:
    shop = large_shop()

    assert shop.reconcile(STORE).totals.agreeing == 1
    assert shop.exports.calls == 0


def test_what_changes_while_an_export_is_made_is_laid_over_it() -> None:
    shop = large_shop()
    model = shop.world.newstore_model
    model.set_imported((DC, "P1"), 50)
    model.atp_exports._now = shop.world.clock.now
    model.atp_exports.seconds = 20
    before = shop.stock.calls

    def put_right() -> None:
        if shop.exports.calls == 3:
            model.set_imported((DC, "P1"), 2)

    shop.exports.meanwhile = put_right
    found = shop.reconcile()

    assert found.totals.agreeing == found.totals.rows
    assert shop.stock.calls - before == 1  # the safety stock


@pytest.mark.parametrize("trouble", ["slow", "failed", "broken", "blocked"])
def test_where_no_export_can_be_had_rows_are_asked_for_by_their_keys(trouble: str) -> None:
    shop = large_shop()
    model = shop.world.newstore_model
    model.atp_exports._now = shop.world.clock.now
    model.request_limit._now = shop.world.clock.now
    if trouble == "slow":
        model.atp_exports.seconds = 3600
    elif trouble == "failed":
        model.atp_exports.fail_next = "out of paper"
    elif trouble == "broken":
        shop.exports.file_is_broken = True
    else:
        shop.exports.meanwhile = model.request_limit.block

    found = shop.reconcile(seconds=2_000)

    assert found.totals.agreeing == found.totals.rows == ROWS_BY_KEYS_MAX + 2
    assert found.without == ("export of ATP",)


class Busy:
    """Orders, shipments, events under way and imports between any two calls of the reconciler."""

    def __init__(self, shop: Shop, products: int) -> None:
        self.shop, self.rng = shop, Random(7)
        self.products = [f"P{n}" for n in range(products)]
        self.shipped = self.ordered = self.timestamp = 0
        self.under_way: list = []
        for product in self.products:
            for place in shop.world.places:
                shop.world.stock(1000, product, at=place)
        shop.world.import_now()

    def live(self) -> None:
        world = self.shop.world
        for _ in range(3):
            self.timestamp += 1
            product = self.rng.choice(self.products)
            place = self.rng.choice(world.places)
            if self.rng.random() < 0.4:
                self.ordered += 1
                item = (f"o{self.ordered}-1", product)
                world.newstore_model.assign(
                    f"o{self.ordered}", "o", place, [item], "STANDARD",
                    logical_timestamp=self.timestamp,
                )  # fmt: skip
            else:
                self.shipped += 1
                self.under_way.append(
                    world.ship(self.timestamp, product, at=place, delivered=False)
                )
        world.clock.advance(self.rng.uniform(0, 5))
        while len(self.under_way) > 20:
            world.deliver(self.under_way.pop(self.rng.randrange(len(self.under_way))))
        if self.rng.random() < 0.3:
            world.forward()
        if self.rng.random() < 0.02:
            world.import_now()


@pytest.mark.sweep(sample=1)
@pytest.mark.parametrize(("products", "steps"), [(20, 100), (60, 300)])
def test_events_in_flight_give_no_false_alarm_under_load(products: int, steps: int) -> None:
    shop = Shop(DC, STORE)
    busy = Busy(shop, products=products)
    for _ in range(steps):
        busy.live()
    shop.stock.meanwhile = busy.live
    totals = []
    for _ in range(3):
        found = shop.reconcile(seconds=100_000)
        totals.append(found.totals)
        shop.world.clock.advance(timedelta(minutes=20))

    assert sum(t.rows for t in totals) == 3 * 2 * (products + 1)
    assert busy.shipped > 1.5 * steps
    assert [t.rows_by_cause[Cause.UNEXPLAINED] for t in totals] == [0, 0, 0]
    assert [t.rows_by_cause[Cause.LEAKED_ALLOCATION] for t in totals] == [0, 0, 0]


def test_under_load_a_wrong_quantity_is_still_found() -> None:
    shop = Shop(DC, STORE)
    busy = Busy(shop, products=30)
    for _ in range(100):
        busy.live()
    shop.world.settle()
    shop.world.import_now()
    shop.pass_window()
    shop.world.newstore_model.set_imported((DC, SKU), 21)
    shop.stock.meanwhile = busy.live

    found = shop.reconcile(seconds=100_000)

    assert found.totals.units_by_cause[Cause.UNEXPLAINED] == 1


def test_totals_count_rows_and_units_by_cause() -> None:
    shop = Shop(DC, STORE)
    world = shop.world
    world.stock(5, "P1")
    world.import_now()
    shop.pass_window()
    world.newstore_model.set_imported((DC, SKU), 23)
    world.newstore_model.set_imported((STORE, SKU), 18)

    found = shop.reconcile()
    totals, none = found.totals, {cause.value: 0 for cause in Cause}

    assert (totals.rows, totals.agreeing) == (3, 1)
    assert (totals.oversold_units, totals.undersold_units) == (3, 2)
    counts = world.observer.counts
    assert (counts["UnitsOversold"], counts["UnitsUndersold"]) == (3, 2)
    assert totals.rows_by_cause == {Cause.UNEXPLAINED: 2}
    assert totals.units_by_cause == {Cause.UNEXPLAINED: 5}
    assert shop.reports.summaries[found.report_id] == {
        "finished_run_id": world.runs.head().finished_run_id,
        "rows": 3,
        "agreeing": 1,
        "unchecked": 0,
        "oversold_units": 3,
        "undersold_units": 2,
        "rows_by_cause": none | {"unexplained": 2},
        "units_by_cause": none | {"unexplained": 5},
        "locations_off": [],
        "erp_not_read": {},
        "without": [],
    }


def test_what_a_guard_does_not_believe_is_nothing_to_compare_with() -> None:
    shop = Shop()
    shop.world.stock(0)
    shop.world.import_now()
    shop.pass_window()

    found = shop.reconcile()

    assert found.unread == {DC: "the location is held (snapshot_empty)"}
    assert (found.drifts, found.totals.oversold_units) == ((), 0)
    assert shop.reconcile(read_erp=False).unread == {}


def test_a_row_that_is_held_is_compared_with_what_it_was_last() -> None:
    shop = Shop(units=20)
    shop.world.stock(20_000)
    shop.world.import_now()
    shop.pass_window()

    found = shop.reconcile()

    assert (found.drifts, dict(found.unread)) == ((), {})
