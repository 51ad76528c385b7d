"""The planner: what a run does next, from every state and for every fact."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from inventory_sync.domain.import_run import (
    JOB_NAME_PREFIX,
    AbandonJob,
    AdoptJob,
    Build,
    Commit,
    CreateJob,
    Done,
    Facts,
    Finalize,
    GiveUp,
    ImportJob,
    ImportRun,
    JobChunk,
    JobError,
    JobState,
    RecordStarted,
    RunLimits,
    RunState,
    StartJob,
    Step,
    Wait,
    chunks_in_words,
    errors_in_words,
    next_step,
)
from tests.builders import HOUR, MINUTE, NOW, run

LIMITS = RunLimits(
    poll_interval=timedelta(seconds=5),
    job_age_max=6 * HOUR,
    job_unknown_grace=HOUR,
    upload_age_max=30 * MINUTE,
)
TICK = timedelta(microseconds=1)
UNDER_WAY = (RunState.CREATED, RunState.STARTED)
AT_NEWSTORE = (JobState.WAITING, JobState.PROCESSING, JobState.CLEANING, JobState.OTHER)
"""Where a job is that was started and has not ended."""
ENDED = (RunState.FINALIZED, RunState.FAILED, RunState.HELD)
FAILED = GiveUp("NewStore failed the job")
GREW_OLD = GiveUp("files grew old without a job")


def too_old(age: timedelta, state: JobState = JobState.WAITING) -> AbandonJob:
    return AbandonJob(f"still {state} {age} after it was created")


def job(state: JobState = JobState.RECEIVED, **fields: Any) -> ImportJob:
    return ImportJob(
        **({"job_id": "job-1", "state": state, "name": "inventory-sync run-1"} | fields)
    )


def step(found: ImportRun, now: datetime = NOW, **facts: Any) -> Step:
    return next_step(found, Facts(now=now, **facts), LIMITS)


# The run and its job


def test_the_job_is_named_after_its_run() -> None:
    assert JOB_NAME_PREFIX == "inventory-sync "
    assert run().job_name == "inventory-sync run-1"


def test_a_job_is_ours_by_its_name() -> None:
    assert job().ours
    assert not job(name="price import").ours
    assert not job(name="").ours


def test_a_job_belongs_to_the_run_it_is_named_after() -> None:
    assert job().belongs_to(run())
    assert not job(name="inventory-sync run-2").belongs_to(run())


def test_a_job_without_name_belongs_to_no_run() -> None:
    assert not job(name="").belongs_to(run())


@pytest.mark.parametrize("state", RunState)
def test_a_run_has_ended_once_nothing_is_left_to_do(state: RunState) -> None:
    assert run(state).ended is (state in ENDED)


# Build


def test_a_planned_run_is_built() -> None:
    assert step(run(RunState.PLANNED)) == Build()


# Create


def test_an_uploaded_run_gets_a_job() -> None:
    assert step(run(RunState.UPLOADED)) == CreateJob()


def test_a_job_that_is_there_already_is_adopted_not_created_again() -> None:
    found = job(job_id="job-7")

    assert step(run(RunState.UPLOADED), job=found) == AdoptJob("job-7")
    assert step(run(RunState.UPLOADED), NOW + HOUR, job=found) == AdoptJob("job-7")
    assert step(
        run(RunState.UPLOADED), job=found, create_not_before=NOW + MINUTE
    ) == AdoptJob("job-7")  # fmt: skip


def test_jobs_keep_their_distance() -> None:
    later = NOW + 2 * MINUTE

    assert step(run(RunState.UPLOADED), create_not_before=later) == Wait(
        later, "NewStore wants a pause before the next job"
    )
    for now in (NOW + 2 * MINUTE, NOW + 3 * MINUTE):
        assert step(run(RunState.UPLOADED), now, create_not_before=later) == CreateJob()
    assert isinstance(step(run(RunState.UPLOADED), later - TICK, create_not_before=later), Wait)


def test_files_that_grew_old_without_a_job_are_given_up() -> None:
    uploaded = run(RunState.UPLOADED, planned_at=NOW - HOUR, built_at=NOW)

    assert step(uploaded, NOW + 30 * MINUTE) == CreateJob()
    assert step(uploaded, NOW + 30 * MINUTE + TICK) == GREW_OLD


def test_old_files_are_given_up_even_while_jobs_keep_their_distance() -> None:
    facts = {"create_not_before": NOW + 2 * HOUR}

    assert step(run(RunState.UPLOADED), NOW + HOUR, **facts) == GREW_OLD


def test_files_are_as_old_as_their_plan_where_nobody_noted_when_they_were_built() -> None:
    uploaded = run(RunState.UPLOADED, built_at=None)

    assert step(uploaded, NOW + 30 * MINUTE + TICK) == GREW_OLD
    assert step(uploaded, NOW + 30 * MINUTE) == CreateJob()


# Start


def test_a_received_job_is_started() -> None:
    assert step(run(RunState.CREATED), job=job(JobState.RECEIVED)) == StartJob()


@pytest.mark.parametrize("state", AT_NEWSTORE)
def test_a_job_that_runs_already_is_not_started_again(state: JobState) -> None:
    assert step(run(RunState.CREATED), job=job(state)) == RecordStarted()


# Poll


@pytest.mark.parametrize("state", [JobState.RECEIVED, *AT_NEWSTORE])
def test_a_started_job_is_waited_for(state: JobState) -> None:
    assert step(run(RunState.STARTED), job=job(state), create_not_before=NOW + MINUTE) == Wait(
        NOW + timedelta(seconds=5), "NewStore has not ended the job"
    )


def test_a_job_that_is_received_long_after_its_start_is_started_again() -> None:
    later, received = NOW + MINUTE, job(JobState.RECEIVED)

    assert step(run(RunState.STARTED), later, job=received, create_not_before=later) == StartJob()
    paused = step(
        run(RunState.STARTED), later, job=received, create_not_before=later, paused="ada: stop"
    )
    assert isinstance(paused, Wait)
    for state in AT_NEWSTORE:
        begun = step(run(RunState.STARTED), later, job=job(state), create_not_before=later)
        assert isinstance(begun, Wait)


@pytest.mark.parametrize("state", UNDER_WAY)
def test_a_finished_job_commits_however_old_it_is(state: RunState) -> None:
    assert step(run(state), job=job(JobState.FINISHED)) == Commit()
    assert step(run(state), NOW + 100 * HOUR, job=job(JobState.FINISHED)) == Commit()


@pytest.mark.parametrize("state", UNDER_WAY)
def test_a_failed_job_is_given_up_however_old_it_is(state: RunState) -> None:
    assert step(run(state), job=job(JobState.FAILED)) == FAILED
    assert step(run(state), NOW + 100 * HOUR, job=job(JobState.FAILED)) == GiveUp(
        "NewStore failed the job"
    )


@pytest.mark.parametrize("state", UNDER_WAY)
@pytest.mark.parametrize("paused", ["", "ada: stop"])
def test_a_job_that_failed_in_part_is_given_up_like_one_that_failed(
    state: RunState, paused: str
) -> None:
    failed, in_part = (
        step(run(state), job=job(found, reason="2 of 3"), paused=paused)
        for found in (JobState.FAILED, JobState.PARTIALLY_FAILED)
    )
    if paused and state is RunState.CREATED:
        assert failed == in_part
    else:
        assert failed == GiveUp("NewStore failed the job: 2 of 3")
        assert in_part == GiveUp("NewStore failed the job in part: 2 of 3")


def test_failed_chunks_are_told_with_their_rows_and_reasons() -> None:
    good = JobChunk(100, failed=False, failure="")
    assert chunks_in_words([]) == chunks_in_words([good]) == ""
    assert chunks_in_words([good, JobChunk(7, failed=True, failure="")]) == (
        "1 of 2 chunks failed, with 7 rows"
    )
    failed = [JobChunk(1, failed=True, failure=f"reason {n % 5}") for n in range(10)]
    assert chunks_in_words(failed) == (
        "10 of 10 chunks failed, with 10 rows: reason 0; reason 1; reason 2"
    )


@pytest.mark.parametrize("state", UNDER_WAY)
def test_a_job_that_newstore_does_not_know_may_be_under_way_until_it_is_too_old(
    state: RunState,
) -> None:
    found = step(run(state), NOW + 7 * HOUR, job=None)

    assert isinstance(step(run(state), NOW + HOUR, job=None), Wait)
    assert found == Wait(NOW + 7 * HOUR + timedelta(seconds=5), "NewStore does not know the job")
    assert step(run(state), NOW + 7 * HOUR + TICK, job=None) == GiveUp(
        "NewStore does not know the job"
    )


@pytest.mark.parametrize("state", UNDER_WAY)
@pytest.mark.parametrize(
    "job_state", [JobState.RECEIVED, JobState.WAITING, JobState.CLEANING, JobState.OTHER]
)
def test_a_job_that_does_not_end_is_abandoned(state: RunState, job_state: JobState) -> None:
    found = run(state, planned_at=NOW - HOUR)

    assert not isinstance(step(found, NOW + 6 * HOUR, job=job(job_state)), AbandonJob)
    age = 6 * HOUR + TICK
    assert step(found, NOW + age, job=job(job_state)) == too_old(age, job_state)


@pytest.mark.parametrize("state", UNDER_WAY)
def test_a_job_that_hangs_in_processing_is_named_as_such(state: RunState) -> None:
    age = 6 * HOUR + TICK
    assert step(run(state), NOW + age, job=job(JobState.PROCESSING)) == AbandonJob(
        f"hangs in processing, {age} after it was created: its file may not match the schema"
    )


def test_a_job_is_as_old_as_its_plan_where_nobody_noted_when_it_was_created() -> None:
    started = run(RunState.STARTED, job_created_at=None)

    age = 6 * HOUR + TICK
    assert step(started, NOW + age, job=job(JobState.WAITING)) == too_old(age)


# Paused


def test_while_imports_are_paused_no_job_is_created() -> None:
    found = step(run(RunState.UPLOADED), paused="ada: stop")

    assert found == GiveUp("imports are paused: ada: stop", by_choice=True)


def test_a_job_that_was_created_unnoticed_is_adopted_so_that_it_can_be_set_to_failed() -> None:
    assert step(run(RunState.UPLOADED), job=job(), paused="ada: stop") == AdoptJob("job-1")
    assert step(run(RunState.CREATED), job=job(), paused="ada: stop") == AbandonJob(
        "paused: ada: stop"
    )


def test_a_run_whose_job_was_set_to_failed_for_a_pause_ends_by_choice() -> None:
    created = run(RunState.CREATED)

    found = step(created, job=job(JobState.FAILED), paused="ada: stop")

    assert found == GiveUp("imports are paused: ada: stop", by_choice=True)


@pytest.mark.parametrize("state", UNDER_WAY)
def test_what_newstore_is_at_goes_on_though_imports_are_paused(state: RunState) -> None:
    for job_state in (*AT_NEWSTORE, JobState.FINISHED):
        found = job(job_state)
        assert step(run(state), job=found, paused="ada: stop") == step(run(state), job=found)


def test_a_job_that_failed_by_itself_is_a_failure_though_imports_are_paused() -> None:
    found = step(run(RunState.STARTED), job=job(JobState.FAILED), paused="ada: stop")

    assert found == FAILED


# After


def test_a_finished_run_is_settled() -> None:
    assert step(run(RunState.FINISHED)) == Finalize()


@pytest.mark.parametrize("state", ENDED)
def test_an_ended_run_is_done(state: RunState) -> None:
    assert step(run(state)) == Done()


def test_unless_told_otherwise() -> None:
    assert RunLimits() == LIMITS


def test_a_new_run_has_sent_nothing() -> None:
    found = ImportRun(run_id="r", state=RunState.PLANNED, planned_at=NOW, full=False, cut_end=0)

    figures = (found.rows, found.files, found.late_events, found.clamped, found.released_events)
    assert figures == (0, 0, 0, 0, 0)
    assert (found.snapshots, found.refused_before) == (0, ())
    assert (found.left_out, found.approvals, found.job_errors, found.failure) == ({}, {}, (), "")
    assert (found.built_at, found.job_created_at) == (None, None)
    assert (found.source_uri, found.job_id) == ("", "")
    assert found.only == ()


def test_what_a_jobs_errors_are_about_is_named_once() -> None:
    about = [("product", "B"), ("product", "A"), ("product", "B")]
    errors = [JobError("unknown", kind, entity) for kind, entity in about]

    assert run(RunState.FAILED, job_errors=tuple(errors)).refused == ("product A", "product B")


def test_a_run_is_given_up_for_a_fault_unless_an_operator_wanted_it() -> None:
    assert not GiveUp("NewStore failed the job").by_choice


def test_a_job_s_errors_are_told_by_the_first_and_their_number() -> None:
    errors = [JobError("unknown store", "store", "NYC"), JobError("other", "", "")]

    assert errors_in_words(errors) == "2 errors, the first store NYC: unknown store"
    assert errors_in_words(errors[1:]) == "1 error, the first: other"
    assert errors_in_words([]) == ""
