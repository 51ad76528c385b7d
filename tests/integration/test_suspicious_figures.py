"""What the ERP says and cannot be: the whole way from its files or answers to what is promised."""

import io
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests

from inventory_sync.adapters.dynamodb.location_changes import LocationChanges
from inventory_sync.adapters.dynamodb.location_store import DynamoLocationStore
from inventory_sync.domain.guards import HoldKind
from inventory_sync.domain.locations import Location
from local.clock import LocalClock
from local.stack import LocalStack, StackPlan, local_stack
from tests.builders import OPERATOR, approval

BUCKET, DC = "erp-files", "DC01"
HOUR = 3600
PLACE = Location(location_id=DC, fulfillment_node_id=DC, store_id="", erp_location=DC)


class Shop:
    """One location, whose ERP writes files, or answers."""

    def __init__(self, stack: LocalStack) -> None:
        self.stack = stack
        self.store = DynamoLocationStore(stack.state)

    def write(self, rows: Mapping[str, str], ahead: timedelta = timedelta(0)) -> None:
        """A whole stock file."""
        key = f"stock/{DC}/s_{self.stack.clock.now() + ahead:%Y%m%dT%H%M%S}.csv"
        lines = ["product,on_hand", *(f"{product},{units}" for product, units in rows.items())]
        self._put(key, "\n".join(lines) + "\n")
        self._put(key + ".done", "")

    def _put(self, key: str, text: str) -> None:
        self.stack.aws.s3.put_object(Bucket=BUCKET, Key=key, Body=text.encode())

    def tick(self, *, full: bool = False) -> dict[str, Any]:
        """What became of the run."""
        self.stack.clock.sleep(400)
        run: dict[str, Any] = self.stack.tick(full=full)["run"]
        return run

    def atp(self) -> dict[str, int]:
        rows = requests.get(self.stack.newstore_url + "/_state", timeout=10).json()["stock"]
        return {row["product_id"]: row["atp"] for row in rows}

    def kinds(self) -> list[tuple[str, str]]:
        held = self.store.holds()
        return [(h.kind.value, h.product_id) for h in held[DC].holds] if DC in held else []


@contextmanager
def shop_with(erp: Mapping[str, str]) -> Iterator[Shop]:
    plan = StackPlan(
        locations=[PLACE],
        newstore={"job_seconds": 0},
        parameters={"SettleWindowSeconds": "0", **erp},
    )
    with local_stack(plan, LocalClock(datetime.now(UTC)), io.StringIO()) as stack:
        yield Shop(stack)


@pytest.fixture
def files() -> Iterator[Shop]:
    with shop_with({"ErpConnector": "csv", "ErpBucketName": BUCKET}) as shop:
        shop.stack.aws.s3.create_bucket(
            Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
        )
        form = json.dumps({"decimal": ",", "thousands": "."})
        shop.stack.aws.s3.put_object(Bucket=BUCKET, Key="connector.json", Body=form.encode())
        yield shop


@pytest.fixture
def answers() -> Iterator[Shop]:
    with shop_with({}) as shop:
        yield shop


def test_products_that_lose_their_leading_zeros_are_not_sold_out(files: Shop) -> None:
    files.write({f"00{n}": f"{n % 7 + 3}" for n in range(100, 160)})
    files.tick(full=True)
    before = files.atp()
    files.stack.clock.sleep(600)
    files.write({f"{n}": f"{n % 7 + 3}" for n in range(100, 160)})

    assert "60 of 60 products of the last import are not listed" in files.tick()["left_out"][DC]
    assert files.atp() == before


def test_figures_in_another_number_format_are_not_promised(files: Shop) -> None:
    files.write({f"SKU-{n}": f"{n % 7 + 3}" for n in range(40)})
    files.tick(full=True)
    before = files.atp()
    files.stack.clock.sleep(600)
    files.write({f"SKU-{n}": f"{n % 7 + 3}.000" for n in range(40)})

    files.tick()

    assert files.kinds() == [("row_rose", ""), ("units_rose", "")]
    assert files.atp() == before


def test_one_row_in_another_number_format_is_held_and_its_neighbours_go_out(files: Shop) -> None:
    rows = {f"SKU-{n}": "5" for n in range(40)}
    files.write(rows)
    files.tick(full=True)
    files.stack.clock.sleep(600)
    files.write({**rows, "SKU-7": "5.000", "SKU-8": "2"})

    files.tick()

    assert files.kinds() == [("row_rose", "SKU-7")]
    assert files.atp() == {**dict.fromkeys(rows, 5), "SKU-8": 2}


def test_stock_that_is_never_renewed_is_held_once_it_is_too_old(files: Shop) -> None:
    files.write({"SKU-1": "10"})
    files.tick(full=True)
    files.stack.clock.sleep(30 * HOUR)
    assert DC not in files.tick(full=True)["left_out"]
    files.stack.clock.sleep(10 * HOUR)

    assert "more than 36 hours old" in files.tick(full=True)["left_out"][DC]
    assert files.kinds() == [("snapshot_stale", "")]

    files.write({"SKU-1": "4"})
    files.tick()
    assert (files.kinds(), files.atp()) == ([], {"SKU-1": 4})


def test_a_file_that_is_dated_ahead_waits_and_right_ones_are_used(files: Shop) -> None:
    files.write({"SKU-1": "10"})
    files.tick(full=True)
    files.write({"SKU-1": "99"}, ahead=timedelta(hours=20))
    files.tick()
    assert files.atp() == {"SKU-1": 10}

    for units in (6, 5, 4):
        files.stack.clock.sleep(5 * HOUR)
        files.write({"SKU-1": f"{units}"})
        files.tick()
        assert (files.atp(), files.kinds()) == ({"SKU-1": units}, [])


def test_where_all_files_are_dated_ahead_the_hold_says_so(files: Shop) -> None:
    files.write({"SKU-1": "10"}, ahead=timedelta(hours=2))

    assert "it waits for its time" in files.tick()["left_out"][DC]


def test_a_negative_row_holds_nothing_back(answers: Shop) -> None:
    erp = answers.stack.erp
    for n in range(50):
        erp.set_stock((DC, f"SKU-{n}"), 10)
    answers.tick(full=True)
    erp.set_stock((DC, "SKU-7"), -1)
    erp.set_stock((DC, "SKU-8"), 2)

    run = answers.tick()

    assert run["left_out"] == {}
    assert answers.kinds() == []
    assert (answers.atp()["SKU-7"], answers.atp()["SKU-8"]) == (0, 2)


def test_a_held_row_goes_on_with_what_is_shipped(answers: Shop) -> None:
    """Else its last figure would be promised though a range has released the shipment."""
    stack = answers.stack
    for n in range(10):
        stack.erp.set_stock((DC, f"SKU-{n}"), 10)
    answers.tick(full=True)
    stack.erp.set_stock((DC, "SKU-7"), 10_000)
    answers.tick()
    assert answers.atp()["SKU-7"] == 10

    stack.newstore.assign("r1", "o1", DC, [("i1", "SKU-7")])
    stack.delivery.deliver_now(stack.newstore.complete("r1"))
    stack.stream.pump()
    for _ in range(2):
        answers.tick()

    assert answers.kinds() == [("row_rose", "SKU-7")]
    assert answers.atp()["SKU-7"] == 9

    stack.erp.set_stock((DC, "SKU-7"), 9)
    answers.tick()
    assert (answers.kinds(), answers.atp()["SKU-7"]) == ([], 9)


def test_a_sku_that_the_map_has_given_up_holds_up_no_other_row(answers: Shop) -> None:
    """Its row is named, and goes to NewStore under no name."""
    erp = answers.stack.erp
    for product in ("A", "B"):
        erp.set_stock((DC, product), 10)
    answers.tick(full=True)
    LocationChanges(answers.stack.state).put_skus({"A": "A-2"}, OPERATOR)
    for product, units in (("A", 1), ("A-2", 9), ("B", 2)):
        erp.set_stock((DC, product), units)

    for _ in range(2):
        answers.tick()
        assert answers.atp() == {"A": 9, "B": 2}
        assert answers.kinds() == [("row_unreadable", "sku A")]

    LocationChanges(answers.stack.state).put_skus({"A-old": "A"}, OPERATOR)
    answers.tick()
    assert (answers.atp(), answers.kinds()) == ({"A": 9, "A-old": 1, "B": 2}, [])


def test_an_approved_row_is_not_held_again_five_minutes_later(answers: Shop) -> None:
    erp, state = answers.stack.erp, answers.stack.state
    for n in range(10):
        erp.set_stock((DC, f"SKU-{n}"), 10)
    answers.tick(full=True)
    erp.set_stock((DC, "SKU-7"), 2_000_000)
    answers.tick()
    given = approval(HoldKind.ABSURD, product_id="SKU-7", at=answers.stack.clock.now())
    LocationChanges(state).approve([given], OPERATOR)

    for _ in range(2):
        answers.tick()
        assert (answers.kinds(), answers.store.approvals()) == ([], {})
        assert answers.atp()["SKU-7"] == 2_000_000
