"""NewStore's API."""

from inventory_sync.adapters.aws.secrets import Secrets
from inventory_sync.adapters.http.authorized import AuthorizedHttp
from inventory_sync.adapters.http.client import JsonHttp
from inventory_sync.adapters.newstore.exports import NewStoreExports
from inventory_sync.adapters.newstore.imports import NewStoreClient, NewStoreLocationList
from inventory_sync.adapters.newstore.stock import NewStoreStock
from inventory_sync.adapters.newstore.token import TokenProvider
from inventory_sync.bootstrap.http import json_http
from inventory_sync.bootstrap.runtime import Runtime
from inventory_sync.config import Environment, NewStoreSettings
from inventory_sync.ports.newstore import NewStoreReader, StockReader
from inventory_sync.ports.observe import Clock

PROVIDER = "inventory-sync"
"""Who NewStore's job list says an import comes from."""
BLOCKED_SECONDS = 300
"""For an address with more than 30,000 calls in five minutes (docs/newstore.md, "Reading back")."""


def authorized_http(settings: NewStoreSettings, secrets: Secrets, clock: Clock) -> AuthorizedHttp:
    """Calls with a token of the API client."""
    http = json_http(clock, settings.attempts_max, blocked_seconds=BLOCKED_SECONDS)
    return AuthorizedHttp(http, make_tokens(settings, http, secrets, clock))


def make_tokens(
    settings: NewStoreSettings, http: JsonHttp, secrets: Secrets, clock: Clock
) -> TokenProvider:
    """Tokens of the API client."""
    return TokenProvider(
        http,
        secrets,
        clock,
        secret_arn=settings.secret_arn,
        token_url=settings.token_url,
        base_url=settings.base_url,
    )


def make_newstore(settings: NewStoreSettings, http: AuthorizedHttp) -> NewStoreClient:
    """The client of the import API."""
    return NewStoreClient(http, base_url=settings.base_url, provider=PROVIDER)


def make_locations(settings: NewStoreSettings, http: AuthorizedHttp) -> NewStoreLocationList:
    """NewStore's locations, to be read only."""
    return NewStoreLocationList(http, base_url=settings.base_url)


def read_newstore(runtime: Runtime) -> NewStoreReader:
    """What an operator asks NewStore with."""
    settings = NewStoreSettings.read(Environment(runtime.variables))
    return make_locations(settings, _http(runtime, settings))


def make_stock(settings: NewStoreSettings, http: AuthorizedHttp) -> NewStoreStock:
    """What NewStore says of stock."""
    return NewStoreStock(http, base_url=settings.base_url)


def make_exports(settings: NewStoreSettings, http: AuthorizedHttp, clock: Clock) -> NewStoreExports:
    """NewStore's exports of ATP."""
    plain = json_http(clock, settings.attempts_max)
    return NewStoreExports(http, plain, base_url=settings.base_url)


def read_stock(runtime: Runtime) -> StockReader:
    """What an operator asks NewStore of stock and orders with."""
    settings = NewStoreSettings.read(Environment(runtime.variables))
    return make_stock(settings, _http(runtime, settings))


def _http(runtime: Runtime, settings: NewStoreSettings) -> AuthorizedHttp:
    secrets = Secrets(runtime.clients()("secretsmanager"), runtime.clock)
    return authorized_http(settings, secrets, runtime.clock)
