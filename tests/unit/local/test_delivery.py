"""The stream's delivery: at least once, in any order, byte for byte the same."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random

from local.newstore.delivery import NO_ANSWER, Delivery, post_over_http
from tests.unit.local.clock import Clock

EVENTS = [{"name": f"event-{number}", "payload": {"città": number}} for number in range(4)]


class Receiver:
    """Answers with the statuses it was given, then with 202."""

    def __init__(self, *statuses: int) -> None:
        self.statuses = list(statuses)
        self.bodies: list[bytes] = []
        self.headers: list[Mapping[str, str]] = []

    def __call__(self, body: bytes, headers: Mapping[str, str]) -> int:
        self.bodies.append(body)
        self.headers.append(headers)
        return self.statuses.pop(0) if self.statuses else 202

    def names(self) -> list[str]:
        return [body.split(b'"')[3].decode() for body in self.bodies]


def test_a_script_gives_the_order_and_the_duplicates() -> None:
    receiver = Receiver(202, 200)
    statuses = Delivery(receiver, Clock()).deliver(EVENTS, order=[2, 0, 1], duplicates={2: 1})
    assert receiver.names() == ["event-2", "event-2", "event-0", "event-1"]
    assert statuses == [202, 200, 202, 202]


def test_every_post_carries_the_api_key() -> None:
    receiver = Receiver()
    Delivery(receiver, Clock(), api_key="key-1").deliver_now(EVENTS[0])
    assert receiver.headers[0]["Authorization"] == "Bearer key-1"


def test_a_refused_event_is_sent_again_byte_for_byte_until_it_is_taken() -> None:
    clock, receiver = Clock(), Receiver(503, NO_ANSWER)
    delivery = Delivery(receiver, clock)
    delivery.enqueue(EVENTS[0])
    for _ in range(5):
        delivery.deliver_due()
        clock.sleep(10)
    assert len(receiver.bodies) == 3
    assert len(set(receiver.bodies)) == 1
    assert delivery.pending == 0


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


def test_what_is_refused_too_often_is_a_failed_publication_that_can_be_retried() -> None:
    clock, receiver = Clock(), Receiver(500, 500)
    delivery = Delivery(receiver, clock)
    delivery.attempts_max = 2
    delivery.enqueue(EVENTS[0])
    for _ in range(3):
        delivery.deliver_due()
        clock.sleep(10)
    assert len(delivery.failed) == 1
    delivery.retry_failed()
    delivery.deliver_due()
    assert [attempt.status for attempt in delivery.attempts] == [500, 500, 202]


def test_a_4xx_is_given_up_and_can_stop_the_stream() -> None:
    receiver = Receiver(401)
    delivery = Delivery(receiver, Clock())
    delivery.stops_on_4xx = True
    for event in EVENTS[:2]:
        delivery.enqueue(event)
    delivery.deliver_due()
    assert (delivery.running, delivery.pending) == (False, 1)
    delivery.start()
    delivery.deliver_due()
    assert receiver.names() == ["event-0", "event-1"]


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
