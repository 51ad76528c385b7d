"""`restore`: what a table has lost comes back from a point in time, and nothing else changes."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from inventory_sync.adapters.dynamodb.restored_table import RestoredTable
from local.stack import EVENTS
from tests.integration.operator import DC, SKU, WHO, Operated, operated


@pytest.fixture
def shop() -> Iterator[Operated]:
    """One order has shipped."""
    with operated() as found:
        found.ship("ff1", at=10)
        found.wait(1)
        yield found


def items(shop: Operated, table: str) -> list[dict[str, Any]]:
    found = shop.stack.aws.dynamodb.scan(TableName=table)["Items"]
    return sorted(found, key=lambda item: item["event_key"]["S"])


def copied(shop: Operated, table: str) -> RestoredTable:
    """As a run leaves it that was cut off. The local AWS copies what is there now."""
    at = shop.stack.clock.now() - timedelta(seconds=30)
    restored = RestoredTable(shop.stack.aws.dynamodb, table, at)
    restored.make(shop.stack.clock.sleep)
    return restored


def delete(shop: Operated, table: str, item: dict[str, Any]) -> None:
    key = {name: item[name] for name in ("location_id", "event_key")}
    shop.stack.aws.dynamodb.delete_item(TableName=table, Key=key)


def at_of(restored: RestoredTable) -> str:
    return restored.copy.rpartition("-at-")[2]


def test_what_was_deleted_comes_back_byte_for_byte_and_what_is_there_stays(
    shop: Operated,
) -> None:
    table = shop.stack.template.physical_id(EVENTS)
    before, on_hand = items(shop, table), shop.stack.erp.on_hand((DC, SKU))
    restored = copied(shop, table)
    delete(shop, table, before[-1])

    told = shop.json("restore", "events", "--at", at_of(restored), *WHO)
    shop.stack.stream.pump()

    assert told == {"put_back": 1, "there": len(before) - 1, "expired": 0, "copy": None}
    assert items(shop, table) == before
    assert shop.stack.erp.on_hand((DC, SKU)) == on_hand  # it wakes the forwarder, for nothing
    assert restored.copy not in shop.stack.aws.dynamodb.list_tables()["TableNames"]
    [record] = shop.audited()
    assert (record["command"], record["who"]) == ("restore", "Ada")


def test_the_table_keeps_its_stream_and_its_expiry(shop: Operated) -> None:
    """A copy has neither: the reason why nothing is put in the table's place."""
    table = shop.stack.template.physical_id(EVENTS)
    client = shop.stack.aws.dynamodb
    stream = client.describe_table(TableName=table)["Table"]["LatestStreamArn"]
    expiry = client.describe_time_to_live(TableName=table)["TimeToLiveDescription"]
    restored = copied(shop, table)

    shop.run("restore", "events", "--at", at_of(restored), "--keep", *WHO)

    assert client.describe_table(TableName=table)["Table"]["LatestStreamArn"] == stream
    assert client.describe_time_to_live(TableName=table)["TimeToLiveDescription"] == expiry
    assert restored.copy in client.list_tables()["TableNames"]


def test_what_has_expired_meanwhile_does_not_come_back(shop: Operated) -> None:
    table, client = shop.stack.template.physical_id(EVENTS), shop.stack.aws.dynamodb
    [item, *_] = items(shop, table)
    client.put_item(TableName=table, Item={**item, "expires_at": {"N": "1"}})
    restored = copied(shop, table)
    delete(shop, table, item)

    told = shop.json("restore", "events", "--at", at_of(restored), *WHO)

    assert (told["put_back"], told["expired"]) == (0, 1)


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (("--at", "2999-01-01T00:00", *WHO), "before now"),
        (("--at", "2026-01-01T00:00", "--who", "Ada"), "--why must not be empty"),
    ],
)
def test_a_time_to_come_and_a_restore_without_a_reason_are_refused(
    shop: Operated, words: tuple[str, ...], problem: str
) -> None:
    text = shop.run("restore", "events", *words, code=1).stderr

    assert problem in text
    assert shop.audited() == []
