"""The stream's delivery: at least once, in any order, byte for byte the same."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from random import Random

import pytest

from local.newstore.delivery import NO_ANSWER, Delivery, post_over_http
from tests.unit.local.clock import Clock

EVENTS = [{"name": f"event-{number}", "payload": {"città": number}} for number in range(4)]


class Receiver:
    """Answers with the statuses it was given, then with 200."""

    def __init__(self, *statuses: int) -> None:
        self.statuses = list(statuses)
        self.bodies: list[bytes] = []
        self.headers: list[Mapping[str, str]] = []

    def __call__(self, body: bytes, headers: Mapping[str, str]) -> int:
        self.bodies.append(body)
        self.headers.append(headers)
        return self.statuses.pop(0) if self.statuses else 200

    def names(self) -> list[str]:
        return [body.split(b'"')[3].decode() for body in self.bodies]


def test_a_script_gives_the_order_and_the_duplicates() -> None:
    receiver = Receiver(200, 200)
    statuses = Delivery(receiver, Clock()).deliver(EVENTS, order=[2, 0, 1], duplicates={2: 1})
    assert receiver.names() == ["event-2", "event-2", "event-0", "event-1"]
    assert statuses == [200, 200, 200, 200]


def test_every_post_carries_the_api_key() -> None:
    receiver = Receiver()
    Delivery(receiver, Clock(), api_key="key-1").deliver_now(EVENTS[0])
    assert receiver.headers[0]["Authorization"] == "Bearer key-1"


def streaming(clock: Clock, receiver: Receiver, events: int = 3) -> Delivery:
    delivery = Delivery(receiver, clock)
    for event in EVENTS[:events]:
        delivery.enqueue(event)
    return delivery


def deliver_for(delivery: Delivery, clock: Clock, seconds: int) -> None:
    for _ in range(seconds):
        delivery.deliver_due()
        clock.sleep(1)


@pytest.mark.parametrize("status", [201, 202, 401, 404, 413, 429, 500, 503, NO_ANSWER])
def test_anything_but_a_200_interrupts_the_stream_until_the_body_is_taken(status: int) -> None:
    clock, receiver = Clock(), Receiver(status, status)
    delivery = streaming(clock, receiver)

    deliver_for(delivery, clock, 30)

    assert receiver.names() == ["event-0", "event-0", "event-0", "event-1", "event-2"]
    assert len(set(receiver.bodies[:3])) == 1
    assert (delivery.running, delivery.pending) == (True, 0)


@pytest.mark.parametrize("status", [202, 401, 500])
def test_after_ten_attempts_in_twenty_minutes_the_stream_stops_and_keeps_the_rest(
    status: int,
) -> None:
    clock, receiver = Clock(), Receiver(*[status] * 10)
    delivery, begun = streaming(clock, receiver), clock()

    while delivery.running:
        deliver_for(delivery, clock, 1)

    assert receiver.names() == ["event-0"] * 10
    assert timedelta(minutes=19) < clock() - begun < timedelta(minutes=21)
    deliver_for(delivery, clock, 3600)
    assert len(receiver.bodies) == 10
    delivery.start()
    deliver_for(delivery, clock, 1)
    assert set(receiver.names()[10:]) == {"event-0", "event-1", "event-2"}


def test_a_403_stops_the_stream_at_once() -> None:
    clock, receiver = Clock(), Receiver(403)
    delivery = streaming(clock, receiver)

    deliver_for(delivery, clock, 60)

    assert receiver.names() == ["event-0"]
    assert (delivery.running, delivery.pending) == (False, 3)


def test_a_400_sets_the_body_aside_and_the_31st_stops_the_stream() -> None:
    clock, receiver = Clock(), Receiver(*[400] * 31)
    delivery = Delivery(receiver, clock)
    for number in range(30):
        delivery.enqueue(EVENTS[number % 4])
    delivery.deliver_due()
    assert (delivery.running, len(delivery.rejected), delivery.pending) == (True, 30, 0)

    delivery.enqueue(EVENTS[0])
    delivery.enqueue(EVENTS[1])
    delivery.deliver_due()

    assert (delivery.running, len(delivery.rejected), delivery.pending) == (False, 31, 1)


def test_a_stopped_stream_keeps_what_happens_for_thirty_days() -> None:
    clock, receiver = Clock(), Receiver(403)
    delivery = streaming(clock, receiver, events=2)
    delivery.deliver_due()
    clock.sleep(31 * 86_400)
    delivery.enqueue(EVENTS[3])

    delivery.start()
    delivery.deliver_due()

    assert receiver.names() == ["event-0", "event-3"]
    assert len(delivery.lost) == 2


def test_nothing_is_delivered_before_its_delay_is_over() -> None:
    clock, receiver = Clock(), Receiver()
    delivery = Delivery(receiver, clock)
    delivery.enqueue(EVENTS[0], delay_seconds=60)
    delivery.enqueue(EVENTS[1], delay_seconds=30)
    delivery.enqueue(EVENTS[2])
    assert delivery.deliver_due() == 1
    clock.sleep(60)
    delivery.deliver_due()
    assert receiver.names() == ["event-2", "event-1", "event-0"]


def test_the_same_seed_gives_the_same_deliveries() -> None:
    def names(seed: int) -> list[str]:
        clock, receiver = Clock(), Receiver()
        delivery, random = Delivery(receiver, clock), Random(seed)
        for event in EVENTS:
            delivery.enqueue_at_random(event, random, delay_seconds_max=900, duplicate_rate=0.5)
        clock.sleep(900)
        delivery.deliver_due()
        return receiver.names()

    assert names(1) == names(1)
    assert set(names(1)) == {"event-0", "event-1", "event-2", "event-3"}
    assert len({tuple(names(seed)) for seed in range(20)}) > 10


def test_an_endpoint_that_is_not_there_gives_no_answer() -> None:
    assert post_over_http("http://127.0.0.1:9", timeout_seconds=1)(b"{}", {}) == NO_ANSWER
