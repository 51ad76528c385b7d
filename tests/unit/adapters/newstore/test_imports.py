"""NewStoreClient against a server that answers as NewStore may: each answer and each failure."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from inventory_sync.adapters.http.authorized import AuthorizedHttp, SecretBearer
from inventory_sync.adapters.http.request import HttpLimits
from inventory_sync.adapters.newstore.imports import NewStoreClient
from inventory_sync.adapters.newstore.lists import COUNT, COUNT_DEFAULT, PAGES_MAX
from inventory_sync.adapters.newstore.wire import JOB_ERROR_REASON_CHARACTERS_MAX
from inventory_sync.domain.errors import (
    FatalError,
    OutcomeUnknownError,
    RejectedError,
    RetriableError,
    TooManyJobsError,
)
from inventory_sync.domain.import_run import ImportJob, JobChunk, JobError, JobState
from inventory_sync.domain.locations import (
    LOCATIONS_LISTED_MAX,
    LocationType,
    NewStoreLocation,
)
from inventory_sync.ports.newstore import NewStore
from tests.unit.adapters.http_support import (
    IMPATIENT,
    LIMITS,
    Call,
    LocalServer,
    Reply,
    SecretsAccount,
    StandingClock,
    json_http,
    replying,
    secrets_account,
)

URI = "s3://bucket/imports/1/availabilities.zip"
LAST_PAGE = {"pagination_info": {"total": 1, "next_url": None}}
GARBAGE = Reply(b"<html>", headers={"Content-Type": "text/html"})


@pytest.fixture(scope="module")
def account() -> Iterator[SecretsAccount]:
    with secrets_account({"token": "good-token"}) as account:
        yield account


@pytest.fixture
def clock() -> StandingClock:
    return StandingClock()


@contextmanager
def client_of(
    server: LocalServer,
    account: SecretsAccount,
    clock: StandingClock,
    limits: HttpLimits = LIMITS,
) -> Iterator[NewStoreClient]:
    with server, json_http(clock, limits) as http:
        credentials = SecretBearer(account.secrets(clock), account.arn)
        yield NewStoreClient(
            AuthorizedHttp(http, credentials), base_url=server.url, provider="inventory-sync"
        )


def create(client: NewStore) -> str:
    return client.create_job(name="inventory-sync 7", source_uri=URI)


@pytest.mark.parametrize("name", ["id", "import_id"])
def test_created_job_is_a_partial_import_of_availabilities(
    account: SecretsAccount, clock: StandingClock, name: str
) -> None:
    server = replying(Reply({name: "job-1"}))
    with client_of(server, account, clock) as client:
        assert create(client) == "job-1"
        assert (server.calls[0].method, server.calls[0].path) == ("POST", "/v0/d/import")
        assert server.calls[0].json == {
            "provider": "inventory-sync",
            "name": "inventory-sync 7",
            "source_uri": URI,
            "entities": ["availabilities"],
            "full": False,
        }


def test_429_on_create_means_too_many_jobs_and_no_second_create(
    account: SecretsAccount, clock: StandingClock
) -> None:
    server = replying(Reply(status=429, headers={"Retry-After": "90"}), Reply({"id": "job-2"}))
    with client_of(server, account, clock) as client:
        with pytest.raises(TooManyJobsError) as raised:
            create(client)
        assert len(server.calls) == 1
    assert raised.value.retry_after_seconds == 90


@pytest.mark.parametrize(
    "answer",
    [
        Reply(silent=True),
        Reply(cut=True),
        Reply(status=500),
        Reply(status=503),
        Reply(status=504),
        GARBAGE,
        Reply({"state": "received"}),
        Reply({"id": ""}),
        Reply({"id": None}),
    ],
    ids=["time-out", "reset", "500", "503", "504", "html", "no id", "empty id", "null id"],
)
def test_create_without_a_readable_answer_is_unknown_and_sent_once(
    account: SecretsAccount, clock: StandingClock, answer: Reply
) -> None:
    server = replying(answer, Reply({"id": "job-2"}))
    with client_of(server, account, clock, IMPATIENT) as client:
        with pytest.raises(OutcomeUnknownError):
            create(client)
        assert len(server.calls) == 1


def test_refused_create_is_rejected(account: SecretsAccount, clock: StandingClock) -> None:
    with (
        client_of(replying(Reply(status=422)), account, clock) as client,
        pytest.raises(RejectedError),
    ):
        create(client)


@pytest.mark.parametrize("body", [b"", b"OK", b"{}"])
def test_started_job_gets_the_uri_whatever_the_answer_says(
    account: SecretsAccount, clock: StandingClock, body: bytes
) -> None:
    server = replying(Reply(body, status=202))
    with client_of(server, account, clock) as client:
        client.start_job("job/1", URI)
        assert server.calls[0].path == "/v0/d/import/job%2F1/start"
        assert server.calls[0].json == {"transformed_uri": URI}


def test_start_without_an_answer_is_unknown(account: SecretsAccount, clock: StandingClock) -> None:
    with (
        client_of(replying(Reply(cut=True)), account, clock) as client,
        pytest.raises(OutcomeUnknownError),
    ):
        client.start_job("job-1", URI)


@pytest.mark.parametrize(
    ("answered", "state"),
    [
        ("received", JobState.RECEIVED),
        ("waiting", JobState.WAITING),
        ("finished", JobState.FINISHED),
        ("failed", JobState.FAILED),
        ("processing", JobState.PROCESSING),
        ("cleaning", JobState.CLEANING),
        ("partially_failed", JobState.PARTIALLY_FAILED),
        ("other", JobState.OTHER),
        ("transforming", JobState.OTHER),
        (None, JobState.OTHER),
    ],
)
def test_job_is_read_and_an_unnamed_state_has_not_ended(
    account: SecretsAccount, clock: StandingClock, answered: str | None, state: JobState
) -> None:
    answer = {"import_id": "job-1", "state": answered, "name": None, "extra": {"a": 1}}
    with client_of(replying(Reply(answer)), account, clock) as client:
        assert client.job("job-1") == ImportJob(job_id="job-1", state=state)


def test_a_job_state_counts_whatever_its_case(
    account: SecretsAccount, clock: StandingClock
) -> None:
    server = replying(Reply({"id": "job-1", "state": "FINISHED"}))
    with client_of(server, account, clock) as client:
        assert client.job("job-1") == ImportJob(job_id="job-1", state=JobState.FINISHED)


def test_an_answer_about_another_job_is_none_about_ours(
    account: SecretsAccount, clock: StandingClock
) -> None:
    server = replying(Reply({"id": "job-2", "state": "finished"}))
    with (
        client_of(server, account, clock) as client,
        pytest.raises(RetriableError, match="the answer is about job 'job-2'"),
    ):
        client.job("job-1")


def test_unknown_job_is_none(account: SecretsAccount, clock: StandingClock) -> None:
    with client_of(replying(Reply(status=404)), account, clock) as client:
        assert client.job("job-1") is None


def test_other_refusal_of_a_job_is_no_absence(
    account: SecretsAccount, clock: StandingClock
) -> None:
    with (
        client_of(replying(Reply(status=410)), account, clock) as client,
        pytest.raises(RejectedError),
    ):
        client.job("job-1")


def page_of(jobs: list[Any], call: Call, total: int | None = None) -> Reply:
    """As NewStore gives it; without a `total` it does not know how many there are."""
    offset, count = int(call.query["offset"]), int(call.query["count"])
    more = offset + count < len(jobs)
    info = {
        "count": len(jobs[offset : offset + count]),
        "total": total,
        "offset": offset,
        "prev_url": None,
        "next_url": "https://elsewhere.example/v0/d/import" if more else None,
    }
    return Reply({"items": jobs[offset : offset + count], "pagination_info": info})


def test_received_jobs_leave_out_whatever_is_not_received(
    account: SecretsAccount, clock: StandingClock
) -> None:
    jobs = [
        {"import_id": "1", "name": "a"},
        {"id": 2, "state": "received"},
        {"id": "3", "state": "waiting"},
    ]
    server = LocalServer(lambda call: page_of(jobs, call, len(jobs)))
    with client_of(server, account, clock) as client:
        assert [job.job_id for job in client.received_jobs()] == ["1", "2"]
        assert [call.query["filter[state]"] for call in server.calls] == ["received"]


@pytest.mark.parametrize("jobs", [COUNT - 1, COUNT, COUNT + 1, 2 * COUNT, 2 * COUNT + 1])
@pytest.mark.parametrize("told", [True, False], ids=["total", "no total"])
def test_lists_are_read_to_their_last_page(
    account: SecretsAccount, clock: StandingClock, jobs: int, told: bool
) -> None:
    listed = [{"import_id": f"job-{number}"} for number in range(jobs)]
    server = LocalServer(lambda call: page_of(listed, call, jobs if told else None))
    with client_of(server, account, clock) as client:
        found = [job.job_id for job in client.received_jobs()]
    assert found == [job["import_id"] for job in listed]
    assert len(server.calls) == -(-jobs // COUNT)


@pytest.mark.parametrize("bad", [{"name": "no id"}, {"id": ""}, {"id": ["1"]}, 7, None])
@pytest.mark.parametrize("told", [True, False], ids=["total", "no total"])
def test_a_job_that_cannot_be_read_costs_itself_alone(
    account: SecretsAccount,
    clock: StandingClock,
    bad: object,
    told: bool,
    caplog: pytest.LogCaptureFixture,
) -> None:
    listed: list[Any] = [{"import_id": f"job-{number}"} for number in range(COUNT + 1)]
    listed[3] = bad
    server = LocalServer(lambda call: page_of(listed, call, len(listed) if told else None))
    with client_of(server, account, clock) as client:
        found = [job.job_id for job in client.received_jobs()]
    assert found == [f"job-{number}" for number in range(COUNT + 1) if number != 3]
    assert len(server.calls) == 2
    assert "GET /v0/d/import, entry 3" in caplog.text


def test_where_newstore_refuses_pages_that_large_its_default_is_asked_for(
    account: SecretsAccount, clock: StandingClock
) -> None:
    listed = [{"import_id": f"job-{number}"} for number in range(25)]

    def answer(call: Call) -> Reply:
        refused = int(call.query["count"]) > COUNT_DEFAULT
        return Reply(status=400) if refused else page_of(listed, call, 25)

    with client_of(LocalServer(answer), account, clock) as client:
        assert len(client.received_jobs()) == 25


def test_pages_without_end_are_retriable(account: SecretsAccount, clock: StandingClock) -> None:
    def page(call: Call) -> Reply:
        jobs = [{"import_id": "job-1"}]
        return Reply({"items": jobs, "pagination_info": {"total": 10**9, "next_url": None}})

    server = LocalServer(page)
    with client_of(server, account, clock) as client:
        with pytest.raises(RetriableError):
            client.received_jobs()
        assert len(server.calls) == PAGES_MAX


def test_an_empty_page_before_the_end_is_retriable(
    account: SecretsAccount, clock: StandingClock
) -> None:
    info = {"total": 3, "next_url": None}
    server = replying(Reply({"items": [], "pagination_info": info}))
    with client_of(server, account, clock) as client:
        with pytest.raises(RetriableError):
            client.received_jobs()
        assert len(server.calls) == 1


@pytest.mark.parametrize(
    "answer",
    [
        Reply({}),
        Reply({**LAST_PAGE}),
        Reply({"items": {}, **LAST_PAGE}),
        Reply([1, 2]),
        Reply({"items": []}),
        Reply({"items": [], "pagination_info": {"total": "many", "next_url": None}}),
        GARBAGE,
    ],
    ids=["nothing", "no list", "no array", "numbers", "no pages", "no total", "html"],
)
def test_unreadable_list_is_retriable(
    account: SecretsAccount, clock: StandingClock, answer: Reply
) -> None:
    with client_of(replying(answer), account, clock) as client, pytest.raises(RetriableError):
        client.received_jobs()


def test_failing_a_job_gives_the_reason(account: SecretsAccount, clock: StandingClock) -> None:
    server = replying(Reply({}))
    with client_of(server, account, clock) as client:
        client.fail_job("job-1", "an old file is old stock")
        assert server.calls[0].path == "/v0/d/import/job-1/set_fail"
        assert server.calls[0].json == {"reason": "an old file is old stock"}


def test_failing_a_job_again_after_a_lost_answer_is_no_error(
    account: SecretsAccount, clock: StandingClock
) -> None:
    failed = Reply({"import_id": "job-1", "state": "failed"})
    server = replying(Reply(cut=True), Reply(status=400), failed)
    with client_of(server, account, clock) as client:
        client.fail_job("job-1", "orphan")


def test_job_that_cannot_fail_any_more_is_rejected(
    account: SecretsAccount, clock: StandingClock
) -> None:
    server = replying(Reply(status=400), Reply({"import_id": "job-1", "state": "finished"}))
    with client_of(server, account, clock) as client, pytest.raises(RejectedError):
        client.fail_job("job-1", "too old")


def test_job_errors_are_read(account: SecretsAccount, clock: StandingClock) -> None:
    entry = {"reason": "unknown product", "entity_type": None, "entity_id": 17, "at": "now"}
    with client_of(replying(Reply({"items": [entry]})), account, clock) as client:
        assert client.job_errors("job-1") == [JobError("unknown product", "", "17")]


def test_a_job_error_keeps_more_of_its_reason_than_a_log_line_would(
    account: SecretsAccount, clock: StandingClock
) -> None:
    entry = {"reason": "x" * 1_000, "entity_type": "product", "entity_id": "17"}
    with client_of(replying(Reply({"items": [entry]})), account, clock) as client:
        (error,) = client.job_errors("job-1")
    assert error.reason == "x" * JOB_ERROR_REASON_CHARACTERS_MAX


def test_job_chunks_are_read(account: SecretsAccount, clock: StandingClock) -> None:
    chunks = [{"size": 7}, {"size": 9, "failed": True, "failure_message": "too many"}]
    server = replying(Reply({"items": chunks}))
    with client_of(server, account, clock) as client:
        assert client.job_chunks("job/1") == [
            JobChunk(7, failed=False, failure=""),
            JobChunk(9, failed=True, failure="too many"),
        ]
    assert server.calls[0].path == "/v0/d/import/job%2F1/chunks"


@pytest.mark.parametrize("state", ["waiting", "processing", "finished", "partially_failed"])
def test_start_of_a_job_that_was_started_already_is_no_error(
    account: SecretsAccount, clock: StandingClock, state: str
) -> None:
    job = Reply({"import_id": "job-1", "state": state})
    with client_of(replying(Reply(status=400), job), account, clock) as client:
        client.start_job("job-1", URI)


@pytest.mark.parametrize("job", [Reply(status=404), Reply({"id": "job-1", "state": "received"})])
def test_start_that_newstore_refuses_is_rejected(
    account: SecretsAccount, clock: StandingClock, job: Reply
) -> None:
    with (
        client_of(replying(Reply(status=400), job), account, clock) as client,
        pytest.raises(RejectedError),
    ):
        client.start_job("job-1", URI)


LOCATION = {"id": "NYC", "type": "store", "store_id": "S1", "is_inventory_master": False}


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, {}),
        ({"is_enabled": False}, {"enabled": False}),
        ({"is_inventory_master": True}, {"inventory_master": True}),
        ({"type": "dc", "store_id": None}, {"type": LocationType.DC, "store_id": ""}),
        ({"type": "popup"}, {"type": LocationType.OTHER}),
        ({"store_id": 7, "address": {}}, {"store_id": "7"}),
    ],
)
def test_locations_are_read(
    account: SecretsAccount,
    clock: StandingClock,
    fields: dict[str, Any],
    expected: dict[str, Any],
) -> None:
    plain = {"location_id": "NYC", "type": LocationType.STORE, "store_id": "S1"}
    server = replying(Reply({"locations": [{**LOCATION, **fields}]}))
    with client_of(server, account, clock) as client:
        assert client.locations(["BER"]) == {"NYC": NewStoreLocation(**{**plain, **expected})}
        assert [call.path for call in server.calls] == ["/v0/locations"]


@pytest.mark.parametrize(
    "bad",
    [{"type": "dc"}, {**LOCATION, "is_inventory_master": None}, 7, [], {**LOCATION, "id": ""}],
)
def test_a_location_that_cannot_be_read_counts_as_not_listed(
    account: SecretsAccount, clock: StandingClock, bad: Any, caplog: pytest.LogCaptureFixture
) -> None:
    server = replying(Reply({"locations": [bad, {**LOCATION, "id": "BER"}]}))
    with client_of(server, account, clock) as client:
        assert set(client.locations(["NYC", "BER"])) == {"BER"}
    assert "GET /v0/locations, entry 0" in caplog.text


def test_a_full_list_with_a_location_that_cannot_be_read_is_full_all_the_same(
    account: SecretsAccount, clock: StandingClock
) -> None:
    listed: list[Any] = [{**LOCATION, "id": f"S{n}"} for n in range(LOCATIONS_LISTED_MAX)]
    listed[0] = 7
    answers = {
        "/v0/locations": Reply({"locations": listed}),
        "/v0/locations/NYC": Reply(LOCATION),
        "/v0/locations/BER": Reply({"id": "BER"}),
    }
    server = LocalServer(lambda call: answers[call.path])
    with client_of(server, account, clock) as client:
        found = client.locations(["NYC", "BER"])
    assert ("NYC" in found, "BER" in found, len(found)) == (True, False, LOCATIONS_LISTED_MAX)


@pytest.mark.parametrize(
    "locations", [None, {}, [{"type": "dc"}], [{**LOCATION, "is_inventory_master": None}]]
)
def test_missing_list_of_locations_is_not_an_empty_one(
    account: SecretsAccount, clock: StandingClock, locations: Any
) -> None:
    answer = {} if locations is None else {"locations": locations}
    with (
        client_of(replying(Reply(answer)), account, clock) as client,
        pytest.raises(RetriableError),
    ):
        client.locations([])


@pytest.mark.parametrize("status", [401, 403])
def test_refused_token_is_renewed_from_the_secret_as_it_is_now(
    clock: StandingClock, status: int
) -> None:
    def answer(call: Call) -> Reply:
        return Reply({"id": "job-1"}) if call.bearer == "new" else Reply(status=status)

    with (
        secrets_account({"token": "old"}) as account,
        client_of(LocalServer(answer), account, clock) as client,
    ):
        with pytest.raises(FatalError):
            create(client)
        account.put({"token": "new"})
        assert create(client) == "job-1"


@pytest.mark.parametrize("status", [401, 403])
def test_token_refused_twice_is_fatal_and_names_the_secret_but_not_the_token(
    account: SecretsAccount, clock: StandingClock, status: int
) -> None:
    server = replying(Reply(status=status))
    with client_of(server, account, clock) as client:
        with pytest.raises(FatalError) as raised:
            client.locations([])
        assert len(server.calls) == 2
    assert account.arn in str(raised.value)
    assert "good-token" not in str(raised.value)


def test_late_complaint_about_an_old_token_leaves_the_secret_alone(clock: StandingClock) -> None:
    with secrets_account({"token": "second"}) as account:
        credentials = SecretBearer(account.secrets(clock), account.arn)
        credentials.bearer()
        account.put({"token": "third"})
        credentials.invalidate("first")
        assert credentials.bearer() == "second"
        credentials.invalidate("second")
        assert credentials.bearer() == "third"


@pytest.mark.parametrize("secret", [{}, {"token": ""}, {"token": "two words"}, {"token": "ä"}])
def test_secret_without_a_usable_token_is_fatal(
    clock: StandingClock, secret: dict[str, str]
) -> None:
    with (
        secrets_account(secret) as account,
        client_of(replying(Reply({})), account, clock) as client,
        pytest.raises(FatalError),
    ):
        client.locations([])
