"""No body makes the webhook fail, takes it long or is lost: thousands of hostile ones.

`make fuzz` takes 100,000.
"""

import base64
import json
import os
import random
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest

from inventory_sync.adapters.newstore.event_body import parse_event
from inventory_sync.domain.events import FulfillmentEvent
from inventory_sync.domain.inbound import same_event
from inventory_sync.use_cases.ingest.ingest_event import IngestEvent, IngestResources
from tests.apps import load_app
from tests.event_bodies import KEY, TENANT, event_fields
from tests.fakes.clock import FakeClock
from tests.fakes.event_log import FakeEventLog
from tests.fakes.inbound_keys import FakeInboundKeys
from tests.fakes.observer import FakeObserver
from tests.fakes.quarantine import FakeQuarantine

BODIES = int(os.environ.get("FUZZ_BODIES", "5000"))
SHARDS = 10
LONG_BYTES = 20_000
REPEATED = 0.1
SECONDS_MAX = 1.0

Random = random.Random
NAMES = [
    "fulfillment_request.assigned",
    "fulfillment_request.items_completed",
    "fulfillment_request.items_failed",
    "order.completed",
    "",
    "\ud800",
]
TEXTS = ["", "a", "DC#01", "\x00", "a\x00b", "\ud800", "\udfff\ud800", "é店😀", "x" * 201, "\u2028"]
NUMBERS = [0, -1, -0.0, 1.5, 12.0, 10**18, 10**18 + 1, 10**400, 1e308, float("inf"), float("nan")]
OTHERS: list[Any] = [None, True, False, [], {}, [[]], {"": {}}, [None] * 50]
RAW_NUMBERS = [b"1e999", b"-1e-999", b"9" * 4_000, b"9" * 5_000, b"0." + b"1" * 9_000, b"01", b"+1"]
ENCODINGS = ["utf-8-sig", "utf-16", "utf-16-le", "utf-32", "cp037", "utf-7"]


def any_value(rng: Random) -> Any:
    kinds: list[list[Any]] = [TEXTS, NUMBERS, OTHERS]
    return rng.choice(rng.choice(kinds))


def valid(rng: Random) -> dict[str, Any]:
    """An event; few keys, so that equal and conflicting bodies meet."""
    return event_fields(
        name=rng.choice(NAMES[:3]),
        products=[f"SKU-{rng.randrange(3)}" for _ in range(rng.randrange(1, 4))],
        logical_timestamp=rng.randrange(200),
        fulfillment_location_id=rng.choice(["DC01", "NYC", "店😀"]),
        id=f"ff{rng.randrange(3)}",
    )


def dumped(value: Any, rng: Random) -> bytes:
    """Lone surrogates stand as escapes, or as the bytes that no UTF-8 has."""
    as_ascii = rng.random() < 0.5
    return json.dumps(value, ensure_ascii=as_ascii).encode("utf-8", "surrogatepass")


def sound(rng: Random) -> bytes:
    return dumped(valid(rng), rng)


def truncated(rng: Random) -> bytes:
    body = sound(rng)
    return body[: rng.randrange(len(body))]


def wrong_types(rng: Random) -> bytes:
    event = valid(rng)
    places = [event, event["payload"], event["payload"]["items"][0]]
    for _ in range(rng.randrange(1, 4)):
        place = rng.choice(places)
        key = rng.choice(sorted(place))
        if rng.random() < 0.2:
            del place[key]
            if not place:
                break
        else:
            place[key] = any_value(rng)
    return dumped(event, rng)


def another_name_or_tenant(rng: Random) -> bytes:
    tenant = TENANT if rng.random() < 0.5 else rng.choice(TEXTS)
    return dumped({**valid(rng), "name": rng.choice(NAMES + TEXTS), "tenant": tenant}, rng)


def nested(rng: Random) -> bytes:
    opening, closing = rng.choice([(b"[", b"]"), (b'{"a":', b"}"), (b'[{"payload":', b"}]")])
    depth = rng.choice([10, 200, 900, 1_100, 3_000])
    knot = (
        opening * depth + rng.choice([b"0", b""]) + closing * (depth if rng.random() < 0.7 else 0)
    )
    return knot if rng.random() < 0.3 else sound(rng).replace(b"null", knot)


def huge_numbers(rng: Random) -> bytes:
    return sound(rng).replace(
        b'"logical_timestamp": ', b'"logical_timestamp": ' + rng.choice(RAW_NUMBERS)
    )


def duplicate_keys(rng: Random) -> bytes:
    event = valid(rng)
    place, key = rng.choice(
        [
            (event, "tenant"),
            (event, "payload"),
            (event["payload"], "id"),
            (event["payload"], "items"),
        ]
    )
    once = dumped({key: place[key]}, rng)[1:-1]
    return (
        dumped(event, rng)
        .replace(b'"associate_id": null', once)
        .replace(b'"name"', once + b',"name"')
    )


def wrong_encoding(rng: Random) -> bytes:
    return sound(rng).decode().encode(rng.choice(ENCODINGS), "replace")


def flipped(rng: Random) -> bytes:
    body = bytearray(sound(rng))
    for _ in range(rng.randrange(1, 8)):
        body[rng.randrange(len(body))] = rng.randrange(256)
    return bytes(body)


def spliced(rng: Random) -> bytes:
    body, other = sound(rng), sound(rng)
    return (
        body[: rng.randrange(len(body))]
        + rng.choice([b"", b"\x00", b"\xff"])
        + other[rng.randrange(len(other)) :]
    )


def noise(rng: Random) -> bytes:
    return rng.randbytes(rng.choice([0, 1, 7, 400, 5_000]))


def long(rng: Random) -> bytes:
    return rng.choice([b" ", b"[", b'"', b"9", b"\x00"]) * LONG_BYTES


MAKERS: list[Callable[[Random], bytes]] = [
    sound,
    truncated,
    wrong_types,
    another_name_or_tenant,
    nested,
    huge_numbers,
    duplicate_keys,
    wrong_encoding,
    flipped,
    spliced,
    noise,
    long,
]


def call_with(body: bytes, rng: Random) -> tuple[dict[str, Any], bytes]:
    """API Gateway's event for a body, and the bytes that have to be kept of it."""
    headers: Any = rng.choice(
        [
            {"Authorization": f"Bearer {KEY}"},
            {"AUTHORIZATION": f"bearer  {KEY}", "X": "\ud800"},
            {"authorization": "Bearer wrong", "Host": "x"},
            {"Authorization": "Bearer \ud800é"},
            {},
            None,
        ]
        if rng.random() < 0.1
        else [{"Authorization": f"Bearer {KEY}"}]
    )
    event: dict[str, Any] = {"headers": headers, "httpMethod": "POST"}
    if rng.random() < 0.5:
        event["multiValueHeaders"] = headers and {name: [value] for name, value in headers.items()}
    way = rng.random()
    if way < 0.3:
        return {**event, "body": base64.b64encode(body).decode(), "isBase64Encoded": True}, body
    if way < 0.35:
        text = "!" + body.decode("utf-8", "replace")  # claims to be base64 and is not
        return {**event, "body": text, "isBase64Encoded": True}, text.encode()
    if way < 0.36:
        return rng.choice([event, {**event, "body": None}]), b""
    text = body.decode("utf-8", "surrogateescape")  # what is no UTF-8 becomes lone surrogates
    kept = text.encode("utf-8", "surrogatepass")
    return {**event, "body": text, "isBase64Encoded": False}, kept


def stands_in_other_words(log: FakeEventLog, body: bytes) -> bool:
    """The same event came first in other words and stands (decision 0007)."""
    event = parse_event(body, TENANT)
    assert isinstance(event, FulfillmentEvent)
    stored = log.state_of(event.ref)
    return stored is not None and same_event(stored.event, event)


@pytest.mark.parametrize("shard", range(SHARDS))
def test_every_body_is_answered_soon_and_found_again(shard: int) -> None:
    rng = random.Random(f"ingest {shard}")
    log, quarantine = FakeEventLog(), FakeQuarantine()
    observer = FakeObserver()
    ingest = IngestEvent(
        parse=partial(parse_event, tenant=TENANT),
        event_log=log,
        quarantine=quarantine,
        clock=FakeClock(datetime(2026, 3, 2, 9, 0, 1, tzinfo=UTC)),
        observer=observer,
    )
    door = IngestResources(
        keys=FakeInboundKeys(KEY), ingest=ingest, observer=observer, flush=observer.flush
    )
    handler = load_app("ingest_event").build_handler(lambda: door)
    sent: list[tuple[dict[str, Any], bytes]] = []
    acknowledged: set[bytes] = set()
    answers: set[tuple[int, str]] = set()
    for number in range(BODIES // SHARDS):
        make = MAKERS[number % len(MAKERS)]
        repeated = sent and rng.random() < REPEATED
        event, kept = rng.choice(sent) if repeated else call_with(make(rng), rng)
        sent.append((event, kept))
        where = f"shard {shard}, body {number} ({make.__name__}): {kept[:200]!r}"

        started = time.process_time()
        answer = handler(event, None)
        assert time.process_time() - started < SECONDS_MAX, where

        outcome = json.loads(answer["body"])["outcome"]
        answers.add((answer["statusCode"], outcome))
        assert answer["statusCode"] < 500, where
        if answer["statusCode"] < 300 and outcome != "ignored":
            acknowledged.add(kept)

    found = {log.body_of(ref) for ref in log.refs()} | {e.body for e in quarantine.entries}
    assert found <= acknowledged
    for body in acknowledged - found:
        assert stands_in_other_words(log, body), body[:200]
    assert answers == {
        (200, "stored"),
        (200, "already_stored"),
        (200, "ignored"),
        (200, "quarantined"),
        (401, "unauthorized"),
    }
