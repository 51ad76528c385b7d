"""The webhook's answers, from API Gateway's event to the tables."""

import base64
import json
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import NAMESPACE_URL, uuid5

import pytest

from inventory_sync.adapters.aws.inbound_keys import SecretInboundKeys
from inventory_sync.adapters.dynamodb.event_log import DynamoEventLog, read_open_event
from inventory_sync.adapters.dynamodb.quarantine import DynamoQuarantine
from inventory_sync.adapters.newstore.event_body import parse_event
from inventory_sync.adapters.s3.bucket import Bucket
from inventory_sync.adapters.s3.event_bodies import INLINE_BYTES_MAX, EventBodies
from inventory_sync.domain.errors import FatalError
from inventory_sync.use_cases.ingest.ingest_event import (
    PARSED_BYTES_MAX,
    IngestEvent,
    IngestResources,
)
from tests.apps import ROOT, load_app
from tests.aws import Aws, local_aws, local_bucket
from tests.event_bodies import KEY, TENANT, api_call, event_body
from tests.fakes.clock import FakeClock
from tests.fakes.observer import FakeObserver

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

NOW = datetime(2026, 3, 2, 9, 0, 1, tzinfo=UTC)
RETENTION = timedelta(days=90)
SAMPLES = ROOT / "events"

Handler = Callable[[dict[str, Any], object], dict[str, Any]]


@dataclass
class World:
    """The real handler and adapters over moto."""

    aws: Aws
    s3: "S3Client"
    bodies: EventBodies
    observer: FakeObserver
    clock: FakeClock
    make: Callable[[], IngestResources]
    handler: Handler

    def call(self, event: dict[str, Any]) -> tuple[int, str]:
        """The status and the word for what became of the event."""
        answer = self.handler(event, None)
        assert answer["headers"]["Content-Type"] == "application/json"
        assert answer["isBase64Encoded"] is False
        return answer["statusCode"], json.loads(answer["body"])["outcome"]

    def sample(self, name: str) -> tuple[int, str]:
        return self.call(sample(name))

    def rows(self, table: str) -> list[dict[str, Any]]:
        return list(self.aws.dynamodb.scan(TableName=table)["Items"])

    def stored(self) -> list[bytes]:
        return [self.bodies.read(row) for row in self.rows("EventsTable")]

    def quarantined(self) -> list[tuple[str, bytes]]:
        rows = self.rows("QuarantineTable")
        return [(row["reason"]["S"], self.bodies.read(row)) for row in rows]


def sample(name: str) -> dict[str, Any]:
    event: dict[str, Any] = json.loads((SAMPLES / f"ingest_{name}.json").read_text())
    return event


@pytest.fixture
def world() -> Iterator[World]:
    with local_aws("EventsTable", "QuarantineTable") as aws, local_bucket("imports") as s3:
        secret = aws.secrets.create_secret(
            Name="inbound-keys", SecretString=json.dumps({"api_keys": [KEY]})
        )
        observer, clock = FakeObserver(), FakeClock(NOW)
        bodies = EventBodies(lambda: Bucket(s3, "imports"))

        def make() -> IngestResources:
            ingest = IngestEvent(
                parse=partial(parse_event, tenant=TENANT),
                event_log=DynamoEventLog(aws.dynamodb, "EventsTable", RETENTION, bodies),
                quarantine=DynamoQuarantine(aws.dynamodb, "QuarantineTable", RETENTION, bodies),
                clock=clock,
                observer=observer,
            )
            keys = SecretInboundKeys(aws.secrets, secret["ARN"], lambda: 0.0, observer)
            return IngestResources(
                keys=keys, ingest=ingest, observer=observer, flush=observer.flush
            )

        handler = load_app("ingest_event").build_handler(make)
        yield World(aws, s3, bodies, observer, clock, make, handler)


@pytest.mark.parametrize(
    ("name", "status", "outcome"),
    [
        ("stored_assigned", 200, "stored"),
        ("stored_completed", 200, "stored"),
        ("stored_failed", 200, "stored"),
        ("stored_base64", 200, "stored"),
        ("ignored", 200, "ignored"),
        ("quarantined_unparsable", 200, "quarantined"),
        ("quarantined_wrong_tenant", 200, "quarantined"),
        ("unauthorized_missing_key", 401, "unauthorized"),
        ("unauthorized_wrong_key", 401, "unauthorized"),
        ("stored_large", 200, "stored"),
    ],
)
def test_each_sample_gets_the_answer_it_is_named_for(
    world: World, name: str, status: int, outcome: str
) -> None:
    assert world.sample(name) == (status, outcome)

    event = sample(name)
    body = base64.b64decode(event["body"]) if event["isBase64Encoded"] else event["body"].encode()
    assert world.stored() == ([body] if outcome == "stored" else [])
    assert [kept for _, kept in world.quarantined()] == ([body] if outcome == "quarantined" else [])
    assert world.observer.flushed == 1


def test_what_does_not_concern_stock_is_named_in_the_log(world: World) -> None:
    world.sample("ignored")

    [(message, figures)] = world.observer.notes
    assert (message, list(figures)) == ("event ignored", ["detail"])
    assert sample("ignored")["body"].partition('"name": "')[2].partition('"')[0] in str(figures)


@pytest.mark.parametrize("again", ["stored_completed", "already_stored"])
def test_a_body_that_comes_twice_is_stored_once(world: World, again: str) -> None:
    assert world.sample("stored_completed") == (200, "stored")

    assert world.sample(again) == (200, "already_stored")

    assert len(world.stored()) == 1


def test_a_conflicting_body_is_quarantined_once_and_the_first_stays(world: World) -> None:
    world.sample("stored_completed")

    for _ in range(3):
        assert world.sample("quarantined_conflicting_body") == (200, "quarantined")

    assert world.stored() == [sample("stored_completed")["body"].encode()]
    [row] = world.rows("QuarantineTable")
    assert row["body"]["B"] == sample("quarantined_conflicting_body")["body"].encode()
    assert row["reason"]["S"] == "conflicting_body"
    assert row["location_id"]["S"] == "DC01"
    assert row["event_key"]["S"].startswith("00000000000000017960#")
    assert int(row["expires_at"]["N"]) == int((NOW + RETENTION).timestamp())


def test_every_sample_is_proven_and_listed() -> None:
    proven = set(Path(__file__).read_text().split('"'))
    listed = (SAMPLES / "README.md").read_text()

    for path in SAMPLES.glob("ingest_*.json"):
        assert path.stem.removeprefix("ingest_") in proven
        assert f"`{path.name}`" in listed


@pytest.mark.parametrize(
    "headers",
    [
        {"authorization": f"Bearer {KEY}"},
        {"AUTHORIZATION": f"bearer {KEY}"},
        {"Authorization": f"  BEARER   {KEY} "},
    ],
)
def test_header_and_scheme_are_known_in_any_case(world: World, headers: dict[str, str]) -> None:
    event = {**api_call(event_body().decode()), "headers": headers, "multiValueHeaders": None}

    assert world.call(event) == (200, "stored")


def test_the_key_is_found_among_multiple_values(world: World) -> None:
    event = api_call(event_body().decode())

    assert world.call({**event, "headers": None}) == (200, "stored")


@pytest.mark.parametrize(
    "value",
    [
        "",
        "Bearer",
        "Bearer ",
        KEY,
        f"Basic {KEY}",
        f"Bearer {KEY}x",
        f"Bearer{KEY}",
        "Bearer é\x00",
    ],
)
def test_without_the_key_nothing_is_taken(world: World, value: str) -> None:
    event = {**api_call(event_body().decode()), "headers": {"Authorization": value}}

    answer = world.handler({**event, "multiValueHeaders": {}}, None)

    assert answer["statusCode"] == 401
    assert "Authorization: Bearer <api_key>" in json.loads(answer["body"])["detail"]
    assert KEY not in str(answer)
    assert world.stored() == []
    assert world.quarantined() == []


def test_who_may_not_call_learns_nothing_about_the_size(world: World) -> None:
    assert world.call(api_call("x" * 300_000, key=None)) == (401, "unauthorized")


@pytest.mark.parametrize(
    ("event", "kept"),
    [
        (api_call(None), b""),
        (api_call(""), b""),
        (api_call("not base64!", is_base64=True), b"not base64!"),
        (api_call("é", is_base64=True), "é".encode()),
        (api_call("\ud800"), b"\xed\xa0\x80"),
        (api_call(base64.b64encode(b"\xff\x00").decode(), is_base64=True), b"\xff\x00"),
    ],
)
def test_a_body_that_is_none_is_kept_all_the_same(
    world: World, event: dict[str, Any], kept: bytes
) -> None:
    assert world.call(event) == (200, "quarantined")

    assert world.quarantined() == [("unparsable", kept)]


@pytest.mark.parametrize(
    ("length", "reason"),
    [
        (INLINE_BYTES_MAX, "unparsable"),
        (INLINE_BYTES_MAX + 1, "unparsable"),
        (PARSED_BYTES_MAX, "unparsable"),
        (PARSED_BYTES_MAX + 1, "too_large"),
    ],
)
def test_what_cannot_be_used_is_kept_whole_however_long_it_is(
    world: World, length: int, reason: str
) -> None:
    assert world.call(api_call("x" * length)) == (200, "quarantined")

    assert world.quarantined() == [(reason, b"x" * length)]


def test_a_body_too_large_for_an_item_is_a_normal_event(world: World) -> None:
    call = sample("stored_large")
    body = call["body"].encode()
    assert len(body) > INLINE_BYTES_MAX

    assert [world.call(call)[1] for _ in range(2)] == ["stored", "already_stored"]

    [row] = world.rows("EventsTable")
    assert "body" not in row
    assert world.stored() == [body]
    assert read_open_event(row).event == parse_event(body, TENANT)
    assert world.observer.counts["EventsStored"] == 1
    assert world.quarantined() == []


def test_five_thousand_items_are_an_event_all_the_same(world: World) -> None:
    """Their ids alone are more than an item holds twice."""
    items = [
        {"id": str(uuid5(NAMESPACE_URL, str(n))), "product_id": "4006381"} for n in range(5_000)
    ]
    body = event_body(items=items)

    assert world.call(api_call(body.decode())) == (200, "stored")

    [row] = world.rows("EventsTable")
    assert read_open_event(row).event == parse_event(body, TENANT)


def test_while_the_bucket_is_missing_a_large_event_is_to_be_sent_again(world: World) -> None:
    world.s3.delete_bucket(Bucket="imports")

    assert world.sample("stored_large") == (500, "not_stored")
    assert world.sample("stored_completed") == (200, "stored")
    assert len(world.rows("EventsTable")) == 1


def test_while_the_table_is_missing_the_event_is_to_be_sent_again(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    world.aws.dynamodb.delete_table(TableName="EventsTable")
    body = event_body(associate_id="secret-name").decode()

    with caplog.at_level(logging.ERROR):
        answer = world.handler(api_call(body), None)

    assert answer["statusCode"] == 500
    [record] = caplog.records
    assert "events table: ResourceNotFoundException" in record.getMessage()
    assert "secret-name" not in caplog.text
    assert KEY not in caplog.text


def test_a_wrong_setting_is_logged_and_answered_500_until_it_is_right(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse() -> IngestResources:
        raise FatalError("RETENTION_DAYS='x': allowed is a whole number 15 to 3650")

    handler = load_app("ingest_event").build_handler(refuse)

    for _ in range(2):
        assert handler(api_call("{}"), None)["statusCode"] == 500

    assert caplog.text.count("RETENTION_DAYS") == 2


def test_a_surprise_is_answered_500_and_logged_without_its_text(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fail() -> IngestResources:
        raise KeyError("secret-text")

    handler = load_app("ingest_event").build_handler(fail)

    assert handler(api_call("{}"), None)["statusCode"] == 500

    [record] = caplog.records
    figures = vars(record)["figures"]
    assert (record.getMessage(), figures["error"]) == ("unexpected failure", "KeyError")
    assert "test_ingest_handler.py" in figures["raised_at"]
    assert "secret-text" not in f"{caplog.text} {vars(record)}"


def test_the_door_is_made_on_the_first_call_that_can_and_then_kept(world: World) -> None:
    tries: list[int] = []

    def make() -> IngestResources:
        tries.append(len(tries))
        if len(tries) == 1:
            raise FatalError("not yet")
        return world.make()

    handler = load_app("ingest_event").build_handler(make)
    assert tries == []

    statuses = [handler(api_call(event_body().decode()), None)["statusCode"] for _ in range(4)]

    assert statuses == [500, 200, 200, 200]
    assert tries == [0, 1]
