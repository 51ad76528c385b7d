"""OdooErp where Odoo fails, against a server that answers alike; see also tests/odoo."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from inventory_sync.adapters.erp.ids import IdMap
from inventory_sync.adapters.erp.odoo.connector import OdooErp
from inventory_sync.adapters.http.authorized import AuthorizedHttp, SecretBearer
from inventory_sync.domain.errors import RejectedError, RetriableError, SnapshotIncompleteError
from inventory_sync.domain.stock import (
    Acknowledgement,
    Rejection,
    StockSnapshot,
    TryLater,
    Unknown,
)
from tests.connector.bench import movement
from tests.unit.adapters.http_support import (
    Call,
    LocalServer,
    Reply,
    SecretsAccount,
    StandingClock,
    json_http,
    secrets_account,
)

WANTED = movement(1, {"A": 1}, at="DC01")
WAREHOUSE = [{"id": 1, "lot_stock_id": [8, "DC01/Stock"], "out_type_id": [2, "Deliveries"]}]
TYPES = [
    {
        "id": 2,
        "sequence_code": "OUT",
        "default_location_dest_id": [5, "Customers"],
        "warehouse_id": [1, "DC"],
    }
]
DONE = {
    "id": 3,
    "name": "OUT/1",
    "origin": WANTED.movement_id,
    "state": "done",
    "date_done": "2026-03-02 11:00:00",
    "location_id": [8, "S"],
}
DRAFT = {**DONE, "state": "draft", "date_done": False}
MOVE = {
    "id": 4,
    "product_id": [7, "A"],
    "product_uom_qty": 1.0,
    "quantity": 1.0,
    "description_picking": str(WANTED.lines[0].unit),
    "picking_id": [3, "OUT/1"],
}
PRODUCT = {"id": 7, "default_code": "A", "uom_id": 1, "active": True}
UNITS = {"id": 1, "name": "Units", "factor": 1.0, "rounding": 0.01, "parent_path": "1/"}
ANSWERS: dict[str, Any] = {
    "stock.warehouse/search_read": WAREHOUSE,
    "stock.picking.type/search_read": TYPES,
    "stock.move/default_get": {"date": "2026-03-02 12:00:00"},
    "product.product/search_read": [PRODUCT],
    "product.product/fields_get": {},
    "product.template/default_get": {"uom_id": 1},
    "uom.uom/search_read": [UNITS],
    "stock.move.line/search_read": [],
    "stock.quant/search_read": [],
    "stock.picking/search_read": [],
    "stock.move/search_read": [MOVE],
    "stock.picking/load": {"ids": [3], "messages": [], "nextrow": 0},
}
Answer = Reply | Callable[[int], Reply]


@pytest.fixture(scope="module")
def account() -> Iterator[SecretsAccount]:
    with secrets_account({"token": "key"}) as account:
        yield account


@contextmanager
def odoo(
    account: SecretsAccount,
    bodies: list[Any] | None = None,
    not_for_sale: Sequence[str] = (),
    **changed: Answer,
) -> Iterator[tuple[OdooErp, list[str]]]:
    """`changed` by call, dots and slashes as underscores; a function is given how often it was.

    Calls and what was sent with them are put into `bodies`.
    """
    seen: list[str] = []
    calls: Mapping[str, Answer] = {key.replace("__", "/"): value for key, value in changed.items()}

    def answer(call: Call) -> Reply:
        assert call.headers["X-Odoo-Database"] == "shop"
        name = call.path.removeprefix("/json/2/")
        seen.append(name)
        if bodies is not None:
            bodies.append((name, call.json))
        given = calls.get(name.replace(".", "_"))
        if callable(given):
            return given(seen.count(name))
        return given or Reply(ANSWERS.get(name, True))

    clock = StandingClock()
    with LocalServer(answer) as server, json_http(clock) as http:
        bearer = SecretBearer(account.secrets(clock), account.arn)
        erp = OdooErp(
            AuthorizedHttp(http, bearer),
            clock,
            base_url=server.url,
            database=lambda: "shop",
            not_for_sale=lambda: not_for_sale,
            apply_lag=timedelta(0),
            ids=IdMap(),
        )
        yield erp, seen


def refusal(status: int, message: str) -> Reply:
    return Reply({"name": "odoo.exceptions.UserError", "message": message, "debug": "..."}, status)


def failed_load(message: str) -> Reply:
    return Reply({"ids": False, "messages": [{"type": "error", "message": message}], "nextrow": 0})


def test_delivery_found_done_is_acknowledged_no_earlier_than_it_was_committed(
    account: SecretsAccount,
) -> None:
    with odoo(account, stock_picking__search_read=Reply([DONE])) as (erp, seen):
        [outcome] = erp.post_movements([WANTED])
    assert outcome == Acknowledgement(datetime(2026, 3, 2, 11, 15, tzinfo=UTC), "OUT/1")
    assert "stock.picking/load" not in seen


def test_load_that_fails_with_200_is_a_rejection_in_odoos_words(account: SecretsAccount) -> None:
    with odoo(account, stock_picking__load=failed_load("No such   unit")) as (erp, _):
        assert erp.post_movements([WANTED]) == [Rejection("Odoo: No such unit")]


def test_load_that_lost_a_race_is_tried_again_later(account: SecretsAccount) -> None:
    failure = failed_load("could not serialize access due to concurrent update")
    with odoo(account, stock_picking__load=failure) as (erp, _):
        assert isinstance(erp.post_movements([WANTED])[0], TryLater)


def test_load_that_lost_a_race_to_one_that_finished_is_booked(account: SecretsAccount) -> None:
    def found(times: int) -> Reply:
        return Reply([] if times == 1 else [DONE])

    failure = failed_load("duplicate key value violates unique constraint")
    with odoo(account, stock_picking__load=failure, stock_picking__search_read=found) as (erp, _):
        assert isinstance(erp.post_movements([WANTED])[0], Acknowledgement)


def test_validation_that_only_opens_a_dialog_is_not_taken_for_done(
    account: SecretsAccount,
) -> None:
    with odoo(
        account,
        stock_picking__search_read=Reply([DRAFT]),
        stock_picking__button_validate=Reply({"type": "ir.actions.act_window"}),
    ) as (erp, _):
        assert isinstance(erp.post_movements([WANTED])[0], TryLater)


def test_refused_validation_is_a_rejection(account: SecretsAccount) -> None:
    with odoo(
        account,
        stock_picking__search_read=Reply([DRAFT]),
        stock_picking__button_validate=refusal(422, "You need to supply a Lot/Serial number"),
    ) as (erp, _):
        [outcome] = erp.post_movements([WANTED])
    assert outcome == Rejection("Odoo: You need to supply a Lot/Serial number")


def test_delivery_has_a_move_for_each_unit_named_after_it(account: SecretsAccount) -> None:
    wanted = movement(1, {"A": 2}, at="DC01")
    bodies: list[Any] = []
    with odoo(account, bodies=bodies) as (erp, _):
        erp.post_movements([wanted])
        erp.post_movements([replace(wanted, movement_id="another")])
    loads = [_moves(body) for name, body in bodies if name == "stock.picking/load"]
    first, another = loads[0], loads[-1]
    assert [move["move_ids/description_picking"] for move in first] == ["ff1/1/0", "ff1/1/1"]
    assert [move["move_ids/product_uom_qty"] for move in first] == ["1", "1"]
    assert len({move["move_ids/id"] for move in first}) == 2
    assert [m["move_ids/id"] for m in another] == [m["move_ids/id"] for m in first]
    assert another[0]["id"] != first[0]["id"]


def _moves(body: Any) -> list[dict[str, str]]:
    return [dict(zip(body["fields"], row, strict=True)) for row in body["data"]]


def test_delivery_with_other_lines_under_its_id_is_a_rejection(account: SecretsAccount) -> None:
    for change in (
        {"quantity": 2.0, "product_uom_qty": 2.0},
        {"product_id": [8, "B"]},
        {"description_picking": "ff1/another"},
        {"description_picking": False},
    ):
        other = Reply([{**MOVE, **change}])
        for state in (DONE, DRAFT):
            with odoo(
                account, stock_picking__search_read=Reply([state]), stock_move__search_read=other
            ) as (erp, _):
                assert isinstance(erp.post_movements([WANTED])[0], Rejection)


@pytest.mark.parametrize("reply", [Reply(status=502), Reply(b"<html>"), Reply(cut=True)])
def test_no_clear_answer_to_a_write_is_unknown(account: SecretsAccount, reply: Reply) -> None:
    with odoo(account, stock_picking__load=reply) as (erp, _):
        assert isinstance(erp.post_movements([WANTED])[0], Unknown)


@pytest.mark.parametrize("status", [401, 403, 404])
def test_wrong_key_address_or_rights_are_for_later(account: SecretsAccount, status: int) -> None:
    with odoo(account, stock_warehouse__search_read=refusal(status, "no")) as (erp, _):
        assert isinstance(erp.post_movements([WANTED])[0], TryLater)


def test_look_up_without_an_answer_is_never_taken_for_none(account: SecretsAccount) -> None:
    another = Reply([{**DONE, "origin": "another"}])
    for reply in (Reply(status=503), Reply({"rows": 1}), refusal(404, "no such model"), another):
        with odoo(account, stock_picking__search_read=reply) as (erp, _):
            assert isinstance(erp.look_up(WANTED.movement_id), Unknown)
    with odoo(account, stock_picking__search_read=Reply([DRAFT])) as (erp, _):
        assert erp.look_up(WANTED.movement_id) is None


def test_moves_of_another_delivery_are_no_answer(account: SecretsAccount) -> None:
    moves = Reply([{**MOVE, "picking_id": [9, "OUT/9"]}])
    answers = {"stock_picking__search_read": Reply([DONE]), "stock_move__search_read": moves}
    with odoo(account, None, (), **answers) as (erp, _):
        assert isinstance(erp.look_up(WANTED.movement_id), Unknown)


def snapshot_beside(
    account: SecretsAccount,
    odd: Mapping[str, Any],
    quantity: float = 3.0,
    measure: Mapping[str, Any] | None = None,
) -> StockSnapshot:
    """Product A, changed so, stands beside B, of which there are 2."""
    other = {**PRODUCT, "id": 8, "default_code": "B"}

    def products(times: int) -> Reply:
        return Reply([{**PRODUCT, **odd}, other] if times == 1 else [])

    quants = [{"product_id": 7, "quantity": quantity}, {"product_id": 8, "quantity": 2.0}]
    answers: dict[str, Answer] = {
        "product_product__search_read": products,
        "stock_quant__search_read": Reply(quants),
        "uom_uom__search_read": Reply([UNITS, {**UNITS, "id": 2, **(measure or {})}]),
    }
    with odoo(account, None, (), **answers) as (erp, _):
        return erp.snapshot("DC01")


def test_product_with_stock_and_no_reference_is_left_aside_alone(account: SecretsAccount) -> None:
    found = snapshot_beside(account, {"default_code": False})
    assert (found.on_hand_units, list(found.unknown)) == ({"B": 2}, ["Odoo product 7"])
    assert "no internal reference" in found.unknown["Odoo product 7"]


def test_product_without_stock_needs_no_reference(account: SecretsAccount) -> None:
    found = snapshot_beside(account, {"default_code": False}, quantity=0.0)
    assert (found.on_hand_units, found.unknown) == ({"B": 2}, {})


@pytest.mark.parametrize(
    "measure", [{"factor": 0.0}, {"factor": -1.0}, {"factor": 12.0, "parent_path": False}]
)
def test_measure_of_nobody_knows_how_many_items_spoils_its_products_alone(
    account: SecretsAccount, measure: dict[str, Any]
) -> None:
    found = snapshot_beside(account, {"uom_id": 2}, measure=measure)
    assert (found.on_hand_units, list(found.unreadable)) == ({"B": 2}, ["A"])


@pytest.mark.parametrize("uom_id", [99, False])
def test_measure_that_odoo_does_not_list_spoils_its_products_alone(
    account: SecretsAccount, uom_id: object
) -> None:
    found = snapshot_beside(account, {"uom_id": uom_id})
    assert (found.on_hand_units, list(found.unreadable)) == ({"B": 2}, ["A"])


def test_measure_without_a_rounding_is_counted_and_takes_no_single_items(
    account: SecretsAccount,
) -> None:
    dozens = {"name": "Dozens", "factor": 12.0, "rounding": 0.0}
    found = snapshot_beside(account, {"uom_id": 2}, measure=dozens)
    assert found.on_hand_units == {"A": 36, "B": 2}
    answers = {
        "product_product__search_read": Reply([{**PRODUCT, "uom_id": 2}]),
        "uom_uom__search_read": Reply([UNITS, {**UNITS, "id": 2, **dozens}]),
    }
    with odoo(account, None, (), **answers) as (erp, _):
        [outcome] = erp.post_movements([WANTED])
    assert isinstance(outcome, Rejection)
    assert "counted in Dozens" in outcome.reason


@pytest.mark.parametrize(
    "bad", [{"quantity": "many"}, {"quantity": None}, {}, {"quantity": 10**19}]
)
def test_quant_without_a_figure_spoils_its_product_alone(
    account: SecretsAccount, bad: dict[str, object]
) -> None:
    other = {**PRODUCT, "id": 8, "default_code": "B"}

    def products(times: int) -> Reply:
        return Reply([PRODUCT, other] if times == 1 else [])

    quants = [{"product_id": 7, "quantity": 3.0}, {"product_id": 8, "quantity": 2.0}]
    sums = Reply([*quants, {"product_id": 7, **bad}])
    with odoo(account, product_product__search_read=products, stock_quant__search_read=sums) as (
        erp,
        _,
    ):
        found = erp.snapshot("DC01")
    assert (found.on_hand_units, list(found.unreadable)) == ({"B": 2}, ["A"])


@pytest.mark.parametrize("product", [None, False, "7", [7, "A"]])
def test_quant_that_names_no_product_makes_the_snapshot_incomplete(
    account: SecretsAccount, product: object
) -> None:
    def products(times: int) -> Reply:
        return Reply([PRODUCT] if times == 1 else [])

    sums = Reply([{"product_id": product, "quantity": 3.0}])
    with (
        odoo(account, product_product__search_read=products, stock_quant__search_read=sums) as (
            erp,
            _,
        ),
        pytest.raises(SnapshotIncompleteError, match="names no product"),
    ):
        erp.snapshot("DC01")


def test_sums_of_floating_figures_are_whole_units_again(account: SecretsAccount) -> None:
    def products(times: int) -> Reply:
        return Reply([PRODUCT] if times == 1 else [])

    sums = Reply([{"product_id": 7, "quantity": 2.9999999999999996}])
    with odoo(account, product_product__search_read=products, stock_quant__search_read=sums) as (
        erp,
        _,
    ):
        assert erp.snapshot("DC01").on_hand_units == {"A": 3}


@pytest.mark.parametrize("date", ["0001-01-01 00:00:00", "9999-12-31 23:59:59", "soon", 1, None])
def test_instant_that_cannot_be_is_no_answer(account: SecretsAccount, date: object) -> None:
    done = Reply([{**DONE, "date_done": date}])
    with odoo(account, stock_picking__search_read=done) as (erp, _):
        assert isinstance(erp.look_up(WANTED.movement_id), Unknown)
        assert isinstance(erp.post_movements([WANTED])[0], Unknown)
    now = Reply({"date": date})
    with odoo(account, stock_move__default_get=now) as (erp, _), pytest.raises(RetriableError):
        erp.snapshot("DC01")


def test_cursor_that_names_no_instant_is_of_no_use_any_more(account: SecretsAccount) -> None:
    with odoo(account, stock_move_line__formatted_read_group=Reply([])) as (erp, _):
        cursor = erp.changes("DC01", None).cursor
        assert erp.changes("DC01", cursor).complete
        broken = cursor.replace("2026-03-02 12:00:00", "9999-12-31 23:59:59")
        assert not erp.changes("DC01", broken).complete


def test_unknown_warehouse_and_garbled_rows(account: SecretsAccount) -> None:
    with (
        odoo(account, stock_warehouse__search_read=Reply([])) as (erp, _),
        pytest.raises(RejectedError, match="short name"),
    ):
        erp.snapshot("DC01")
    with (
        odoo(account, product_product__search_read=Reply([{"id": "x"}])) as (erp, _),
        pytest.raises(RetriableError),
    ):
        erp.snapshot("DC01")


def test_feed_begins_anew_once_something_else_is_not_for_sale(account: SecretsAccount) -> None:
    """No move tells of it, and all rows have to be read."""
    place = Reply([{"id": 9, "name": "Damaged", "parent_path": "1/8/9/"}])
    moved = Reply([])
    with odoo(account, stock_move_line__formatted_read_group=moved) as (erp, _):
        before = erp.changes("DC01", None).cursor
        assert erp.changes("DC01", before).complete
    with odoo(
        account,
        not_for_sale=["Damaged"],
        stock_location__search_read=place,
        stock_move_line__formatted_read_group=moved,
    ) as (erp, _):
        after = erp.changes("DC01", before)
        assert not after.complete
        assert erp.changes("DC01", after.cursor).complete


def test_place_of_that_name_below_another_warehouse_is_none_of_this_one(
    account: SecretsAccount,
) -> None:
    """Nor is one that has the stock location's id as a part of its own."""
    places = Reply(
        [
            {"id": 9, "name": "Damaged", "parent_path": "1/88/9/"},
            {"id": 8, "name": "Damaged", "parent_path": "1/8/"},
        ]
    )
    bodies: list[Any] = []
    with odoo(account, bodies, not_for_sale=["Damaged"], stock_location__search_read=places) as (
        erp,
        _,
    ):
        erp.read("DC01", frozenset({"A"}))
    [domain] = [body["domain"] for name, body in bodies if name == "stock.quant/search_read"]
    assert domain[:3] == [
        ["location_id", "child_of", 8],
        "!",
        ["location_id.usage", "!=", "internal"],
    ]
