"""Faults of calls: planned ahead, used once, the same for both simulators."""

from __future__ import annotations

import pytest

from local.http_server import AnswerGarbledError, AnswerLostError, CallRefusedError
from tests.unit.local.newstore_builder import Newstore


def test_a_refused_call_applies_nothing_and_the_next_one_passes() -> None:
    newstore = Newstore()
    newstore.model.faults.refuse_next(2, status=502, call="create_import")
    for _ in range(2):
        with pytest.raises(CallRefusedError) as refusal:
            newstore.create()
        assert refusal.value.status == 502
    newstore.create()
    assert len(newstore.model.calls.list_imports()["items"]) == 1


@pytest.mark.parametrize("applied", [True, False])
def test_a_lost_answer_leaves_the_call_applied_or_not(applied: bool) -> None:
    newstore = Newstore()
    newstore.model.faults.lose_next_answer(applied=applied)
    with pytest.raises(AnswerLostError) as lost:
        newstore.create()
    assert lost.value.applied == applied
    assert len(newstore.model.calls.list_imports()["items"]) == applied


def test_a_garbled_answer_leaves_the_call_applied() -> None:
    newstore = Newstore()
    newstore.model.faults.garble_next("html")
    with pytest.raises(AnswerGarbledError):
        newstore.create()
    assert len(newstore.model.calls.list_imports()["items"]) == 1


def test_a_fault_for_one_call_spares_the_others() -> None:
    newstore = Newstore()
    newstore.model.faults.refuse_next(call="start_import")
    import_id = newstore.create()
    with pytest.raises(CallRefusedError):
        newstore.model.calls.start_import(import_id, "s3://stock/1.zip")


def test_a_slow_call_takes_its_time_before_it_takes_effect() -> None:
    newstore = Newstore()
    newstore.model.faults.slow_next(25)
    import_id = newstore.create()
    assert newstore.model.calls.get_import(import_id)["received_at"] == "2026-01-15T10:30:25.000Z"


def test_a_system_that_is_down_refuses_until_its_time_is_over() -> None:
    newstore = Newstore()
    newstore.model.faults.down_for(60)
    newstore.clock.sleep(59)
    with pytest.raises(CallRefusedError) as refusal:
        newstore.create()
    assert refusal.value.status == 503
    newstore.clock.sleep(1)
    newstore.create()


def test_looking_at_the_truth_uses_no_fault_up() -> None:
    newstore = Newstore()
    newstore.model.faults.refuse_next()
    newstore.ship()
    newstore.model.atp(("DC01", "SKU-1"))
    with pytest.raises(CallRefusedError):
        newstore.create()
    assert newstore.model.faults.injected == {"refuse": 1}


def test_a_fault_about_one_location_spares_the_others() -> None:
    slept: list[float] = []
    faults = Newstore().model.faults
    faults.sleep = slept.append
    faults.slow_next(60, call="get_stock", about="DC01")
    for location in ("NYC", "DC01", "DC01"):
        faults.before("get_stock", location)
    assert slept == [60]
