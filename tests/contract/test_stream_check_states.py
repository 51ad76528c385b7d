"""StreamCheckStates: one check at a time writes, and what it wrote is read back whole."""

from collections.abc import Callable

import pytest

from inventory_sync.adapters.dynamodb.state_table import StateTable
from inventory_sync.adapters.dynamodb.stream_check_states import DynamoStreamCheckStates
from inventory_sync.domain.arrivals import Arrivals
from inventory_sync.domain.errors import FatalError, LeaseLostError
from inventory_sync.domain.stream_check import StreamCheckState
from inventory_sync.ports.newstore import StreamCheckStates
from tests.contract.builders import MINUTE, NOON
from tests.contract.conftest import Database
from tests.contract.engines import ENGINES
from tests.fakes.event_streams import FakeStreamCheckStates

FULL = StreamCheckState(
    restarts=(NOON - MINUTE, NOON),
    stopped_since=NOON,
    retries={"1a8a5052-8741-4daf-982e-e0a12990335a": 2},
    arrivals=Arrivals(
        looked_at=NOON, last_at=NOON, count=3, whole=True, weeks={0: (1, 2), 167: (0,)}
    ),
)


@pytest.fixture(params=["fake", *ENGINES])
def memories(
    request: pytest.FixtureRequest, open_database: Callable[[str], Database]
) -> StreamCheckStates:
    if request.param == "fake":
        return FakeStreamCheckStates()
    database = open_database(request.param)
    return DynamoStreamCheckStates(StateTable(database.client, database.table("StateTable")))


def test_the_first_look_remembers_nothing(memories: StreamCheckStates) -> None:
    assert memories.load("s") == StreamCheckState()


def test_what_was_saved_is_read_back_under_the_next_version(memories: StreamCheckStates) -> None:
    saved = memories.save("s", FULL)

    assert saved.version == 1
    assert memories.load("s") == saved
    assert memories.save("s", saved).version == 2
    assert memories.load("other") == StreamCheckState()


def test_of_two_looks_at_once_one_is_told(memories: StreamCheckStates) -> None:
    one, other = memories.load("s"), memories.load("s")
    memories.save("s", one)

    with pytest.raises(LeaseLostError):
        memories.save("s", other)
    assert memories.load("s").version == 1


def test_a_memory_of_a_later_version_is_refused(open_database: Callable[[str], Database]) -> None:
    database = open_database("moto")
    table = StateTable(database.client, database.table("StateTable"))
    table.put("stream_check", "s", '{"version": 1, "moods": []}')

    with pytest.raises(FatalError, match="moods"):
        DynamoStreamCheckStates(table).load("s")


@pytest.mark.parametrize("record", ["", "{", '{"version": "all"}'])
def test_a_memory_that_cannot_be_read_begins_anew_over_it(
    open_database: Callable[[str], Database], record: str
) -> None:
    database = open_database("moto")
    table = StateTable(database.client, database.table("StateTable"))
    for version in range(1, 8):
        assert table.replace("stream_check", "s", record, version=version)
    states = DynamoStreamCheckStates(table)

    saved = states.save("s", states.load("s"))

    assert (saved, states.load("s")) == (StreamCheckState(version=8), saved)
