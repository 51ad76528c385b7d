"""RunStore: the head changes under a current lease only, and wholly or not at all."""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest

from inventory_sync.adapters.codec import encode
from inventory_sync.adapters.dynamodb.leases import DynamoLeases
from inventory_sync.adapters.dynamodb.run_store import DynamoRunStore
from inventory_sync.adapters.dynamodb.state_table import StateTable
from inventory_sync.adapters.newstore.wire import JobErrorAnswer
from inventory_sync.domain.errors import FatalError, LeaseLostError
from inventory_sync.domain.import_head import ImportHead, Lease
from inventory_sync.domain.import_run import ImportRun, JobError, RunState
from inventory_sync.ports.runs import Leases, RunStore
from tests.contract.builders import MINUTE, NOON, RETENTION, THREADS, at_once
from tests.contract.conftest import Database
from tests.contract.engines import ENGINES
from tests.fakes.import_state import FakeLeases, FakeRunStore

PLANNED = ImportRun(run_id="run-1", state=RunState.PLANNED, planned_at=NOON, full=False, cut_end=10)
FULL_RUN = ImportRun(
    run_id="run-2",
    state=RunState.FAILED,
    planned_at=NOON,
    full=True,
    cut_end=10**18,
    built_at=NOON + MINUTE,
    source_uri="s3://imports/ü?a=b&c",
    job_id="job-1",
    job_created_at=NOON,
    rows=3,
    files=2,
    late_events=1,
    clamped=4,
    released_events=5,
    left_out={"Köln": 'held: "why"', "NYC": ""},
    approvals={"DC01": "units_fell"},
    job_errors=(JobError("reason", "availabilities", "SKU-1"), JobError("", "", "")),
    failure="NewStore failed the job",
)
FULL_HEAD = ImportHead(
    run=FULL_RUN,
    finished_run_id="run-0",
    unfinished_run_id="run-1",
    refused_again=("DC01/SKU-1",),
    watermark=0,
    create_not_before=NOON + MINUTE,
    last_job_created_at=NOON,
    last_finished_at=NOON - MINUTE,
    last_full_at=NOON - 2 * MINUTE,
)


@dataclass
class Store:
    """The port with its lease; `contents` is all there is, to be compared before and after."""

    runs: RunStore
    leases: Leases
    contents: Callable[[], Any]

    def lease(self) -> Lease:
        lease = self.leases.acquire(now=NOON, until=NOON + MINUTE)
        assert lease is not None
        return lease


class DynamoStore(Store):
    """Over a new table."""

    def __init__(self, database: Database) -> None:
        self.table = StateTable(database.client, database.table("StateTable"))
        runs = DynamoRunStore(self.table, RETENTION)
        super().__init__(runs, DynamoLeases(self.table), self.items)

    def items(self) -> list[Any]:
        items = self.table.client.scan(TableName=self.table.name, ConsistentRead=True)["Items"]
        return sorted(items, key=lambda item: (item["kind"]["S"], item["id"]["S"]))


@pytest.fixture(params=["fake", *ENGINES])
def store(request: pytest.FixtureRequest, open_database: Callable[[str], Database]) -> Store:
    if request.param == "fake":
        leases = FakeLeases()
        runs = FakeRunStore(leases)
        return Store(runs, leases, lambda: (runs.head(), dict(runs.history)))
    return DynamoStore(open_database(request.param))


@pytest.fixture
def dynamo(database: Database) -> DynamoStore:
    return DynamoStore(database)


def test_before_the_first_run_nothing_was_imported(store: Store) -> None:
    assert store.runs.head() == ImportHead()


@pytest.mark.parametrize("head", [ImportHead(), ImportHead(run=PLANNED), FULL_HEAD])
def test_a_saved_head_reads_back_equal(store: Store, head: ImportHead) -> None:
    written = store.runs.save(head, lease=store.lease(), now=NOON)

    assert written == replace(head, version=1)
    assert store.runs.head() == written


def test_every_save_is_a_version_of_its_own(store: Store) -> None:
    lease = store.lease()
    head = store.runs.head()

    for version in (1, 2, 3):
        head = store.runs.save(head, lease=lease, now=NOON)
        assert head.version == version


def test_a_renewed_lease_may_still_save(store: Store) -> None:
    lease = store.leases.renew(store.lease(), now=NOON, until=NOON + 3 * MINUTE)

    saved = store.runs.save(ImportHead(run=PLANNED), lease=lease, now=NOON + 2 * MINUTE)

    assert store.runs.head() == saved


Spoilt = tuple[ImportHead, Lease, int]
"""What is then tried to be saved, under which lease, and how many minutes after noon."""


def _taken(store: Store, lease: Lease, head: ImportHead) -> Spoilt:
    assert store.leases.acquire(now=NOON + MINUTE, until=NOON + 9 * MINUTE)
    return head, lease, 2


def _taken_with_a_slow_clock(store: Store, lease: Lease, head: ImportHead) -> Spoilt:
    assert store.leases.acquire(now=NOON + MINUTE, until=NOON + 9 * MINUTE)
    return head, lease, 0


def _expired(store: Store, lease: Lease, head: ImportHead) -> Spoilt:
    return head, lease, 1


def _released(store: Store, lease: Lease, head: ImportHead) -> Spoilt:
    store.leases.release(lease)
    return head, lease, 0


def _stale(store: Store, lease: Lease, head: ImportHead) -> Spoilt:
    store.runs.save(head, lease=lease, now=NOON)
    return head, lease, 0


def _from_before(store: Store, lease: Lease, head: ImportHead) -> Spoilt:
    return ImportHead(), lease, 0


def _ahead(store: Store, lease: Lease, head: ImportHead) -> Spoilt:
    return replace(head, version=head.version + 1), lease, 0


@pytest.mark.parametrize(
    "spoil",
    [_taken, _taken_with_a_slow_clock, _expired, _released, _stale, _from_before, _ahead],
    ids=lambda spoil: spoil.__name__.strip("_"),
)
def test_who_lost_the_right_to_save_writes_nothing(
    store: Store, spoil: Callable[[Store, Lease, ImportHead], Spoilt]
) -> None:
    lease = store.lease()
    head = store.runs.save(ImportHead(run=PLANNED), lease=lease, now=NOON)
    head, lease, minutes = spoil(store, lease, head)
    before = store.contents()

    lost = replace(head, watermark=99, run=replace(FULL_RUN, run_id="run-9"))
    with pytest.raises(LeaseLostError):
        store.runs.save(lost, lease=lease, now=NOON + minutes * MINUTE)

    assert store.contents() == before


def test_without_any_lease_nothing_is_saved(store: Store) -> None:
    with pytest.raises(LeaseLostError):
        store.runs.save(ImportHead(run=PLANNED), lease=Lease(1, NOON + MINUTE), now=NOON)

    assert store.runs.head() == ImportHead()


# What only a database can get wrong


def test_of_simultaneous_saves_one_is_written(parallel_database: Database) -> None:
    store = DynamoStore(parallel_database)
    lease = store.lease()

    def save(number: int) -> int | None:
        run = replace(PLANNED, run_id=f"run-{number}")
        try:
            store.runs.save(ImportHead(run=run), lease=lease, now=NOON)
        except LeaseLostError:
            return None
        return number

    results = at_once(save)

    assert results.count(None) == THREADS - 1
    [winner] = [number for number in results if number is not None]
    head = store.runs.head()
    assert head.run is not None
    assert (head.version, head.run.run_id) == (1, f"run-{winner}")
    assert [item["id"]["S"] for item in store.items() if item["kind"]["S"] == "run"] == [
        f"run-{winner}"
    ]


def test_every_run_is_kept_as_last_written_until_its_retention_ends(dynamo: DynamoStore) -> None:
    lease = dynamo.lease()
    head = dynamo.runs.save(ImportHead(run=PLANNED), lease=lease, now=NOON)
    held = replace(PLANNED, state=RunState.HELD)
    head = dynamo.runs.save(replace(head, run=held), lease=lease, now=NOON)

    dynamo.runs.save(replace(head, run=FULL_RUN), lease=lease, now=NOON + MINUTE / 2)

    first, second = dynamo.table.get("run", "run-1"), dynamo.table.get("run", "run-2")
    assert first is not None
    assert second is not None
    assert (first["record"]["S"], first["state"]["S"]) == (encode(held), "HELD")
    assert first["expires_at"] == {"N": str(int((NOON + RETENTION).timestamp()))}
    assert (second["record"]["S"], second["state"]["S"]) == (encode(FULL_RUN), "FAILED")
    assert int(second["expires_at"]["N"]) == int(first["expires_at"]["N"]) + 30


def test_the_head_and_the_lease_have_no_end(dynamo: DynamoStore) -> None:
    dynamo.runs.save(ImportHead(run=PLANNED), lease=dynamo.lease(), now=NOON)

    endless = [item["kind"]["S"] for item in dynamo.items() if "expires_at" not in item]

    assert sorted(endless) == ["head", "lease"]


@pytest.mark.parametrize(
    ("spoil", "named"),
    [
        (lambda record: record.update(later=1), "later"),
        (lambda record: record["run"].update(later=1), "run.later"),
        (lambda record: record["run"]["job_errors"][1].update(later=1), "run.job_errors.1.later"),
        (lambda record: record.update(watermark="ten"), "watermark"),
        (lambda record: record["run"].update(state="DREAMING"), "run.state"),
        (lambda record: record["run"].pop("planned_at"), "run.planned_at"),
    ],
)
def test_a_head_that_is_none_of_ours_is_named_with_its_field(
    dynamo: DynamoStore, spoil: Callable[[dict[str, Any]], None], named: str
) -> None:
    """After a rollback, say: to go on without a field would drop it at the next save."""
    dynamo.runs.save(FULL_HEAD, lease=dynamo.lease(), now=NOON)
    [item] = [item for item in dynamo.items() if item["kind"]["S"] == "head"]
    record = json.loads(item["record"]["S"])
    spoil(record)
    dynamo.table.put("head", "import", json.dumps(record))

    with pytest.raises(FatalError) as raised:
        dynamo.runs.head()

    assert "import head" in str(raised.value)
    assert named in str(raised.value)


@pytest.mark.parametrize("record", ["", "{", "[]", "null", '"head"'])
def test_a_head_that_is_no_record_is_fatal(dynamo: DynamoStore, record: str) -> None:
    dynamo.table.put("head", "import", record)

    with pytest.raises(FatalError, match="import head"):
        dynamo.runs.head()


def test_a_run_with_the_longest_job_errors_can_be_stored(dynamo: DynamoStore) -> None:
    long = JobErrorAnswer(entity_type="ü" * 999, reason="語" * 999, entity_id="ü" * 999).error()
    failed = replace(FULL_RUN, job_errors=(long,) * 100)

    ids = tuple(f"{number:03}{long.entity_id}"[: len(long.entity_id)] for number in range(100))
    head = ImportHead(run=failed, refused_again=ids)
    saved = dynamo.runs.save(head, lease=dynamo.lease(), now=NOON)

    assert dynamo.runs.head() == saved


def test_a_run_too_large_to_be_stored_is_fatal_and_leaves_the_head(dynamo: DynamoStore) -> None:
    """Not retriable: each tick would try in vain."""
    lease = dynamo.lease()
    head = dynamo.runs.save(ImportHead(run=PLANNED), lease=lease, now=NOON)
    before = dynamo.items()

    with pytest.raises(FatalError):
        dynamo.runs.save(
            replace(head, run=replace(PLANNED, failure="x" * 500_000)), lease=lease, now=NOON
        )

    assert dynamo.items() == before
