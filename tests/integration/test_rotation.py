"""New credentials, through the real handlers: no event and no import is lost (docs/deploy.md)."""

import json
from collections.abc import Iterator, Mapping, Sequence
from io import StringIO

import pytest

from inventory_sync.domain.errors import FatalError
from inventory_sync.domain.locations import Location
from local.aws import API_KEY, CLIENT_ID
from local.functions import LocalFunction
from local.newstore.events import Event, event_bytes
from local.stack import INGEST, LocalStack, StackPlan, local_stack
from tests.event_bodies import api_call

DC = Location(location_id="DC01", fulfillment_node_id="DC01", store_id="", erp_location="DC01")
KEY = ("DC01", "SKU-1")
NEW_KEY = "local-inbound-key-0002"
STEPS = ("deliver", "forward", "import", "finish")
"""What becomes of an event, up to its release."""
JOB_SECONDS = 600


@pytest.fixture
def stack() -> Iterator[LocalStack]:
    plan = StackPlan(locations=[DC], newstore={"job_seconds": JOB_SECONDS})
    with local_stack(plan) as stack:
        stack.newstore.set_imported(KEY, 10)
        stack.erp.set_stock(KEY, 10)
        yield stack


def shipped(stack: LocalStack, request: str) -> Event:
    """A unit is ordered and shipped; the event of its shipment."""
    stack.newstore.assign(request, f"order-{request}", "DC01", [(f"{request}-1", "SKU-1")])
    return stack.newstore.complete(request)


def put_secret(stack: LocalStack, parameter: str, content: Mapping[str, object]) -> None:
    arn = stack.template.parameters[parameter]
    stack.aws.secrets.put_secret_value(SecretId=arn, SecretString=json.dumps(content))


def refuse_the_old(stack: LocalStack, generation: int) -> None:
    """The ERP and NewStore take new credentials only; access tokens of before are void."""
    stack.erp.token = f"erp-token-{generation}"
    stack.newstore.tokens.clients[CLIENT_ID] = f"client-secret-{generation}"
    stack.newstore.tokens.revoke_tokens()


def write_the_new(stack: LocalStack) -> None:
    secret = stack.newstore.tokens.clients[CLIENT_ID]
    put_secret(stack, "ErpSecretArn", {"token": stack.erp.token})
    put_secret(stack, "NewStoreSecretArn", {"client_id": CLIENT_ID, "client_secret": secret})


def take(stack: LocalStack, step: str, event: Event) -> None:
    match step:
        case "deliver":
            assert stack.delivery.deliver_now(event) == 200
        case "forward":
            stack.stream.pump()
        case "import":
            stack.clock.sleep(1800)
            assert stack.tick()["run"]["state"] == "STARTED"
        case "finish":
            stack.clock.sleep(JOB_SECONDS)
            assert stack.tick()["run"]["state"] == "FINALIZED"


def go(stack: LocalStack, steps: Sequence[str], event: Event) -> None:
    for step in steps:
        take(stack, step, event)


def nothing_is_lost(stack: LocalStack, units: int) -> None:
    """Booked once, imported, released; and the forwarder gave nothing up."""
    assert stack.erp.on_hand(KEY) == units
    assert stack.newstore.on_hand(KEY) == units
    assert stack.newstore.open_allocations(KEY) == 0
    assert stack.stream.discarded == []
    assert stack.count("QuarantineTable") == 0


@pytest.mark.sweep(sample=1)
@pytest.mark.parametrize("before", STEPS)
def test_new_credentials_lose_nothing_whenever_they_come(stack: LocalStack, before: str) -> None:
    """All functions are warm with the old ones, which are refused from one moment to the next."""
    go(stack, STEPS, shipped(stack, "first"))
    event = shipped(stack, "second")
    at = STEPS.index(before)

    go(stack, STEPS[:at], event)
    refuse_the_old(stack, 2)
    write_the_new(stack)
    go(stack, STEPS[at:], event)

    nothing_is_lost(stack, 8)


def test_credentials_that_come_too_late_delay_and_lose_nothing(stack: LocalStack) -> None:
    """The old are void before the secrets have the new: events wait, ticks fail, all goes on."""
    go(stack, STEPS, shipped(stack, "first"))
    event = shipped(stack, "second")

    refuse_the_old(stack, 2)
    take(stack, "deliver", event)
    take(stack, "forward", event)
    stack.clock.sleep(1800)
    with pytest.raises(FatalError, match="secret"):
        stack.tick()
    assert stack.erp.on_hand(KEY) == 9
    write_the_new(stack)
    stack.clock.sleep(1800)  # the failed tick's lease ends
    assert stack.sweep()["forwarded"] == 1
    go(stack, STEPS[2:], event)

    assert stack.newstore.on_hand(KEY) == stack.erp.on_hand(KEY) == 8
    assert stack.newstore.open_allocations(KEY) == 0


def test_an_inbound_key_is_replaced_without_a_refused_call(stack: LocalStack) -> None:
    """The new one beside the old, NewStore changed, the old one taken out, as the guide says."""
    warm = stack.functions[INGEST]
    statuses = [post(warm, shipped(stack, "a"), API_KEY)]

    put_secret(stack, "InboundKeysSecretArn", {"api_keys": [NEW_KEY, API_KEY]})
    cold = LocalFunction(stack.template, INGEST, stack.clock, StringIO())
    statuses += [
        post(warm, shipped(stack, "b"), API_KEY),
        post(cold, shipped(stack, "c"), API_KEY),
        post(cold, shipped(stack, "d"), NEW_KEY),
    ]
    put_secret(stack, "InboundKeysSecretArn", {"api_keys": [NEW_KEY]})
    later = LocalFunction(stack.template, INGEST, stack.clock, StringIO())
    statuses.append(post(later, shipped(stack, "e"), NEW_KEY))

    assert statuses == [200] * 5
    assert post(later, shipped(stack, "f"), API_KEY) == 401
    assert stack.count("EventsTable") == 5


def post(function: LocalFunction, event: Event, key: str) -> int:
    status: int = function(api_call(event_bytes(event).decode(), key=key))["statusCode"]
    return status
