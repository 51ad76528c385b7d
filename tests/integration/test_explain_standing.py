"""`explain` names what holds a row now, when the ERP was last read, and mispicks."""

from collections.abc import Iterator

import pytest

from inventory_sync.domain.events import NO_INVENTORY
from local.newstore.availabilities import ImportFinding
from tests.integration.operator import DC, SKU, WHO, Operated, operated


@pytest.fixture
def shop() -> Iterator[Operated]:
    with operated() as found:
        yield found


def mispick(shop: Operated, request: str = "ff1") -> None:
    """A unit is ordered and not found on its shelf."""
    newstore = shop.stack.newstore
    newstore.assign(request, f"order-{request}", DC, [(f"{request}-1", SKU)], "STANDARD")
    event = newstore.fail(request, rejection_reason=NO_INVENTORY)
    assert shop.stack.delivery.deliver_now(event) == 200
    shop.stack.stream.pump()


def test_a_hold_is_named_with_its_figures(shop: Operated) -> None:
    shop.stack.erp.set_stock((DC, SKU), 2_000_000)
    shop.tick()

    found = shop.json("explain", DC, SKU)
    text = shop.run("explain", DC, SKU).output

    (hold,) = found["holds"]
    assert hold["kind"] == "absurd"
    assert "2000000" in hold["figures"]
    assert f"Held: absurd since {hold['since'][:10]}" in text


def test_an_operator_s_hold_and_a_pause_are_named(shop: Operated) -> None:
    shop.run("hold", DC, *WHO)
    shop.run("pause", "--all", *WHO)

    found = shop.json("explain", DC, SKU)["holds"]

    assert [(one["kind"], one["figures"]) for one in found] == [
        ("imports are paused", "Ada: test"),
        ("operator", "Ada: test"),
    ]


def test_the_last_read_is_named_and_why_there_was_none_since(shop: Operated) -> None:
    shop.tick()
    fresh = shop.json("explain", DC, SKU)
    shop.stack.erp.faults.down_for(3600)
    shop.tick()

    stale = shop.json("explain", DC, SKU)
    text = shop.run("explain", DC, SKU).output

    assert fresh["not_read"] is None
    assert stale["last_read_as_of"] == fresh["last_read_as_of"]
    assert stale["not_read"].startswith("the ERP could not be read: ")
    assert "Last read: the ERP's stock as of 2026-03-02" in text
    assert "; the last run did without: the ERP could not be read" in text


def test_a_row_that_was_never_sent_says_what_holds_its_location(shop: Operated) -> None:
    shop.run("hold", DC, *WHO)

    told = shop.run("explain", DC, "no-such", code=1).output

    assert "no import on record has sent no-such" in told
    assert "Held: operator since" in told


def test_a_mispick_is_named_on_its_row_and_what_was_sent_of_it() -> None:
    with operated(None, **{SKU: 4}) as shop:
        mispick(shop)
        shop.tick()

        found = shop.json("explain", DC, SKU)
        text = shop.run("explain", DC, SKU).output

        assert shop.stack.newstore.on_hand((DC, SKU)) == found["sent"] == 0
        assert found["quantity"] == 4
        assert [(m["fulfillment_request_id"], m["units"]) for m in found["mispicks"]] == [
            ("ff1", 1)
        ]
        assert f"{SKU} at {DC}: NewStore was told 0" in text
        assert "Mispick: 1 of request ff1 not found since 2026-03-02" in text


def test_of_many_units_only_the_missing_one_is_taken_off(shop: Operated) -> None:
    mispick(shop)
    shop.tick()

    found = shop.json("explain", DC, SKU)

    assert shop.stack.newstore.on_hand((DC, SKU)) == found["sent"] == 19


def test_mispicks_are_listed_until_they_are_over(shop: Operated) -> None:
    assert "No unit is missing." in shop.run("holds", "mispicks").output
    mispick(shop)
    mispick(shop, "ff2")
    shop.tick()

    listed = shop.json("holds", "mispicks")["mispicks"]
    text = shop.run("holds", "mispicks").output

    assert [(m["location_id"], m["product_id"], m["units"]) for m in listed] == [(DC, SKU, 1)] * 2
    assert [m["fulfillment_request_id"] for m in listed] == ["ff1", "ff2"]
    assert len(text.splitlines()) == 3

    shop.run("resend", DC, SKU, *WHO)
    shop.tick()
    assert shop.json("holds", "mispicks")["mispicks"] == []


# What NewStore says of a job


def test_a_failed_job_carries_the_reason_that_newstore_gives(shop: Operated) -> None:
    shop.stack.newstore.jobs.fail_next_job(reason="store NYC is unknown")
    failed = shop.tick(full=True)

    assert failed["run"]["state"] == "FAILED"
    assert "store NYC is unknown" in failed["run"]["failure"]
    assert "store NYC is unknown" in shop.run("run", "last").output
    assert any("store NYC is unknown" in one for one in shop.json("status", code=4)["concerns"])


def test_rows_that_newstore_refuses_are_told_by_status(shop: Operated) -> None:
    finding = ImportFinding("product is not known", "availability", SKU)
    shop.stack.newstore.jobs.report_errors_next_job([finding], [(DC, SKU)])
    shop.tick(full=True)

    found = shop.json("run", "last")

    assert found["job_errors"][0] == {
        "entity_type": "availability",
        "entity_id": SKU,
        "reason": "product is not known",
    }
    told = shop.json("status", code=4)["concerns"]
    assert any(f"availability {SKU}: product is not known" in one for one in told)
