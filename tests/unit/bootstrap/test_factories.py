"""Every setting reaches what it is for. No value here is a default, and none stands twice."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from importlib import import_module
from inspect import isfunction, signature
from pathlib import Path
from pkgutil import iter_modules
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from botocore.session import Session

from inventory_sync import bootstrap
from inventory_sync.bootstrap.check_stream import check_stream
from inventory_sync.bootstrap.dry_run import dry_run
from inventory_sync.bootstrap.event_streams import stream_admin
from inventory_sync.bootstrap.forward_events import forward_events
from inventory_sync.bootstrap.import_stock import import_stock, live_import
from inventory_sync.bootstrap.ingest_event import ingest_event, ingest_with
from inventory_sync.bootstrap.ingest_export import ingest_export, ingest_export_here
from inventory_sync.bootstrap.look_at_promises import look_at_promises
from inventory_sync.bootstrap.newstore import read_newstore
from inventory_sync.bootstrap.newstore import read_stock as read_newstore_stock
from inventory_sync.bootstrap.preflight import make_sides
from inventory_sync.bootstrap.read_stock import read_stock
from inventory_sync.bootstrap.reconcile_stock import reconcile_with
from inventory_sync.bootstrap.runtime import Runtime
from inventory_sync.bootstrap.set_watermark import set_watermark
from inventory_sync.domain.reading import ReleaseReading
from local.aws import new_session
from tests.aws import REGION
from tests.builders import OPERATOR
from tests.fakes.observer import FakeObserver
from tests.unit.adapters.http_support import StandingClock, secrets_account
from tests.unit.bootstrap.leaves import leaves

VARIABLES = {
    "EVENTS_TABLE": "events",
    "STATE_TABLE": "state",
    "REQUESTS_TABLE": "requests",
    "QUARANTINE_TABLE": "quarantine",
    "IMPORT_BUCKET": "imports",
    "EXPORT_QUEUE_URL": "https://sqs.example/exports",
    "NEWSTORE_TENANT": "acme",
    "NEWSTORE_BASE_URL": "https://acme.x.newstore.net",
    "NEWSTORE_SECRET_ARN": "arn:newstore",
    "INBOUND_KEYS_SECRET_ARN": "arn:keys",
    "FILE_SIGNING_SECRET_ARN": "arn:signing",
    "READ_MACHINE_ARN": "arn:machine",
    "STREAM_ID": "stream-7",
    "EVENT_URL": "https://hook.example/event",
    "ERP_BASE_URL": "https://erp.example",
    "ERP_SECRET_ARN": "arn:erp",
    "ERP_CALLS_PER_SECOND": "40",
    "ERP_READS_AT_ONCE": "5",
    "OTHER_CHANNEL_SERVICE_LEVELS": "POS=61",
    "GO_LIVE_AT": "2026-03-02T06:00:00Z",
    "RELEASE_READING": "immediate",
    "APPLY_LAG_SECONDS": "62",
    "SWEEP_AGE_SECONDS": "63",
    "SETTLE_WINDOW_SECONDS": "700",
    "FIRST_LOGICAL_TIMESTAMP": "65",
    "POLL_SECONDS_MAX": "66",
    "JOB_SPACING_SECONDS": "67",
    "FALL_PERCENT_MAX": "25",
    "STOCK_AGE_HOURS_MAX": "69",
    "MISPICK_HOLD_HOURS": "70",
    "QUARANTINE_BLOCKS_HOURS": "71",
    "OTHER_SYSTEM_LAG_SECONDS": "72",
    "RETENTION_DAYS": "31",
    "HTTP_ATTEMPTS_MAX": "7",
}
LEVELS = {"POS": timedelta(seconds=61)}
ELSEWHERE_AFTER = timedelta(seconds=72)
GO_LIVE = datetime(2026, 3, 2, 6, tzinfo=UTC)
KEPT = timedelta(days=31)
TOKENS = "https://id.x.newstore.net/auth/realms/acme/protocol/openid-connect/token"


def below(path: str, found: dict[str, Any]) -> dict[str, Any]:
    return {f"{path}.{name}" if name else path: value for name, value in found.items()}


def newstore(path: str) -> dict[str, Any]:
    """NewStore's API, which blocks an address that calls too often."""
    return below(
        path,
        {
            "base_url": "https://acme.x.newstore.net",
            "http.http.limits.attempts_max": 7,
            "http.http.limits.blocked_seconds": 300,
            "http.credentials.secret_arn": "arn:newstore",
            "http.credentials.token_url": TOKENS,
            "http.credentials.base_url": "https://acme.x.newstore.net",
        },
    )


def erp(path: str, calls_per_second: int = 40) -> dict[str, Any]:
    return below(
        path,
        {
            "base_url": "https://erp.example",
            "apply_lag": timedelta(seconds=62),
            "http.http.limits.attempts_max": 7,
            "http.http.pace.interval": 1 / calls_per_second,
            "http.credentials.secret_arn": "arn:erp",
            "ids.load.locations.table.name": "state",
        },
    )


def building(path: str) -> dict[str, Any]:
    return below(
        path,
        {
            "event_log.table": "events",
            "event_log.retention": KEPT,
            "files.bucket.name": "imports",
            "records.bucket.name": "imports",
            "kept.bucket.name": "imports",
            # Five seconds for clocks that differ: nothing is released sooner than asked for.
            "settings.settle": timedelta(seconds=705),
            "settings.first_logical_timestamp": 65,
            "settings.other_channel_lags": LEVELS,
            "settings.go_live_at": GO_LIVE,
            "settings.other_system_lag": ELSEWHERE_AFTER,
            "settings.reading": ReleaseReading.IMMEDIATE,
            "settings.spare_seconds": 360,
            "settings.reads_at_once": 5,
            "settings.mispick.hold": timedelta(hours=70),
            "settings.quarantine_blocks": timedelta(hours=71),
            "settings.guards.fall_share_max": 0.25,
            "settings.guards.stock_age_max": timedelta(hours=69),
        },
    )


def refusing_a_gap(path: str, function: str) -> dict[str, Any]:
    return below(
        path,
        {
            "times.function": function,
            "rule.go_live_at": GO_LIVE,
            "rule.other_system_lag": ELSEWHERE_AFTER,
        },
    )


def looking(path: str) -> dict[str, Any]:
    return {
        **below(
            path,
            {
                "event_log.table": "events",
                "event_log.retention": KEPT,
                "history.table": "events",
                "stock.base_url": "https://acme.x.newstore.net",
                "looks.bucket.name": "imports",
                "times.function": "import",
                "rule.other_channel_lags": LEVELS,
                "rule.go_live_at": GO_LIVE,
                "rule.other_system_lag": ELSEWHERE_AFTER,
                "mispick_hold": timedelta(hours=70),
            },
        ),
        **erp(f"{path}.erp"),
        **newstore(f"{path}.newstore"),
    }


def as_shadow(runtime: Runtime) -> Runtime:
    return replace(runtime, variables={**runtime.variables, "SYNC_MODE": "shadow"})


def ingesting(path: str) -> dict[str, Any]:
    return below(
        path,
        {
            "parse.settings.tenant": "acme",
            "event_log.table": "events",
            "event_log.retention": KEPT,
            "quarantine.table": "quarantine",
            "quarantine.retention": KEPT,
            "quarantine.completions.table.name": "state",
        },
    )


OBSERVER = FakeObserver()
Make = Callable[[Runtime], object]
MEANT: dict[str, tuple[Make, dict[str, Any]]] = {
    "ingest_event.ingest_event": (
        ingest_event,
        {"keys.client": "secretsmanager", "keys.secret_arn": "arn:keys", **ingesting("ingest")},
    ),
    "ingest_event.ingest_with": (lambda runtime: ingest_with(runtime, OBSERVER), ingesting("")),
    "ingest_export.ingest_export": (
        ingest_export,
        {
            **ingesting("0.0.ingest"),
            "0.0.files.client": "s3",
            "0.1.url": "https://sqs.example/exports",
            "0.1.bucket": "imports",
        },
    ),
    "ingest_export.ingest_export_here": (
        lambda runtime: ingest_export_here(runtime, OBSERVER, local=True),
        ingesting("ingest"),
    ),
    "forward_events.forward_events": (
        forward_events,
        {
            "0.event_log.table": "events",
            "0.event_log.retention": KEPT,
            "0.owners.table": "requests",
            "0.owners.retention": timedelta(days=400),
            "0.quarantine.table": "quarantine",
            "0.quarantine.retention": KEPT,
            **erp("0.erp"),
            "0.rule.other_channel_lags": LEVELS,
            "0.rule.go_live_at": GO_LIVE,
            "0.rule.other_system_lag": ELSEWHERE_AFTER,
            **refusing_a_gap("0.mode_check", "forward"),
            "0.shadow": False,
            "0.claim": timedelta(seconds=180),
            "0.sweep_age": timedelta(seconds=63),
        },
    ),
    "import_stock.import_stock": (
        lambda runtime: import_stock(as_shadow(runtime)),
        looking("0"),
    ),
    "look_at_promises.look_at_promises": (look_at_promises, looking("0")),
    "import_stock.live_import": (
        live_import,
        {
            **building("0.build"),
            **erp("0.build.erp"),
            **newstore("0.build.newstore"),
            "0.stock.base_url": "https://acme.x.newstore.net",
            "0.runs.retention": KEPT,
            **refusing_a_gap("0.mode_check", "import"),
            "0.settings.lease": timedelta(seconds=600),
            "0.settings.job_spacing": timedelta(seconds=67),
            "0.settings.poll_seconds_max": 66,
            "0.fan_out.executions.client": "stepfunctions",
            "0.fan_out.executions.machine_arn": "arn:machine",
            "0.fan_out.executions.bucket.name": "imports",
            "0.fan_out.read_every": timedelta(seconds=67),
        },
    ),
    "dry_run.dry_run": (
        lambda runtime: dry_run(runtime, OBSERVER, Path("archive.zip"), 68),
        {
            **building("build"),
            **erp("build.erp"),
            **newstore("build.newstore"),
            "runs.retention": KEPT,
            "rows_max": 68,
        },
    ),
    "read_stock.read_stock": (
        read_stock,
        {
            # As many as read at once share what the ERP bears.
            **erp("0.erp", calls_per_second=8),
            "0.event_log.table": "events",
            "0.event_log.retention": KEPT,
            "0.files.bucket.name": "imports",
            "0.kept.bucket.name": "imports",
            "0.runs.retention": KEPT,
        },
    ),
    "reconcile_stock.reconcile_with": (
        lambda runtime: reconcile_with(runtime, OBSERVER),
        {
            "event_log.table": "events",
            "history.table": "events",
            **erp("erp"),
            **newstore("newstore"),
            "stock.base_url": "https://acme.x.newstore.net",
            "export_atp.exports.base_url": "https://acme.x.newstore.net",
            "export_atp.exports.plain.limits.attempts_max": 7,
            "files.bucket.name": "imports",
            "reports.bucket.name": "imports",
            "limits.other_channel_lags": LEVELS,
            "limits.go_live_at": GO_LIVE,
            "limits.other_system_lag": ELSEWHERE_AFTER,
        },
    ),
    "check_stream.check_stream": (
        check_stream,
        {
            **newstore("0.streams"),
            "0.records.base_url": "https://acme.x.newstore.net",
            "0.event_log.table": "events",
            "0.memories.table.name": "state",
            "0.retry_rejected.stream_id": "stream-7",
            "0.retry_rejected.parse.tenant": "acme",
            "0.stream_id": "stream-7",
            "0.callback_url": "https://hook.example/event",
        },
    ),
    "event_streams.stream_admin": (
        stream_admin,
        {
            **newstore("streams"),
            "records.base_url": "https://acme.x.newstore.net",
            "stream_id": "stream-7",
            "event_url": "https://hook.example/event",
        },
    ),
    "set_watermark.set_watermark": (
        lambda runtime: set_watermark(runtime, OPERATOR),
        {
            "runs.table.name": "state",
            "runs.retention": KEPT,
            "runs.author.who": OPERATOR.who,
            "event_log.table": "events",
            "event_log.retention": KEPT,
        },
    ),
    "preflight.make_sides": (
        lambda runtime: make_sides(runtime, OBSERVER),
        {
            **newstore("newstore"),
            "stock.base_url": "https://acme.x.newstore.net",
            **building("build"),
            "evidence.rule.go_live_at": GO_LIVE,
        },
    ),
    "newstore.read_newstore": (read_newstore, newstore("")),
    "newstore.read_stock": (read_newstore_stock, newstore("")),
}


ELSEWHERE = {"reconcile_stock.reconcile_stock", "event_streams.inbound_key"}
"""The first adds an observer to `reconcile_with`; the second reads a secret and makes nothing."""


@pytest.fixture(scope="module")
def runtime() -> Runtime:
    return Runtime(VARIABLES, StandingClock(), session)


def session() -> Session:
    """Its clients are made and not called."""
    found = new_session()
    found.set_config_variable("region", REGION)
    found.set_credentials("local", "local")
    return found


def factories() -> set[str]:
    """Functions of bootstrap that make something of a runtime."""
    return {
        f"{module.name}.{name}"
        for module in iter_modules(bootstrap.__path__)
        for name, function in vars(import_module(f"{bootstrap.__name__}.{module.name}")).items()
        if isfunction(function) and function.__module__.endswith(f".{module.name}")
        if "runtime" in signature(function).parameters and not name.startswith("_")
    }


def test_no_factory_is_left_out() -> None:
    assert factories() == MEANT.keys() | ELSEWHERE


@pytest.mark.parametrize("name", MEANT)
def test_every_setting_reaches_what_it_is_for(runtime: Runtime, name: str) -> None:
    make, expected = MEANT[name]
    meant = {path.lstrip("."): value for path, value in expected.items()}

    found = leaves(make(runtime))

    assert {path: found.get(path) for path in meant} == meant


def test_a_file_is_given_by_a_signed_url_that_lives_seven_days(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_REGION", "eu-central-1")
    secret = {"access_key_id": "AKIAEXAMPLE", "secret_access_key": "a-long-lived-secret"}
    with secrets_account(secret) as account:
        variables = {**VARIABLES, "FILE_SIGNING_SECRET_ARN": account.arn}
        importer, _ = live_import(replace(runtime, variables=variables))
        url = urlsplit(importer.files.archive_uri("run-1"))

    query = dict(parse_qsl(url.query))
    assert url.netloc == "imports.s3.eu-central-1.amazonaws.com"
    assert query["X-Amz-Expires"] == str(7 * 86_400)


def test_without_a_signing_key_a_file_is_given_by_its_place(runtime: Runtime) -> None:
    variables = {**VARIABLES, "FILE_SIGNING_SECRET_ARN": ""}
    importer, _ = live_import(replace(runtime, variables=variables))

    assert importer.files.archive_uri("run-1").startswith("s3://imports/")


def test_a_reader_makes_at_least_one_call_a_second(runtime: Runtime) -> None:
    variables = {**VARIABLES, "ERP_CALLS_PER_SECOND": "2"}

    found = leaves(read_stock(replace(runtime, variables=variables)))

    assert found["0.erp.http.http.pace.interval"] == 1


@pytest.mark.parametrize("variable", ["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"])
def test_a_file_is_fetched_from_the_s3_that_is_given(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    secret = {"access_key_id": "AKIAEXAMPLE", "secret_access_key": "a-long-lived-secret"}
    with secrets_account(secret) as account:
        variables = {**VARIABLES, "FILE_SIGNING_SECRET_ARN": account.arn}
        importer, _ = live_import(replace(runtime, variables=variables))
        importer.files.archive_uri("run-1")  # reads the secret
        monkeypatch.setenv(variable, "http://localhost:5000")
        uri = importer.files.archive_uri("run-1")

    assert uri.startswith("http://localhost:5000/imports/imports/run-1/")


# A shadow


WRITES = {
    "post_movements", "change_allocations", "create_job", "start_job", "fail_job",
    "archive", "save_ledger", "save_manifest",
}  # fmt: skip
"""What changes something at NewStore or in the ERP, and what an import writes for NewStore."""


@pytest.mark.parametrize(
    "connector",
    [
        {"ERP_CONNECTOR": "rest"},
        {"ERP_CONNECTOR": "odoo"},
        {"ERP_CONNECTOR": "csv", "ERP_BUCKET": "erp"},
    ],
)
def test_nothing_that_a_shadow_is_made_of_can_change_newstore_or_the_erp(
    runtime: Runtime, connector: dict[str, str]
) -> None:
    shadow = as_shadow(replace(runtime, variables={**runtime.variables, **connector}))
    look, _ = import_stock(shadow)
    forward, _ = forward_events(shadow)

    found = {
        type(part).__name__: WRITES & set(dir(part))
        for part in parts_of([look, forward])
        if WRITES & set(dir(part))
    }

    assert forward.shadow
    assert list(found) == ["BookedElsewhere"]


def test_and_what_is_live_can(runtime: Runtime) -> None:
    importer, _ = import_stock(runtime)
    forward, _ = forward_events(runtime)

    found = set().union(*(WRITES & set(dir(part)) for part in parts_of([importer, forward])))

    assert found == WRITES


def parts_of(made: object) -> list[object]:
    """All objects of ours that it is made of."""
    found: dict[int, object] = {}
    waiting = [made]
    while waiting:
        one = waiting.pop()
        ours = type(one).__module__.startswith("inventory_sync")
        if id(one) in found or not (ours or isinstance(one, list | tuple)):
            continue
        found[id(one)] = one
        waiting += one if isinstance(one, list | tuple) else fields_of(one)
    return [one for one in found.values() if not isinstance(one, list | tuple)]


def fields_of(one: object) -> list[object]:
    slots = [name for kind in type(one).__mro__ for name in getattr(kind, "__slots__", ())]
    named = {name: getattr(one, name) for name in slots if hasattr(one, name)}
    return [*named.values(), *getattr(one, "__dict__", {}).values()]
