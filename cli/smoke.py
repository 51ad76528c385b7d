"""`smoke`: a sample event through a deployed stack, by its own webhook and key."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import uuid4

import click
import requests

from cli.command import Operator, connected
from cli.output import columns, refusal
from cli.stack import CHECK_STREAM_FUNCTION, INGEST_FUNCTION
from inventory_sync.adapters.newstore.event_body import parse_event
from inventory_sync.domain.errors import FatalError
from inventory_sync.domain.events import EventRef, FulfillmentEvent

ANSWER_SECONDS_MAX = 30
POLL_SECONDS = 5
IGNORED = "smoke.test"
"""No event of NewStore's: it is answered, counted and stored nowhere."""
NO_EVENT = b"{"
"""With the right key it would be kept, in quarantine."""
NO_HARM = frozenset({429, 500})
"""What API Gateway may answer by itself: after a 400 or a 403 NewStore stops the stream."""
ASSIGNED, FAILED = "fulfillment_request.assigned", "fulfillment_request.items_failed"


@dataclass
class Checks:
    """What was looked at, and what came of it."""

    rows: list[dict[str, object]] = field(default_factory=list)
    failed: int = 0

    def add(self, what: str, expected: object, found: object) -> None:
        """One row."""
        passed = expected == found
        self.failed += not passed
        state = str(found) if passed else f"{found}, expected {expected}"
        self.rows.append({"check": what, "found": state, "passed": passed})


@dataclass(frozen=True)
class Door:
    """The webhook."""

    url: str
    key: str

    def post(self, body: bytes, *, key: str | None = None) -> int:
        """The status of the answer, with another key or, where that is empty, with none.

        FatalError where there is none.
        """
        key = self.key if key is None else key
        return self._call("POST", body, {"Authorization": f"Bearer {key}"} if key else {})

    def get(self) -> int:
        """The status of API Gateway's own answer, to a method that the webhook does not have."""
        return self._call("GET", b"", {})

    def _call(self, method: str, body: bytes, headers: Mapping[str, str]) -> int:
        headers = {"Content-Type": "application/json", **headers}
        try:
            answer = requests.request(
                method, self.url, data=body, headers=headers, timeout=ANSWER_SECONDS_MAX
            )
        except requests.RequestException as error:
            raise FatalError(f"{self.url} does not answer: {type(error).__name__}") from error
        return answer.status_code


@click.command()
@click.option("--location", help="Send a pair of events of this location through to the ERP.")
@click.option("--product", help="Of this product; with --location.")
@click.option("--url", help="The webhook, where it is not the stack's own address.")
@click.option("--minutes", default=7.0, show_default=True, help="How long the ERP may take.")
@connected
def smoke(
    operator: Operator, location: str | None, product: str | None, url: str | None, minutes: float
) -> None:
    """Post sample events to the stack's webhook and look at what becomes of them.

    Without options it tests the webhook itself: a wrong key is refused, the right one is accepted,
    and nothing is stored.
    With --location and --product it also stores that a unit is set aside and that this is over,
    and waits until the ERP was told both. No stock moves; the ERP sees an allocation come and go.

    Exit code 4 where something is not as it has to be.

    Example: inventory-sync smoke --stack inventory-sync-staging --location DC01 --product SKU-1
    """
    if bool(location) != bool(product):
        raise refusal("--location and --product go together")
    if location:
        operator.require_location(location)
    door, tenant = door_of(operator, url), tenant_of(operator)
    checks = Checks()
    try_webhook(door, sample(operator, tenant, IGNORED, {}), checks)
    if location and product:
        _through(operator, door, Pair(tenant, location, product), minutes, checks)
    operator.out.report({"checks": checks.rows, "failed": checks.failed}, columns(checks.rows))
    if checks.failed:
        operator.out.found()


def door_of(operator: Operator, url: str | None) -> Door:
    """With the key that NewStore is to call with; at `url` where it is not the stack's own."""
    key = operator.stack.inbound_key()
    return Door(url or operator.stack.variables(CHECK_STREAM_FUNCTION)["EVENT_URL"], key)


def tenant_of(operator: Operator) -> str:
    """As events have to name it."""
    return operator.stack.variables(INGEST_FUNCTION)["NEWSTORE_TENANT"]


def try_webhook(door: Door, ignored: bytes, checks: Checks) -> None:
    """By calls that store nothing; `ignored` is an event that does not concern stock."""
    checks.add("a call without a key", 401, door.post(NO_EVENT, key=""))
    checks.add("a call with a wrong key", 401, door.post(NO_EVENT, key=f"wrong-{uuid4()}"))
    checks.add("an event of no concern", 200, door.post(ignored))
    answered = door.get()
    checks.add("another method", answered if answered in NO_HARM else 429, answered)


@dataclass(frozen=True)
class Pair:
    """That a unit is set aside for a request, and that it is not any more."""

    tenant: str
    location: str
    product: str

    def bodies(self, operator: Operator) -> list[bytes]:
        """Of a request of its own, at the lowest logical timestamps: no import is concerned."""
        request = str(uuid4())
        payload = {
            "id": request,
            "order_id": f"smoke-{request}",
            "fulfillment_location_id": self.location,
            "service_level": "STANDARD",
            "items": [{"id": str(uuid4()), "product_id": self.product}],
        }
        return [
            sample(operator, self.tenant, name, {**payload, "logical_timestamp": number})
            for number, name in enumerate((ASSIGNED, FAILED), 1)
        ]


def sample(operator: Operator, tenant: str, name: str, payload: dict[str, Any]) -> bytes:
    """An event as NewStore sends it, published now."""
    published = operator.now.isoformat(timespec="milliseconds")
    event = {"tenant": tenant, "name": name, "published_at": published, "payload": payload}
    return json.dumps(event).encode()


def _through(operator: Operator, door: Door, pair: Pair, minutes: float, checks: Checks) -> None:
    bodies = pair.bodies(operator)
    for body, what in zip(bodies, ("an assigned unit", "the end of that"), strict=True):
        checks.add(what, 200, door.post(body))
    checks.add("the same once more", 200, door.post(bodies[0]))
    parsed = [parse_event(body, pair.tenant) for body in bodies]
    refs = [event.ref for event in parsed if isinstance(event, FulfillmentEvent)]
    told = _wait(operator, minutes, lambda: all(_is_closed(operator, ref) for ref in refs))
    checks.add("the ERP was told both", True, told)


def _is_closed(operator: Operator, ref: EventRef) -> bool:
    """An event that ships nothing is closed once the ERP was told."""
    stored = operator.stack.history.event(ref)
    return stored is not None and not stored.is_open


def _wait(operator: Operator, minutes: float, done: Callable[[], bool]) -> bool:
    connect = operator.stack.connect
    until = connect.now() + timedelta(minutes=minutes)
    while not done():
        if connect.now() >= until:
            return False
        connect.sleep(POLL_SECONDS)
    return True
