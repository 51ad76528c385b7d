"""How long an event takes to the ERP's books at 50 a second: webhook, stream, forwarder, ERP.

Everything is in one process on this machine but NewStore, which is the child
`python -m tests.bench.event_to_erp URL KEY`. The stream is asked as often as Lambda asks it.
"""

import json
import sys
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait

from inventory_sync.bootstrap.system_clock import SystemClock
from inventory_sync.domain.locations import Location
from local.aws import API_KEY
from local.newstore.delivery import post_over_http
from local.stack import LocalStack, StackPlan, local_stack
from tests.bench.measuring import Figure, in_a_process, percentile
from tests.bench.warm import bodies
from tests.contract.engines import dynoxide

EVENTS_A_SECOND = 50
SECONDS = 20
POLL_SECONDS = 0.25
"""Four times a second for each shard (Lambda's documentation of its stream mappings)."""
DRAIN_SECONDS_MAX = 60
P99_GOAL = 2.0


def figures() -> Iterator[Figure]:
    """p50 and p99, and what did not arrive."""
    places = [
        Location(location_id=p, fulfillment_node_id=p, store_id=p, erp_location=p)
        for p in sorted({f"STORE-{number:03}" for number in range(50)})
    ]
    with dynoxide() as engine:
        url = engine.meta.endpoint_url
        endpoints = {"AWS_ENDPOINT_URL_DYNAMODB": url, "AWS_ENDPOINT_URL_DYNAMODB_STREAMS": url}
        plan = StackPlan(locations=places, endpoints=endpoints)
        with local_stack(plan, SystemClock()) as stack:
            sent = _send_and_forward(stack)
            took = [
                booked[0].applied_at.timestamp() - sent[booked[0].movement.fulfillment_request_id]
                for booked in stack.erp.movements.values()
            ]
    at = f"event to ERP at {EVENTS_A_SECOND} a second"
    yield Figure(name=f"{at}, p50", value=percentile(took, 0.5), unit="s")
    yield Figure(name=f"{at}, p99", value=percentile(took, 0.99), unit="s", goal=P99_GOAL)
    missing = len(sent) - len(took)
    yield Figure(name=f"{at}, not booked of {len(sent)}", value=missing, unit="events", goal=0)


def _send_and_forward(stack: LocalStack) -> dict[str, float]:
    """When each event was sent, epoch seconds by request id; the stream is pumped meanwhile."""
    with ThreadPoolExecutor(1) as pool:
        sending = pool.submit(in_a_process, "tests.bench.event_to_erp", stack.event_url, API_KEY)
        deadline = time.monotonic() + SECONDS + DRAIN_SECONDS_MAX
        while time.monotonic() < deadline:
            began = time.monotonic()
            stack.stream.pump()
            if sending.done() and len(stack.erp.movements) == len(sending.result()):
                break
            time.sleep(max(0.0, POLL_SECONDS - (time.monotonic() - began)))
        return sending.result()


def main() -> None:
    """Send on the beat, whatever the answers take; prints when each was sent."""
    url, key = sys.argv[1:]
    post = post_over_http(url)
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    sent: dict[str, float] = {}
    answers: list[Future[int]] = []
    began = time.time()
    amount = EVENTS_A_SECOND * SECONDS

    def send(request_id: str, body: bytes) -> int:
        sent[request_id] = time.time()
        return post(body, headers)

    with ThreadPoolExecutor(64) as pool:
        for number, (request_id, body) in enumerate(bodies(iter(range(1, amount + 1)), amount)):
            time.sleep(max(0.0, began + number / EVENTS_A_SECOND - time.time()))
            answers.append(pool.submit(send, request_id, body))
        wait(answers)
    statuses = {answer.result() for answer in answers}
    if statuses != {200}:
        raise RuntimeError(f"not every event was stored: {statuses}")
    sys.stdout.write(json.dumps(sent))


if __name__ == "__main__":
    main()
