"""The one place that knows everyone: settings in, use cases over real adapters out.

Nothing is imported for a function that it does not use: the webhook has to start fast.
"""

import os
from collections.abc import Mapping
from datetime import UTC, datetime
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from inventory_sync.adapters.authorized_http import Credentials
    from inventory_sync.adapters.location_store import DynamoLocationStore
    from inventory_sync.adapters.newstore import NewStoreClient
    from inventory_sync.adapters.secrets import Secrets
    from inventory_sync.config import ErpSettings, ImportSettings, NewStoreSettings
    from inventory_sync.observability import PowertoolsObserver
    from inventory_sync.ports import Clock, Erp, NewStoreReader, Observer
    from inventory_sync.use_cases.forward_events import ForwardEvents
    from inventory_sync.use_cases.import_stock import ImportStock
    from inventory_sync.use_cases.ingest_event import EventDoor
    from inventory_sync.use_cases.reconcile_stock import ReconcileStock


_WEBHOOK_SECONDS = 1.5
"""Three attempts end well before the webhook's time-out, so that NewStore gets its 503."""


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """UTC, aware."""
        return datetime.now(UTC)

    def sleep(self, seconds: float) -> None:
        """Wait."""
        sleep(seconds)


def ingest_event(
    variables: Mapping[str, str] | None = None, clock: "Clock | None" = None
) -> "EventDoor":
    """What the webhook needs."""
    from inventory_sync.adapters.event_body import parse_event
    from inventory_sync.adapters.event_log import DynamoEventLog
    from inventory_sync.adapters.inbound_keys import SecretInboundKeys
    from inventory_sync.adapters.quarantine import DynamoQuarantine
    from inventory_sync.config import IngestSettings
    from inventory_sync.observability import make_observer
    from inventory_sync.use_cases.ingest_event import EventDoor, IngestEvent

    settings = IngestSettings.read(_variables(variables))
    observer = make_observer()
    client = _Clients(_WEBHOOK_SECONDS, parameter_validation=False)
    dynamodb = client("dynamodb")
    return EventDoor(
        keys=SecretInboundKeys(
            client("secretsmanager"),
            settings.inbound_keys_secret_arn,
            monotonic,
            observer,
        ),
        ingest=IngestEvent(
            parse=lambda body: parse_event(body, settings.tenant),
            event_log=DynamoEventLog(dynamodb, settings.events_table, settings.retention),
            quarantine=DynamoQuarantine(dynamodb, settings.quarantine_table, settings.retention),
            clock=clock or SystemClock(),
            observer=observer,
            body_bytes_max=settings.body_bytes_max,
        ),
        observer=observer,
        flush=observer.flush,
    )


def forward_events(
    variables: Mapping[str, str] | None = None, clock: "Clock | None" = None
) -> "tuple[ForwardEvents, PowertoolsObserver]":
    """What the forwarder needs."""
    from inventory_sync.adapters.event_log import DynamoEventLog
    from inventory_sync.adapters.location_store import DynamoLocationStore
    from inventory_sync.adapters.quarantine import DynamoQuarantine
    from inventory_sync.adapters.secrets import Secrets
    from inventory_sync.adapters.state_table import StateTable
    from inventory_sync.config import ForwardSettings
    from inventory_sync.domain.cut import AppliedRule
    from inventory_sync.observability import make_observer
    from inventory_sync.use_cases.forward_events import ForwardEvents

    settings = ForwardSettings.read(_variables(variables))
    clock = clock or SystemClock()
    client = _Clients()
    dynamodb = client("dynamodb")
    observer = make_observer()
    locations = DynamoLocationStore(StateTable(dynamodb, settings.state_table))
    forward = ForwardEvents(
        event_log=DynamoEventLog(dynamodb, settings.events_table, settings.retention),
        quarantine=DynamoQuarantine(dynamodb, settings.quarantine_table, settings.retention),
        erp=_erp(settings.erp, Secrets(client("secretsmanager"), clock), locations, clock),
        clock=clock,
        observer=observer,
        rule=AppliedRule(settings.erp.apply_lag, settings.erp.other_channel_lags),
        claim=settings.claim,
        sweep_age=settings.sweep_age,
    )
    return forward, observer


def import_stock(
    variables: Mapping[str, str] | None = None, clock: "Clock | None" = None
) -> "tuple[ImportStock, PowertoolsObserver]":
    """What the import needs."""
    from datetime import timedelta

    from inventory_sync.adapters.event_log import DynamoEventLog
    from inventory_sync.adapters.file_store import S3FileStore
    from inventory_sync.adapters.leases import DynamoLeases
    from inventory_sync.adapters.location_store import DynamoLocationStore
    from inventory_sync.adapters.run_records import S3RunRecords
    from inventory_sync.adapters.run_store import DynamoRunStore
    from inventory_sync.adapters.secrets import Secrets
    from inventory_sync.adapters.state_table import StateTable
    from inventory_sync.config import ImportSettings
    from inventory_sync.domain.guards import GuardLimits
    from inventory_sync.observability import make_observer
    from inventory_sync.use_cases.build_import import BuildImport, BuildSettings
    from inventory_sync.use_cases.import_stock import ImportStock, ImportStockSettings

    settings = ImportSettings.read(_variables(variables))
    clock = clock or SystemClock()
    client = _Clients()
    dynamodb = client("dynamodb")
    secrets = Secrets(client("secretsmanager"), clock)
    observer = make_observer()
    table = StateTable(dynamodb, settings.state_table)
    locations = DynamoLocationStore(table)
    event_log = DynamoEventLog(dynamodb, settings.events_table, settings.retention)
    newstore = _newstore(settings.newstore, settings.provider, secrets, clock)
    s3 = client.s3()
    files = S3FileStore(s3, settings.import_bucket, _signer(settings, secrets))
    records = S3RunRecords(s3, settings.import_bucket)
    tenant_scope = settings.sequence_scope == "tenant"
    build = BuildImport(
        event_log=event_log,
        erp=_erp(settings.erp, secrets, locations, clock),
        newstore=newstore,
        files=files,
        records=records,
        location_store=locations,
        clock=clock,
        observer=observer,
        settings=BuildSettings(
            tenant_scope=tenant_scope,
            first_logical_timestamp=settings.first_logical_timestamp,
            settle=settings.settle_window + settings.clock_skew,
            other_channel_lags=settings.erp.other_channel_lags,
            # What the longest read of one location takes, and a minute for the rest.
            spare_seconds=360,
            reads_at_once=settings.erp.reads_at_once,
            guards=GuardLimits(
                fall_share_max=settings.fall_percent_max / 100,
                quantity_units_max=settings.quantity_units_max,
            ),
        ),
    )
    importer = ImportStock(
        build=build,
        event_log=event_log,
        newstore=newstore,
        files=files,
        records=records,
        runs=DynamoRunStore(table, settings.retention),
        leases=DynamoLeases(table),
        location_store=locations,
        clock=clock,
        observer=observer,
        settings=ImportStockSettings(
            tenant_scope=tenant_scope,
            lease=timedelta(seconds=600),
            job_spacing=settings.job_spacing,
            poll_seconds_max=settings.poll_seconds_max,
        ),
    )
    return importer, observer


def _variables(variables: Mapping[str, str] | None) -> Mapping[str, str]:
    return os.environ if variables is None else variables


class _Clients:
    """Makes AWS clients; a few quick attempts each, since every caller has its own way to go on.

    They come from botocore where that will do: boto3 costs the webhook a fifth of its cold start.
    Without `parameter_validation` only AWS checks what is sent: a twentieth of an event's CPU.
    """

    def __init__(self, read_seconds: float = 10, *, parameter_validation: bool = True) -> None:
        from botocore.config import Config
        from botocore.session import get_session

        self._session = get_session()
        self._config = Config(
            connect_timeout=1.5,
            read_timeout=read_seconds,
            parameter_validation=parameter_validation,
            retries={"mode": "standard", "max_attempts": 3},
        )

    def __call__(self, service: str) -> Any:
        """The client of a service."""
        return self._session.create_client(service, config=self._config)

    def s3(self) -> Any:
        """With boto3's uploads in parts; SigV4, as every region wants it by now."""
        from boto3.session import Session
        from botocore.config import Config

        config = self._config.merge(Config(signature_version="s3v4"))
        return Session(botocore_session=self._session).client("s3", config=config)


def _erp(
    settings: "ErpSettings", secrets: "Secrets", locations: "DynamoLocationStore", clock: "Clock"
) -> "Erp":
    from inventory_sync.adapters.authorized_http import AuthorizedHttp, SecretBearer
    from inventory_sync.adapters.erp.ids import IdMap, LiveIds
    from inventory_sync.adapters.erp.rest import RestErp
    from inventory_sync.adapters.erp.rest_snapshot import SnapshotLimits

    def load() -> IdMap:
        places = locations.locations()
        return IdMap({key: place.erp_location for key, place in places.items()}, locations.skus())

    bearer = SecretBearer(secrets, settings.secret_arn)
    http = _http(clock, settings.timeout_seconds, settings.attempts_max, settings.calls_per_second)
    return RestErp(
        AuthorizedHttp(http, bearer),
        clock,
        base_url=settings.base_url,
        apply_lag=settings.apply_lag,
        ids=LiveIds(load, clock),
        snapshot_limits=SnapshotLimits(),
    )


def reconcile_stock(
    variables: Mapping[str, str] | None = None, clock: "Clock | None" = None
) -> "tuple[ReconcileStock, PowertoolsObserver]":
    """What the reconciliation needs; it writes nothing but its report."""
    from inventory_sync.observability import make_observer

    observer = make_observer()
    return reconcile_with(observer, variables, clock), observer


def reconcile_with(
    observer: "Observer",
    variables: Mapping[str, str] | None = None,
    clock: "Clock | None" = None,
) -> "ReconcileStock":
    """The reconciliation, telling the observer: an operator's shell wants no log lines."""
    from datetime import timedelta

    from inventory_sync.adapters.event_history import DynamoEventHistory
    from inventory_sync.adapters.event_log import DynamoEventLog
    from inventory_sync.adapters.file_store import S3FileStore
    from inventory_sync.adapters.location_store import DynamoLocationStore
    from inventory_sync.adapters.reports import S3Reports
    from inventory_sync.adapters.run_history import DynamoRunHistory
    from inventory_sync.adapters.run_store import DynamoRunStore
    from inventory_sync.adapters.secrets import Secrets
    from inventory_sync.adapters.state_table import StateTable
    from inventory_sync.config import ReconcileSettings
    from inventory_sync.use_cases.reconcile_stock import ReconcileLimits, ReconcileStock

    settings = ReconcileSettings.read(_variables(variables))
    clock = clock or SystemClock()
    client = _Clients()
    dynamodb, s3 = client("dynamodb"), client.s3()
    secrets = Secrets(client("secretsmanager"), clock)
    table = StateTable(dynamodb, settings.state_table)
    locations = DynamoLocationStore(table)
    return ReconcileStock(
        event_log=DynamoEventLog(dynamodb, settings.events_table, timedelta(0)),
        history=DynamoEventHistory(dynamodb, settings.events_table),
        erp=_erp(settings.erp, secrets, locations, clock),
        newstore=_newstore(settings.newstore, "inventory-sync", secrets, clock),
        files=S3FileStore(s3, settings.import_bucket, str),
        runs=DynamoRunStore(table, timedelta(0)),
        run_history=DynamoRunHistory(table),
        location_store=locations,
        reports=S3Reports(s3, settings.import_bucket),
        clock=clock,
        observer=observer,
        limits=ReconcileLimits(other_channel_lags=settings.erp.other_channel_lags),
    )


def read_newstore(
    variables: Mapping[str, str] | None = None, clock: "Clock | None" = None
) -> "NewStoreReader":
    """What an operator asks NewStore with."""
    from inventory_sync.adapters.secrets import Secrets
    from inventory_sync.config import Environment, NewStoreSettings

    settings = NewStoreSettings.read(Environment(_variables(variables)))
    clock = clock or SystemClock()
    return _newstore(
        settings, "inventory-sync", Secrets(_Clients()("secretsmanager"), clock), clock
    )


def _newstore(
    newstore: "NewStoreSettings", provider: str, secrets: "Secrets", clock: "Clock"
) -> "NewStoreClient":
    from inventory_sync.adapters.authorized_http import AuthorizedHttp
    from inventory_sync.adapters.newstore import NewStoreClient
    from inventory_sync.adapters.newstore_token import TokenProvider

    http = _http(clock, newstore.timeout_seconds, newstore.attempts_max)
    tokens: Credentials = TokenProvider(
        http,
        secrets,
        clock,
        secret_arn=newstore.secret_arn,
        token_url=newstore.token_url,
        base_url=newstore.base_url,
    )
    return NewStoreClient(
        AuthorizedHttp(http, tokens), base_url=newstore.base_url, provider=provider
    )


def _http(
    clock: "Clock", timeout_seconds: int, attempts_max: int, calls_per_second: int | None = None
) -> Any:
    from random import SystemRandom

    from inventory_sync.adapters.http import JsonHttp
    from inventory_sync.adapters.http_request import HttpLimits
    from inventory_sync.adapters.pace import Pace

    limits = HttpLimits(read_seconds=timeout_seconds, attempts_max=attempts_max)
    pace = Pace(clock, calls_per_second) if calls_per_second is not None else None
    return JsonHttp(clock, limits, SystemRandom().random, pace=pace)


def _signer(settings: "ImportSettings", secrets: "Secrets") -> Any:
    """Turns a key of the bucket into what NewStore is given; refuses what would not last."""
    from inventory_sync.adapters.file_delivery import presigned_url, refuse_short_lived, s3_uri

    def sign(key: str) -> str:
        if settings.file_delivery == "s3_uri":
            return s3_uri(settings.import_bucket, key)
        uri = presigned_url(
            secrets.read(settings.file_signing_secret_arn),
            settings.import_bucket,
            key,
            region=os.environ.get("AWS_REGION", "us-east-1"),
            endpoint_url=os.environ.get("AWS_ENDPOINT_URL_S3")
            or os.environ.get("AWS_ENDPOINT_URL")
            or None,
        )
        refuse_short_lived(uri, settings.file_url_days_min)
        return uri

    return sign
