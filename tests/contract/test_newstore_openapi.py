"""What NewStoreClient sends and the simulator answers is what NewStore's OpenAPI files say.

One file of NewStore's for each test; where they are not at hand the tests are skipped.
"""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from inventory_sync.domain.errors import RejectedError, TooManyJobsError
from inventory_sync.domain.locations import LOCATIONS_LISTED_MAX
from local.newstore.availabilities import ImportFinding
from local.newstore.jobs import CHUNK_ROWS, OPEN_JOBS_MAX
from local.newstore.locations import dc, store
from tests.contract.newstore import URI, Contract, newstore_contract
from tests.contract.openapi import load
from tests.unit.local.newstore_builder import DC, file_of, zip_of

LOCATIONS = "integration-order-management-location_api"
IMPORTS = "integration-catalog-sfcc-import-api_api"
LONG = timedelta(minutes=10)


@pytest.fixture
def contract() -> Iterator[Contract]:
    with newstore_contract() as contract:
        yield contract


def test_import_jobs(contract: Contract) -> None:
    api = load(IMPORTS)
    a_job_in_every_state(contract)
    jobs_that_are_refused(contract)
    exchanges = [e for e in contract.exchanges if e.path.startswith("/v0/d/")]

    assert api.faults(exchanges) == []
    assert {e.status for e in exchanges} == {200, 201, 400, 404, 429}
    assert api.called(exchanges) == {
        "GET /v0/d/import",
        "POST /v0/d/import",
        "GET /v0/d/import/{import_id}",
        "POST /v0/d/import/{import_id}/start",
        "GET /v0/d/import/{import_id}/errors",
        "GET /v0/d/import/{import_id}/chunks",
        "POST /v0/d/import/{import_id}/set_fail",
    }


def a_job_in_every_state(contract: Contract) -> None:
    """And its errors and chunks, in each."""
    client, newstore = contract.client, contract.newstore
    rows = {(DC, f"SKU-{number}"): number for number in range(CHUNK_ROWS + 1)}
    newstore.files[URI] = zip_of(file_of(rows, (0, 12)))
    newstore.model.jobs.fail_chunks_of_next_job(1)
    newstore.model.jobs.report_errors_next_job([ImportFinding("unknown", "availabilities", "S")])
    for _ in range(2):
        job_id = contract.create()
        client.received_jobs()
        client.job(job_id)
        client.start_job(job_id, URI)
        for _ in range(3):
            client.job(job_id)
            client.job_errors(job_id)
            client.job_chunks(job_id)
            newstore.clock.instant += timedelta(seconds=30)
    failed = contract.create()
    client.fail_job(failed, "an old file is old stock")
    client.job(failed)
    states = {job.state for job in newstore.model.jobs.by_id.values()}
    assert states == {"finished", "partially_failed", "failed"}


def jobs_that_are_refused(contract: Contract) -> None:
    """Unknown ones, one in the wrong state, one too many."""
    client, newstore = contract.client, contract.newstore
    assert client.job("no-such-job") is None
    for call in (client.job_errors, client.job_chunks):
        with pytest.raises(RejectedError):
            call("no-such-job")
    job_id = contract.create()
    client.start_job(job_id, URI)
    client.start_job(job_id, URI)
    newstore.clock.instant += LONG
    with pytest.raises(RejectedError):
        client.fail_job(job_id, "too late")
    for number in range(OPEN_JOBS_MAX):
        contract.create(number)
    with pytest.raises(TooManyJobsError):
        contract.create()
    client.received_jobs()


def test_locations(contract: Contract) -> None:
    api = load(LOCATIONS)
    locations = contract.newstore.model.locations
    locations.add(store("BER", store_id="S-1", is_enabled=False, is_inventory_master=True))
    contract.client.locations([])
    for number in range(LOCATIONS_LISTED_MAX):
        locations.add(dc(f"L{number}"))
    contract.client.locations([f"L{LOCATIONS_LISTED_MAX - 1}", "nowhere"])
    exchanges = [e for e in contract.exchanges if e.path.startswith("/v0/locations")]

    assert api.faults(exchanges) == []
    assert {e.status for e in exchanges} == {200, 404}
    assert api.called(exchanges) == {"GET /v0/locations", "GET /v0/locations/{id}"}
