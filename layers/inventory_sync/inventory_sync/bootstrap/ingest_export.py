"""What reading NewStore's export files needs."""

from inventory_sync.adapters.aws.export_queue import SqsExportQueue
from inventory_sync.adapters.dynamodb.event_log import DynamoEventLog
from inventory_sync.adapters.dynamodb.quarantine import DynamoQuarantine
from inventory_sync.adapters.dynamodb.state_table import StateTable
from inventory_sync.adapters.dynamodb.unstored_completions import DynamoUnstoredCompletions
from inventory_sync.adapters.newstore.event_body import parse_event
from inventory_sync.adapters.s3.bucket import Bucket
from inventory_sync.adapters.s3.event_bodies import EventBodies
from inventory_sync.adapters.s3.export_files import LocalExportFiles, S3ExportFiles
from inventory_sync.bootstrap.clients import Clients
from inventory_sync.bootstrap.runtime import Runtime
from inventory_sync.config import ExportSettings
from inventory_sync.observability import PowertoolsObserver, make_observer
from inventory_sync.ports.events import ExportFiles, ExportQueue
from inventory_sync.ports.observe import Clock, Observer
from inventory_sync.use_cases.ingest.ingest_event import IngestEvent
from inventory_sync.use_cases.ingest.ingest_export import IngestExport
from inventory_sync.use_cases.ingest.tally_observer import TallyObserver


def ingest_export(
    runtime: Runtime,
) -> tuple[tuple[IngestExport, ExportQueue], PowertoolsObserver]:
    """Over the real ports."""
    settings = ExportSettings.read(runtime.variables)
    client = runtime.clients()
    observer = make_observer()
    ingest = _make(settings, S3ExportFiles(client.s3()), client, observer, runtime.clock)
    queue = SqsExportQueue(client("sqs"), settings.export_queue_url, settings.import_bucket)
    return (ingest, queue), observer


def ingest_export_here(runtime: Runtime, observer: Observer, *, local: bool) -> IngestExport:
    """For an operator's shell: files of this machine, or of any bucket the shell may read."""
    client = runtime.clients()
    files = LocalExportFiles() if local else S3ExportFiles(client.s3())
    settings = ExportSettings.read(runtime.variables)
    return _make(settings, files, client, observer, runtime.clock)


def _make(
    settings: ExportSettings,
    files: ExportFiles,
    client: Clients,
    observer: Observer,
    clock: Clock,
) -> IngestExport:
    dynamodb, retention = client("dynamodb"), settings.retention
    bucket = Bucket(client.s3(), settings.import_bucket)
    bodies = EventBodies(lambda: bucket)
    completions = DynamoUnstoredCompletions(StateTable(dynamodb, settings.state_table))
    quarantine = DynamoQuarantine(
        dynamodb, settings.quarantine_table, retention, bodies, completions
    )
    tally = TallyObserver(observer)
    return IngestExport(
        files=files,
        ingest=IngestEvent(
            parse=lambda body: parse_event(body, settings.tenant),
            event_log=DynamoEventLog(dynamodb, settings.events_table, retention, bodies),
            quarantine=quarantine,
            clock=clock,
            observer=tally,
        ),
        tally=tally,
        quarantine=quarantine,
        clock=clock,
        observer=observer,
    )
