"""What builds an import: for the import itself, and for a dry run of it."""

import os
from collections.abc import Callable
from datetime import timedelta

from inventory_sync.adapters.aws.secrets import Secrets
from inventory_sync.adapters.dynamodb.event_log import DynamoEventLog
from inventory_sync.adapters.dynamodb.location_store import DynamoLocationStore
from inventory_sync.adapters.dynamodb.state_table import StateTable
from inventory_sync.adapters.dynamodb.unstored_completions import DynamoUnstoredCompletions
from inventory_sync.adapters.s3.file_delivery import presigned_url, s3_uri
from inventory_sync.adapters.s3.file_store import S3FileStore
from inventory_sync.adapters.s3.kept_reads import S3KeptReads
from inventory_sync.adapters.s3.run_records import S3RunRecords
from inventory_sync.bootstrap.clients import Clients
from inventory_sync.bootstrap.erp import ErpWiring
from inventory_sync.config import ImportSettings
from inventory_sync.domain.mispick import MispickRule
from inventory_sync.domain.snapshot_guards import GuardLimits
from inventory_sync.ports.newstore import NewStore
from inventory_sync.ports.observe import Clock, Observer
from inventory_sync.use_cases.import_stock.build_import.build_import import BuildImport
from inventory_sync.use_cases.import_stock.build_import.settings import BuildSettings

CLOCK_SKEW = timedelta(seconds=5)
"""How far NewStore's clock and ours may differ."""
SPARE_SECONDS = 360
"""What the longest read of one location takes, and a minute for the rest."""


def make_build(
    settings: ImportSettings,
    client: Clients,
    state: StateTable,
    newstore: NewStore,
    clock: Clock,
    observer: Observer,
) -> BuildImport:
    """Over the real ports."""
    secrets = Secrets(client("secretsmanager"), clock)
    s3 = client.s3()
    dynamodb, locations = client("dynamodb"), DynamoLocationStore(state)
    return BuildImport(
        event_log=DynamoEventLog(dynamodb, settings.events_table, settings.retention),
        erp=ErpWiring(settings.erp, secrets, locations, clock, observer, client).stock(),
        newstore=newstore,
        files=S3FileStore(s3, settings.import_bucket, _signer(settings, secrets)),
        records=S3RunRecords(s3, settings.import_bucket),
        location_store=locations,
        unstored=DynamoUnstoredCompletions(state),
        clock=clock,
        observer=observer,
        settings=_build_settings(settings),
        kept=S3KeptReads(s3, settings.import_bucket) if settings.read_machine_arn else None,
    )


def _build_settings(settings: ImportSettings) -> BuildSettings:
    return BuildSettings(
        first_logical_timestamp=settings.first_logical_timestamp,
        settle=settings.settle_window + CLOCK_SKEW,
        other_channel_lags=settings.erp.other_channel_lags,
        go_live_at=settings.erp.go_live_at,
        other_system_lag=settings.erp.other_system_lag,
        reading=settings.release_reading,
        spare_seconds=SPARE_SECONDS,
        mispick=MispickRule(settings.mispick_hold),
        quarantine_blocks=settings.quarantine_blocks,
        reads_at_once=settings.erp.reads_at_once,
        guards=GuardLimits(
            fall_share_max=settings.fall_percent_max / 100, stock_age_max=settings.stock_age_max
        ),
    )


def _signer(settings: ImportSettings, secrets: Secrets) -> Callable[[str], str]:
    """Turns a key of the bucket into what NewStore is given."""

    def sign(key: str) -> str:
        if not settings.file_signing_secret_arn:
            return s3_uri(settings.import_bucket, key)
        return presigned_url(
            secrets.read(settings.file_signing_secret_arn),
            settings.import_bucket,
            key,
            region=os.environ.get("AWS_REGION", "us-east-1"),
            endpoint_url=os.environ.get("AWS_ENDPOINT_URL_S3")
            or os.environ.get("AWS_ENDPOINT_URL")
            or None,
        )

    return sign
