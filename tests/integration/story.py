"""A small story through the real handlers: two locations, three products, a few events.

The functions are wired by `bootstrap` from environment variables as in the template; AWS is moto,
NewStore and the ERP are the simulators behind real HTTP. Time stands still until it is moved.
"""

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from copy import copy
from dataclasses import replace
from datetime import timedelta
from functools import cache
from importlib import import_module
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Self

import pytest
from moto import mock_aws
from werkzeug.wrappers import Response

from cli.web_server import HttpServer
from inventory_sync.adapters.dynamodb.location_changes import LocationChanges
from inventory_sync.adapters.dynamodb.location_store import DynamoLocationStore
from inventory_sync.adapters.dynamodb.run_store import DynamoRunStore
from inventory_sync.adapters.dynamodb.state_table import StateTable
from inventory_sync.bootstrap.import_stock import live_import
from inventory_sync.bootstrap.runtime import Runtime
from inventory_sync.domain.import_head import ImportHead
from inventory_sync.domain.import_run import JOB_NAME_PREFIX, RunState
from inventory_sync.domain.locations import Location
from local.aws import API_KEY, AWS_VARIABLES, CLIENT_ID, CLIENT_SECRET, ERP_TOKEN, SECRETS, Aws
from local.clock import LocalClock
from local.erp.model import ErpModel
from local.erp.server import erp_app
from local.functions import LocalContext
from local.newstore.events import Event, event_bytes
from local.newstore.locations import dc, store
from local.newstore.model import NewStoreModel
from local.newstore.server import newstore_app
from local.template import REGION
from tests.apps import load_app
from tests.availabilities import checked
from tests.aws import aws_session, create_table
from tests.builders import OPERATOR
from tests.event_bodies import TENANT, api_call
from tests.fakes.observer import FakeObserver
from tests.integration.crashing import watch_outside_calls, watched_session

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

Key = tuple[str, str]
Handler = Callable[[Mapping[str, Any], Any], dict[str, Any]]

DC, NYC = "DC01", "NYC"
LOCATIONS = (
    Location(location_id=DC, fulfillment_node_id=DC, store_id="", erp_location=DC),
    Location(location_id=NYC, fulfillment_node_id=NYC, store_id=NYC, erp_location=NYC),
)
STOCK: Mapping[Key, int] = {
    (DC, "SKU-1"): 10, (DC, "SKU-2"): 8, (DC, "SKU-3"): 5,
    (NYC, "SKU-1"): 6, (NYC, "SKU-2"): 4, (NYC, "SKU-3"): 3,
}  # fmt: skip
TABLES = ("EventsTable", "RequestsTable", "StateTable", "QuarantineTable")
BUCKET = "import-bucket"
SETTLE_SECONDS = 240
LEASE_SECONDS = 600
INVOCATION_SECONDS = 900
POWERTOOLS = {
    "POWERTOOLS_SERVICE_NAME": "inventory-sync",
    "POWERTOOLS_METRICS_NAMESPACE": "InventorySync",
}


class Answers:
    """A simulator's answers, changed on the way for as long as `change(path, answer)` is set."""

    def __init__(self, app: Any) -> None:
        self._app = app
        self.change: Callable[[str, Any], object] | None = None

    def __call__(self, environ: Any, start_response: Any) -> Any:
        if self.change is None:
            return self._app(environ, start_response)
        response = Response.from_app(self._app, environ)
        changed = self.change(environ["PATH_INFO"], response.get_json())
        response.set_data(changed if isinstance(changed, str) else json.dumps(changed))
        return response(environ, start_response)


class QuietObserver(FakeObserver):
    """Of a handler whose failures its caller sees anyway."""

    def failure(self, error: Exception) -> None:
        """Say nothing."""


class Story:
    """What happened, what the functions made of it, and what must be true in the end."""

    def __init__(
        self,
        erp: ErpModel,
        newstore: NewStoreModel,
        clock: LocalClock,
        variables: Mapping[str, str],
        dynamodb: "DynamoDBClient",
    ) -> None:
        self.erp, self.newstore, self.clock = erp, newstore, clock
        self.aws: Aws
        self.newstore_answers: Answers
        self.erp_answers: Answers
        self.variables = dict(variables)
        self.dynamodb = dynamodb
        self.physical = dict(STOCK)
        self.shipped: list[Event] = []
        self._state = StateTable(dynamodb, "StateTable")
        self.map = DynamoLocationStore(self._state)
        self.changes = LocationChanges(self._state)
        self._handlers: dict[str, Handler] = {}
        self._streamed: set[str] = set()

    # What happens at NewStore and in the warehouse

    def assign(self, request_id: str, location: str, *products: str) -> Event:
        items = [(f"{request_id}-{n}", product) for n, product in enumerate(products, 1)]
        return self.newstore.assign(request_id, f"order-{request_id}", location, items)

    def ship(self, request_id: str, location: str, *products: str) -> Event:
        """Assigned and completed: the units leave the building."""
        for product in products:
            self.physical[location, product] -= 1
        self.assign(request_id, location, *products)
        event = self.newstore.complete(request_id)
        self.shipped.append(event)
        return event

    def give_up(self, request_id: str, location: str, *products: str) -> Event:
        """Assigned and failed: the units stay."""
        self.assign(request_id, location, *products)
        return self.newstore.fail(request_id)

    def receive(self, key: Key, units: int) -> None:
        """Goods come in, and the ERP knows."""
        self.physical[key] += units
        self.erp.receive(key, units)

    # What the functions are called with

    def post(self, event: Event) -> int:
        """NewStore posts an event; the status of the answer."""
        return self.post_bytes(event_bytes(event))

    def post_bytes(self, body: bytes) -> int:
        answer = self._call("ingest_event", api_call(body.decode(), key=API_KEY))
        status: int = answer["statusCode"]
        return status

    def new_records(self) -> list[dict[str, Any]]:
        """What the events table's stream has since the last look."""
        records = []
        for item in self.dynamodb.scan(TableName="EventsTable")["Items"]:
            number = f"{item['location_id']['S']}#{item['event_key']['S']}"
            if number not in self._streamed:
                self._streamed.add(number)
                data = {"SequenceNumber": number, "NewImage": item}
                records.append({"eventName": "INSERT", "dynamodb": data})
        return records

    def forward(self, records: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        return self._call("forward_events", {"Records": records})

    def sweep(self) -> dict[str, Any]:
        return self._call("forward_events", {"sweep": True})

    def tick(self, *, full: bool = False) -> dict[str, Any]:
        return self._call("import_stock", {"full": full})

    def take_in(self, *events: Event) -> None:
        """Deliver and forward without faults."""
        for event in events:
            assert self.post(event) < 300
        assert self.forward(self.new_records()) == {"batchItemFailures": []}

    def let_settle(self) -> None:
        """The settle window goes by, and so does the time between two jobs."""
        self.clock.sleep(LEASE_SECONDS + 1)

    def another_sandbox(self) -> Self:
        """The same world, in which the import runs beside this one's, wired and ready.

        A real sandbox has a process to itself, and Powertools' metrics belong to the process.
        """
        other = copy(self)
        importer, _ = live_import(self.runtime())
        assert importer.settings.lease == timedelta(seconds=LEASE_SECONDS)
        observer = QuietObserver()
        build = replace(importer.build, observer=observer)
        made = replace(importer, observer=observer, build=build), observer
        other._handlers = {"import_stock": load_app("import_stock").build_handler(lambda: made)}
        return other

    def runtime(self) -> Runtime:
        """What the functions run on."""
        return Runtime(self.variables, self.clock, watched_session)

    def start_cold(self) -> None:
        """The next invocations find new sandboxes, as after a crash."""
        self._handlers.clear()

    def _call(self, verb: str, event: Mapping[str, Any]) -> dict[str, Any]:
        deadline = self.clock.now() + timedelta(seconds=INVOCATION_SECONDS)
        return self.handler(verb)(event, LocalContext(verb, deadline, self.clock, "request-1"))

    def handler(self, verb: str) -> Handler:
        if verb not in self._handlers:
            make = getattr(import_module(f"inventory_sync.bootstrap.{verb}"), verb)
            app = load_app(verb)
            self._handlers[verb] = app.build_handler(lambda: make(self.runtime()))
        return self._handlers[verb]

    # What there is to see

    def head(self) -> ImportHead:
        return DynamoRunStore(self._state, timedelta(days=1)).head()

    def items(self, table: str) -> list[dict[str, Any]]:
        return list(self.dynamodb.scan(TableName=table)["Items"])

    def open_keys(self) -> list[str]:
        """Keys of the events that are still open."""
        return [item["event_key"]["S"] for item in self.items("EventsTable") if "open_key" in item]

    def sellable(self, key: Key) -> int:
        """What NewStore may promise: what is there, less what others were promised."""
        return self.physical[key] - self.newstore.open_allocations(key)

    def our_jobs(self, *states: str) -> list[str]:
        """Ids of our jobs at NewStore in these states."""
        jobs = self.newstore.jobs.by_id.values()
        ours = [job for job in jobs if job.name.startswith(JOB_NAME_PREFIX)]
        return [job.import_id for job in ours if job.state in states]

    def watermark_should_be(self) -> int:
        timestamps: list[int] = [e["payload"]["logical_timestamp"] for e in self.shipped]
        return max(timestamps)

    # What must be true

    def never_oversells(self) -> None:
        """At any moment. And at most one of our jobs is under way."""
        for key in self.physical:
            assert self.newstore.atp(key) <= self.sellable(key), f"never_oversell: {key}"
        under_way = self.our_jobs("waiting", "processing")
        assert len(under_way) <= 1, f"one_import: {under_way}"

    def settled(self) -> bool:
        """Whether nothing is left to be done."""
        run = self.head().run
        return run is not None and run.state is RunState.FINALIZED and not self.open_keys()

    def go_on_until_finalized(self, ticks_max: int) -> None:
        """Schedules fire, a little more than a lease apart, until nothing is left to be done."""
        for _ in range(ticks_max):
            self.clock.sleep(LEASE_SECONDS + 1)
            self.tick()
            self.never_oversells()
            if self.settled():
                return
        raise AssertionError(f"resumable: {self.open_keys()} open after {ticks_max} more ticks")

    def holds_the_truth(self) -> None:
        """The end of every story, whatever happened on the way."""
        atp = {key: self.newstore.atp(key) for key in self.physical}
        assert atp == {key: self.sellable(key) for key in self.physical}, "converges"
        assert self.head().watermark == self.watermark_should_be(), "watermark"
        assert self.our_jobs("received", "waiting", "processing") == [], "one_import"
        self.jobs_never_overlapped()
        self.booked_once()

    def jobs_never_overlapped(self) -> None:
        spans = sorted(
            (job.started_at, job.ended_at)
            for job in self.newstore.jobs.by_id.values()
            if job.started_at is not None and job.ended_at is not None
        )
        assert all(end <= start for (_, end), (start, _) in pairwise(spans)), "one_import"

    def booked_once(self) -> None:
        """applied_once: every shipment is in the ERP's books, and so is nothing else."""
        on_hand = {key: self.erp.on_hand(key) for key in self.physical}
        assert on_hand == self.physical, "applied_once"
        assert self.erp.double_bookings == 0, "applied_once"
        assert len(self.erp.movements) == len(self.shipped), "applied_once"


@contextmanager
def story(
    monkeypatch: pytest.MonkeyPatch,
    *,
    newstore: Mapping[str, Any] | None = None,
    erp: Mapping[str, Any] | None = None,
    clock: LocalClock | None = None,
    **variables: str,
) -> Iterator[Story]:
    """The stack at its beginning: the ERP has stock, NewStore knows the locations and no stock."""
    clock, aws = clock or LocalClock(), _aws()
    with ExitStack() as exits:
        _set_environment(monkeypatch)
        exits.enter_context(mock_aws())
        watch_outside_calls(monkeypatch)
        for table in TABLES:
            create_table(aws.dynamodb, table)
        location: Any = {"LocationConstraint": REGION}
        aws.s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration=location)
        newstore_model = NewStoreModel(
            TENANT,
            clock.now,
            fetch=checked(aws.fetch_file),
            locations=[dc(DC), store(NYC)],
            clients={CLIENT_ID: CLIENT_SECRET},
            sleep=clock.sleep,
            **{"job_seconds": 10, **(newstore or {})},
        )
        erp_model = ErpModel(clock.now, sleep=clock.sleep, **(erp or {}))
        for key, units in STOCK.items():
            erp_model.set_stock(key, units)
        answers = Answers(newstore_app(newstore_model)), Answers(erp_app(erp_model, ERP_TOKEN))
        urls = [exits.enter_context(HttpServer(app)).base_url for app in answers]
        settings = {**_variables(aws, *urls), **variables}
        told = Story(erp_model, newstore_model, clock, settings, aws.dynamodb)
        told.aws = aws
        told.newstore_answers, told.erp_answers = answers
        told.changes.put_locations(LOCATIONS, OPERATOR)
        yield told


@cache
def _aws() -> Aws:
    """The story's own clients, which nobody watches; they reach what moto holds at the time."""
    session: Any = aws_session()
    return Aws(
        dynamodb=session.client("dynamodb"),
        streams=session.client("dynamodbstreams"),
        s3=session.client("s3"),
        secrets=session.client("secretsmanager"),
        queues=session.client("sqs"),
    )


def _set_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No AWS_ variable of the caller's counts."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name, value in {**AWS_VARIABLES, **POWERTOOLS}.items():
        monkeypatch.setenv(name, value)


def _variables(aws: Aws, newstore_url: str, erp_url: str) -> dict[str, str]:
    arns = {
        name: aws.secrets.create_secret(Name=name, SecretString=json.dumps(content))["ARN"]
        for name, content in SECRETS.items()
    }
    return {
        "EVENTS_TABLE": "EventsTable",
        "REQUESTS_TABLE": "RequestsTable",
        "STATE_TABLE": "StateTable",
        "QUARANTINE_TABLE": "QuarantineTable",
        "IMPORT_BUCKET": BUCKET,
        "NEWSTORE_TENANT": TENANT,
        "NEWSTORE_BASE_URL": newstore_url,
        "NEWSTORE_SECRET_ARN": arns["NewStoreSecretArn"],
        "ERP_BASE_URL": erp_url,
        "ERP_SECRET_ARN": arns["ErpSecretArn"],
        "INBOUND_KEYS_SECRET_ARN": arns["InboundKeysSecretArn"],
        "SETTLE_WINDOW_SECONDS": str(SETTLE_SECONDS),
        "POLL_SECONDS_MAX": "60",
    }
