"""The local stack: the real handlers between the simulators, over an AWS inside this process."""

from __future__ import annotations

import io
import json
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol, TextIO

from botocore.session import Session

from cli.web_server import HttpServer
from inventory_sync.adapters.dynamodb.audit import Author
from inventory_sync.adapters.dynamodb.location_changes import LocationChanges
from inventory_sync.adapters.dynamodb.state_table import StateTable
from inventory_sync.domain.locations import Location
from inventory_sync.ports.observe import Clock
from local.aws import (
    API_KEY,
    CLIENT_ID,
    CLIENT_SECRET,
    ERP_TOKEN,
    Aws,
    create_resources,
    embedded_aws,
    new_session,
)
from local.clock import LocalClock
from local.erp.model import ErpModel
from local.erp.server import erp_server
from local.front_door import PATH, STAGE, front_door_app
from local.functions import LocalFunction
from local.newstore.delivery import Delivery, post_over_http
from local.newstore.locations import of_map
from local.newstore.model import NewStoreModel
from local.newstore.server import newstore_server
from local.stream import EventStream, mapping_limits
from local.template import ROOT, Template

TENANT = "acme"
INGEST, FORWARD, IMPORT = "IngestEventFunction", "ForwardEventsFunction", "ImportStockFunction"
RECONCILE, WATCH = "ReconcileStockFunction", "CheckStreamFunction"
EXPORT = "IngestExportFunction"
SETUP = "the local stack"
"""Who loads its map, in the audit."""
API = "EventApi"
EVENTS, STATE, QUARANTINE = "EventsTable", "StateTable", "QuarantineTable"


KNOWN_OF_NEWSTORE = {"ReleaseReading": "range"}
"""How the simulator counts what has shipped, unless it is told otherwise: nothing to find out."""


@dataclass(frozen=True)
class StackPlan:
    """What differs from one local stack to the next.

    `parameters` are the template's; `settings` are variables that are no parameters, since nobody
    should change them in production. `schedules`, by a function's logical id and its event, and
    `signed_urls`, without a secret given, are for a deployed stack only. `erp` and `newstore` go to
    the simulators' models. `endpoints` are variables such as AWS_ENDPOINT_URL_DYNAMODB for services
    that are not the embedded AWS.
    """

    locations: Sequence[Location] = ()
    parameters: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, str] = field(default_factory=dict)
    schedules: Mapping[str, str] = field(default_factory=dict)
    signed_urls: bool = False
    erp: Mapping[str, Any] = field(default_factory=dict)
    newstore: Mapping[str, Any] = field(default_factory=dict)
    endpoints: Mapping[str, str] = field(default_factory=dict)


class Stream(Protocol):
    """What wakes the forwarder; `discarded` grows by what it gave up."""

    discarded: list[Any]

    def pump(self) -> object:
        """Let everything that is new reach the forwarder."""


class Stack(Protocol):
    """What a story needs of a stack, wherever that runs."""

    @property
    def aws(self) -> Aws: ...
    @property
    def clock(self) -> Clock: ...
    @property
    def newstore(self) -> NewStoreModel: ...
    @property
    def erp(self) -> ErpModel: ...
    @property
    def newstore_url(self) -> str: ...
    @property
    def erp_url(self) -> str: ...
    @property
    def delivery(self) -> Delivery: ...
    @property
    def stream(self) -> Stream: ...
    @property
    def state(self) -> StateTable: ...
    def tick(self, *, full: bool = False) -> dict[str, Any]: ...
    def sweep(self) -> dict[str, Any]: ...
    def count(self, table: str) -> int: ...


@dataclass(frozen=True)
class LocalStack:
    """Everything at its place; `newstore_url` and `erp_url` show their state at GET /_state."""

    aws: Aws
    template: Template
    clock: Clock
    newstore: NewStoreModel
    erp: ErpModel
    newstore_url: str
    erp_url: str
    event_url: str
    delivery: Delivery
    stream: EventStream
    functions: Mapping[str, LocalFunction]

    def tick(self, *, full: bool = False) -> dict[str, Any]:
        """What the schedule does: one import tick."""
        answer: dict[str, Any] = self.functions[IMPORT]({"full": True} if full else {})
        return answer

    def sweep(self) -> dict[str, Any]:
        """What the schedule does: forward what the stream missed."""
        answer: dict[str, Any] = self.functions[FORWARD]({"sweep": True})
        return answer

    def count(self, table: str) -> int:
        """How many items a table (by its logical id) has."""
        scan = self.aws.dynamodb.get_paginator("scan")
        name = self.template.physical_id(table)
        pages = scan.paginate(TableName=name, Select="COUNT", ConsistentRead=True)
        return sum(page["Count"] for page in pages)

    @property
    def state(self) -> StateTable:
        """The adapter's own records."""
        return StateTable(self.aws.dynamodb, self.template.physical_id(STATE))


@contextmanager
def local_stack(
    plan: StackPlan,
    clock: Clock | None = None,
    log: TextIO | None = None,
    new_session: Callable[[], Session] = new_session,
) -> Iterator[LocalStack]:
    """Up until the block ends; what the functions log goes to `log`.

    Their AWS clients are made of `new_session`.
    """
    clock = clock or LocalClock()
    # A name of its own: the logger of a service lives as long as the process.
    name = f"local-{secrets.token_hex(4)}"
    parameters = {**KNOWN_OF_NEWSTORE, **plan.parameters}
    template = Template(ROOT / "template.yaml", name, parameters, plan.settings)
    with ExitStack() as exits:
        variables = {**template.globals_environment(), **plan.endpoints}
        aws = exits.enter_context(embedded_aws(variables))
        create_resources(aws, template)
        newstore = _newstore(plan, clock, aws)
        erp = _erp(plan, clock)
        newstore_url = exits.enter_context(newstore_server(newstore)).base_url
        erp_url = exits.enter_context(erp_server(erp, ERP_TOKEN)).base_url
        template.set_parameters(addresses(newstore_url, erp_url))
        functions = {
            name: LocalFunction(template, name, clock, log or io.StringIO(), new_session)
            for name in (INGEST, FORWARD, IMPORT, RECONCILE, WATCH, EXPORT)
        }
        app = front_door_app(functions[INGEST], template.gateway_responses(API))
        front_door = exits.enter_context(HttpServer(app))
        event_url = f"{front_door.base_url}/{STAGE}{PATH}"
        stack = LocalStack(
            aws=aws,
            template=template,
            clock=clock,
            newstore=newstore,
            erp=erp,
            newstore_url=newstore_url,
            erp_url=erp_url,
            event_url=event_url,
            delivery=Delivery(post_over_http(event_url), clock.now, API_KEY),
            stream=_stream(aws, template, functions[FORWARD]),
            functions=functions,
        )
        publish_over(newstore, stack.delivery, name)
        load_map(stack.state, plan.locations, clock.now())
        yield stack


def load_map(state: StateTable, locations: Sequence[Location], at: datetime) -> None:
    """As an operator loads it, with a record of who did."""
    author = Author(who=SETUP, command="locations load", why="the stack's own locations", at=at)
    LocationChanges(state).put_locations(locations, author)


def publish_over(newstore: NewStoreModel, delivery: Delivery, stack_name: str) -> None:
    """What NewStore sends by itself goes the way of the stream, which stops where that stops.

    The stream bears the stack's name. Once it is registered, events go out with its key, and
    NewStore's list has each attempt.
    """

    def note(body: bytes, status: int, retries_remaining: int) -> None:
        newstore.publications.note(stack_name, json.loads(body), status, retries_remaining)

    delivery.note = note
    newstore.publications.send = delivery.deliver_now
    newstore.integrations.senders[stack_name] = delivery


def _newstore(plan: StackPlan, clock: Clock, aws: Aws) -> NewStoreModel:
    return NewStoreModel(
        TENANT,
        clock.now,
        fetch=aws.fetch_file,
        locations=[of_map(p.fulfillment_node_id, p.store_id) for p in plan.locations],
        clients={CLIENT_ID: CLIENT_SECRET},
        sleep=clock.sleep,
        **plan.newstore,
    )


def _erp(plan: StackPlan, clock: Clock) -> ErpModel:
    erp = ErpModel(clock.now, sleep=clock.sleep, **plan.erp)
    for location in plan.locations:
        erp.add_location(location.erp_location)
    return erp


def addresses(newstore_url: str, erp_url: str) -> dict[str, str]:
    """The parameters that say where the simulators are."""
    return {"Tenant": TENANT, "NewStoreBaseUrl": newstore_url, "ErpBaseUrl": erp_url}


def _stream(aws: Aws, template: Template, forward: LocalFunction) -> EventStream:
    table = aws.dynamodb.describe_table(TableName=template.physical_id(EVENTS))
    arn = table["Table"]["LatestStreamArn"]
    return EventStream(aws.streams, arn, forward, mapping_limits(template, FORWARD))
