"""The line read first says the worst there is, and why."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from cli.room.reading import Drift, Promise, Reading
from cli.room.status import FLOWING_SHORT, status_of
from inventory_sync.domain.import_run import RunState
from inventory_sync.domain.stock import StockKey
from tests.builders import DC, MINUTE, NOW, SKU, STORE, event, forwarded, open_event, run
from tests.unit.cli.room.readings import KEY, held, promise, reading, shadow, truth


def test_stock_flows_when_nothing_waits_and_every_promise_is_exact() -> None:
    status = status_of(reading())

    assert (status.level, status.headline) == ("flowing", "Stock is flowing")
    assert status.reasons == ("Nothing waits, and every promise is exact.",)


def test_without_truth_nothing_is_said_of_exactness() -> None:
    assert status_of(reading(truth=None)).reasons == ("Nothing waits.",)


def test_a_promise_above_the_truth_is_wrong_and_named() -> None:
    status = status_of(reading(truth=truth(7)))

    assert status.level == "wrong"
    assert status.reasons[0].endswith(f"more than is there: {SKU} at {DC} (3 too many).")


def test_open_allocations_are_not_promised_twice() -> None:
    allocated = reading(promises={KEY: promise(10, allocated=4)}, truth=truth(10))

    assert status_of(allocated).reasons == ("Nothing waits, and every promise is exact.",)


def test_a_promise_below_the_truth_is_no_fault_and_is_counted() -> None:
    status = status_of(reading(truth=truth(12)))

    assert status.level == "flowing"
    assert status.reasons == ("2 units more may be promised once an import has gone through.",)


def test_one_row_too_many_is_not_made_up_for_by_another_too_few() -> None:
    other = StockKey(STORE, SKU)
    mixed = reading(
        promises={KEY: promise(11), other: promise(9)},
        truth=replace(truth(), shelf_units={KEY: 10, other: 10}),
    )

    assert status_of(mixed).level == "wrong"
    assert status_of(mixed).reasons[-1].startswith("1 unit more")


def test_a_movement_booked_twice_is_wrong() -> None:
    status = status_of(reading(truth=truth(double_bookings=1)))

    assert (status.level, status.reasons) == ("wrong", ("The ERP booked 1 movement twice.",))


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        (
            {"erp_down_until": NOW + 21 * MINUTE},
            "The ERP does not answer (until 09:21 UTC); events wait for it and are kept.",
        ),
        ({"holds": held(figures="2 of 5 rows")}, "DC01 is held: absurd, 2 of 5 rows."),
        (
            {"runs": (run(state=RunState.FAILED, failure="no such file"),)},
            "The last import failed: no such file. The next one repeats it.",
        ),
        (
            {"runs": (run(state=RunState.FINALIZED, left_out={STORE: "no time", DC: "no time"}),)},
            "The last import went without DC01, NYC: no time.",
        ),
        ({"quarantined": 2}, "2 messages in quarantine."),
        (
            {"open_events": (open_event(rejected_reason="unknown product"),)},
            "The ERP refused 1 event: unknown product.",
        ),
        (
            {"open_events": (open_event(received_at=NOW - 16 * MINUTE),)},
            "1 event not in the ERP after 15 minutes.",
        ),
    ],
    ids=["erp_down", "held", "failed", "left_out", "quarantine", "refused", "late"],
)
def test_what_needs_somebody_is_stuck_and_says_why(fields: dict[str, Any], reason: str) -> None:
    status = status_of(reading(**fields))

    assert (status.level, status.reasons[0]) == ("stuck", reason)


def test_an_event_booked_in_time_and_waiting_for_its_import_is_on_its_way() -> None:
    waiting = reading(
        open_events=(forwarded(10, applied_at=NOW - 20 * MINUTE),),
        truth=truth(under_way=(event(11),)),
    )

    assert status_of(waiting).level == "flowing"
    assert status_of(waiting).reasons == ("2 events on the way through.",)


def test_an_earlier_failure_is_over_once_a_run_has_gone_through() -> None:
    runs = (run(state=RunState.FINALIZED), run(state=RunState.FAILED))

    assert status_of(reading(runs=runs)).level == "flowing"


def test_a_held_location_is_not_told_again_as_left_out() -> None:
    runs = (run(state=RunState.FINALIZED, left_out={DC: "held: negative"}),)

    assert len(status_of(reading(runs=runs, holds=held())).reasons) == 1


def test_what_is_wrong_comes_before_what_is_stuck() -> None:
    status = status_of(reading(truth=truth(9), holds=held()))

    assert status.level == "wrong"
    assert [reason.split()[0] for reason in status.reasons] == ["NewStore", "DC01"]


def test_of_many_rows_and_locations_the_first_are_named_and_the_rest_counted() -> None:
    places = [f"S{number:02}" for number in range(10)]
    keys = [StockKey(place, SKU) for place in places]
    many = Reading(
        at=NOW,
        promises={key: Promise(atp_units=1) for key in keys},
        truth=replace(truth(), shelf_units=dict.fromkeys(keys, 0)),
        holds={place: hold for place in places for hold in held(place).values()},
    )

    status = status_of(many)

    assert "S02 (1 too many) and 7 more" in status.reasons[0].replace(f"{SKU} at ", "")
    assert [reason[:3] for reason in status.reasons[1:4]] == places[:3]
    assert status.reasons[4] == "7 more locations held."


def test_an_event_is_late_only_past_the_limit() -> None:
    at_limit = reading(open_events=(open_event(received_at=NOW - timedelta(minutes=15)),))

    assert status_of(at_limit).level == "flowing"


def test_a_deployed_stack_tells_what_status_finds_and_what_is_promised_wrongly() -> None:
    drift = Drift(location=DC, product=SKU, atp_units=9, drift_units=4, causes=("unexplained",))
    plain: dict[str, Any] = {"truth": None, "promises": {}, "erp_units": {}}

    held = status_of(reading(concerns=("held: 1 location",), **plain))
    wrong = status_of(reading(concerns=("held: 1 location",), drifts=(drift,), **plain))
    well = status_of(reading(concerns=(), open_count=7, **plain))

    assert (held.level, held.reasons) == ("stuck", ("held: 1 location",))
    assert wrong.level == "wrong"
    assert wrong.reasons[0].endswith("too high: SKU-1 at DC01 (4 too many).")
    assert (well.level, well.reasons) == ("flowing", ("7 events on the way through.",))


def test_what_is_short_is_not_called_simply_flowing() -> None:
    found = status_of(reading(truth=truth(12)))

    assert (found.level, found.headline) == ("flowing", FLOWING_SHORT)
    assert found.reasons == ("2 units more may be promised once an import has gone through.",)


def test_a_shadow_says_what_another_system_promises_and_that_nothing_of_ours_is_wrong() -> None:
    status = status_of(reading(truth=None, concerns=(), shadow=shadow(10)))

    assert (status.level, status.headline) == ("shadow", "A shadow: nothing is posted")
    assert status.reasons == (
        "Another system books and imports. At the latest looks at 500 rows of 1 location: 2 units"
        " promised too many, 1 of them for certain, and 0 too few, in 1 row.",
    )


def test_a_shadow_that_needs_a_person_says_why_first() -> None:
    status = status_of(reading(truth=None, concerns=("look there",), shadow=shadow(10)))

    assert status.level == "stuck"
    assert status.reasons[0] == "look there"
