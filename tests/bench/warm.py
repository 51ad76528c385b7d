"""Warm CPU of an event: the webhook's handler against one that parses and puts, one engine.

`python -m tests.bench.warm` is the child: it prints microseconds of this thread's CPU per event.
"""

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from datetime import UTC, datetime
from importlib import import_module
from io import StringIO
from itertools import count, islice
from statistics import median
from typing import Any

from tests.bench.measuring import Figure, in_a_process, interleaved
from tests.event_bodies import api_call, event_body

ROUNDS = 25
EVENTS_A_ROUND = 100
GOAL = 1.3

Handler = Callable[[dict[str, Any], object], dict[str, Any]]


def figures() -> Iterator[Figure]:
    """One line."""
    from tests.bench.webhook import LAMBDA_PYTHON, webhook

    with webhook() as world:
        found = in_a_process(
            "tests.bench.warm", python=LAMBDA_PYTHON, environment=world.environment
        )
    yield Figure(
        name="warm CPU of an event in ingest against json.loads and put_item",
        value=found["ours"],
        unit="us CPU",
        baseline=found["bare"],
        goal=GOAL,
    )


def bare_handler() -> Handler:
    """What a webhook has to do at least."""
    import os

    import boto3

    client, table = boto3.client("dynamodb"), os.environ["EVENTS_TABLE"]

    def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
        payload = json.loads(event["body"])["payload"]
        key = f"{payload['logical_timestamp']}#{payload['id']}"
        location = {"S": payload["fulfillment_location_id"]}
        item = {"location_id": location, "event_key": {"S": key}, "body": {"S": event["body"]}}
        client.put_item(TableName=table, Item=item)
        return {"statusCode": 200}

    return handler


def calls(numbers: Iterator[int], amount: int) -> list[dict[str, Any]]:
    """Events that were not there before, as API Gateway hands them over."""
    return [api_call(body.decode()) for _, body in bodies(numbers, amount)]


def bodies(numbers: Iterator[int], amount: int) -> Iterator[tuple[str, bytes]]:
    """Request ids and bodies of events completed now, over 50 locations, one item each."""
    for number in islice(numbers, amount):
        place = f"STORE-{number % 50:03}"
        body = event_body(
            id=f"request-{number}",
            published_at=datetime.now(UTC).isoformat(),
            order_id=f"order-{number}",
            logical_timestamp=number,
            fulfillment_location_id=place,
            products=(f"SKU-{number % 997:05}",),
        )
        yield f"request-{number}", body


def main() -> None:
    """Both handlers in one process, by turns."""
    ours = import_module("app").lambda_handler
    numbers = count(1)

    def cpu(handler: Handler) -> float:
        events = calls(numbers, EVENTS_A_ROUND)
        started = time.thread_time()
        statuses = {handler(event, None)["statusCode"] for event in events}
        passed = time.thread_time() - started
        if statuses != {200}:
            raise RuntimeError(f"not stored: {statuses}")
        return passed / EVENTS_A_ROUND * 1e6

    bare = bare_handler()
    ways = {"ours": lambda: cpu(ours), "bare": lambda: cpu(bare)}
    with redirect_stdout(StringIO()):
        interleaved(ways, 1)
        runs = interleaved(ways, ROUNDS)
    sys.stdout.write(json.dumps({name: median(found) for name, found in runs.items()}))


if __name__ == "__main__":
    main()
