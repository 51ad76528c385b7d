"""The Odoo connector against a running Odoo: what only the real product can show.

Runs with `make test-odoo`; the figures are written to build/odoo.txt.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import uuid4

import pytest

from inventory_sync.domain.errors import RejectedError, RetriableError
from inventory_sync.domain.stock import (
    Acknowledgement,
    AllocationState,
    Rejection,
    StockMovement,
)
from tests.connector.bench import book, change, movement
from tests.odoo.bench import OdooBench, odoo

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not os.environ.get("ODOO"), reason="it takes minutes: `make test-odoo`"),
]
FIGURES = Path(__file__).parents[2] / "build" / "odoo.txt"
STEPS = ("/load", "/stock.move/write", "/button_validate")
ROWS = {10_000: 10, 100_000: 100}
"""Seconds that a snapshot of so many rows may take here."""


@pytest.fixture(scope="module")
def bench() -> Iterator[OdooBench]:
    with odoo() as bench:
        yield bench


def note(text: str) -> None:
    FIGURES.parent.mkdir(exist_ok=True)
    with FIGURES.open("a") as file:
        file.write(text + "\n")


def stocked(bench: OdooBench, units: int = 100) -> str:
    product = bench.product()
    bench.set_stock(product, units)
    return product


def shipping(bench: OdooBench, *products: str) -> StockMovement:
    units = dict.fromkeys(products, 1)
    return movement(1, units, at=bench.location_id, request=f"ff-{uuid4()}")


def test_forty_cut_connections_book_forty(bench: OdooBench) -> None:
    product = stocked(bench)
    began = time.monotonic()
    for number in range(40):
        wanted = shipping(bench, product)
        when = "before" if number % 2 else "after"
        bench.proxy.lose_answers(1 + number // 12, STEPS[number % 3], when)
        assert isinstance(book(bench, wanted), Acknowledgement)
        assert bench.books.deliveries(wanted.movement_id) == ["done"]
    bench.proxy.lose_answers(0)
    assert bench.on_hand(product) == 60
    note(f"40 posts, {bench.proxy.cuts} connections cut: 40 booked, {seconds_since(began)}")


def test_eight_simultaneous_posts_of_one_reference_book_one(bench: OdooBench) -> None:
    one, two = stocked(bench), stocked(bench)
    for _ in range(3):
        wanted = shipping(bench, one, two)
        connectors = [bench.connector() for _ in range(8)]
        with ThreadPoolExecutor(8) as pool:
            posts = [pool.submit(erp.post_movements, [wanted]) for erp in connectors]
            found = [post.result()[0] for post in posts]
        kinds = sorted(type(outcome).__name__ for outcome in found)
        assert Rejection.__name__ not in kinds
        assert isinstance(book(bench, wanted), Acknowledgement)
        assert bench.books.deliveries(wanted.movement_id) == ["done"]
        note(f"8 posts of one reference at once: booked once; answers {', '.join(kinds)}")
    assert (bench.on_hand(one), bench.on_hand(two)) == (97, 97)


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("milliseconds", [0, 40])
def test_odoo_killed_in_the_middle_of_a_post(
    bench: OdooBench, step: str, milliseconds: int
) -> None:
    product = stocked(bench)
    wanted = shipping(bench, product)
    killers: list[threading.Thread] = []

    def kill_during(path: str) -> str:
        if step in path and not killers:
            killers.append(threading.Thread(target=kill_after))
            killers[0].start()
        return ""

    def kill_after() -> None:
        time.sleep(milliseconds / 1000)
        bench.odoo.kill()

    bench.proxy.cut = kill_during
    [outcome] = bench.connector().post_movements([wanted])
    bench.proxy.lose_answers(0)
    killers[0].join()
    bench.odoo.start()
    assert not isinstance(outcome, Rejection)
    assert isinstance(book(bench, wanted), Acknowledgement)
    assert bench.books.deliveries(wanted.movement_id) == ["done"]
    assert bench.on_hand(product) == 99
    note(f"killed {milliseconds} ms into {step}: {type(outcome).__name__}, then booked once")


def test_each_unit_is_a_move_that_odoo_does_not_merge(bench: OdooBench) -> None:
    """Also where a person confirms the delivery: that is when Odoo merges moves."""
    product = stocked(bench)
    wanted = movement(1, {product: 3}, at=bench.location_id, request=f"ff-{uuid4()}")
    bench.proxy.lose_answers(9, "/stock.move/write", "before")
    bench.connector().post_movements([wanted])
    bench.proxy.lose_answers(0)
    domain = [("origin", "=", wanted.movement_id)]
    found = bench.books.call("stock.picking", "search", domain=domain)
    bench.books.call("stock.picking", "action_confirm", ids=found)
    assert isinstance(book(bench, wanted), Acknowledgement)
    assert bench.books.moves(wanted.movement_id) == [(str(line.unit), 1) for line in wanted.lines]
    assert bench.on_hand(product) == 97


def test_unit_that_another_delivery_has_booked_is_refused_and_stays_there(
    bench: OdooBench,
) -> None:
    product, request = stocked(bench), f"ff-{uuid4()}"
    first = movement(1, {product: 2}, at=bench.location_id, request=request, item="i")
    again = movement(2, {product: 3}, at=bench.location_id, request=request, item="i")
    bench.connector().post_movements([first])
    [outcome] = bench.connector().post_movements([again])
    assert isinstance(outcome, Rejection)
    assert bench.books.deliveries(again.movement_id) == []
    assert bench.books.moves(first.movement_id) == [(str(line.unit), 1) for line in first.lines]
    assert bench.on_hand(product) == 98


def test_movement_of_many_units_is_booked_in_time(bench: OdooBench) -> None:
    product = stocked(bench)
    wanted = movement(1, {product: 100}, at=bench.location_id, request=f"ff-{uuid4()}")
    began = time.monotonic()
    assert isinstance(book(bench, wanted), Acknowledgement)
    taken = time.monotonic() - began
    assert bench.on_hand(product) == 0
    note(f"a movement of 100 units: {taken:.1f} s")
    assert taken < 20


def test_delivery_that_somebody_cancelled_is_for_a_person(bench: OdooBench) -> None:
    product = stocked(bench)
    wanted = shipping(bench, product)
    bench.proxy.lose_answers(9, "/button_validate", "before")
    bench.connector().post_movements([wanted])
    bench.proxy.lose_answers(0)
    domain = [("origin", "=", wanted.movement_id)]
    found = bench.books.call("stock.picking", "search", domain=domain)
    bench.books.call("stock.picking", "action_cancel", ids=found)
    [outcome] = bench.connector().post_movements([wanted])
    assert isinstance(outcome, Rejection)
    assert "cancelled" in outcome.reason
    assert bench.on_hand(product) == 100


def test_product_by_serial_numbers_is_refused_with_odoos_own_words(bench: OdooBench) -> None:
    product = bench.product()
    template = bench.books.call(
        "product.product", "search", domain=[("default_code", "=", product)]
    )
    bench.books.call("product.product", "write", ids=template, vals={"tracking": "serial"})
    [outcome] = bench.connector().post_movements([shipping(bench, product)])
    assert isinstance(outcome, Rejection)
    assert "Serial" in outcome.reason


def test_internal_reference_of_two_products_is_refused(bench: OdooBench) -> None:
    product = stocked(bench)
    bench.books.create_product(product)
    [outcome] = bench.connector().post_movements([shipping(bench, product)])
    assert isinstance(outcome, Rejection)
    assert "two products" in outcome.reason
    found = bench.books.call("product.product", "search", domain=[("default_code", "=", product)])
    bench.books.call("product.product", "write", ids=found[1:], vals={"default_code": False})


def test_quants_of_bins_are_summed(bench: OdooBench) -> None:
    product = stocked(bench, 5)
    stock = bench.books.stock_id
    place = {"name": "Shelf", "location_id": stock, "usage": "internal"}
    shelf = bench.books.call("stock.location", "create", vals_list=[place])
    number = bench.books.product_id(product)
    values = {"product_id": number, "location_id": shelf[0], "inventory_quantity": 7}
    context = {"inventory_mode": True}
    quant = bench.books.call("stock.quant", "create", vals_list=[values], context=context)
    bench.books.call("stock.quant", "action_apply_inventory", ids=quant, context=context)
    assert bench.connector().snapshot("Hamburg").on_hand_units[product] == 12


def test_allocation_is_reserved_in_part_released_and_never_comes_back(bench: OdooBench) -> None:
    product, request = stocked(bench), f"ff-{uuid4()}"
    erp, at = bench.connector(), bench.location_id
    allocated = change(
        7, AllocationState.ALLOCATED, dict.fromkeys("abc", product), at=at, request=request
    )
    erp.change_allocations([allocated])
    assert bench.books.reserved(product) == 3
    erp.change_allocations(
        [change(9, AllocationState.RELEASED, {"a": product}, at=at, request=request)]
    )
    assert bench.books.reserved(product) == 2
    rest = {"b": product, "c": product}
    erp.change_allocations([change(10, AllocationState.RELEASED, rest, at=at, request=request)])
    erp.change_allocations([allocated])
    assert bench.books.reserved(product) == 0
    assert bench.on_hand(product) == 100


def test_allocation_cut_off_at_any_step_is_taken_up_again(bench: OdooBench) -> None:
    product = stocked(bench)
    for step in ("/load", "/action_confirm", "/action_assign"):
        for when in ("before", "after"):
            wanted = change(
                7,
                AllocationState.ALLOCATED,
                {"a": product},
                at=bench.location_id,
                request=f"ff-{uuid4()}",
            )
            before = bench.books.reserved(product)
            bench.proxy.lose_answers(1, step, when)
            bench.connector().change_allocations([wanted])
            bench.proxy.lose_answers(0)
            bench.connector().change_allocations([wanted])
            assert bench.books.reserved(product) == before + 1


def test_wrong_key_and_wrong_database_change_nothing(bench: OdooBench) -> None:
    product = stocked(bench)
    wanted = shipping(bench, product)
    good = bench.odoo.keys["sync"]
    bench.odoo.keys["sync"] = "wrong"
    [outcome] = bench.connector().post_movements([wanted])
    bench.odoo.keys["sync"] = good
    assert type(outcome).__name__ == "TryLater"
    assert bench.on_hand(product) == 100


def test_warehouse_odoo_does_not_have_is_named(bench: OdooBench) -> None:
    with pytest.raises(RejectedError, match="short name"):
        bench.connector().snapshot("Atlantis")


def test_odoo_out_of_reach_is_retriable(bench: OdooBench) -> None:
    bench.proxy.cut = lambda path: "before"
    with pytest.raises(RetriableError):
        bench.connector().snapshot("Hamburg")
    bench.proxy.lose_answers(0)


@pytest.mark.parametrize("rows", ROWS)
def test_snapshot_of_many_rows(bench: OdooBench, rows: int) -> None:
    stocked(bench)
    there = len(bench.connector().snapshot("Hamburg").on_hand_units)
    added = rows - there
    bench.odoo.postgres.sql(MANY.format(rows=rows, added=added, stock=bench.books.stock_id))
    began = time.monotonic()
    snapshot = bench.connector().snapshot("Hamburg")
    taken = time.monotonic() - began
    found = {p: u for p, u in snapshot.on_hand_units.items() if p.startswith(f"M{rows}-")}
    assert len(snapshot.on_hand_units) == rows
    assert sum(found.values()) == sum(n % 90 + 1 for n in range(1, added + 1))
    note(f"snapshot of {rows:,} rows: {taken:.2f} s")
    assert taken < ROWS[rows]


MANY = """
with made as (
  insert into product_template (name, type, is_storable, uom_id, categ_id, active,
      tracking, sale_ok, purchase_ok, service_tracking)
  select jsonb_build_object('en_US', 'Many ' || n), 'consu', true, t.uom_id, t.categ_id, true,
      'none', true, true, 'no'
  from generate_series(1, {added}) n,
    (select uom_id, categ_id from product_template where is_storable limit 1) t
  returning id
), numbered as (select id, row_number() over (order by id) as n from made),
products as (
  insert into product_product (product_tmpl_id, default_code, active)
  select id, 'M{rows}-' || n, true from numbered returning id, default_code
)
insert into stock_quant (product_id, location_id, company_id, quantity, reserved_quantity, in_date)
select id, {stock}, 1, split_part(default_code, '-', 2)::int % 90 + 1, 0, now() from products
"""


def seconds_since(began: float) -> str:
    return f"{time.monotonic() - began:.1f} s"
