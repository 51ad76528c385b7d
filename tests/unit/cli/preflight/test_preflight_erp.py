"""The ERP's part of preflight: credential, capabilities, a sample of stock, the first import."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from cli.preflight.check import State
from cli.preflight.erp import (
    LocationSample,
    StockSample,
    capability_checks,
    credential_check,
    sample_stock,
    stock_check,
)
from cli.preflight.first_import import (
    BYTES_OF_A_JOB,
    READ_SECONDS_MAX,
    Plan,
    interval_of,
    reading_check,
    size_check,
)
from inventory_sync.domain.erp import ChangeFeed, Dedupe, ErpCapabilities
from inventory_sync.domain.errors import FatalError, RejectedError
from inventory_sync.domain.snapshot_guards import GuardLimits
from tests.builders import DC, SKU, STORE, location
from tests.unit.use_cases.import_world import ImportWorld

INLINE = Plan(
    at_once=4, fans_out=False, every=timedelta(minutes=5), job_spacing=timedelta(minutes=5)
)


def one(seconds: float = 1, rows: int = 100, file_bytes: int = 7_000) -> LocationSample:
    return LocationSample(
        location_id=DC,
        fulfillment_node_id=DC,
        seconds=seconds,
        rows=rows,
        file_bytes=file_bytes,
        products=(SKU,),
        holds=(),
        unsendable=0,
    )


def sample(*read: LocationSample, locations: int = 1) -> StockSample:
    return StockSample(locations=locations, read=read)


def test_an_erp_that_answers_lets_us_in() -> None:
    check, capabilities = credential_check(ImportWorld(DC).erp)

    assert check.state is State.PASSED
    assert capabilities is not None


def test_an_erp_that_does_not_answer_has_to_be_mended() -> None:
    world = ImportWorld(DC)
    world.erp.capabilities_fail_with = FatalError("refused twice")

    check, capabilities = credential_check(world.erp)

    assert (check.state, capabilities) == (State.MEND, None)


CAPABLE = ErpCapabilities(
    dedupe=Dedupe.NATIVE, bulk_max=10, reservations=True, apply_lag=timedelta(seconds=90)
)


@pytest.mark.parametrize(
    ("other", "name", "told"),
    [
        ({"dedupe": Dedupe.LOOKUP}, "ERP: dedupe", "looks before it posts again"),
        ({"reservations": False}, "ERP: reservations", "told of no allocation"),
        ({"change_feed": ChangeFeed.TIMESTAMP}, "ERP: change feed", "every row once a day"),
        ({"absent_means_zero": False}, "ERP: absent rows", "keeps its last quantity"),
        ({"consistent_snapshot": True}, "ERP: snapshot", "one instant"),
        ({"apply_lag": timedelta(0)}, "ERP: apply lag", "0 s"),
        ({"bulk_max": 1}, "ERP: bulk", "1 movement"),
        ({"reference_length_max": 16}, "ERP: reference length", "16 characters"),
    ],
)
def test_each_capability_says_what_it_means_for_the_sum(
    other: dict[str, object], name: str, told: str
) -> None:
    before = {check.name: check for check in capability_checks(CAPABLE)}
    after = {check.name: check for check in capability_checks(replace(CAPABLE, **other))}  # type: ignore[arg-type]

    assert told in after[name].found
    assert after[name].found != before[name].found
    assert {check.state for check in after.values()} == {State.PASSED}


def test_a_sample_is_spread_over_the_locations_that_are_imported() -> None:
    world = ImportWorld("A", "B", "C", "D")
    for place in world.places:
        world.stock(3, at=place)
    told: list[tuple[int, int]] = []
    places = [location(name, enabled=name != "D") for name in "ABCD"]

    found = sample_stock(
        places,
        world.erp,
        size=2,
        limits=GuardLimits(),
        now=world.clock.now(),
        monotonic=world.clock.monotonic,
        progress=lambda done, total: told.append((done, total)),
    )

    assert [one.location_id for one in found.read] == ["A", "C"]
    assert (found.locations, found.rows) == (3, 3)
    assert told == [(0, 2), (1, 2)]


def world_with(change: Callable[[ImportWorld], None]) -> ImportWorld:
    world = ImportWorld(DC, STORE)
    world.stock(5)
    world.stock(5, at=STORE)
    change(world)
    return world


def test_stock_that_an_import_would_take_passes() -> None:
    assert stock_check(read_all(world_with(lambda _: None))).state is State.PASSED


def read_all(world: ImportWorld) -> StockSample:
    return sample_stock(
        [location(DC), location(STORE, store_id=STORE)],
        world.erp,
        size=10,
        limits=GuardLimits(),
        now=world.clock.now(),
        monotonic=world.clock.monotonic,
    )


def test_a_location_that_the_erp_cannot_give_has_to_be_mended() -> None:
    def refuse(world: ImportWorld) -> None:
        world.erp.shown[DC] = RejectedError("404: unknown location")

    check = stock_check(read_all(world_with(refuse)))

    assert (check.state, check.figures) == (
        State.MEND,
        {"unread": {DC: "404: unknown location"}},
    )


def test_stock_that_a_guard_would_hold_is_to_be_looked_at() -> None:
    check = stock_check(read_all(world_with(lambda world: world.stock(5_000_000))))

    assert (check.state, check.figures["held"]) == (State.LOOK, {DC: ["absurd"]})


def test_rows_that_newstore_might_refuse_are_to_be_looked_at() -> None:
    check = stock_check(read_all(world_with(lambda world: world.stock(5, "S\x07KU"))))

    assert (check.state, check.figures) == (State.LOOK, {"unsendable": 1})


@pytest.mark.parametrize(
    ("schedule", "every"),
    [
        ("rate(5 minutes)", timedelta(minutes=5)),
        ("rate(1 hour)", timedelta(hours=1)),
        ("cron(0/5 * * * ? *)", None),
        ("", None),
    ],
)
def test_a_rate_has_an_interval(schedule: str, every: timedelta | None) -> None:
    assert interval_of(schedule) == every


@pytest.mark.parametrize(
    ("seconds", "plan", "state", "remedy"),
    [
        (1, INLINE, State.PASSED, ""),
        (301, INLINE, State.LOOK, "ImportSchedule"),
        (READ_SECONDS_MAX + 1, INLINE, State.LOOK, "StockReads=fan_out"),
        (READ_SECONDS_MAX + 1, replace(INLINE, fans_out=True), State.LOOK, "ImportSchedule"),
        (301, replace(INLINE, every=None), State.PASSED, ""),
    ],
)
def test_an_erp_that_takes_longer_than_an_invocation_has_asks_for_fan_out(
    seconds: float, plan: Plan, state: State, remedy: str
) -> None:
    check = reading_check(sample(one(seconds), locations=plan.at_once), plan, feed=False)

    assert check.state is state
    assert remedy in check.remedy
    assert check.figures["seconds_of_all"] == seconds


def test_the_first_import_takes_as_many_jobs_as_its_rows_have_bytes() -> None:
    each = one(rows=1_000, file_bytes=BYTES_OF_A_JOB // 10)

    small = size_check(sample(each, locations=10), INLINE, None)
    large = size_check(sample(each, each, locations=1_000), INLINE, None)
    huge = size_check(sample(each, locations=10_000), INLINE, None)

    assert (small.state, small.figures["jobs"]) == (State.PASSED, 1)
    assert (large.figures["rows"], large.figures["jobs"]) == (1_000_000, 100)
    assert large.figures["hours"] == 8.2
    assert size_check(sample(each, locations=130), INLINE, None).figures["hours"] == 1.0
    assert huge.state is State.LOOK


def test_a_first_import_that_is_over_is_said_to_be() -> None:
    assert "RUN-1 has finished" in size_check(sample(one()), INLINE, "RUN-1").found
