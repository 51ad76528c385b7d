"""Leases: at most one holder, and a token that tells the later one from the earlier."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from inventory_sync.adapters.dynamodb.leases import DynamoLeases
from inventory_sync.adapters.dynamodb.state_table import StateTable
from inventory_sync.domain.errors import LeaseLostError
from inventory_sync.domain.import_head import Lease
from inventory_sync.ports.runs import Leases
from tests.contract.builders import MINUTE, NOON, THREADS, at_once
from tests.contract.conftest import Database
from tests.contract.engines import ENGINES
from tests.fakes.import_state import FakeLeases

TICK = timedelta(milliseconds=1)


@pytest.fixture(params=["fake", *ENGINES])
def leases(request: pytest.FixtureRequest, open_database: Callable[[str], Database]) -> Leases:
    if request.param == "fake":
        return FakeLeases()
    database = open_database(request.param)
    return DynamoLeases(StateTable(database.client, database.table("StateTable")))


def acquired(leases: Leases, after: timedelta = timedelta(0)) -> Lease:
    """For one minute, so long after noon."""
    lease = leases.acquire(now=NOON + after, until=NOON + after + MINUTE)
    assert lease is not None
    return lease


def test_the_first_who_asks_holds_it_for_as_long_as_asked(leases: Leases) -> None:
    assert acquired(leases).expires_at == NOON + MINUTE


def test_nobody_else_gets_it_before_its_end(leases: Leases) -> None:
    acquired(leases)

    assert leases.acquire(now=NOON, until=NOON + 9 * MINUTE) is None
    assert leases.acquire(now=NOON + MINUTE - TICK, until=NOON + 9 * MINUTE) is None


def test_who_was_refused_changes_nothing(leases: Leases) -> None:
    lease = acquired(leases)
    leases.acquire(now=NOON, until=NOON + 9 * MINUTE)

    renewed = leases.renew(lease, now=NOON, until=NOON + MINUTE)

    assert renewed.fencing_token == lease.fencing_token
    assert acquired(leases, MINUTE).fencing_token == lease.fencing_token + 1


def test_the_next_holder_has_a_higher_token(leases: Leases) -> None:
    first = acquired(leases)
    second = acquired(leases, MINUTE)
    third = acquired(leases, 2 * MINUTE)

    assert first.fencing_token < second.fencing_token < third.fencing_token


def test_what_is_given_back_is_free_at_once_under_a_higher_token(leases: Leases) -> None:
    first = acquired(leases)

    leases.release(first)

    assert acquired(leases).fencing_token > first.fencing_token


def test_a_renewed_lease_lasts_longer_under_its_token(leases: Leases) -> None:
    first = acquired(leases)

    renewed = leases.renew(first, now=NOON + MINUTE - TICK, until=NOON + 3 * MINUTE)

    assert renewed == Lease(first.fencing_token, NOON + 3 * MINUTE)
    assert leases.acquire(now=NOON + 3 * MINUTE - TICK, until=NOON + 9 * MINUTE) is None
    assert acquired(leases, 3 * MINUTE).fencing_token > first.fencing_token


def test_an_expired_lease_cannot_be_renewed(leases: Leases) -> None:
    """Even where nobody has taken it: somebody may just be about to."""
    lease = acquired(leases)

    with pytest.raises(LeaseLostError):
        leases.renew(lease, now=NOON + MINUTE, until=NOON + 2 * MINUTE)


def test_a_lease_that_another_took_cannot_be_renewed(leases: Leases) -> None:
    """Nor where the holder's own clock still says that it is in time."""
    lost = acquired(leases)
    taken = acquired(leases, MINUTE)

    with pytest.raises(LeaseLostError):
        leases.renew(lost, now=NOON, until=NOON + 9 * MINUTE)

    leases.renew(taken, now=NOON + MINUTE, until=NOON + 3 * MINUTE)


def test_a_lease_given_back_cannot_be_renewed(leases: Leases) -> None:
    lease = acquired(leases)
    leases.release(lease)

    with pytest.raises(LeaseLostError):
        leases.renew(lease, now=NOON, until=NOON + MINUTE)


def test_to_give_back_what_another_holds_changes_nothing(leases: Leases) -> None:
    lost = acquired(leases)
    acquired(leases, MINUTE)

    leases.release(lost)

    assert leases.acquire(now=NOON + MINUTE, until=NOON + 2 * MINUTE) is None


def test_to_give_back_what_nobody_holds_makes_nothing(leases: Leases) -> None:
    leases.release(Lease(7, NOON))

    assert acquired(leases).fencing_token == 1


def test_of_simultaneous_ticks_one_gets_the_lease(parallel_database: Database) -> None:
    table = StateTable(parallel_database.client, parallel_database.table("StateTable"))

    results = at_once(lambda _: DynamoLeases(table).acquire(now=NOON, until=NOON + MINUTE))

    assert results.count(None) == THREADS - 1


def test_of_simultaneous_ticks_after_an_end_one_gets_the_lease(
    parallel_database: Database,
) -> None:
    table = StateTable(parallel_database.client, parallel_database.table("StateTable"))
    before = acquired(DynamoLeases(table))

    def acquire(_: int) -> Lease | None:
        return DynamoLeases(table).acquire(now=NOON + MINUTE, until=NOON + 2 * MINUTE)

    [taken] = [lease for lease in at_once(acquire) if lease is not None]

    assert taken.fencing_token == before.fencing_token + 1
