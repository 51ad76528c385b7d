"""Every setting, its default, its meaning and what is allowed; read once at start.

A wrong setting raises FatalError naming the variable and what is allowed.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from inventory_sync.domain.errors import FatalError
from inventory_sync.domain.mode import Mode
from inventory_sync.domain.reading import ReleaseReading

_THIS_MACHINE = re.compile(r"http://(127\.0\.0\.1|localhost|host\.docker\.internal)(:\d+)?(/|$)")


@dataclass(frozen=True)
class Environment:
    """Typed reading of environment variables."""

    variables: Mapping[str, str]

    def text(self, name: str, default: str | None = None) -> str:
        """A non-empty string."""
        value = self.variables.get(name, "") or default
        if not value:
            raise FatalError(f"{name} is not set; set it in template.yaml or the environment")
        return value

    def optional(self, name: str) -> str:
        """A string that may be empty."""
        return self.variables.get(name, "")

    def number(self, name: str, default: int, lowest: int, highest: int) -> int:
        """A whole number within bounds, both inclusive."""
        raw = self.variables.get(name, "") or str(default)
        if not (raw.isascii() and raw.isdigit() and lowest <= int(raw) <= highest):
            raise FatalError(f"{name}={raw!r}: allowed is a whole number {lowest} to {highest}")
        return int(raw)

    def optional_number(self, name: str, lowest: int, highest: int) -> int | None:
        """A whole number within bounds, or none."""
        return self.number(name, lowest, lowest, highest) if self.optional(name) else None

    def choice(self, name: str, default: str, allowed: tuple[str, ...]) -> str:
        """One of the allowed words."""
        value = self.variables.get(name, "") or default
        if value not in allowed:
            raise FatalError(f"{name}={value!r}: allowed is one of {', '.join(allowed)}")
        return value

    def url(self, name: str, default: str | None = None) -> str:
        """A base URL without a trailing slash; plain http only for this very machine, which a
        container of `sam local` calls host.docker.internal.
        """
        value = self.text(name, default).rstrip("/")
        if not (value.startswith("https://") or _THIS_MACHINE.match(value)):
            raise FatalError(f"{name}={value!r}: allowed is an https:// address")
        return value

    def instant(self, name: str) -> datetime | None:
        """An instant in UTC, possibly none."""
        raw = self.optional(name)
        try:
            return datetime.strptime(raw, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC) if raw else None
        except ValueError as error:
            allowed = "an instant in UTC such as 2026-03-02T06:00:00Z"
            raise FatalError(f"{name}={raw!r}: allowed is {allowed}") from error

    def seconds_by_name(self, name: str) -> dict[str, timedelta]:
        """`NAME=SECONDS,NAME=SECONDS`, possibly empty."""
        found = {}
        for part in filter(None, self.optional(name).split(",")):
            key, _, seconds = part.strip().partition("=")
            if not (key and seconds.isascii() and seconds.isdigit()):
                raise FatalError(
                    f"{name}={part!r}: allowed is NAME=SECONDS[,NAME=SECONDS...],"
                    " for example IN_STORE_HANDOVER=900"
                )
            found[key] = timedelta(seconds=int(seconds))
        return found


@dataclass(frozen=True, kw_only=True)
class IngestSettings:
    """What the webhook needs."""

    events_table: str
    quarantine_table: str
    state_table: str
    inbound_keys_secret_arn: str
    import_bucket: str
    tenant: str
    retention: timedelta

    @classmethod
    def read(cls, variables: Mapping[str, str]) -> "IngestSettings":
        """From the environment."""
        env = Environment(variables)
        return cls(
            events_table=env.text("EVENTS_TABLE"),
            quarantine_table=env.text("QUARANTINE_TABLE"),
            state_table=env.text("STATE_TABLE"),
            inbound_keys_secret_arn=env.text("INBOUND_KEYS_SECRET_ARN"),
            import_bucket=env.text("IMPORT_BUCKET"),
            tenant=env.text("NEWSTORE_TENANT"),
            retention=_retention(env),
        )


@dataclass(frozen=True)
class RestConnector:
    """The REST contract of docs/erp-openapi.yaml."""

    base_url: str
    secret_arn: str


@dataclass(frozen=True)
class OdooConnector:
    """Odoo's JSON-2 API; the secret has the key and, where there are several, the database."""

    base_url: str
    secret_arn: str


@dataclass(frozen=True)
class CsvConnector:
    """Files in a bucket of the ERP's, below `prefix`, which is empty or ends with a slash."""

    bucket: str
    prefix: str


Connector = RestConnector | OdooConnector | CsvConnector


def read_connector(env: Environment) -> Connector:
    """The one that ERP_CONNECTOR names, with what it needs; what others need is not looked at."""
    match env.choice("ERP_CONNECTOR", "rest", ("rest", "odoo", "csv")):
        case "csv":
            prefix = env.optional("ERP_BUCKET_PREFIX")
            if prefix.startswith("/") or not (prefix == "" or prefix.endswith("/")):
                raise FatalError(
                    f"ERP_BUCKET_PREFIX={prefix!r}: allowed is nothing, or a folder such as stock/"
                )
            return CsvConnector(env.text("ERP_BUCKET"), prefix)
        case "odoo":
            return OdooConnector(env.url("ERP_BASE_URL"), env.text("ERP_SECRET_ARN"))
    return RestConnector(env.url("ERP_BASE_URL"), env.text("ERP_SECRET_ARN"))


@dataclass(frozen=True, kw_only=True)
class ErpSettings:
    """How to reach the ERP, and when what it has acknowledged shows."""

    mode: Mode
    connector: Connector
    apply_lag: timedelta
    other_channel_lags: Mapping[str, timedelta]
    other_system_lag: timedelta | None
    go_live_at: datetime | None
    attempts_max: int
    calls_per_second: int
    reads_at_once: int

    @classmethod
    def read(cls, env: Environment) -> "ErpSettings":
        """From the environment; FatalError where it is open who books what has shipped."""
        mode = Mode(env.choice("SYNC_MODE", "live", ("live", "shadow")))
        lag, go_live_at = _other_system_lag(env), env.instant("GO_LIVE_AT")
        if mode is Mode.SHADOW and lag is None:
            raise FatalError(
                "SYNC_MODE=shadow needs OTHER_SYSTEM_LAG_SECONDS: how long after a shipment the"
                " ERP's figure is without it at the latest"
            )
        if mode is Mode.LIVE and lag is not None and go_live_at is None:
            raise FatalError(
                "OTHER_SYSTEM_LAG_SECONDS needs GO_LIVE_AT where SYNC_MODE=live: what shipped"
                " before is booked by the other system, what ships from then on by this one"
            )
        return cls(
            mode=mode,
            connector=read_connector(env),
            apply_lag=timedelta(seconds=env.number("APPLY_LAG_SECONDS", 0, 0, 172_800)),
            other_channel_lags=env.seconds_by_name("OTHER_CHANNEL_SERVICE_LEVELS"),
            other_system_lag=lag,
            go_live_at=go_live_at,
            attempts_max=_attempts_max(env),
            calls_per_second=env.number("ERP_CALLS_PER_SECOND", 20, 1, 1_000),
            reads_at_once=env.number("ERP_READS_AT_ONCE", 4, 1, 50),
        )


@dataclass(frozen=True, kw_only=True)
class ForwardSettings:
    """What the forwarder needs."""

    events_table: str
    requests_table: str
    state_table: str
    quarantine_table: str
    erp: ErpSettings
    retention: timedelta
    sweep_age: timedelta

    @classmethod
    def read(cls, variables: Mapping[str, str]) -> "ForwardSettings":
        """From the environment."""
        env = Environment(variables)
        return cls(
            events_table=env.text("EVENTS_TABLE"),
            requests_table=env.text("REQUESTS_TABLE"),
            state_table=env.text("STATE_TABLE"),
            quarantine_table=env.text("QUARANTINE_TABLE"),
            erp=ErpSettings.read(env),
            retention=_retention(env),
            sweep_age=timedelta(seconds=env.number("SWEEP_AGE_SECONDS", 60, 0, 3_600)),
        )


@dataclass(frozen=True, kw_only=True)
class NewStoreSettings:
    """How to reach NewStore."""

    tenant: str
    base_url: str
    token_url: str
    secret_arn: str
    attempts_max: int

    @classmethod
    def read(cls, env: Environment) -> "NewStoreSettings":
        """From the environment; the documented addresses follow from the tenant."""
        tenant = env.text("NEWSTORE_TENANT")
        base_url = env.url("NEWSTORE_BASE_URL", f"https://{tenant}.p.newstore.net")
        return cls(
            tenant=tenant,
            base_url=base_url,
            token_url=_token_url(tenant, base_url),
            secret_arn=env.text("NEWSTORE_SECRET_ARN"),
            attempts_max=_attempts_max(env),
        )


@dataclass(frozen=True, kw_only=True)
class ImportSettings:
    """What the import needs."""

    events_table: str
    state_table: str
    import_bucket: str
    newstore: NewStoreSettings
    erp: ErpSettings
    retention: timedelta
    settle_window: timedelta
    first_logical_timestamp: int
    release_reading: ReleaseReading
    file_signing_secret_arn: str
    poll_seconds_max: int
    job_spacing: timedelta
    fall_percent_max: int
    stock_age_max: timedelta
    mispick_hold: timedelta
    quarantine_blocks: timedelta
    read_machine_arn: str

    @classmethod
    def read(cls, variables: Mapping[str, str]) -> "ImportSettings":
        """From the environment."""
        env = Environment(variables)
        return cls(
            events_table=env.text("EVENTS_TABLE"),
            state_table=env.text("STATE_TABLE"),
            import_bucket=env.text("IMPORT_BUCKET"),
            newstore=NewStoreSettings.read(env),
            erp=ErpSettings.read(env),
            retention=_retention(env),
            settle_window=timedelta(seconds=env.number("SETTLE_WINDOW_SECONDS", 900, 0, 86_400)),
            first_logical_timestamp=env.number("FIRST_LOGICAL_TIMESTAMP", 0, 0, 10**18),
            release_reading=_release_reading(env),
            file_signing_secret_arn=env.optional("FILE_SIGNING_SECRET_ARN"),
            poll_seconds_max=env.number("POLL_SECONDS_MAX", 60, 0, 600),
            job_spacing=timedelta(seconds=env.number("JOB_SPACING_SECONDS", 300, 0, 3_600)),
            fall_percent_max=env.number("FALL_PERCENT_MAX", 50, 1, 100),
            stock_age_max=timedelta(hours=env.number("STOCK_AGE_HOURS_MAX", 36, 1, 8760)),
            mispick_hold=timedelta(hours=env.number("MISPICK_HOLD_HOURS", 24, 0, 720)),
            quarantine_blocks=timedelta(hours=env.number("QUARANTINE_BLOCKS_HOURS", 24, 0, 720)),
            read_machine_arn=env.optional("READ_MACHINE_ARN"),
        )


@dataclass(frozen=True, kw_only=True)
class ReadSettings:
    """What reading a batch of locations needs, where reads fan out."""

    events_table: str
    state_table: str
    import_bucket: str
    erp: ErpSettings
    retention: timedelta

    @classmethod
    def read(cls, variables: Mapping[str, str]) -> "ReadSettings":
        """From the environment."""
        env = Environment(variables)
        return cls(
            events_table=env.text("EVENTS_TABLE"),
            state_table=env.text("STATE_TABLE"),
            import_bucket=env.text("IMPORT_BUCKET"),
            erp=ErpSettings.read(env),
            retention=_retention(env),
        )


@dataclass(frozen=True, kw_only=True)
class ReconcileSettings:
    """What the reconciliation needs."""

    events_table: str
    state_table: str
    import_bucket: str
    newstore: NewStoreSettings
    erp: ErpSettings

    @classmethod
    def read(cls, variables: Mapping[str, str]) -> "ReconcileSettings":
        """From the environment."""
        env = Environment(variables)
        return cls(
            events_table=env.text("EVENTS_TABLE"),
            state_table=env.text("STATE_TABLE"),
            import_bucket=env.text("IMPORT_BUCKET"),
            newstore=NewStoreSettings.read(env),
            erp=ErpSettings.read(env),
        )


@dataclass(frozen=True, kw_only=True)
class StreamSettings:
    """NewStore's registration that feeds the webhook at `event_url`."""

    newstore: NewStoreSettings
    stream_id: str
    event_url: str

    @classmethod
    def read(cls, env: Environment) -> "StreamSettings":
        """From the environment."""
        return cls(
            newstore=NewStoreSettings.read(env),
            stream_id=_stream_id(env),
            event_url=env.url("EVENT_URL"),
        )


@dataclass(frozen=True, kw_only=True)
class CheckStreamSettings:
    """What the stream check needs."""

    events_table: str
    state_table: str
    stream: StreamSettings

    @classmethod
    def read(cls, variables: Mapping[str, str]) -> "CheckStreamSettings":
        """From the environment."""
        env = Environment(variables)
        return cls(
            events_table=env.text("EVENTS_TABLE"),
            state_table=env.text("STATE_TABLE"),
            stream=StreamSettings.read(env),
        )


@dataclass(frozen=True, kw_only=True)
class ExportSettings:
    """What reading NewStore's export files needs."""

    events_table: str
    quarantine_table: str
    state_table: str
    import_bucket: str
    export_queue_url: str
    tenant: str
    retention: timedelta

    @classmethod
    def read(cls, variables: Mapping[str, str]) -> "ExportSettings":
        """From the environment."""
        env = Environment(variables)
        return cls(
            events_table=env.text("EVENTS_TABLE"),
            quarantine_table=env.text("QUARANTINE_TABLE"),
            state_table=env.text("STATE_TABLE"),
            import_bucket=env.text("IMPORT_BUCKET"),
            export_queue_url=env.text("EXPORT_QUEUE_URL"),
            tenant=env.text("NEWSTORE_TENANT"),
            retention=_retention(env),
        )


def _release_reading(env: Environment) -> ReleaseReading:
    named = env.choice("RELEASE_READING", "find_out", ("range", "immediate", "find_out"))
    return ReleaseReading(named)


def _other_system_lag(env: Environment) -> timedelta | None:
    seconds = env.optional_number("OTHER_SYSTEM_LAG_SECONDS", 0, 172_800)
    return None if seconds is None else timedelta(seconds=seconds)


def _token_url(tenant: str, base_url: str) -> str:
    """The identity provider beside NewStore's API: id.p.newstore.net for acme.p.newstore.net."""
    host = base_url.replace(f"https://{tenant}.", "https://id.")
    return f"{host}/auth/realms/{tenant}/protocol/openid-connect/token"


def _stream_id(env: Environment) -> str:
    """The stack's name, in NewStore's letters."""
    value = env.text("STREAM_ID").lower()
    if not re.fullmatch(r"[a-z0-9-]{1,50}", value):
        raise FatalError(
            f"STREAM_ID={value!r}: allowed are 1 to 50 letters, digits and hyphens;"
            " deploy under a shorter stack name"
        )
    return value


def _attempts_max(env: Environment) -> int:
    return env.number("HTTP_ATTEMPTS_MAX", 3, 1, 10)


def _retention(env: Environment) -> timedelta:
    return timedelta(days=env.number("RETENTION_DAYS", 90, 30, 3_653))
