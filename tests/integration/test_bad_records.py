"""A bad record in each table and of each kind holds up nothing but itself, and `status` names it.

Each is spoilt once everything there is has been written; then a unit is shipped at another
location, and everything has to go on there: forwarding, sweep, import, reconciliation, explain.
"""

import gzip
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from inventory_sync.adapters.s3.event_bodies import INLINE_BYTES_MAX
from inventory_sync.domain.errors import FatalError
from inventory_sync.domain.locations import Location
from local.aws import API_KEY
from local.newstore.delivery import post_over_http
from local.stack import EVENTS, QUARANTINE, STATE, WATCH, StackPlan, local_stack
from tests.integration.operator import SKU, WHO, Operated
from tests.integration.operator_room import Calls, reader_of

REQUESTS = "RequestsTable"
BAD, GOOD = "L-BAD", "L-GOOD"
OTHER = "SKU-2"
NOT_OURS = {
    "no JSON": {"S": "{"},
    "another form": {"S": '["x"]'},
    "fields of another type": {"S": '{"location_id": 7, "at": "0001-01-01T00:00:00Z"}'},
    "nothing": {"S": ""},
    "a number": {"N": "7"},
}
STATE_RECORDS = {
    "approval": True,
    "approval_used": False,
    "audit": False,
    "hold": True,
    "location": True,
    "operator_hold": True,
    "product": False,
    "resend": True,
    "run": True,
    "stream": False,
    "stream_check": True,
    "unstored_completion": True,
}
"""The kinds of the state table, and whether `status` reads them and so names a bad one."""
WRONG_FIELD = {"stream_check": {"S": '{"version": "x"}'}}
"""A field that is unknown would say that a later version wrote it: then a check ends unfinished."""
STAND_OR_FALL = {
    ("head", "import"): "everything is as of it: each tick fails, is counted and alarms",
    ("lease", "import"): "no JSON; who holds it is a condition of each write",
}


@pytest.fixture
def shop() -> Iterator[Operated]:
    places = [
        Location(location_id=name, fulfillment_node_id=name, store_id="", erp_location=name)
        for name in (BAD, GOOD)
    ]
    log = StringIO()
    with local_stack(StackPlan(locations=places), log=log) as stack:
        shop = Operated(stack, log)
        for place in (BAD, GOOD):
            for product in (SKU, OTHER):
                stack.erp.set_stock((place, product), 20)
        shop.tick()
        shop.run("stream", "register", *WHO)
        yield shop


def ship(shop: Operated, place: str, request: str, at: int) -> None:
    newstore = shop.stack.newstore
    newstore.assign(request, f"order-{request}", place, [(f"{request}-1", SKU)], "STANDARD")
    event = newstore.complete(request, logical_timestamp=at)
    assert shop.stack.delivery.deliver_now(event) == 200
    shop.stack.stream.pump()


def malformed(shop: Operated, at: int, note: str = "") -> None:
    """A shipment whose items nobody can read."""
    body = {
        "note": note,
        "tenant": "acme",
        "name": "fulfillment_request.items_completed",
        "published_at": shop.stack.clock.now().isoformat(),
        "payload": {
            "id": "ff-malformed",
            "fulfillment_location_id": BAD,
            "logical_timestamp": at,
            "items": [{"id": "m-1"}],
        },
    }
    post = post_over_http(shop.stack.event_url)
    headers = {"Authorization": f"Bearer {API_KEY}"}
    assert post(json.dumps(body).encode(), headers) == 200


def written(shop: Operated, tmp_path: Path) -> None:
    """Every kind of record there is of the location that is to be spoilt."""
    ship(shop, BAD, "first", 100)
    malformed(shop, 10_000)
    rows = tmp_path / "products.csv"
    rows.write_text("product_id,sku\nSKU-9,ERP-9\n")
    shop.run("products", "load", str(rows), *WHO)
    shop.stack.functions[WATCH]({})
    shop.stack.erp.set_stock((BAD, SKU), 20_000)
    shop.tick()
    shop.run("approve", BAD, "--kind", "row_rose", "--product", SKU, *WHO)
    shop.tick()
    shop.stack.erp.set_stock((BAD, OTHER), 50_000)
    shop.tick()
    shop.run("approve", BAD, "--kind", "row_rose", "--product", OTHER, *WHO)
    shop.run("resend", BAD, SKU, *WHO)
    shop.run("hold", BAD, *WHO)


def kinds(shop: Operated) -> dict[str, list[str]]:
    """The ids of what stands in the state table, by kind."""
    scan = shop.stack.aws.dynamodb.get_paginator("scan")
    found = defaultdict(list)
    for page in scan.paginate(TableName=shop.stack.template.physical_id(STATE)):
        for item in page["Items"]:
            found[item["kind"]["S"]].append(item["id"]["S"])
    return dict(found)


def all_goes_on_at_the_other(shop: Operated) -> None:
    """A unit leaves there; the ERP gets it, an import counts it, and every report is made."""
    stack = shop.stack
    before = stack.erp.on_hand((GOOD, SKU))
    ship(shop, GOOD, "later", 900)
    shop.wait(16)
    stack.sweep()
    shop.tick()
    assert stack.erp.on_hand((GOOD, SKU)) == before - 1
    assert stack.newstore.atp((GOOD, SKU)) == before - 1
    assert shop.answer("explain", GOOD, SKU)["adds_up"]
    stack.functions[WATCH]({})
    assert shop.answer("reconcile")["rows"] > 0


def test_every_kind_of_record_is_spoilt_here_or_said_to_stop_all(
    shop: Operated, tmp_path: Path
) -> None:
    written(shop, tmp_path)
    assert set(kinds(shop)) == {*STATE_RECORDS, *(kind for kind, _ in STAND_OR_FALL)}


def put(shop: Operated, kind: str, record: dict[str, Any] | None) -> None:
    """Over all of a kind, but for the good location's own."""
    table = shop.stack.template.physical_id(STATE)
    spoilt = [item_id for item_id in kinds(shop)[kind] if GOOD not in item_id]
    assert spoilt
    for item_id in spoilt:
        item = {"kind": {"S": kind}, "id": {"S": item_id}, **({"record": record} if record else {})}
        shop.stack.aws.dynamodb.put_item(TableName=table, Item=item)


@pytest.mark.sweep(sample=3)
@pytest.mark.parametrize("form", NOT_OURS)
@pytest.mark.parametrize("kind", STATE_RECORDS)
def test_a_record_that_cannot_be_read_holds_up_nothing_but_itself(
    shop: Operated, tmp_path: Path, kind: str, form: str
) -> None:
    written(shop, tmp_path)
    other_type = form == "fields of another type" and kind in WRONG_FIELD
    put(shop, kind, WRONG_FIELD[kind] if other_type else NOT_OURS[form])

    told = shop.answer("status")

    all_goes_on_at_the_other(shop)
    named = [record for record in told["records_unreadable"] if record.startswith(f"{kind} ")]
    assert bool(named) is STATE_RECORDS[kind], told
    for words in (["holds", "list"], ["audit", "list"], ["runs"], ["quarantine", "list"]):
        assert "failed" not in shop.answer(*words)


@pytest.mark.sweep(sample=2)
@pytest.mark.parametrize("form", NOT_OURS)
@pytest.mark.parametrize("kind", ["location", "operator_hold", "approval", "resend"])
def test_a_record_that_cannot_be_read_is_put_right_by_the_command_that_wrote_it(
    shop: Operated, tmp_path: Path, kind: str, form: str
) -> None:
    written(shop, tmp_path)
    put(shop, kind, NOT_OURS[form])
    rows = tmp_path / "locations.csv"
    rows.write_text(f"location_id,fulfillment_node_id,erp_location\n{BAD},{BAD},{BAD}\n")
    mend = {
        "location": ["locations", "load", str(rows)],
        "operator_hold": ["resume", BAD],
        "approval": ["approve", BAD, "--kind", "row_rose", "--product", OTHER],
        "resend": ["resend", BAD, SKU],
    }

    shop.run(*mend[kind], *WHO)

    assert not shop.answer("status")["records_unreadable"]


# The other tables


@pytest.mark.sweep(sample=1)
@pytest.mark.parametrize("attribute", ["items", "published_at", "applied_at", "received_at"])
def test_an_event_that_cannot_be_read_holds_up_nothing_but_itself(
    shop: Operated, attribute: str
) -> None:
    ship(shop, BAD, "first", 100_000)
    spoil_first(shop, EVENTS, {attribute: {"S": "0001-01-01T00:00:00Z"}})

    told = shop.answer("status")
    all_goes_on_at_the_other(shop)

    (record,) = told["records_unreadable"]
    assert record.startswith(f"event {BAD}/")
    assert [row["reason"] for row in shop.answer("quarantine", "list")["quarantine"]] == [
        "unreadable_record"
    ]


@pytest.mark.sweep(sample=1)
@pytest.mark.parametrize("attribute", ["reason", "detail", "received_at", "body"])
def test_a_quarantine_entry_that_cannot_be_read_holds_up_nothing_but_itself(
    shop: Operated, attribute: str
) -> None:
    malformed(shop, 100_000)
    spoil_first(shop, QUARANTINE, {attribute: {"BOOL": True}})

    told = shop.answer("status")
    all_goes_on_at_the_other(shop)

    assert told["quarantine"] == 1
    assert len(shop.answer("quarantine", "list")["quarantine"]) == 1


@pytest.mark.sweep(sample=1)
@pytest.mark.parametrize("owner", [{"S": "no event"}, {"N": "1"}, {"L": []}])
def test_a_unit_s_owner_that_cannot_be_read_holds_up_its_own_request_alone(
    shop: Operated, owner: dict[str, Any]
) -> None:
    shop.stack.erp.faults.down_for(60)
    ship(shop, BAD, "first", 100_000)
    spoil_first(shop, REQUESTS, {"unit#first-1": owner})
    shop.wait(16)

    all_goes_on_at_the_other(shop)

    (entry,) = shop.answer("quarantine", "list")["quarantine"]
    assert "which event books unit first-1" in entry["detail"]
    assert (shop.answer("status")["rejected"], shop.stack.erp.on_hand((BAD, SKU))) == (1, 20)


def spoil_first(shop: Operated, table: str, attributes: dict[str, Any]) -> None:
    client, name = shop.stack.aws.dynamodb, shop.stack.template.physical_id(table)
    (item,) = client.scan(TableName=name)["Items"]
    client.put_item(TableName=name, Item={**item, **attributes})


# What the adapter keeps in its bucket


LEFT_ASIDE = {
    "ledger": f"ledger/{BAD}/",
    "record": "/record.jsonl.gz",
    "outcome": "/outcome.json",
    "finalization": "/finalization.json",
    "summary": "/summary.json",
    "drift": "/drift.csv",
    "body": "bodies/",
}
STOPS = "/manifest.json"
"""Nobody else knows what NewStore has: each tick fails until it is restored."""
NOT_READ = ("imports/", f"ledger/{GOOD}/")
CONTENTS = {
    "nothing": b"",
    "of another form": b"[]",
    "packed, cut off": gzip.compress(b"{}")[:-9],
    "packed, of another form": gzip.compress(b'{"products": [7]}'),
}


def kept(shop: Operated) -> None:
    """Every kind of object there is, and a run whose job NewStore is still at."""
    malformed(shop, 10_000, note="x" * INLINE_BYTES_MAX)
    ship(shop, BAD, "first", 100)
    shop.wait(16)
    shop.answer("reconcile")
    shop.stack.newstore.jobs.job_seconds = 600
    assert shop.tick()["outcome"] == "waiting"
    shop.stack.newstore.jobs.job_seconds = 0


def objects(shop: Operated, named: str = "") -> dict[str, bytes]:
    """By key."""
    s3, bucket = shop.stack.aws.s3, shop.stack.template.physical_id("ImportBucket")
    keys = [one["Key"] for one in s3.list_objects_v2(Bucket=bucket)["Contents"]]
    return {
        key: s3.get_object(Bucket=bucket, Key=key)["Body"].read() for key in keys if named in key
    }


def put_objects(shop: Operated, contents: Mapping[str, bytes]) -> None:
    bucket = shop.stack.template.physical_id("ImportBucket")
    assert contents
    for key, content in contents.items():
        shop.stack.aws.s3.put_object(Bucket=bucket, Key=key, Body=content)


def test_every_kind_of_object_is_spoilt_here_or_said_to_stop_all_or_not_read(
    shop: Operated,
) -> None:
    kept(shop)

    named = [*LEFT_ASIDE.values(), STOPS, *NOT_READ]
    assert [key for key in objects(shop) if not any(name in key for name in named)] == []


@pytest.mark.sweep
@pytest.mark.parametrize("content", CONTENTS.values(), ids=CONTENTS)
@pytest.mark.parametrize("named", LEFT_ASIDE.values(), ids=LEFT_ASIDE)
def test_an_object_that_cannot_be_read_holds_up_nothing_but_itself(
    shop: Operated, named: str, content: bytes
) -> None:
    kept(shop)
    put_objects(shop, dict.fromkeys(objects(shop, named), content))
    ship(shop, BAD, "second", 200)
    shop.tick()

    told = shop.answer("status")
    all_goes_on_at_the_other(shop)

    assert "failed" not in told
    assert "failed" not in shop.answer("runs")
    assert reader_of(shop, Calls()).read().runs


@pytest.mark.parametrize("content", [b"", b"[]"])
def test_a_finalization_that_cannot_be_read_is_made_up_for_by_the_next_run(
    shop: Operated, content: bytes
) -> None:
    kept(shop)
    put_objects(shop, dict.fromkeys(objects(shop, LEFT_ASIDE["finalization"]), content))

    shop.wait(16)
    ended = shop.tick()

    assert ended["run"]["state"] == "FINALIZED"
    assert counted(shop, "RecordsUnreadable") == 1
    assert shop.answer("status")["open_events"] > 0
    shop.tick()
    assert shop.answer("status")["open_events"] == 0
    assert shop.stack.newstore.atp((BAD, SKU)) == shop.stack.erp.on_hand((BAD, SKU))


@pytest.mark.parametrize("content", [b"", b"[]"])
def test_a_manifest_that_cannot_be_read_stops_imports_and_is_counted_and_named_until_restored(
    shop: Operated, content: bytes
) -> None:
    kept(shop)
    shop.wait(16)
    shop.tick()
    before = objects(shop, STOPS)
    put_objects(shop, dict.fromkeys(before, content))
    shop.wait(6)

    for _ in range(2):
        with pytest.raises(FatalError, match=r"manifest\.json.* restore its earlier version"):
            shop.stack.tick()

    assert counted(shop, "RecordsUnreadable") == 2
    told = shop.answer("status")
    assert any("no import can go on" in concern for concern in told["concerns"])
    assert any("manifest.json" in record for record in told["records_unreadable"])
    assert shop.answer("explain", GOOD, SKU)["adds_up"]
    shown = reader_of(shop, Calls()).read()
    assert any("manifest.json" in concern for concern in shown.concerns or ())
    put_objects(shop, before)
    all_goes_on_at_the_other(shop)


def test_a_head_that_cannot_be_read_stops_imports_and_is_counted_and_named_until_put_right(
    shop: Operated,
) -> None:
    table, dynamodb = shop.stack.template.physical_id(STATE), shop.stack.aws.dynamodb
    key: Any = {"kind": {"S": "head"}, "id": {"S": "import"}}
    head = dynamodb.get_item(TableName=table, Key=key)["Item"]
    dynamodb.put_item(TableName=table, Item={**head, "record": {"S": "{"}})
    shop.wait(6)

    with pytest.raises(FatalError, match=r"import head: .* no import goes on"):
        shop.stack.tick()

    assert counted(shop, "RecordsUnreadable") == 1
    assert "import head: " in shop.run("status", code=3).output
    dynamodb.put_item(TableName=table, Item=head)
    all_goes_on_at_the_other(shop)


def counted(shop: Operated, metric: str) -> int:
    """So far, by the functions that count it."""
    query = {"Id": "m", "MetricStat": {"Metric": {"MetricName": metric}}}
    found = shop.connect().get_metric_data(MetricDataQueries=[query])
    return int(found["MetricDataResults"][0]["Values"][0])
