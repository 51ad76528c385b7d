"""NewStoreClient and the simulator of NewStore: both sides read docs/newstore.md alike."""

from collections.abc import Iterator
from datetime import timedelta
from typing import get_args

import pytest

from inventory_sync.adapters.http.authorized import AuthorizedHttp
from inventory_sync.adapters.newstore.imports import NewStoreClient
from inventory_sync.adapters.newstore.token import TokenProvider
from inventory_sync.domain.errors import (
    FatalError,
    OutcomeUnknownError,
    RejectedError,
    RetriableError,
    TooManyJobsError,
)
from inventory_sync.domain.import_run import JobState
from local.http_server import Garbling
from local.newstore.jobs import OPEN_JOBS_MAX
from local.newstore.server import newstore_server
from tests.unit.adapters.http_support import (
    SecretsAccount,
    StandingClock,
    json_http,
    secrets_account,
)
from tests.unit.local.newstore_builder import DC, KEY, Newstore, file_of, zip_of

CLIENT = {"client_id": "adapter", "client_secret": "client-secret"}
USER = {"username": "integration", "password": "user-password"}
URI = "s3://stock/run-1.zip"


class Contract:
    """The client, and the NewStore it talks to."""

    def __init__(self, newstore: Newstore, client: NewStoreClient, account: SecretsAccount) -> None:
        self.newstore = newstore
        self.client = client
        self.account = account

    def create(self, number: int = 1) -> str:
        return self.client.create_job(name=f"run {number}", source_uri=URI, revision=number)

    def state_of(self, job_id: str) -> JobState:
        job = self.client.job(job_id)
        assert job is not None
        return job.state


@pytest.fixture(params=[CLIENT, USER], ids=["API client", "integration user"])
def contract(request: pytest.FixtureRequest) -> Iterator[Contract]:
    clock = StandingClock()
    newstore = Newstore(
        clients={CLIENT["client_id"]: CLIENT["client_secret"]},
        users={USER["username"]: USER["password"]},
        job_seconds=60,
    )
    newstore.files[URI] = zip_of(file_of({KEY: 17}, (0, 12)))
    with (
        newstore_server(newstore.model) as server,
        secrets_account(request.param) as account,
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
        yield Contract(newstore, client, account)


def test_job_goes_from_received_to_finished(contract: Contract) -> None:
    job_id = contract.create()
    assert [(job.job_id, job.name) for job in contract.client.received_jobs()] == [
        (job_id, "run 1")
    ]
    contract.client.start_job(job_id, URI)
    assert contract.state_of(job_id) is JobState.WAITING
    contract.newstore.clock.instant += timedelta(seconds=30)
    assert contract.state_of(job_id) is JobState.OTHER
    contract.newstore.clock.instant += timedelta(seconds=30)
    assert contract.state_of(job_id) is JobState.FINISHED
    assert contract.client.received_jobs() == []
    assert contract.newstore.model.atp(KEY) == 17


def test_failed_job_lists_its_errors(contract: Contract) -> None:
    contract.newstore.files[URI] = b"not a zip"
    job_id = contract.create()
    contract.client.start_job(job_id, URI)
    contract.newstore.clock.instant += timedelta(hours=1)
    assert contract.state_of(job_id) is JobState.FAILED
    assert all(error.reason for error in contract.client.job_errors(job_id))


def test_job_set_to_failed_is_not_received_any_more(contract: Contract) -> None:
    job_id = contract.create()
    contract.client.fail_job(job_id, "an old file is old stock")
    contract.client.fail_job(job_id, "once more")
    assert contract.state_of(job_id) is JobState.FAILED
    assert contract.client.received_jobs() == []


def test_finished_job_cannot_be_failed_or_started(contract: Contract) -> None:
    job_id = contract.create()
    contract.client.start_job(job_id, URI)
    contract.newstore.clock.instant += timedelta(hours=1)
    with pytest.raises(RejectedError):
        contract.client.fail_job(job_id, "too late")
    with pytest.raises(RejectedError):
        contract.client.start_job(job_id, URI)


def test_unknown_job_is_none(contract: Contract) -> None:
    assert contract.client.job("no-such-job") is None


def test_locations_are_those_newstore_lists(contract: Contract) -> None:
    assert contract.client.known_nodes() == {DC, "NYC"}


def test_job_past_the_limit_is_refused_and_found_where_newstore_kept_it(contract: Contract) -> None:
    contract.newstore.model.jobs.keep_on_429 = True
    for number in range(OPEN_JOBS_MAX):
        contract.create(number)
    with pytest.raises(TooManyJobsError):
        contract.create(99)
    assert [j.name for j in contract.client.received_jobs()].count("run 99") == 1


@pytest.mark.parametrize("applied", [True, False])
def test_lost_answer_to_create_is_unknown_and_the_list_tells(
    contract: Contract, applied: bool
) -> None:
    contract.newstore.model.faults.lose_next_answer(call="create_import", applied=applied)
    with pytest.raises(OutcomeUnknownError):
        contract.create()
    assert len(contract.client.received_jobs()) == applied


@pytest.mark.parametrize("applied", [True, False])
def test_lost_answer_to_start_is_unknown_and_the_state_tells(
    contract: Contract, applied: bool
) -> None:
    job_id = contract.create()
    contract.newstore.model.faults.lose_next_answer(call="start_import", applied=applied)
    with pytest.raises(OutcomeUnknownError):
        contract.client.start_job(job_id, URI)
    expected = JobState.WAITING if applied else JobState.RECEIVED
    assert contract.state_of(job_id) is expected


@pytest.mark.parametrize("garbling", get_args(Garbling))
def test_garbled_answers_to_create_are_unknown_and_never_lead_to_a_second_job(
    contract: Contract, garbling: Garbling
) -> None:
    contract.newstore.model.faults.garble_next(garbling, call="create_import")
    with pytest.raises(OutcomeUnknownError):
        contract.create()
    assert len(contract.client.received_jobs()) == 1


@pytest.mark.parametrize("garbling", get_args(Garbling))
def test_garbled_answers_to_reads_are_retriable(contract: Contract, garbling: Garbling) -> None:
    contract.newstore.model.faults.garble_next(garbling, calls=3, call="list_stores")
    with pytest.raises(RetriableError):
        contract.client.known_nodes()


@pytest.mark.parametrize("garbling", get_args(Garbling))
def test_reads_get_over_one_garbled_answer(contract: Contract, garbling: Garbling) -> None:
    contract.newstore.model.faults.garble_next(garbling, call="get_import")
    job_id = contract.create()
    assert contract.state_of(job_id) is JobState.RECEIVED


def test_reads_get_over_lost_answers_and_throttling(contract: Contract) -> None:
    contract.newstore.model.faults.lose_next_answer(call="list_stores")
    contract.newstore.model.faults.refuse_next(
        status=429, retry_after_seconds=2, call="list_stores"
    )
    assert contract.client.known_nodes() == {DC, "NYC"}


def test_revoked_and_expired_tokens_are_renewed(contract: Contract) -> None:
    contract.client.known_nodes()
    contract.newstore.model.tokens.revoke_tokens()
    assert contract.client.known_nodes() == {DC, "NYC"}
    contract.newstore.model.tokens.expire_tokens()
    assert contract.client.known_nodes() == {DC, "NYC"}


def test_rotated_credentials_are_picked_up(contract: Contract) -> None:
    contract.client.known_nodes()
    contract.newstore.model.tokens.clients[CLIENT["client_id"]] = "rotated"
    contract.account.put({**CLIENT, "client_secret": "rotated"})
    contract.newstore.model.tokens.revoke_tokens()
    assert contract.client.known_nodes() == {DC, "NYC"}


def test_wrong_credentials_are_fatal(contract: Contract) -> None:
    contract.newstore.model.tokens.clients.clear()
    contract.newstore.model.tokens.users.clear()
    with pytest.raises(FatalError):
        contract.create()
