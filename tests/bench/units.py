"""Capacity units of an event over its whole life, and of an import run with nothing to do."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from inventory_sync.adapters.dynamodb.item_size import bytes_of
from inventory_sync.domain.locations import Location
from local.stack import EVENTS as EVENTS_TABLE
from local.stack import LocalStack, StackPlan, local_stack
from tests.bench.measuring import Figure
from tests.bench.meter import Meter, Units, metered
from tests.contract.engines import dynoxide

PLACES = tuple(f"STORE-{number:03}" for number in range(10))
EVENTS = 500
WRITE_GOAL, READ_GOAL = 7.0, 2.0
REQUESTS_TABLE = "RequestsTable"
SETTLED_SECONDS = 1_200


def figures() -> Iterator[Figure]:
    """What came on top of an idle run, by the event; and what a run takes by itself."""
    with metered_stack() as (stack, meter):
        _import(stack)
        meter.take()
        _import(stack)
        idle = meter.take()
        _live(stack, assigned=False)
        completed = meter.take()
        _live(stack, assigned=True)
        assigned = meter.take() - idle
        [stored] = stack.aws.dynamodb.scan(TableName=table(stack), Limit=1)["Items"]
    yield from _of_an_event(completed - idle, "items_completed")
    yield from _of_an_event(assigned, "assigned")
    yield from _of_a_run(idle, "nothing to send")
    yield from _of_a_run(completed, "rows to send")
    yield Figure(name="an event's item, once closed", value=bytes_of(stored), unit="bytes")


def _of_an_event(life: Units, what: str) -> Iterator[Figure]:
    """The part of the two tables that keep events and the owners of their units."""
    if life.refused:
        raise RuntimeError(f"{life.refused} writes were refused: their units are unknown")
    for kind, units, goal in (("write", life.writes, WRITE_GOAL), ("read", life.reads, READ_GOAL)):
        mean = _of_events(units) / EVENTS
        name = f"{kind} units of an event ({what}), stored to closed"
        yield Figure(name=name, value=mean, unit="units", goal=goal)


def _of_a_run(units: Units, what: str) -> Iterator[Figure]:
    """The other tables' part: location map, lease, head, records, however many events."""
    for kind, counted in (("write", units.writes), ("read", units.reads)):
        value = sum(counted.values()) - _of_events(counted)
        name = f"{kind} units of an import run with {what}, {len(PLACES)} locations"
        yield Figure(name=name, value=value, unit="units")


def _of_events(units: Counter[tuple[str, str]]) -> float:
    tables = {EVENTS_TABLE, REQUESTS_TABLE}
    return sum(value for (_, name), value in units.items() if name in tables)


@contextmanager
def metered_stack() -> Iterator[tuple[LocalStack, Meter]]:
    """The local stack with its tables behind a meter, and stock in both systems."""
    places = [
        Location(location_id=p, fulfillment_node_id=p, store_id=p, erp_location=p) for p in PLACES
    ]
    with dynoxide() as engine, metered(engine.meta.endpoint_url) as (url, meter):
        endpoints = {"AWS_ENDPOINT_URL_DYNAMODB": url, "AWS_ENDPOINT_URL_DYNAMODB_STREAMS": url}
        with local_stack(StackPlan(locations=places, endpoints=endpoints)) as stack:
            for place in PLACES:
                for number in range(EVENTS // len(PLACES)):
                    stack.newstore.set_imported((place, f"SKU-{number:04}"), 100)
                    stack.erp.set_stock((place, f"SKU-{number:04}"), 100)
            yield stack, meter


def _live(stack: LocalStack, *, assigned: bool) -> None:
    """Stored, forwarded, imported and closed: either all completed events, or all assigned ones."""
    for number in range(EVENTS):
        request = f"{'assigned' if assigned else 'completed'}-{number}"
        place, product = PLACES[number % len(PLACES)], f"SKU-{number // len(PLACES):04}"
        items = [(f"{request}-item", product)]
        event = stack.newstore.assign(request, f"order-{request}", place, items)
        if not assigned:
            event = stack.newstore.complete(request)
        if stack.delivery.deliver_now(event) != 200:
            raise RuntimeError("the event was not stored")
    stack.stream.pump()
    _import(stack)
    left = stack.aws.dynamodb.scan(TableName=table(stack), IndexName="open_events", Select="COUNT")
    if left["Count"]:
        raise RuntimeError(f"{left['Count']} events are still open")


def table(stack: LocalStack) -> str:
    """The events table's name."""
    return stack.template.physical_id(EVENTS_TABLE)


def _import(stack: LocalStack) -> None:
    """A run to its end, once all that came before is settled."""
    stack.clock.sleep(SETTLED_SECONDS)
    answer = stack.tick()
    if answer["outcome"] != "ended":
        raise RuntimeError(f"the import did not end: {answer}")
