"""NewStoreClient and the simulator of NewStore, over HTTP on this machine."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from cli.web_server import HttpServer
from inventory_sync.adapters.http.authorized import AuthorizedHttp, SecretBearer
from inventory_sync.adapters.http.client import JsonHttp
from inventory_sync.adapters.newstore.imports import NewStoreClient
from inventory_sync.adapters.newstore.token import TokenProvider
from inventory_sync.domain.import_run import JobState
from local.newstore.server import newstore_app
from tests.contract.openapi import Exchange
from tests.contract.recorded import Recorded
from tests.unit.adapters.http_support import (
    SecretsAccount,
    StandingClock,
    json_http,
    secrets_account,
)
from tests.unit.local.newstore_builder import KEY, Newstore, file_of, zip_of

CLIENT = {"client_id": "adapter", "client_secret": "client-secret"}
USER = {"username": "integration", "password": "user-password"}
URI = "s3://stock/run-1.zip"


@dataclass(frozen=True)
class Contract:
    """The client, and the NewStore it talks to; `exchanges` is what went between them."""

    newstore: Newstore
    client: NewStoreClient
    account: SecretsAccount
    exchanges: list[Exchange]

    def create(self, number: int = 1) -> str:
        return self.client.create_job(name=f"run {number}", source_uri=URI)

    def state_of(self, job_id: str) -> JobState:
        job = self.client.job(job_id)
        assert job is not None
        return job.state


@contextmanager
def newstore_contract(credentials: Mapping[str, str] = CLIENT) -> Iterator[Contract]:
    """NewStore takes a minute for a job, and has a file of one row at `URI`."""
    clock = StandingClock()
    newstore = Newstore(
        clients={CLIENT["client_id"]: CLIENT["client_secret"]},
        users={USER["username"]: USER["password"]},
        job_seconds=60,
    )
    newstore.files[URI] = zip_of(file_of({KEY: 17}, (0, 12)))
    recorded = Recorded(newstore_app(newstore.model))
    with (
        HttpServer(recorded) as server,
        secrets_account(dict(credentials)) as account,
        json_http(clock) as http,
    ):
        realm = f"{server.base_url}/auth/realms/acme/protocol/openid-connect/token"
        tokens = TokenProvider(
            http,
            account.secrets(clock),
            clock,
            secret_arn=account.arn,
            token_url=realm,
            base_url=server.base_url,
        )
        client = NewStoreClient(
            AuthorizedHttp(http, tokens), base_url=server.base_url, provider="inventory-sync"
        )
        yield Contract(newstore, client, account, recorded.exchanges)


@dataclass(frozen=True)
class Connection:
    """To a NewStore that keeps what goes over the wire in `exchanges`."""

    newstore: Newstore
    authorized: AuthorizedHttp
    http: JsonHttp
    base_url: str
    exchanges: list[Exchange]


@contextmanager
def connection() -> Iterator[Connection]:
    """With a token already, so that the first exchange is the first call."""
    newstore, clock = Newstore(clients={"adapter": "secret"}), StandingClock()
    token = newstore.model.tokens.client_credentials("adapter", "secret")["access_token"]
    app = Recorded(newstore_app(newstore.model))
    with (
        HttpServer(app) as server,
        secrets_account({"token": token}) as account,
        json_http(clock) as http,
    ):
        authorized = AuthorizedHttp(http, SecretBearer(account.secrets(clock), account.arn))
        yield Connection(newstore, authorized, http, server.base_url, app.exchanges)
