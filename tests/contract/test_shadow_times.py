"""ShadowTimes: each function notes its own, and all know the latest."""

from collections.abc import Callable

import pytest

from inventory_sync.adapters.dynamodb.shadow_times import DynamoShadowTimes
from inventory_sync.adapters.dynamodb.state_table import StateTable
from inventory_sync.domain.errors import FatalError
from inventory_sync.domain.shadow_time import ShadowTime
from inventory_sync.ports.mode import ShadowTimes
from tests.contract.builders import MINUTE, NOON
from tests.contract.conftest import Database
from tests.contract.engines import ENGINES
from tests.fakes.mode import FakeShadowTimes

Of = Callable[[str], ShadowTimes]


@pytest.fixture(params=["fake", *ENGINES])
def times(request: pytest.FixtureRequest, open_database: Callable[[str], Database]) -> Of:
    """What a function with that name has."""
    if request.param == "fake":
        shared: dict[str, ShadowTime] = {}
        return lambda function: FakeShadowTimes(function, shared)
    database = open_database(request.param)
    table = StateTable(database.client, database.table("StateTable"))
    return lambda function: DynamoShadowTimes(table, function)


def test_a_stack_that_was_never_a_shadow_has_none(times: Of) -> None:
    assert times("import").until() is None
    assert times("import").own() is None


def test_each_function_has_its_own_and_the_latest_of_all_counts(times: Of) -> None:
    times("import").note(ShadowTime(NOON, "DC 02 ü"))
    times("forward").note(ShadowTime(NOON + MINUTE))

    assert times("import").own() == ShadowTime(NOON, "DC 02 ü")
    assert times("forward").own() == ShadowTime(NOON + MINUTE)
    assert times("import").until() == NOON + MINUTE


def test_a_later_note_stands_in_place_of_the_one_before(times: Of) -> None:
    times("import").note(ShadowTime(NOON, "DC02"))
    times("import").note(ShadowTime(NOON + MINUTE))

    assert times("import").own() == ShadowTime(NOON + MINUTE)


def test_a_record_that_cannot_be_read_is_an_error(open_database: Callable[[str], Database]) -> None:
    """Nobody knows then what was left to the other system: nothing may be booked."""
    database = open_database("moto")
    table = StateTable(database.client, database.table("StateTable"))
    table.put("shadow", "forward", "{")

    with pytest.raises(FatalError, match="shadow time"):
        DynamoShadowTimes(table, "forward").until()
