"""RunHistory and EventHistory: what the log and the run store have written, read back."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest

from inventory_sync.adapters.dynamodb.event_history import DynamoEventHistory
from inventory_sync.adapters.dynamodb.event_log import DynamoEventLog
from inventory_sync.adapters.dynamodb.leases import DynamoLeases
from inventory_sync.adapters.dynamodb.run_history import DynamoRunHistory
from inventory_sync.adapters.dynamodb.run_store import DynamoRunStore
from inventory_sync.adapters.dynamodb.state_table import StateTable
from inventory_sync.domain.events import EventRef
from inventory_sync.domain.import_head import ImportHead
from inventory_sync.ports.events import EventHistory, EventLog
from inventory_sync.ports.runs import RunHistory
from tests.builders import run
from tests.contract.builders import MINUTE, NOON, RETENTION, event
from tests.contract.conftest import Database
from tests.contract.engines import ENGINES
from tests.fakes.event_log import FakeEventLog
from tests.fakes.import_state import FakeLeases, FakeRunStore
from tests.fakes.run_history import FakeEventHistory, FakeRunHistory


@dataclass(frozen=True)
class Histories:
    """Both histories, over what writes them."""

    log: EventLog
    events: EventHistory
    runs: RunHistory
    save_runs: Callable[..., None]


@pytest.fixture(params=["fake", *ENGINES])
def histories(
    request: pytest.FixtureRequest, open_database: Callable[[str], Database]
) -> Histories:
    if request.param == "fake":
        leases, log = FakeLeases(), FakeEventLog()
        store = FakeRunStore(leases)
        return Histories(log, FakeEventHistory(log), FakeRunHistory(store), saver(store, leases))
    database = open_database(request.param)
    events, state = database.table("EventsTable"), database.table("StateTable")
    table = StateTable(database.client, state)
    return Histories(
        DynamoEventLog(database.client, events, RETENTION),
        DynamoEventHistory(database.client, events),
        DynamoRunHistory(table),
        saver(DynamoRunStore(table, RETENTION), DynamoLeases(table)),
    )


def saver(store: DynamoRunStore | FakeRunStore, leases: DynamoLeases | FakeLeases):
    def save(*run_ids: str) -> None:
        lease = leases.acquire(now=NOON, until=NOON + MINUTE)
        assert lease is not None
        head = ImportHead()
        for run_id in run_ids:
            saved = ImportHead(version=head.version, run=run(run_id=run_id))
            head = store.save(saved, lease=lease, now=NOON)

    return save


def timestamps(histories: Histories, **bounds: int) -> list[int]:
    found = histories.events.of_location("DC01", **bounds)
    return [stored.state.event.logical_timestamp for stored in found]


def test_events_of_a_location_are_read_within_bounds_that_are_inclusive(
    histories: Histories,
) -> None:
    for at in (9, 10, 11, 12, 100):
        histories.log.append(event(at), b"{}", NOON)
    histories.log.append(event(10, location_id="NYC"), b"{}", NOON)

    assert timestamps(histories) == [9, 10, 11, 12, 100]
    assert timestamps(histories, first=10, last=12) == [10, 11, 12]
    assert timestamps(histories, first=13, last=12) == []


def test_history_has_closed_events_with_what_the_erp_said(histories: Histories) -> None:
    stored = event(10)
    histories.log.append(stored, b"{}", NOON)
    histories.log.claim(stored.ref, now=NOON, until=NOON + MINUTE)
    histories.log.mark_applied(stored.ref, NOON, "SO-7")
    histories.log.close(stored.ref)

    found = histories.events.event(stored.ref)

    assert found is not None
    assert (found.is_open, found.document_id, found.attempts) == (False, "SO-7", 1)
    assert found.state.applied_at == NOON
    assert found.state.event == stored


def test_events_are_found_by_when_they_were_published_whatever_became_of_them(
    histories: Histories,
) -> None:
    for at in range(4):
        found = replace(event(at, location_id=f"L{at}"), published_at=NOON + at * MINUTE)
        histories.log.append(found, b"{}", NOON)
    histories.log.close(replace(event(1, location_id="L1")).ref)

    between = list(histories.events.published_between(NOON + MINUTE, NOON + 3 * MINUTE))

    assert {stored.state.event.location_id: stored.is_open for stored in between} == {
        "L1": False,
        "L2": True,
    }
    assert all(stored.state.received_at == NOON for stored in between)


def test_what_is_not_there_is_none(histories: Histories) -> None:
    assert histories.events.event(EventRef("DC01", "nothing")) is None
    assert histories.runs.run("nothing") is None
    assert list(histories.runs.newest_first()) == []


def test_runs_come_from_the_newest_on(histories: Histories) -> None:
    histories.save_runs("20260302T120000Z-1", "20260302T120500Z-2", "20260302T121000Z-3")

    assert [r.run_id[-1] for r in histories.runs.newest_first()] == ["3", "2", "1"]
    assert histories.runs.run("20260302T120500Z-2") == run(run_id="20260302T120500Z-2")
