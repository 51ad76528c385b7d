"""Where the engines are not DynamoDB: each line of docs/engines.md has its test here.

A test that fails after an upgrade is good news: take its line out of docs/engines.md.
"""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ParamValidationError

from inventory_sync.adapters.dynamodb.item_size import bytes_of
from tests.aws import aws_session
from tests.contract.builders import NOON
from tests.contract.conftest import Database
from tests.contract.engines import required

ITEM_BYTES_MAX = 400 * 1024
KEY: dict[str, Any] = {"location_id": {"S": "DC01"}, "event_key": {"S": "1"}}
REPLICAS = pytest.mark.parametrize("name", ["moto", "dynoxide"])

Open = Callable[[str], Database]


def is_stored(database: Database, item: dict[str, Any]) -> bool:
    """False where the engine says that the item is too large."""
    table = database.table("EventsTable")
    try:
        database.client.put_item(TableName=table, Item=item)
    except ClientError as error:
        if "Item size has exceeded" not in str(error):
            raise
        return False
    return True


def sized(size: int, of: Callable[[int], dict[str, Any]]) -> dict[str, Any]:
    """A body of that kind, so long that the item has that size."""
    item = KEY | {"body": of(0)}
    return item | {"body": of(size - bytes_of(item))}


BINARY: Callable[[int], dict[str, Any]] = lambda size: {"B": b"x" * size}  # noqa: E731
TEXT: Callable[[int], dict[str, Any]] = lambda size: {"S": "x" * size}  # noqa: E731


@pytest.mark.parametrize("kind", [BINARY, TEXT], ids=["binary", "text"])
def test_dynoxide_counts_an_item_as_the_adapter_does(open_database: Open, kind: Any) -> None:
    dynoxide = open_database("dynoxide")

    assert is_stored(dynoxide, sized(ITEM_BYTES_MAX, kind))
    assert not is_stored(dynoxide, sized(ITEM_BYTES_MAX + 1, kind))


@pytest.mark.parametrize("kind", [BINARY, TEXT], ids=["binary", "text"])
def test_moto_refuses_items_a_little_too_soon(open_database: Open, kind: Any) -> None:
    moto = open_database("moto")

    assert is_stored(moto, sized(404_900, kind))
    assert not is_stored(moto, sized(405_100, kind))


@REPLICAS
def test_no_engine_counts_the_index_entry(open_database: Open, name: str) -> None:
    """DynamoDB would refuse it: nearly twice 400 KB. So the adapter counts for itself."""
    item = {**KEY, "open_key": {"S": "1"}, "items": {"S": "x" * 400_000}}

    assert is_stored(open_database(name), item)


@REPLICAS
def test_no_engine_deletes_what_has_expired(open_database: Open, name: str) -> None:
    database = open_database(name)
    table = database.table("QuarantineTable")
    long_ago = {"N": str(int(NOON.timestamp()) - 10 * 365 * 86_400)}
    database.client.update_time_to_live(
        TableName=table,
        TimeToLiveSpecification={"AttributeName": "expires_at", "Enabled": True},
    )

    database.client.put_item(
        TableName=table, Item={"quarantine_id": {"S": "1"}, "expires_at": long_ago}
    )

    assert database.client.scan(TableName=table)["Count"] == 1


@REPLICAS
def test_a_write_that_changes_nothing_makes_a_stream_record(
    open_database: Open, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DynamoDB makes none."""
    # From boto3 1.44 on streams have an endpoint for each account, which moto does not know.
    monkeypatch.setenv("AWS_ACCOUNT_ID_ENDPOINT_MODE", "disabled")
    database = open_database(name)
    table = streamed_table(database, "streamed-table")

    for _ in range(2):
        database.client.put_item(TableName=table, Item={"k": {"S": "1"}})

    assert stream_records(database, table) == ["INSERT", "MODIFY"]


def test_dynoxide_streams_need_a_table_name_of_eleven_characters(open_database: Open) -> None:
    dynoxide = open_database("dynoxide")
    table = streamed_table(dynoxide, "ten-letter")

    with pytest.raises(ParamValidationError, match="ShardId"):
        stream_records(dynoxide, table)


def streamed_table(database: Database, name: str) -> str:
    database.client.create_table(
        TableName=name,
        AttributeDefinitions=[{"AttributeName": "k", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "k", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"},
    )
    return name


def stream_records(database: Database, table: str) -> list[str]:
    """What happened, by name."""
    url = database.client.meta.endpoint_url
    streams = aws_session().client(
        "dynamodbstreams",
        endpoint_url=url if "127.0.0.1" in url else None,
        config=Config(retries={"total_max_attempts": 1}),
    )
    arn = database.client.describe_table(TableName=table)["Table"]["LatestStreamArn"]
    found = []
    for shard in streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]:
        iterator = streams.get_shard_iterator(
            StreamArn=arn, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
        )["ShardIterator"]
        records = streams.get_records(ShardIterator=iterator)["Records"]
        found += [record["eventName"] for record in records]
    streams.close()
    return [str(name) for name in found]


@pytest.mark.parametrize("variable", ["CI", "ENGINES_REQUIRED"])
def test_where_npm_is_checks_may_not_leave_dynoxide_out(variable: str) -> None:
    npm = "/usr/bin/npm"

    assert required("dynoxide", {variable: "true"}, npm)
    assert not required("dynoxide", {variable: "true"}, None)
    assert not required("dynoxide", {}, npm)


def test_dynamodb_local_is_only_asked_for_where_its_jar_is_named() -> None:
    assert required("dynamodb_local", {"DYNAMODB_LOCAL_JAR": "here.jar"}, None)
    assert not required("dynamodb_local", {"CI": "true"}, "/usr/bin/npm")
