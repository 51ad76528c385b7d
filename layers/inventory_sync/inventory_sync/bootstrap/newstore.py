"""NewStore's API."""

from inventory_sync.adapters.aws.secrets import Secrets
from inventory_sync.adapters.http.authorized import AuthorizedHttp
from inventory_sync.adapters.newstore.imports import NewStoreClient
from inventory_sync.adapters.newstore.token import TokenProvider
from inventory_sync.bootstrap.http import json_http
from inventory_sync.bootstrap.runtime import Runtime
from inventory_sync.config import Environment, NewStoreSettings
from inventory_sync.ports.newstore import NewStoreReader
from inventory_sync.ports.observe import Clock

PROVIDER = "inventory-sync"
"""Who NewStore's job list says an import comes from."""


def authorized_http(settings: NewStoreSettings, secrets: Secrets, clock: Clock) -> AuthorizedHttp:
    """Calls with a token of the API client."""
    http = json_http(clock, settings.timeout_seconds, settings.attempts_max)
    tokens = TokenProvider(
        http,
        secrets,
        clock,
        secret_arn=settings.secret_arn,
        token_url=settings.token_url,
        base_url=settings.base_url,
    )
    return AuthorizedHttp(http, tokens)


def make_newstore(settings: NewStoreSettings, secrets: Secrets, clock: Clock) -> NewStoreClient:
    """The client."""
    http = authorized_http(settings, secrets, clock)
    return NewStoreClient(http, base_url=settings.base_url, provider=PROVIDER)


def read_newstore(runtime: Runtime) -> NewStoreReader:
    """What an operator asks NewStore with."""
    settings = NewStoreSettings.read(Environment(runtime.variables))
    secrets = Secrets(runtime.clients()("secretsmanager"), runtime.clock)
    return make_newstore(settings, secrets, runtime.clock)
