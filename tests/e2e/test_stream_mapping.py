"""Lambda's documented rules for stream mappings over the built forwarder.

The local AWS of `make e2e` has none of them: partial batches, retries, bisecting, the failure
queue. Here `local/stream.py` follows them; the function is the one that is deployed, in Lambda's
runtime.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.clock import ShiftedClock
from local.invoke import built_function, seeded_stack
from local.newstore.events import event_bytes
from local.stack import EVENTS, FORWARD, LocalStack
from local.stream import EventStream, MappingLimits
from tests.e2e.built import BUILT

pytestmark = BUILT
KEY = ("DC01", "SKU-1")
OTHER = ("DC01", "SKU-2")
SWEEP_AGE_SECONDS = 61
Invoke = Callable[[dict[str, Any]], Any]


@dataclass(frozen=True)
class Mapped:
    """The built forwarder, and what a mapping in front of it would do."""

    stack: LocalStack
    invoke: Invoke

    def stream(self, invoke: Invoke | None = None, retries: int = 2) -> EventStream:
        table = self.stack.template.physical_id(EVENTS)
        arn = self.stack.aws.dynamodb.describe_table(TableName=table)["Table"]["LatestStreamArn"]
        limits = MappingLimits(batch_records=25, retries_max=retries)
        return EventStream(self.stack.aws.streams, arn, invoke or self.invoke, limits)

    def ship(self, request: str, product: str = "SKU-1") -> str:
        """A unit leaves, and NewStore says so; returns the request."""
        newstore = self.stack.newstore
        newstore.assign(request, "order-1", "DC01", [(f"{request}-1", product)])
        event = newstore.complete(request)
        assert self.stack.delivery.deliver_now(event_bytes(event)) == 200
        return request

    def store_unreadable(self) -> None:
        """What no version of ours has written: an event without any of its figures."""
        table = self.stack.template.physical_id(EVENTS)
        item: Any = {"location_id": {"S": "DC01"}, "event_key": {"S": "damaged"}}
        self.stack.aws.dynamodb.put_item(TableName=table, Item=item)


@contextmanager
def mapped(folder: Path) -> Iterator[Mapped]:
    with (
        (folder / "function.log").open("w+") as log,
        seeded_stack() as stack,
        built_function(stack, FORWARD, log) as built,
    ):
        yield Mapped(stack, lambda event: built.invoke(json.dumps(event).encode()))


def requests_of(records: list[dict[str, Any]]) -> list[str]:
    return [r["dynamodb"]["Keys"]["event_key"]["S"].rsplit("#", 2)[-2:][0] for r in records]


def test_an_unreadable_record_ends_in_the_failure_queue_and_its_neighbours_at_the_erp(
    tmp_path: Path,
) -> None:
    with mapped(tmp_path) as forward:
        forward.ship("before")
        forward.store_unreadable()
        forward.ship("after")
        stream = forward.stream()

        stream.pump()

        assert forward.stack.erp.on_hand(KEY) == 10 - 1 - 2  # the seeded one, before and after
        assert forward.stack.erp.double_bookings == 0
        [message] = stream.failure_queue
        lost = message["DDBStreamBatchInfo"]
        assert lost["startSequenceNumber"] == stream.discarded[0]["dynamodb"]["SequenceNumber"]
        assert requests_of(stream.discarded) == ["damaged", "after"]
        forward.ship("later")
        assert requests_of(stream.pump()) == ["later"]


def test_only_what_failed_and_what_follows_is_repeated(tmp_path: Path) -> None:
    batches: list[list[str]] = []
    with mapped(tmp_path) as forward:

        def recorded(event: dict[str, Any]) -> Any:
            batches.append(requests_of(event["Records"]))
            if len(batches) == 2:
                forward.stack.erp.busy_products.clear()
            return forward.invoke(event)

        stream = forward.stream(recorded)
        stream.pump()
        batches.clear()
        forward.stack.erp.busy_products["SKU-2"] = "counting"
        for request, product in (("one", "SKU-1"), ("two", "SKU-2"), ("three", "SKU-1")):
            forward.ship(request, product)

        stream.pump()

        assert batches == [["one", "two", "three"], ["two", "three"]]
        assert (forward.stack.erp.on_hand(KEY), forward.stack.erp.on_hand(OTHER)) == (7, 4)
        assert forward.stack.erp.double_bookings == 0
        assert not stream.failure_queue


def test_a_record_that_kills_the_function_is_isolated_by_bisecting(tmp_path: Path) -> None:
    """Memory or time ran out, say: no answer comes, and nothing tells which record it was."""
    with mapped(tmp_path) as forward:
        for number in range(8):
            forward.ship(f"ff{number}")

        def dying(event: dict[str, Any]) -> Any:
            if "ff5" in requests_of(event["Records"]):
                raise MemoryError
            return forward.invoke(event)

        stream = forward.stream(dying)
        stream.pump()

        assert requests_of(stream.discarded) == ["ff5"]
        assert forward.stack.erp.on_hand(KEY) == 10 - 1 - 7
        assert forward.stack.erp.double_bookings == 0


def test_an_outage_longer_than_all_retries_leaves_the_events_to_the_sweep(tmp_path: Path) -> None:
    with mapped(tmp_path) as forward:
        stream = forward.stream(retries=1)
        stream.pump()
        forward.stack.erp.faults.refuse_next(calls=1000)
        clock = forward.stack.clock
        assert isinstance(clock, ShiftedClock)
        clock.shift(-SWEEP_AGE_SECONDS)
        forward.ship("ff1")
        forward.ship("ff2")
        clock.shift(SWEEP_AGE_SECONDS)

        stream.pump()
        assert len(stream.failure_queue) == 1
        assert forward.stack.erp.on_hand(KEY) == 9
        forward.stack.erp.faults.planned.clear()

        assert forward.invoke({"sweep": True})["forwarded"] == 2
        assert forward.stack.erp.on_hand(KEY) == 7
