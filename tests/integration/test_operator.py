"""An operator's commands over the whole local stack."""

import re
from collections.abc import Iterator
from dataclasses import replace

import pytest

from inventory_sync.adapters.codec import encode
from inventory_sync.adapters.dynamodb.run_history import DynamoRunHistory
from inventory_sync.version import VERSION
from local.stack import RECONCILE
from local.template import ROOT
from tests.integration.operator import DC, SKU, WHO, Operated, operated


@pytest.fixture
def shop() -> Iterator[Operated]:
    with operated() as found:
        yield found


@pytest.fixture(scope="module")
def explained() -> Iterator[Operated]:
    """For tests that change nothing."""
    with operated() as found:
        added_back_and_subtracted(found)
        yield found


def added_back_and_subtracted(shop: Operated) -> None:
    """10 is in the ERP's figure, 11 is not, 12 is though it comes after the range."""
    shop.ship("ff1", at=10)
    shop.stack.erp.faults.down_for(60)
    shop.ship("ff2", SKU, SKU, at=11)
    shop.wait(16)
    shop.ship("ff3", SKU, SKU, SKU, at=12)
    shop.tick()


def test_explain_adds_up_to_what_newstore_has(explained: Operated) -> None:
    found = explained.json("explain", DC, SKU)
    text = explained.run("explain", DC, SKU).output

    assert {term["logical_timestamp"]: term["units"] for term in found["terms"]} == {
        10: 0,
        11: -2,
        12: 3,
    }
    assert found["base"] + 1 == found["quantity"] == found["sent"]
    assert explained.stack.newstore.on_hand((DC, SKU)) == found["sent"] == 17
    assert f"{SKU} at {DC}: NewStore was told 17" in text
    assert "ATP 14" in text


def test_the_readme_shows_what_explain_says(explained: Operated) -> None:
    """But for moments, which the pauses between repeated calls move."""
    readme = (ROOT / "README.md").read_text("utf-8")
    quoted = readme.partition("<!-- explain output: begin -->")[2].partition("<!--")[0]

    told = explained.run("explain", DC, SKU).output

    def timeless(text: str) -> list[str]:
        lines = [re.sub(r"\d\d:\d\d:\d\dZ", "T", line.strip()) for line in text.splitlines()]
        return [line for line in lines if line]

    assert set(timeless(quoted)) <= set(timeless(told))
    assert len(timeless(quoted)) == 7


def test_explain_of_an_unknown_row_is_refused(explained: Operated) -> None:
    assert "no import on record" in explained.run("explain", DC, "no-such", code=1).output


def test_runs_and_run_show_what_was_sent_and_said(shop: Operated) -> None:
    shop.ship("ff1", at=10)
    shop.wait(16)
    shop.tick()

    newest, first = shop.json("runs")["runs"]
    shown = shop.json("run", "last")

    assert (newest["state"], first["kind"]) == ("FINALIZED", "full")
    assert shown["run"]["run_id"] == newest["run_id"]
    assert (shown["run"]["cut_end"], shown["run"]["rows"]) == (10, 1)
    (location,) = shown["locations"]
    assert (location["range"], location["events"], location["rows_sent"]) == ("0-10", 1, 1)
    assert newest["run_id"] in shop.run("run", newest["run_id"]).output
    shop.run("run", "none", code=1)


def test_events_are_listed_with_how_far_they_have_come(shop: Operated) -> None:
    shop.ship("ff1", at=10)
    shop.stack.erp.faults.down_for(60)
    shop.ship("ff2", "SKU-2", at=11)

    all_events = shop.json("events", DC, "--from", "10")["events"]
    unapplied = shop.json("events", "--unapplied")["events"]

    assert [(e["logical_timestamp"], e["units"]) for e in all_events] == [
        (10, {"SKU-1": 1}),
        (11, {"SKU-2": 1}),
    ]
    assert all_events[0]["document_id"]
    assert [e["logical_timestamp"] for e in unapplied] == [11]
    assert "1 SKU-2" in shop.run("events", "--unapplied").output
    assert shop.json("events", DC, "--product", "SKU-2")["events"][-1]["logical_timestamp"] == 11
    assert "name a LOCATION" in shop.run("events", code=1).output


def test_status_says_what_needs_looking_at(shop: Operated) -> None:
    shop.run("stream", "register", *WHO)
    well = shop.json("status")
    shop.stack.newstore.integrations.stop(shop.stack.template.stack_name)
    shop.wait(90)

    ill = shop.json("status", code=4)

    assert (well["concerns"], well["version"]) == ([], VERSION)
    assert (well["watermark"], well["run"]["state"]) == (0, "FINALIZED")
    assert len(ill["concerns"]) == 2
    assert "All is well." not in shop.run("status", code=4).output


def test_status_and_explain_name_the_release_reading(shop: Operated) -> None:
    shop.ship("ff1", at=10)
    shop.tick(full=True)

    found = shop.json("status", code=4)["release_reading"]

    assert (found["in_force"], found["verdict"]) == ("range", None)
    assert (found["rows_for_range"], found["rows_for_immediate"]) == (1, 0)
    assert "not found out yet (1 row for range" in shop.run("status", code=4).output
    assert shop.json("explain", DC, SKU)["release_reading"] == "range"
    assert "release reading range" in shop.run("explain", DC, SKU).output


# Reconcile


def test_reconcile_agrees_and_leaves_its_report(shop: Operated) -> None:
    shop.ship("ff1", at=10)
    shop.wait(30)

    found = shop.json("reconcile")

    assert (found["rows"], found["agreeing"], found["drifts"]) == (1, 1, [])
    bucket, _, folder = found["report"].removeprefix("s3://").partition("/")
    keys = [o["Key"] for o in shop.stack.aws.s3.list_objects_v2(Bucket=bucket)["Contents"]]
    assert {f"{folder}drift.csv", f"{folder}summary.json"} <= set(keys)


def test_a_repair_queues_rows_and_the_next_import_sends_them(shop: Operated) -> None:
    shop.wait(30)
    shop.stack.newstore.set_imported((DC, SKU), 25)

    found = shop.json("reconcile", "--repair", *WHO, code=4)
    (row,) = found["drifts"]
    untouched = shop.stack.newstore.on_hand((DC, SKU))
    shop.tick()
    shop.wait(30)

    assert (row["drift"], row["because"], found["queued"]) == (5, {"unexplained": 5}, 1)
    assert (untouched, shop.stack.newstore.on_hand((DC, SKU))) == (25, 20)
    assert shop.json("reconcile")["agreeing"] == 1
    assert shop.json("runs")["runs"][0]["rows"] == 1
    assert shop.tick()["run"]["rows"] == 0


def test_a_repair_needs_a_name(explained: Operated) -> None:
    assert "nobody signs" in explained.run("reconcile", "--repair", "--who", " ", code=1).output


def test_the_scheduled_reconciliation_counts_what_it_finds(shop: Operated) -> None:
    shop.wait(30)
    shop.stack.newstore.set_imported((DC, SKU), 25)

    answer = shop.stack.functions[RECONCILE]({})
    elsewhere = shop.stack.functions[RECONCILE]({"locations": ["nowhere"]})

    assert (answer["outcome"], answer["rows_by_cause"]) == ("reconciled", {"unexplained": 1})
    assert elsewhere["outcome"] == "rejected"


def test_rows_can_be_sent_again_on_demand(shop: Operated) -> None:
    shop.wait(6)
    shop.run("resend", DC, *WHO)
    assert "no NOWHERE" in shop.run("resend", "NOWHERE", *WHO, code=1).output

    assert shop.tick()["run"]["rows"] == 1


def test_an_order_s_items_have_newstores_own_status(shop: Operated) -> None:
    shop.ship("ff7", SKU, at=70)
    items = shop.json("order", "order-ff7")["items"]

    assert [(i["fulfillment_request_id"], i["status"]) for i in items] == [("ff7", "shipped")]
    assert "shipped" in shop.run("order", "order-ff7").output
    assert "not routed" in shop.run("order", "nobody-s", code=4).output


def test_what_signs_the_archive_s_address_is_not_shown(shop: Operated) -> None:
    run = next(DynamoRunHistory(shop.stack.state).newest_first())
    signed = "https://bucket.s3.amazonaws.com/runs/a.zip?X-Amz-Signature=0badc0de"
    shop.stack.state.put("run", run.run_id, encode(replace(run, source_uri=signed)))

    text = shop.run("run", "last").output
    script = shop.run("run", "last", "--json").output

    for shown in (text, script):
        assert "https://bucket.s3.amazonaws.com/runs/a.zip" in shown
        assert "X-Amz" not in shown
