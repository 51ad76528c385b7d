"""A shadow over the whole local stack: nothing is posted, all is seen; then the cut-over."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cli.output import ExitCode
from inventory_sync.domain.errors import FatalError
from local.stack import RECONCILE
from tests.integration.operator import Operated
from tests.integration.shadow_shop import KEY, LAG, MINUTE, Shop, beside


@pytest.fixture
def shop() -> Iterator[Shop]:
    with beside() as found:
        yield found


def test_over_full_ticks_a_shadow_posts_nothing_to_the_erp_and_makes_no_job(shop: Shop) -> None:
    for minute in range(0, 120, 5):
        if minute % 20 == 0:
            shop.ship()
        if minute % 15 == 0:
            shop.import_by_other()
        shop.stack.newstore.assign(f"o{minute}", "o", "DC01", [(f"o{minute}", "SKU-1")])
        shop.stack.sweep()
        assert shop.stack.tick(full=minute == 60)["outcome"] == "looked"
        shop.wait(5)

    assert shop.called == {
        "/auth/realms/acme/protocol/openid-connect/token",
        "/v0/locations",
        "/v0/availabilities",
        "/v0/stock/insights",
        "/v1/stock/safety_stock",
        "/v1/capabilities",
        "/v1/stock",
    }
    assert shop.stack.newstore.jobs.by_id == {}
    assert shop.stack.erp.movements == {}
    assert shop.stack.erp.allocations.items == {}
    bucket = shop.stack.template.physical_id("ImportBucket")
    listed = shop.stack.aws.s3.list_objects_v2(Bucket=bucket)["Contents"]
    assert {found["Key"].partition("/")[0] for found in listed} == {"shadow"}


def test_what_another_systems_import_promises_too_much_is_seen_and_then_certain(
    shop: Shop,
) -> None:
    shop.ship()
    shop.import_by_other()
    shop.stack.tick()
    shop.wait(LAG / MINUTE + 1)
    shop.stack.tick()
    shop.import_by_other()
    shop.wait(5)
    shop.stack.tick()

    assert [[(row.too_much, row.certain) for row in look.differing] for look in shop.looks()] == [
        [(1, 0)],
        [(1, 1)],
        [],
    ]


def test_while_newstore_cannot_be_reached_a_tick_is_for_the_next(shop: Shop) -> None:
    shop.stack.newstore.faults.down_for(600)

    assert shop.stack.tick()["outcome"] == "retry"
    assert shop.looks() == []


def test_a_shadow_does_not_go_live_without_go_live_at(shop: Shop) -> None:
    shop.stack.tick()
    shop.deploy(Mode="live", OtherSystemLagSeconds="")

    with pytest.raises(FatalError, match=r"was a shadow until .* Mode live needs GoLiveAt"):
        shop.stack.tick()
    with pytest.raises(FatalError, match="Mode live needs GoLiveAt"):
        shop.stack.sweep()
    shop.ship()

    assert shop.stack.newstore.jobs.by_id == {}
    assert shop.stack.erp.movements == {}


def test_nor_with_one_before_what_it_has_left_to_the_other_system(shop: Shop) -> None:
    shop.wait(10)
    shop.ship()
    shop.deploy(Mode="live", GoLiveAt=shop.instant(-5))

    with pytest.raises(FatalError, match="Mode live needs GoLiveAt"):
        shop.stack.sweep()


def test_what_was_never_a_shadow_goes_live_as_ever() -> None:
    with beside(Mode="live", OtherSystemLagSeconds="") as shop:
        shop.ship(booked=False)
        assert shop.stack.tick()["run"]["state"] == "FINALIZED"
        assert shop.stack.erp.on_hand(KEY) == 19


@pytest.mark.sweep(sample=1)
@pytest.mark.parametrize("straight", [True, False])
@pytest.mark.parametrize("release", ["range", "immediate"])
def test_the_cut_over_books_each_unit_once_and_never_promises_too_much(
    shop: Shop, release: Any, straight: bool
) -> None:
    """Four units before go-live, of which the ERP shows the last late, and two from then on."""
    shop.stack.newstore.release = release
    shop.ship()
    shop.ship()
    shop.wait(30)
    shop.stack.tick()
    if not straight:
        shop.deploy(GoLiveAt=shop.instant(10))
    shop.wait(5)
    shop.ship()
    shop.stack.tick()
    shop.wait(3)
    shop.ship(lag=19 * MINUTE)
    if straight:
        shop.deploy(Mode="live", GoLiveAt=shop.instant(2))
    shop.wait(3)
    shop.ship(booked=False)
    if not straight:
        shop.stack.tick()
        shop.wait(3)
        shop.deploy(Mode="live")
    shop.ship(booked=False)
    physical = 14
    for _ in range(12):
        shop.wait(7)
        shop.stack.sweep()
        shop.stack.tick()
        assert shop.stack.newstore.atp(KEY) <= physical

    assert len(shop.stack.erp.movements) == 2
    assert shop.stack.erp.on_hand(KEY) == physical
    assert shop.stack.newstore.atp(KEY) == physical
    assert shop.stack.newstore.completed_unreleased(KEY) == 0


def test_back_to_a_shadow_and_live_again(shop: Shop) -> None:
    shop.stack.tick()
    shop.deploy(Mode="live", GoLiveAt=shop.instant(2))
    shop.wait(5)
    shop.ship(booked=False)
    shop.wait(20)
    assert shop.stack.tick()["run"]["state"] == "FINALIZED"
    shop.deploy(Mode="shadow", GoLiveAt="")
    shop.ship()
    shop.wait(60)
    shop.stack.newstore.set_imported(KEY, 3)
    assert shop.stack.tick()["differing"] == 1
    shop.deploy(Mode="live", GoLiveAt=shop.instant(2))
    shop.wait(5)

    shop.stack.tick()

    assert shop.stack.erp.on_hand(KEY) == 18
    assert shop.stack.newstore.atp(KEY) == 18
    assert len(shop.stack.erp.movements) == 1


def test_a_shadow_is_no_reconciliations_business(shop: Shop) -> None:
    shop.stack.tick()

    answer = json.loads(json.dumps(shop.stack.functions[RECONCILE]({})))

    assert answer["outcome"] == "rejected"


# The report


def test_the_report_has_page_and_figures_of_what_was_seen(shop: Shop, tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    shop.ship()
    shop.import_by_other()
    shop.stack.tick()
    shop.wait(LAG / MINUTE + 10)
    shop.stack.tick()
    shop.import_by_other()
    shop.wait(30)
    shop.stack.tick()

    figures = Operated(shop.stack).json("shadow", "report", "--days", "1", "--out", str(page))

    assert figures["total"]["too_much_unit_hours"] == 1.0
    assert figures["total"]["certain_unit_hours"] == 0.5
    assert figures["other_system_lag_seconds"] == LAG
    [row] = figures["costliest"]
    assert (row["promised"], row["should_be"], row["would_send"]) == (20, 19, 19)
    kept = json.loads(page.with_suffix(".json").read_text())
    assert kept["costliest"] == figures["costliest"]
    assert "SKU-1 at DC01" in page.read_text()
    told = Operated(shop.stack).run("shadow", "report", "--out", str(page)).stdout
    assert "Promised too much: 1.00 unit hours, of which 0.50 unit hours are certain." in told


def test_a_location_that_cannot_be_looked_at_needs_a_person(shop: Shop, tmp_path: Path) -> None:
    shop.stack.erp.faults.down_for(600)
    shop.stack.tick()
    shop.wait(1)

    report = ("shadow", "report", "--out", str(tmp_path / "report.html"))
    told = Operated(shop.stack).run(*report, code=ExitCode.FOUND).stdout

    assert "DC01 could not be looked at" in told


def test_where_nothing_was_looked_at_the_report_says_what_to_do(shop: Shop, tmp_path: Path) -> None:
    page = tmp_path / "report.html"

    told = (
        Operated(shop.stack)
        .run("shadow", "report", "--out", str(page), code=ExitCode.REFUSED)
        .output
    )

    assert "is the stack's Mode shadow" in told
    assert not page.exists()
