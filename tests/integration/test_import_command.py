"""`import`: a tick now, a rehearsal of one, and what an operator keeps out of it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from inventory_sync.adapters.dynamodb.location_changes import LocationChanges
from inventory_sync.domain.locations import Location
from local.newstore.locations import dc
from tests.builders import OPERATOR
from tests.integration.operator import DC, SKU, WHO, Operated, operated


@pytest.fixture
def shop() -> Iterator[Operated]:
    with operated() as found:
        found.stack.erp.set_stock((DC, "SKU-2"), 5)
        found.tick()
        yield found


def stored(shop: Operated) -> Any:
    """All that stands in the tables and the bucket, and NewStore's jobs."""
    aws, template = shop.stack.aws, shop.stack.template
    tables = [
        aws.dynamodb.scan(TableName=template.physical_id(name))["Items"]
        for name in ("EventsTable", "StateTable", "QuarantineTable")
    ]
    bucket = template.physical_id("ImportBucket")
    objects = aws.s3.list_objects_v2(Bucket=bucket)["Contents"]
    jobs = shop.stack.newstore.jobs.by_id.values()
    return tables, [(o["Key"], o["ETag"]) for o in objects], [job.state for job in jobs]


def archive_of(shop: Operated, run: dict[str, Any]) -> bytes:
    bucket = shop.stack.template.physical_id("ImportBucket")
    key = f"imports/{run['run_id']}/availabilities.zip"
    body: bytes = shop.stack.aws.s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    return body


def test_a_dry_run_changes_nothing_and_the_real_one_sends_the_same_bytes(
    shop: Operated, tmp_path: Path
) -> None:
    shop.ship("ff1", at=10)
    shop.stack.erp.faults.down_for(60)
    shop.ship("ff2", SKU, SKU, at=11)
    shop.wait(16)
    shop.ship("ff3", SKU, SKU, SKU, at=12)
    before = stored(shop)
    kept = tmp_path / "dry.zip"

    found = shop.json("import", "--dry-run", "--save", str(kept))
    text = shop.run("import", "--dry-run").output
    after = stored(shop)
    answer = shop.json("import", *WHO)

    assert after == before
    assert kept.read_bytes() == archive_of(shop, answer["run"])
    assert (answer["run"]["rows"], answer["run"]["cut_end"]) == (found["rows_sent"], 11)
    assert found["rows"] == [
        {
            "location_id": DC,
            "product_id": SKU,
            "was": 20,
            "now": 17,
            "added_back": 3,
            "subtracted": 2,
        }
    ]
    assert found["files"][0]["range"] == "0-11"
    assert found["files"][0]["sha256"] in text
    assert "Nothing was written." in text


def test_a_dry_run_tells_what_would_be_held(shop: Operated) -> None:
    shop.stack.erp.set_stock((DC, SKU), 0)

    found = shop.json("import", "--dry-run")

    assert list(found["held"][DC]) == ["units_fell"]
    assert (found["state"], found["rows_sent"]) == ("HELD", 0)
    assert "units_fell" in shop.run("import", "--dry-run").output
    assert shop.json("holds", "list")["holds"] == []
    assert shop.json("import", *WHO, code=4)["run"]["state"] == "HELD"


def test_an_import_now_is_signed_and_may_be_full(shop: Operated) -> None:
    shop.wait(6)

    answer = shop.json("import", "--full", *WHO)

    assert (answer["outcome"], answer["run"]["full"], answer["run"]["rows"]) == ("ended", True, 2)
    assert "--dry-run" in shop.run("import", "--save", "x.zip", *WHO, code=1).output
    (record,) = shop.audited()
    assert (record["who"], record["command"]) == ("Ada", "import")
    assert record["changes"][0]["after"]["full"] is True


def test_one_location_is_imported_by_itself(shop: Operated) -> None:
    other = Location(location_id="NYC", fulfillment_node_id="NYC", store_id="", erp_location="NYC")
    LocationChanges(shop.stack.state).put_locations([other], OPERATOR)
    shop.stack.newstore.locations.add(dc("NYC"))
    shop.stack.erp.add_location("NYC")
    shop.stack.erp.set_stock(("NYC", SKU), 3)
    shop.tick()
    shop.stack.erp.set_stock(("NYC", SKU), 9)
    shop.stack.erp.set_stock((DC, SKU), 21)
    shop.wait(6)

    answer = shop.json("import", "--location", "NYC", *WHO)
    again = shop.run("import", "--location", "nowhere", *WHO, code=1)

    assert (answer["run"]["only"], answer["run"]["rows"]) == (["NYC"], 1)
    newstore = shop.stack.newstore
    assert (newstore.on_hand(("NYC", SKU)), newstore.on_hand((DC, SKU))) == (9, 20)
    assert "no nowhere" in again.output


def test_while_a_run_is_under_way_a_tick_goes_on_with_it_and_says_so(shop: Operated) -> None:
    shop.stack.erp.set_stock((DC, SKU), 21)
    shop.stack.newstore.jobs.job_seconds = 600
    shop.tick()

    text = shop.run("import", "--full", *WHO).output

    assert "It was under way before" in text
    assert "STARTED" in shop.run("import", "--dry-run", code=1).output


def test_a_pause_stops_ticks_until_it_is_resumed(shop: Operated) -> None:
    shop.run("pause", "--all", *WHO)
    shop.stack.erp.set_stock((DC, SKU), 21)
    shop.wait(6)

    answer = shop.json("import", *WHO, code=1)
    rehearsed = shop.json("import", "--dry-run")
    concerns = shop.json("status", "--offline", code=4)["concerns"]
    shop.run("resume", "--all", *WHO)
    shop.tick()

    assert answer["outcome"] == "paused"
    assert rehearsed["paused"].startswith("Ada")
    assert any("imports are paused" in concern for concern in concerns)
    assert shop.stack.newstore.on_hand((DC, SKU)) == 21


def test_a_held_location_is_rolled_forward_until_it_is_resumed(shop: Operated) -> None:
    shop.run("hold", DC, *WHO)
    held = shop.json("status", "--offline", code=4)["held"]
    shop.ship("ff1", at=10)
    shop.stack.erp.set_stock((DC, "SKU-2"), 50)
    shop.wait(16)
    shop.tick()
    shop.tick()
    rolled = [shop.stack.newstore.on_hand((DC, product)) for product in (SKU, "SKU-2")]
    shop.run("resume", DC, *WHO)
    shop.tick()

    assert held == {DC: ["operator"]}
    assert rolled == [19, 5]
    assert shop.stack.newstore.on_hand((DC, "SKU-2")) == 50
