"""Events a second and their latency with so many under way at once; none may be lost.

`python -m tests.bench.load CONCURRENT EVENTS` is the child. Processes stand for Lambda's instances:
each takes one event at a time, as an instance does. There are a few for each core, so what is
beyond them waits, which in Lambda it would not: the latencies are this machine's.
"""

import json
import os
import sys
import time
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from importlib import import_module
from itertools import count
from threading import Semaphore
from typing import Any

from tests.bench.measuring import Figure, in_a_process, percentile
from tests.bench.warm import calls

EVENTS = 4_000
INSTANCES = 2 * (os.cpu_count() or 1)
CONCURRENT = (50, 500)


def figures() -> Iterator[Figure]:
    """Four lines for each number of events under way."""
    from tests.bench.webhook import EVENTS as TABLE
    from tests.bench.webhook import LAMBDA_PYTHON, webhook

    for concurrent in CONCURRENT:
        with webhook() as world:
            found = in_a_process(
                "tests.bench.load",
                concurrent,
                EVENTS,
                python=LAMBDA_PYTHON,
                environment=world.environment,
            )
            pages = world.dynamodb.get_paginator("scan")
            stored = sum(page["Count"] for page in pages.paginate(TableName=TABLE, Select="COUNT"))
        at = f"with {concurrent} events under way, {INSTANCES} instances"
        yield Figure(name=f"events a second {at}", value=found["events_a_second"], unit="1/s")
        yield Figure(name=f"p50 {at}", value=found["p50"], unit="ms")
        yield Figure(name=f"p99 {at}", value=found["p99"], unit="ms")
        yield Figure(
            name=f"lost of {found['sent']} {at}",
            value=found["sent"] - stored,
            unit="events",
            goal=0,
        )


def instance() -> None:
    """A process that is the webhook."""
    sys.stdout = open(os.devnull, "w")  # noqa: PTH123, SIM115  # its metrics, until it ends
    globals()["_handler"] = import_module("app").lambda_handler


def answer(call: dict[str, Any]) -> int:
    """The status."""
    status: int = globals()["_handler"](call, None)["statusCode"]
    return status


def main() -> None:
    """Keep so many under way until all are answered."""
    concurrent, amount = map(int, sys.argv[1:])
    free = Semaphore(concurrent)
    took: list[float] = []
    with ProcessPoolExecutor(INSTANCES, initializer=instance) as pool:
        first = calls(count(10**9), INSTANCES * 8)
        list(pool.map(answer, first))  # every instance is warm
        futures: list[Future[int]] = []
        began = time.perf_counter()
        for call in calls(count(1), amount):
            free.acquire()
            futures.append(_send(pool, call, free, took))
        statuses = [future.result() for future in futures]
        passed = time.perf_counter() - began
    if set(statuses) != {200}:
        raise RuntimeError(f"not every event was stored: {set(statuses)}")
    found = {
        "sent": amount + len(first),
        "events_a_second": amount / passed,
        "p50": percentile(took, 0.5) * 1000,
        "p99": percentile(took, 0.99) * 1000,
    }
    sys.stdout.write(json.dumps(found))


def _send(
    pool: ProcessPoolExecutor, call: dict[str, Any], free: Semaphore, took: list[float]
) -> "Future[int]":
    started = time.perf_counter()

    def done(_: object) -> None:
        took.append(time.perf_counter() - started)
        free.release()

    future = pool.submit(answer, call)
    future.add_done_callback(done)
    return future


if __name__ == "__main__":
    main()
