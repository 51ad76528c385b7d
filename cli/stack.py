"""A deployed stack as the commands see it: its tables and bucket by name, its functions' settings.

Names come from the environment (as the functions know them) or from CloudFormation.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from cli.connect import Connect
from inventory_sync.adapters.aws.errors import error_code, translated
from inventory_sync.adapters.dynamodb.audit import AuditedTable, Author
from inventory_sync.adapters.dynamodb.event_history import DynamoEventHistory
from inventory_sync.adapters.dynamodb.event_log import DynamoEventLog
from inventory_sync.adapters.dynamodb.location_changes import LocationChanges
from inventory_sync.adapters.dynamodb.location_store import DynamoLocationStore
from inventory_sync.adapters.dynamodb.quarantine_review import QuarantineReview
from inventory_sync.adapters.dynamodb.run_history import DynamoRunHistory
from inventory_sync.adapters.dynamodb.run_store import DynamoRunStore
from inventory_sync.adapters.dynamodb.shadow_times import DynamoShadowTimes
from inventory_sync.adapters.dynamodb.state_table import StateTable
from inventory_sync.adapters.dynamodb.unstored_completions import DynamoUnstoredCompletions
from inventory_sync.adapters.s3.bucket import Bucket
from inventory_sync.adapters.s3.event_bodies import EventBodies
from inventory_sync.adapters.s3.file_store import S3FileStore
from inventory_sync.adapters.s3.looks import S3Looks
from inventory_sync.adapters.s3.run_records import S3RunRecords
from inventory_sync.bootstrap.dry_run import dry_run
from inventory_sync.bootstrap.event_streams import StreamAdmin, inbound_key, stream_admin
from inventory_sync.bootstrap.ingest_event import ingest_with
from inventory_sync.bootstrap.ingest_export import ingest_export_here
from inventory_sync.bootstrap.newstore import read_newstore, read_stock
from inventory_sync.bootstrap.preflight import Sides, make_sides
from inventory_sync.bootstrap.reconcile_stock import reconcile_with
from inventory_sync.bootstrap.runtime import Runtime
from inventory_sync.bootstrap.set_watermark import set_watermark
from inventory_sync.domain.errors import FatalError
from inventory_sync.domain.event_stream import StreamRegistration
from inventory_sync.domain.events import FulfillmentEvent
from inventory_sync.domain.inbound import IgnoredEvent
from inventory_sync.ports.newstore import NewStoreReader, StockReader
from inventory_sync.use_cases.import_stock.dry_run import DryRun
from inventory_sync.use_cases.import_stock.set_watermark import SetWatermark
from inventory_sync.use_cases.ingest.ingest_event import IngestOutcome
from inventory_sync.use_cases.ingest.ingest_export import IngestExport
from inventory_sync.use_cases.reconcile.reconcile_stock import ReconcileStock

NAMES = {
    "EventsTable": "EVENTS_TABLE",
    "StateTable": "STATE_TABLE",
    "QuarantineTable": "QUARANTINE_TABLE",
    "ImportBucket": "IMPORT_BUCKET",
}
"""The variable that names a resource, by its logical id in the template."""
METRICS = "InventorySync"
"""The namespace of the stack's metrics (template.yaml)."""
FORWARD_FUNCTION = "ForwardEventsFunction"
IMPORT_FUNCTION = "ImportStockFunction"
EXPORT_FUNCTION = "IngestExportFunction"
INGEST_FUNCTION = "IngestEventFunction"
RECONCILE_FUNCTION = "ReconcileStockFunction"
CHECK_STREAM_FUNCTION = "CheckStreamFunction"
_NOT_WRITTEN = timedelta(0)
"""Retention, for adapters that write nothing here."""


class NullObserver:
    """An observer for a shell: what there is to say is in the command's answer."""

    def count(self, name: str, value: float = 1) -> None:
        """Metrics are for the functions."""

    def log(self, message: str, **figures: object) -> None:
        """So are log lines."""


@dataclass(frozen=True)
class Stack:
    """Everything is found, and every client made, at its first use."""

    connect: Connect
    name: str
    given: Mapping[str, str] = field(default_factory=dict)

    def resource(self, logical_id: str) -> str:
        """The physical name of a table, bucket or function."""
        if given := self.given.get(NAMES.get(logical_id, "")):
            return given
        with translated(f"stack {self.name}"):
            try:
                answer = self.connect.cloudformation().describe_stack_resource(
                    StackName=self.name, LogicalResourceId=logical_id
                )
            except ClientError as error:
                if error_code(error) != "ValidationError":
                    raise
                raise FatalError(
                    f"there is no stack {self.name} with a {logical_id} here; name another by"
                    " --stack or STACK_NAME, another region by AWS_REGION"
                ) from error
        name = answer["StackResourceDetail"].get("PhysicalResourceId", "")
        if not name:
            raise FatalError(f"stack {self.name} has no {logical_id} yet; deploy it first")
        return str(name)

    @cached_property
    def parameters(self) -> Mapping[str, str]:
        """What it was deployed with."""
        with translated(f"stack {self.name}"):
            answer = self.connect.cloudformation().describe_stacks(StackName=self.name)
        found = answer["Stacks"][0].get("Parameters", ())
        return {one["ParameterKey"]: one["ParameterValue"] for one in found}

    def variables(self, function: str) -> Mapping[str, str]:
        """The environment of a function, by its logical id."""
        return self.connect.variables(self.resource(function))

    def invoke(self, function: str, event: Mapping[str, Any]) -> Any:
        """A function's answer to an event; FatalError where it raised."""
        return self.connect.invoke(self.resource(function), event)

    def runtime(self, function: str) -> Runtime:
        """What a function runs on, but here."""
        return self.connect.runtime(self.variables(function))

    @cached_property
    def dynamodb(self) -> Any:
        """One client for all tables."""
        return self.connect.dynamodb()

    @cached_property
    def s3(self) -> Any:
        """One client for the bucket."""
        return self.connect.s3()

    @cached_property
    def state(self) -> StateTable:
        """The state table."""
        return StateTable(self.dynamodb, self.resource("StateTable"))

    @cached_property
    def locations(self) -> DynamoLocationStore:
        """The location map, holds and approvals."""
        return DynamoLocationStore(self.state)

    @cached_property
    def changes(self) -> LocationChanges:
        """What operators change there."""
        return LocationChanges(self.state)

    @cached_property
    def runs(self) -> DynamoRunHistory:
        """Every run on record."""
        return DynamoRunHistory(self.state)

    @cached_property
    def head(self) -> DynamoRunStore:
        """The head, to be read only."""
        return DynamoRunStore(self.state, _NOT_WRITTEN)

    @cached_property
    def event_log(self) -> DynamoEventLog:
        """Open events, to be read only."""
        return DynamoEventLog(self.dynamodb, self.resource("EventsTable"), _NOT_WRITTEN)

    @cached_property
    def history(self) -> DynamoEventHistory:
        """All events."""
        return DynamoEventHistory(self.dynamodb, self.resource("EventsTable"), self.bodies)

    @cached_property
    def bucket(self) -> Bucket:
        """The import bucket."""
        return Bucket(self.s3, self.resource("ImportBucket"))

    def counted(
        self, names: Sequence[str], since: datetime, until: datetime
    ) -> Mapping[str, float]:
        """What the functions have counted in that time, by the metric's name."""
        values = self._metrics(names, "Sum", since, until)
        return {name: sum(values[name]) for name in names}

    def highest(
        self, names: Sequence[str], since: datetime, until: datetime
    ) -> Mapping[str, float | None]:
        """The highest value of each metric in that time; None where there is none."""
        values = self._metrics(names, "Maximum", since, until)
        return {name: max(values[name], default=None) for name in names}

    def _metrics(
        self, names: Sequence[str], statistic: str, since: datetime, until: datetime
    ) -> Mapping[str, Sequence[float]]:
        queries = [
            {
                "Id": f"m{number}",
                "MetricStat": {
                    "Metric": {
                        "Namespace": METRICS,
                        "MetricName": name,
                        "Dimensions": [{"Name": "service", "Value": self.name}],
                    },
                    "Period": 60,
                    "Stat": statistic,
                },
            }
            for number, name in enumerate(names)
        ]
        with translated("CloudWatch metrics"):
            answer = self.connect.cloudwatch().get_metric_data(
                MetricDataQueries=queries, StartTime=since, EndTime=until
            )
        values = {one["Id"]: one["Values"] for one in answer["MetricDataResults"]}
        return {name: values.get(f"m{number}", ()) for number, name in enumerate(names)}

    @cached_property
    def files(self) -> S3FileStore:
        """Manifests, ledgers and finalizations."""
        return S3FileStore(self.s3, self.resource("ImportBucket"), str)

    @cached_property
    def looks(self) -> S3Looks:
        """What a shadow has seen."""
        return S3Looks(self.s3, self.resource("ImportBucket"))

    def shadow_until(self) -> datetime | None:
        """Up to when the stack has left to another system what shipped; None where it never did."""
        return DynamoShadowTimes(self.state, "").until()

    @cached_property
    def records(self) -> S3RunRecords:
        """What runs left behind."""
        return S3RunRecords(self.s3, self.resource("ImportBucket"))

    @cached_property
    def quarantine(self) -> QuarantineReview:
        """What could not be used."""
        table = self.resource("QuarantineTable")
        return QuarantineReview(self.dynamodb, table, self.state, self.bodies)

    @cached_property
    def unstored(self) -> DynamoUnstoredCompletions:
        """The shipments among it that no stored event reports, to be read only."""
        return DynamoUnstoredCompletions(self.state)

    @cached_property
    def bodies(self) -> EventBodies:
        """Those too large for a table's item."""
        return EventBodies(lambda: self.bucket)

    @cached_property
    def audited(self) -> AuditedTable:
        """Who has changed what."""
        return AuditedTable(self.state)

    @cached_property
    def newstore(self) -> NewStoreReader:
        """NewStore as the import function reaches it: its address, its secret."""
        return read_newstore(self.runtime(IMPORT_FUNCTION))

    @cached_property
    def stock(self) -> StockReader:
        """What NewStore says of stock and orders, as the import function reaches it."""
        return read_stock(self.runtime(IMPORT_FUNCTION))

    @cached_property
    def sides(self) -> Sides:
        """NewStore and the ERP as the import function reaches them, to be looked at only."""
        return make_sides(self.runtime(IMPORT_FUNCTION), NullObserver())

    @cached_property
    def stream_admin(self) -> StreamAdmin:
        """NewStore's event streams as the stream check reaches them."""
        return stream_admin(self.runtime(CHECK_STREAM_FUNCTION))

    def registration(self) -> StreamRegistration:
        """What our stream has to be, with the key that stands first in the inbound secret."""
        return StreamRegistration(
            stream_id=self.stream_admin.stream_id,
            callback_url=self.stream_admin.event_url,
            api_key=self.inbound_key(),
        )

    def inbound_key(self) -> str:
        """The key NewStore is to call the webhook with."""
        return inbound_key(self.runtime(INGEST_FUNCTION))

    def export_reader(self, *, local: bool) -> IngestExport:
        """For files of this machine or of S3, with what its function has."""
        return ingest_export_here(self.runtime(EXPORT_FUNCTION), NullObserver(), local=local)

    def dry_run(self, archive: Path, rows_max: int) -> DryRun:
        """The import as its function runs it, but here and without effect."""
        return dry_run(self.runtime(IMPORT_FUNCTION), NullObserver(), archive, rows_max)

    def watermark(self, author: Author | None) -> SetWatermark:
        """The watermark as the import function keeps it; `author` signs a change."""
        return set_watermark(self.runtime(IMPORT_FUNCTION), author)

    def ingest(self, body: bytes) -> IngestOutcome:
        """What becomes of a body by the webhook's own code."""
        return ingest_with(self.runtime(INGEST_FUNCTION), NullObserver())(body)

    def parse(self, body: bytes) -> FulfillmentEvent | IgnoredEvent:
        """A body as the webhook reads it; MalformedEventError for one that is of no use."""
        return ingest_with(self.runtime(INGEST_FUNCTION), NullObserver()).parse(body)

    @cached_property
    def reconciler(self) -> ReconcileStock:
        """The reconciliation as its function runs it, but here."""
        return reconcile_with(self.runtime(RECONCILE_FUNCTION), NullObserver())
