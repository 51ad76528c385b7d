"""`quarantine`: seen whole, tried again by the webhook's own code, or resolved with a reason."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from inventory_sync.adapters.dynamodb.quarantine import DynamoQuarantine
from inventory_sync.domain.inbound import QuarantineEntry
from local.aws import API_KEY
from local.newstore.delivery import post_over_http
from tests.integration.operator import DC, SKU, WHO, Operated, operated


@pytest.fixture
def shop() -> Iterator[Operated]:
    with operated() as found:
        yield found


def post(shop: Operated, body: bytes) -> int:
    headers = {"Authorization": f"Bearer {API_KEY}"}
    return post_over_http(shop.stack.event_url)(body, headers)


def listed(shop: Operated, *words: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = shop.json("quarantine", "list", *words)["quarantine"]
    return rows


def rejected(shop: Operated) -> str:
    """An event that the ERP refuses; the beginning of its entry's id."""
    shop.stack.erp.rejected_products[SKU] = "unknown article"
    shop.ship("ff1", at=10)
    (row,) = listed(shop)
    return str(row["id"])


def test_a_body_is_shown_byte_for_byte(shop: Operated) -> None:
    table = shop.stack.template.physical_id("QuarantineTable")
    quarantine = DynamoQuarantine(shop.stack.aws.dynamodb, table, timedelta(days=1))
    for body in (b"no JSON", b"no JSON \xff"):
        now = shop.stack.clock.now()
        entry = QuarantineEntry(reason="unparsable", detail="why", body=body, received_at=now)
        quarantine.add(entry)
        shop.wait(1)

    text, binary = (row["id"] for row in listed(shop))

    assert shop.json("quarantine", "show", binary)["body_base64"] == "bm8gSlNPTiD/"
    assert "bm8gSlNPTiD/" in shop.run("quarantine", "show", binary[:6]).output
    assert shop.run("quarantine", "show", text).output.splitlines()[-1] == "no JSON"
    assert "no entry begins" in shop.run("quarantine", "show", "zz", code=1).output
    assert "2 entries begin" in shop.run("quarantine", "show", "", code=1).output


def test_a_refused_event_is_forwarded_again_and_booked_once(shop: Operated) -> None:
    entry = rejected(shop)
    shop.stack.erp.rejected_products.clear()

    shop.run("quarantine", "retry", entry, *WHO)
    shop.wait(2)
    shop.stack.sweep()

    assert shop.stack.erp.on_hand((DC, SKU)) == 19
    assert shop.json("events", "--rejected")["events"] == []
    assert (listed(shop), len(listed(shop, "--all"))) == ([], 1)
    assert shop.json("status", "--offline")["quarantine"] == 0
    assert "resolved already" in shop.run("quarantine", "retry", entry, *WHO, code=1).output


def test_a_refused_event_that_was_booked_by_hand_ends_once_an_import_has_counted_it(
    shop: Operated,
) -> None:
    entry = rejected(shop)
    refused = shop.run("quarantine", "resolve", entry, *WHO, code=1).output
    assert f"quarantine retry {entry}" in refused
    early = ("--applied-at", "2020-01-01T00:00:00Z")
    assert (
        "must lie between" in shop.run("quarantine", "resolve", entry, *early, *WHO, code=1).output
    )
    shop.wait(20)
    shop.tick()
    assert shop.stack.newstore.atp((DC, SKU)) == 19
    shop.stack.erp.correct((DC, SKU), -1)
    booked = shop.stack.clock.now().isoformat()
    shop.wait(20)

    shop.run("quarantine", "resolve", entry, "--applied-at", booked, *WHO)
    shop.tick()
    shop.wait(20)
    shop.stack.sweep()

    assert shop.stack.erp.on_hand((DC, SKU)) == shop.stack.newstore.atp((DC, SKU)) == 19
    assert shop.json("events", "--open")["events"] == listed(shop) == []
    assert shop.json("status", "--offline", code=0)["rejected"] == 0


def test_a_refused_event_that_never_has_to_be_booked_gives_its_units_back(shop: Operated) -> None:
    entry = rejected(shop)
    shop.wait(20)
    shop.tick()
    assert shop.stack.newstore.atp((DC, SKU)) == 19
    (stored,) = shop.json("events", DC)["events"]

    shop.run("quarantine", "resolve", entry, "--applied-at", stored["published_at"], *WHO)
    shop.wait(20)
    shop.tick()

    assert shop.stack.erp.on_hand((DC, SKU)) == shop.stack.newstore.atp((DC, SKU)) == 20
    assert listed(shop) == []


def test_a_moment_of_booking_is_for_refused_events_alone(shop: Operated) -> None:
    post(shop, b"no JSON")
    (row,) = listed(shop)
    words = ("quarantine", "resolve", row["id"], "--applied-at", "2026-01-01T00:00:00Z")

    assert "for an event that the ERP refused" in shop.run(*words, *WHO, code=1).output


def test_an_event_that_is_refused_again_comes_back(shop: Operated) -> None:
    entry = rejected(shop)

    shop.run("quarantine", "retry", entry, *WHO)
    shop.wait(2)
    shop.stack.sweep()

    assert [row["id"] for row in listed(shop)] == [entry]
    assert shop.json("quarantine", "show", entry)["resolution"] is None
    stored = shop.run("quarantine", "show", entry).output.splitlines()[-1]
    assert json.loads(stored)["payload"]["logical_timestamp"] == 10


def test_a_body_that_is_still_of_no_use_stays(shop: Operated) -> None:
    post(shop, b"no JSON")
    (row,) = listed(shop)

    found = shop.json("quarantine", "retry", row["id"], *WHO, code=4)

    assert (found["outcome"], found["reason"]) == ("quarantined", "unparsable")
    assert [one["id"] for one in listed(shop)] == [row["id"]]


def test_a_body_that_is_cut_off_is_to_be_looked_at_first(shop: Operated) -> None:
    """Nothing can be read of it, so nothing waits for it: it may be a shipment all the same."""
    newstore = shop.stack.newstore
    newstore.assign("ff1", "order-1", DC, [("i1", SKU)], "STANDARD")
    whole = json.dumps(newstore.complete("ff1", logical_timestamp=10)).encode()
    post(shop, whole[:-9])
    post(shop, whole.replace(b"items_completed", b"items_failed").replace(b'"items"', b'"itms"'))
    (cut,) = [row["id"] for row in listed(shop) if "not JSON" in row["detail"]]

    found = shop.json("status", "--offline", code=4)

    assert (found["quarantine"], found["bodies_unreadable"]) == (2, 1)
    (told,) = [one for one in found["concerns"] if "cannot be read at all" in one]
    assert f"see `quarantine show {cut}` first" in told


def test_a_body_that_is_understood_by_now_is_stored(shop: Operated) -> None:
    """As after a wrong setting was put right: here the tenant."""
    newstore = shop.stack.newstore
    newstore.assign("ff1", "order-1", DC, [("i1", SKU)], "STANDARD")
    event = newstore.complete("ff1", logical_timestamp=10)
    body = json.dumps({**event, "tenant": "other"}).encode()
    assert post(shop, body) == 200
    (row,) = listed(shop)
    variables = shop.stack.template.environment("IngestEventFunction")
    assert row["reason"] == "wrong_tenant"
    shop.stack.template.set_parameters({"Tenant": "other"})
    assert variables["NEWSTORE_TENANT"] != "other"

    found = shop.json("quarantine", "retry", row["id"], *WHO)

    assert found["outcome"] == "stored"
    assert (listed(shop), [e["logical_timestamp"] for e in shop.json("events", DC)["events"]]) == (
        [],
        [10],
    )


def test_what_is_resolved_is_kept_with_the_reason(shop: Operated) -> None:
    post(shop, b"no JSON")
    (row,) = listed(shop)
    assert "--why" in shop.run("quarantine", "resolve", row["id"], "--who", "Ada", code=1).output

    shop.run("quarantine", "resolve", row["id"], *WHO)

    (kept,) = listed(shop, "--all")
    assert listed(shop) == []
    assert kept["resolution"].startswith("resolved by Ada")
    (record,) = shop.audited()
    assert (record["command"], record["changes"][0]["after"]) == ("quarantine resolve", "resolved")
    assert post(shop, b"no JSON") == 200
    assert len(listed(shop)) == 1


def test_an_event_that_is_no_longer_refused_is_not_released(shop: Operated) -> None:
    entry = rejected(shop)
    names = shop.stack.template.physical_id("EventsTable")
    (item,) = [
        item
        for item in shop.stack.aws.dynamodb.scan(TableName=names)["Items"]
        if "rejected_reason" in item
    ]
    shop.stack.aws.dynamodb.update_item(
        TableName=names,
        Key={"location_id": item["location_id"], "event_key": item["event_key"]},
        UpdateExpression="REMOVE rejected_reason",
    )

    refused = shop.run("quarantine", "retry", entry, *WHO, code=1)

    assert "no longer refused" in refused.output
    assert shop.audited() == []


def malformed(shop: Operated, *, at: int) -> tuple[str, dict[str, Any]]:
    """A shipment comes without its product; the beginning of its entry's id, and the event."""
    newstore = shop.stack.newstore
    newstore.assign("ff1", "order-1", DC, [("i1", SKU)], "STANDARD")
    event = newstore.complete("ff1", logical_timestamp=at)
    payload = {**event["payload"], "items": [{"id": "i1"}]}
    assert post(shop, json.dumps({**event, "payload": payload}).encode()) == 200
    (row,) = listed(shop)
    return str(row["id"]), event


def write(folder: Path, event: dict[str, Any]) -> str:
    path = folder / "body.json"
    path.write_text(json.dumps(event))
    return str(path)


def test_a_body_is_sent_in_as_it_should_have_been(shop: Operated, tmp_path: Path) -> None:
    entry, event = malformed(shop, at=10)
    original = shop.json("quarantine", "show", entry)["body_base64"]
    found = shop.json("status", "--offline", code=4)
    assert (found["completions_unstored"], found["bodies_unreadable"]) == (1, 0)
    assert any(f"see `quarantine show {entry}`" in told for told in found["concerns"])
    (row,) = listed(shop)
    assert (row["location_id"], row["logical_timestamp"]) == (DC, 10)

    told = shop.run("explain", DC, SKU, "--offline").output
    assert f"{entry}: units that nobody can read" in told
    words = ("quarantine", "edit", entry, "--file", write(tmp_path, event))
    found = shop.json(*words, "--yes", *WHO)
    shop.wait(2)
    shop.stack.sweep()

    assert found["outcome"] == "stored"
    assert shop.stack.erp.on_hand((DC, SKU)) == 19
    (kept,) = listed(shop, "--all")
    assert kept["resolution"].startswith("edited, stored by Ada")
    assert shop.json("quarantine", "show", entry)["body_base64"] == original
    assert shop.json("explain", DC, SKU, "--offline")["in_quarantine"] == []
    record = shop.audited()[-1]
    assert (record["command"], record["changes"][0]["after"]) == (
        "quarantine edit", "edited, stored",
    )  # fmt: skip
    assert shop.json("status", "--offline")["completions_unstored"] == 0
    assert "resolved already" in shop.run(*words, "--yes", *WHO, code=1).output


def test_without_yes_only_the_difference_is_shown(shop: Operated, tmp_path: Path) -> None:
    entry, event = malformed(shop, at=10)

    output = shop.run("quarantine", "edit", entry, "--file", write(tmp_path, event)).output

    assert f'+        "product_id": "{SKU}"' in output
    assert "repeat it with --yes" in output
    assert [row["id"] for row in listed(shop)] == [entry]
    assert shop.json("events", DC)["events"] == []
    assert shop.audited() == []


def test_an_edited_body_is_read_from_the_input(shop: Operated) -> None:
    entry, event = malformed(shop, at=10)

    shop.run("quarantine", "edit", entry, "--yes", *WHO, answers=json.dumps(event))

    assert [e["logical_timestamp"] for e in shop.json("events", DC)["events"]] == [10]


def test_an_edited_body_that_is_of_no_use_either_is_refused(shop: Operated, tmp_path: Path) -> None:
    entry, event = malformed(shop, at=10)
    for body, said in (
        ({**event, "published_at": "yesterday"}, "published_at"),
        ({**event, "name": "order.completed"}, "order.completed"),
    ):
        words = ("quarantine", "edit", entry, "--file", write(tmp_path, body), "--yes", *WHO)
        assert said in shop.run(*words, code=1).output
    unsigned = ("quarantine", "edit", entry, "--file", write(tmp_path, event), "--yes")
    assert "--why" in shop.run(*unsigned, "--who", "Ada", code=1).output

    assert [row["id"] for row in listed(shop, "--all")] == [entry]


def test_a_stored_event_is_not_edited(shop: Operated, tmp_path: Path) -> None:
    entry = rejected(shop)

    words = ("quarantine", "edit", entry, "--file", write(tmp_path, {}), "--yes", *WHO)

    assert "quarantine retry" in shop.run(*words, code=1).output


def test_a_resolved_shipment_keeps_nothing_back(shop: Operated) -> None:
    entry, _ = malformed(shop, at=10)

    shop.run("quarantine", "resolve", entry, *WHO)

    assert shop.json("status", "--offline")["completions_unstored"] == 0


def test_status_says_how_many_units_were_not_found(shop: Operated) -> None:
    newstore = shop.stack.newstore
    newstore.assign("ff1", "order-1", DC, [("i1", SKU)], "STANDARD")
    assert shop.json("status", "--offline")["mispicked_units"] == 0

    post(shop, json.dumps(newstore.fail("ff1", rejection_reason="no_inventory")).encode())

    assert shop.json("status", "--offline")["mispicked_units"] == 1


class Spoilt:
    """A shipment that is stored, and whose item in the events table cannot be read."""

    def __init__(self, shop: Operated) -> None:
        self._shop = shop
        self._table = shop.stack.template.physical_id("EventsTable")
        shop.stack.newstore.assign("ff1", "order-1", DC, [("i1", SKU)], "STANDARD")
        event = shop.stack.newstore.complete("ff1", logical_timestamp=10)
        assert post(shop, json.dumps(event).encode()) == 200
        items = shop.stack.aws.dynamodb.scan(TableName=self._table)["Items"]
        [self._item] = [item for item in items if item["event_key"]["S"].startswith(f"{10:020d}")]
        self._put({**self._item, "received_at": {"S": "yesterday"}})
        shop.wait(6)
        shop.stack.sweep()
        [row] = listed(shop)
        assert row["reason"] == "unreadable_record"
        self.entry = str(row["id"])

    def put_right(self) -> None:
        self._put(self._item)

    def sweep(self) -> None:
        self._shop.wait(6)
        self._shop.stack.sweep()

    def _put(self, item: Any) -> None:
        self._shop.stack.aws.dynamodb.put_item(TableName=self._table, Item=item)


def test_a_stored_event_that_cannot_be_read_is_not_retried_but_told_what_to_do(
    shop: Operated,
) -> None:
    spoilt = Spoilt(shop)

    told = shop.run("quarantine", "retry", spoilt.entry, *WHO, code=1).output

    for words in ("events table", f"location_id '{DC}'", "event_key '", "yesterday", "retry"):
        assert words in told
    assert f"quarantine resolve {spoilt.entry}" in told
    assert [row["id"] for row in listed(shop)] == [spoilt.entry]


@pytest.mark.parametrize("command", ["retry", "resolve"])
def test_one_that_was_put_right_is_forwarded_and_booked_once(shop: Operated, command: str) -> None:
    spoilt = Spoilt(shop)
    spoilt.put_right()

    shop.run("quarantine", command, spoilt.entry, *WHO)
    spoilt.sweep()

    assert (listed(shop), shop.stack.erp.on_hand((DC, SKU))) == ([], 19)


def test_one_that_is_resolved_is_closed_and_does_not_come_back(shop: Operated) -> None:
    spoilt = Spoilt(shop)

    shop.run("quarantine", "resolve", spoilt.entry, *WHO)
    spoilt.sweep()

    assert (listed(shop), shop.stack.erp.on_hand((DC, SKU))) == ([], 20)
    [record] = shop.audited()
    assert record["changes"][0]["after"] == "resolved, its event closed"


def test_one_is_not_edited(shop: Operated, tmp_path: Path) -> None:
    words = ("quarantine", "edit", Spoilt(shop).entry, "--file", write(tmp_path, {}), "--yes", *WHO)

    assert "quarantine retry" in shop.run(*words, code=1).output
