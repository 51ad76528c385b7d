"""What the functions reach NewStore and the ERP with, for one who asks whether it works."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from inventory_sync.adapters.aws.secrets import Secrets
from inventory_sync.adapters.dynamodb.location_store import DynamoLocationStore
from inventory_sync.adapters.dynamodb.state_table import StateTable
from inventory_sync.adapters.http.authorized import AuthorizedHttp
from inventory_sync.adapters.newstore.token import TokenProvider, grant_of
from inventory_sync.bootstrap.build_import import make_build
from inventory_sync.bootstrap.erp import ErpWiring, bearer_of
from inventory_sync.bootstrap.http import json_http
from inventory_sync.bootstrap.newstore import (
    BLOCKED_SECONDS,
    make_newstore,
    make_stock,
    make_tokens,
)
from inventory_sync.bootstrap.runtime import Runtime
from inventory_sync.config import CsvConnector, ImportSettings
from inventory_sync.domain.cut import AppliedRule
from inventory_sync.ports.erp import ErpBooks
from inventory_sync.ports.newstore import NewStoreReader, StockReader
from inventory_sync.ports.observe import Observer
from inventory_sync.use_cases.import_stock.build_import.build_import import BuildImport
from inventory_sync.use_cases.import_stock.gather_evidence import GatherEvidence


@dataclass(frozen=True, slots=True, kw_only=True)
class Sides:
    """Both sides as the import has them; `reads` are harmless calls of NewStore's, by their name.

    `secrets` look at the form of one secret each, by its name, and raise FatalError.
    """

    settings: ImportSettings
    secrets: Mapping[str, Callable[[], object]]
    newstore: NewStoreReader
    stock: StockReader
    tokens: TokenProvider
    reads: Mapping[str, Callable[[], object]]
    build: BuildImport
    books: ErpBooks
    evidence: GatherEvidence


def make_sides(runtime: Runtime, observer: Observer) -> Sides:
    """By the import function's variables; nothing is called yet."""
    settings, clock = ImportSettings.read(runtime.variables), runtime.clock
    client = runtime.clients()
    secrets = Secrets(client("secretsmanager"), clock)
    attempts_max = settings.newstore.attempts_max
    plain = json_http(clock, attempts_max, blocked_seconds=BLOCKED_SECONDS)
    tokens = make_tokens(settings.newstore, plain, secrets, clock)
    http = AuthorizedHttp(plain, tokens)
    newstore, stock = make_newstore(settings.newstore, http), make_stock(settings.newstore, http)
    table = StateTable(client("dynamodb"), settings.state_table)
    locations = DynamoLocationStore(table)
    build = make_build(settings, client, table, newstore, clock, observer)
    return Sides(
        settings=settings,
        secrets=_secrets(settings, secrets, build),
        tokens=tokens,
        newstore=newstore,
        stock=stock,
        reads={
            "locations": lambda: newstore.locations(()),
            "import jobs": newstore.received_jobs,
            "safety stock": stock.safety_stock,
        },
        build=build,
        books=ErpWiring(settings.erp, secrets, locations, clock, observer, client).live_books(),
        evidence=GatherEvidence(
            event_log=build.event_log,
            files=build.files,
            stock=stock,
            location_store=locations,
            clock=clock,
            rule=AppliedRule(go_live_at=settings.erp.go_live_at),
        ),
    )


def _secrets(
    settings: ImportSettings, secrets: Secrets, build: BuildImport
) -> Mapping[str, Callable[[], object]]:
    newstore, connector = settings.newstore.secret_arn, settings.erp.connector
    found: dict[str, Callable[[], object]] = {
        "NewStore": lambda: grant_of(secrets.read(newstore), newstore)
    }
    if not isinstance(connector, CsvConnector):
        found["ERP"] = bearer_of(connector, secrets).bearer
    if settings.file_signing_secret_arn:
        found["file signing"] = lambda: build.files.archive_uri("preflight")
    return found
