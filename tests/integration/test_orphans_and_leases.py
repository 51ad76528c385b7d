"""one_import, watermark_monotonic: jobs that lost their run, and runs that lost their lease."""

from collections.abc import Iterator

import pytest

from inventory_sync.domain.import_head import ImportHead
from local.newstore.jobs import OPEN_JOBS_MAX, RETRY_AFTER_SECONDS
from tests.integration.crashing import CALLS, Moment
from tests.integration.story import DC, LEASE_SECONDS, NYC, Story, story

WRITES = frozenset({"UpdateItem", "PutItem", "DeleteItem", "TransactWriteItems", "PutObject"})
CHUNKS = 8
"""Tests of a tick that sleeps, each before every eighth write."""


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Iterator[Story]:
    with story(monkeypatch) as told:
        begin(told)
        yield told


def begin(told: Story) -> None:
    told.take_in(told.ship("ff1", DC, "SKU-1"), told.ship("ff2", NYC, "SKU-2"))
    told.let_settle()


def create_job(told: Story, name: str) -> str:
    return told.newstore.calls.create_import(
        provider="somebody", name=name, source_uri="s3://old/stock.zip"
    )


def state_of(told: Story, job_id: str) -> str:
    return told.newstore.jobs.by_id[job_id].state


def test_an_orphan_of_ours_is_failed_and_the_stock_is_built_afresh(told: Story) -> None:
    orphan = create_job(told, "inventory-sync 20260301T090000Z-00000007")

    assert told.tick()["outcome"] == "ended"

    assert state_of(told, orphan) == "failed"
    assert told.newstore.jobs.by_id[orphan].reason == "inventory-sync: orphan of an earlier run"
    assert len(told.our_jobs("finished")) == 1
    told.holds_the_truth()


def test_somebody_elses_job_is_left_alone(told: Story) -> None:
    theirs = create_job(told, "nightly prices")

    assert told.tick()["outcome"] == "ended"

    assert state_of(told, theirs) == "received"
    told.holds_the_truth()


def test_a_job_whose_answer_was_lost_is_adopted(told: Story) -> None:
    told.newstore.faults.lose_next_answer(call="create_import")

    first = told.tick()
    assert first["outcome"] == "retry"
    assert "POST /v0/d/import" in first["detail"]
    assert len(told.our_jobs("received")) == 1

    second = told.tick()
    assert (second["outcome"], second["run"]["run_id"]) == ("ended", first["run"]["run_id"])
    assert len(told.newstore.jobs.by_id) == 1
    told.holds_the_truth()


def test_a_job_that_was_created_twice_is_started_once(told: Story) -> None:
    told.newstore.faults.lose_next_answer(call="create_import")
    run_id = told.tick()["run"]["run_id"]
    create_job(told, f"inventory-sync {run_id}")

    assert told.tick()["outcome"] == "ended"

    assert (len(told.our_jobs("finished")), len(told.our_jobs("failed"))) == (1, 1)
    told.holds_the_truth()


@pytest.mark.parametrize("kept", [True, False])
def test_a_job_refused_for_too_many_is_adopted_if_kept_and_created_if_not(
    told: Story, kept: bool
) -> None:
    others = [create_job(told, f"prices {n}") for n in range(OPEN_JOBS_MAX)]
    told.newstore.jobs.keep_on_429 = kept

    first = told.tick()
    assert first["outcome"] == "retry"
    assert "429" in first["detail"]
    assert len(told.our_jobs("received")) == kept

    for other in others:
        told.newstore.jobs.set_fail(other, "done by hand")
    told.clock.sleep(RETRY_AFTER_SECONDS)
    second = told.tick()
    assert (second["outcome"], second["run"]["run_id"]) == ("ended", first["run"]["run_id"])
    assert len(told.our_jobs("finished", "failed", "received")) == 1
    told.holds_the_truth()


def test_a_job_whose_start_was_not_answered_is_not_started_again(told: Story) -> None:
    told.newstore.faults.lose_next_answer(call="start_import")

    first = told.tick()
    assert first["outcome"] == "retry"
    assert "/start" in first["detail"]

    assert told.tick()["outcome"] == "ended"
    assert len(told.newstore.jobs.by_id) == 1
    told.holds_the_truth()


def sleeps_before_write(number: int) -> bool:
    """A tick sleeps before its n-th write until another has taken over; False when it has fewer.

    Meanwhile stock came in, which the other tick imported. Whatever the sleeper still writes must
    change neither what is committed nor what later imports start from: so the stock goes again.
    """
    with pytest.MonkeyPatch.context() as patch, story(patch) as told:
        begin(told)
        other = told.another_sandbox()
        writes: list[str] = []
        committed: list[ImportHead] = []
        done = False

        def on_call(at: int, moment: Moment, name: str) -> None:
            told.never_oversells()
            if at == 1 or moment is Moment.AFTER or not writes_to_the_outside(name):
                return
            writes.append(name)
            if len(writes) == number:
                nonlocal done
                done = told.settled()
                told.clock.sleep(LEASE_SECONDS + 1)
                told.receive((DC, "SKU-2"), 5)
                for _ in range(3):
                    other.tick()
                    told.clock.sleep(LEASE_SECONDS + 1)
                told.holds_the_truth()
                committed.append(told.head())

        with CALLS.watching(on_call):
            answer = told.tick()
        if not committed:
            return False
        assert answer["outcome"] in ({"ended"} if done else {"lease_lost", "retry"}), answer
        assert told.head() == committed[0], f"watermark_monotonic: {writes[number - 1]}"

        told.erp.correct((DC, "SKU-2"), -5)
        told.physical[DC, "SKU-2"] -= 5
        told.tick()
        told.holds_the_truth()
    return True


def writes_to_the_outside(name: str) -> bool:
    return name in WRITES or name.startswith("POST /v0/d/import")


@pytest.mark.sweep(sample=1)
@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_a_tick_that_outslept_its_lease_changes_nothing_any_more(chunk: int) -> None:
    number = chunk + 1
    while sleeps_before_write(number):
        number += CHUNKS
    assert number > 10, "too few writes were met: nothing is proven"
