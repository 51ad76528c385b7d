"""NewStoreClient and the simulator of NewStore: both sides read docs/newstore.md alike."""

from collections.abc import Iterator
from datetime import timedelta
from typing import get_args

import pytest

from inventory_sync.domain.errors import (
    FatalError,
    OutcomeUnknownError,
    RejectedError,
    RetriableError,
    TooManyJobsError,
)
from inventory_sync.domain.import_run import JobState
from inventory_sync.domain.locations import (
    LOCATIONS_LISTED_MAX,
    LocationType,
    NewStoreLocation,
)
from local.http_server import Garbling
from local.newstore.jobs import OPEN_JOBS_MAX, RETRY_AFTER_SECONDS
from local.newstore.locations import dc, store
from tests.contract.newstore import CLIENT, URI, USER, Contract, newstore_contract
from tests.unit.local.newstore_builder import DC, SKU, file_of, zip_of


@pytest.fixture(params=[CLIENT, USER], ids=["API client", "integration user"])
def contract(request: pytest.FixtureRequest) -> Iterator[Contract]:
    with newstore_contract(request.param) as contract:
        yield contract


def test_job_goes_from_received_to_finished(contract: Contract) -> None:
    job_id = contract.create()
    assert [(job.job_id, job.name) for job in contract.client.received_jobs()] == [
        (job_id, "run 1")
    ]
    contract.client.start_job(job_id, URI)
    assert contract.state_of(job_id) is JobState.WAITING
    contract.newstore.clock.instant += timedelta(seconds=30)
    assert contract.state_of(job_id) is JobState.PROCESSING
    contract.newstore.clock.instant += timedelta(seconds=30)
    assert contract.state_of(job_id) is JobState.FINISHED
    assert contract.client.received_jobs() == []
    assert contract.newstore.model.atp((DC, SKU)) == 17


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


def test_finished_job_cannot_be_failed(contract: Contract) -> None:
    job_id = contract.create()
    contract.client.start_job(job_id, URI)
    contract.newstore.clock.instant += timedelta(hours=1)
    with pytest.raises(RejectedError):
        contract.client.fail_job(job_id, "too late")


def test_job_that_was_started_already_keeps_its_file(contract: Contract) -> None:
    job_id = contract.create()
    contract.client.start_job(job_id, URI)
    contract.client.start_job(job_id, "s3://stock/other.zip")
    assert contract.newstore.model.jobs.by_id[job_id].transformed_uri == URI


def test_unknown_job_cannot_be_started(contract: Contract) -> None:
    with pytest.raises(RejectedError):
        contract.client.start_job("no-such-job", URI)


def test_job_that_failed_in_part_tells_of_its_chunks(contract: Contract) -> None:
    contract.newstore.files[URI] = zip_of(file_of({(DC, f"P{n}"): n for n in range(1001)}))
    contract.newstore.model.jobs.fail_chunks_of_next_job(1)
    job_id = contract.create()
    contract.client.start_job(job_id, URI)
    contract.newstore.clock.instant += timedelta(hours=1)
    assert contract.state_of(job_id) is JobState.PARTIALLY_FAILED
    assert [(c.rows, c.failed) for c in contract.client.job_chunks(job_id)] == [
        (1000, False),
        (1, True),
    ]


def test_every_job_of_a_long_list_is_found(contract: Contract) -> None:
    jobs = contract.newstore.model.jobs
    ids = [contract.newstore.create(name=f"run {n}") for n in range(OPEN_JOBS_MAX)]
    for job_id in ids[:-1]:
        jobs.set_fail(job_id, "room for more")
    for number in range(OPEN_JOBS_MAX - 1):
        contract.create(number)
    assert len(contract.client.received_jobs()) == OPEN_JOBS_MAX


def test_unknown_job_is_none(contract: Contract) -> None:
    assert contract.client.job("no-such-job") is None


def test_locations_are_those_newstore_lists(contract: Contract) -> None:
    assert set(contract.client.locations([])) == {DC, "NYC"}


def test_a_location_is_told_with_all_there_is_to_know(contract: Contract) -> None:
    locations = contract.newstore.model.locations
    locations.add(store("BER", store_id="S-1", is_enabled=False, is_inventory_master=True))
    assert contract.client.locations([])["BER"] == NewStoreLocation(
        location_id="BER",
        type=LocationType.STORE,
        store_id="S-1",
        inventory_master=True,
        enabled=False,
    )
    assert contract.client.locations([])[DC] == NewStoreLocation(
        location_id=DC, type=LocationType.DC
    )


def test_what_a_full_list_lacks_is_asked_for_by_its_id(contract: Contract) -> None:
    for number in range(LOCATIONS_LISTED_MAX):
        contract.newstore.model.locations.add(dc(f"L {number}/ü"))
    wanted = [DC, f"L {LOCATIONS_LISTED_MAX - 1}/ü", "nowhere"]
    found = contract.client.locations(wanted)
    assert len(found) == LOCATIONS_LISTED_MAX + 1
    assert set(wanted) - found.keys() == {"nowhere"}
    asked = [e for e in contract.exchanges if e.path.startswith("/v0/locations/")]
    assert sorted(e.status for e in asked) == [200, 404]


def test_job_past_the_limit_is_refused_and_found_where_newstore_kept_it(contract: Contract) -> None:
    contract.newstore.model.jobs.keep_on_429 = True
    for number in range(OPEN_JOBS_MAX):
        contract.create(number)
    with pytest.raises(TooManyJobsError) as raised:
        contract.create(99)
    assert raised.value.retry_after_seconds == RETRY_AFTER_SECONDS
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
    contract.newstore.model.faults.garble_next(garbling, calls=3, call="list_locations")
    with pytest.raises(RetriableError):
        contract.client.locations([])


@pytest.mark.parametrize("garbling", get_args(Garbling))
def test_reads_get_over_one_garbled_answer(contract: Contract, garbling: Garbling) -> None:
    contract.newstore.model.faults.garble_next(garbling, call="get_import")
    job_id = contract.create()
    assert contract.state_of(job_id) is JobState.RECEIVED


def test_reads_get_over_lost_answers_and_throttling(contract: Contract) -> None:
    contract.newstore.model.faults.lose_next_answer(call="list_locations")
    contract.newstore.model.faults.refuse_next(
        status=429, retry_after_seconds=2, call="list_locations"
    )
    assert set(contract.client.locations([])) == {DC, "NYC"}


def test_revoked_and_expired_tokens_are_renewed(contract: Contract) -> None:
    contract.client.locations([])
    contract.newstore.model.tokens.revoke_tokens()
    assert set(contract.client.locations([])) == {DC, "NYC"}
    contract.newstore.model.tokens.expire_tokens()
    assert set(contract.client.locations([])) == {DC, "NYC"}


def test_rotated_credentials_are_picked_up(contract: Contract) -> None:
    contract.client.locations([])
    contract.newstore.model.tokens.clients[CLIENT["client_id"]] = "rotated"
    contract.account.put({**CLIENT, "client_secret": "rotated"})
    contract.newstore.model.tokens.revoke_tokens()
    assert set(contract.client.locations([])) == {DC, "NYC"}


def test_wrong_credentials_are_fatal(contract: Contract) -> None:
    contract.newstore.model.tokens.clients.clear()
    contract.newstore.model.tokens.users.clear()
    with pytest.raises(FatalError):
        contract.create()
