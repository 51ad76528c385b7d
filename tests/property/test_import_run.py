"""The planner ends every run, whatever NewStore and the network do in between."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import chain, repeat

from hypothesis import given
from hypothesis import strategies as st

from inventory_sync.domain.import_run import (
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
    JobState,
    RecordStarted,
    RunLimits,
    RunState,
    StartJob,
    Step,
    Wait,
    next_step,
)
from tests.builders import MINUTE, NOW, run

LIMITS = RunLimits()
ALIVE = (
    JobState.RECEIVED,
    JobState.WAITING,
    JobState.PROCESSING,
    JobState.CLEANING,
    JobState.OTHER,
    None,
)
"""None: NewStore does not know the job, for now or for good."""
ENDS = (JobState.FINISHED, JobState.PARTIALLY_FAILED, JobState.FAILED)
ALWAYS_ENDED = {RunState.FINALIZED, RunState.FAILED, RunState.HELD}

AFTER: dict[type, RunState] = {
    Build: RunState.UPLOADED,
    StartJob: RunState.STARTED,
    RecordStarted: RunState.STARTED,
    Commit: RunState.FINISHED,
    Finalize: RunState.FINALIZED,
    GiveUp: RunState.FAILED,
}
"""Where a run stands after a step that nothing else comes of."""
States = list[JobState | None]
job_states: st.SearchStrategy[States] = st.lists(st.sampled_from(ALIVE), max_size=12)
pauses = st.sampled_from((0, 1, 5, 60, 299, 1800, 7200))
instants = st.integers(-10, 30_000).map(lambda seconds: NOW + timedelta(seconds=seconds))
run_states = st.sampled_from(list(RunState))


class World:
    """Carries out what the planner says, over a job that goes through the drawn states."""

    def __init__(
        self,
        found: ImportRun,
        states: States,
        pauses: list[int],
        stops: list[bool] | None = None,
    ) -> None:
        self.run = found
        self.now = NOW
        self.states: Iterator[JobState | None] = chain(states, repeat(states[-1]))
        self.pauses = chain(pauses, repeat(5))
        self.stops = chain(stops or [], repeat(False))
        self.paused = ""
        self.listed: list[str] = []
        self.created_at: datetime | None = None
        self.created = 0
        self.steps: list[Step] = []
        self.abandoned = False

    def facts(self) -> Facts:
        if self.run.state is RunState.UPLOADED:
            job = ImportJob(job_id=self.listed[0], state=JobState.RECEIVED) if self.listed else None
            not_before = self.created_at + 5 * MINUTE if self.created_at else None
            return Facts(now=self.now, job=job, create_not_before=not_before, paused=self.paused)
        if self.run.state in {RunState.CREATED, RunState.STARTED}:
            state = JobState.FAILED if self.abandoned else next(self.states)
            job = ImportJob(job_id=self.run.job_id, state=state) if state else None
            return Facts(now=self.now, job=job, paused=self.paused)
        return Facts(now=self.now)

    def step(self, *, answer_lost: bool, kept: bool) -> None:
        self.paused = "an operator" if next(self.stops) else ""
        facts = self.facts()
        step = next_step(self.run, facts, LIMITS)
        assert step == next_step(self.run, facts, LIMITS)
        self.steps.append(step)
        self._check(step, facts)
        self._carry_out(step, answer_lost=answer_lost, kept=kept)
        self.now += timedelta(seconds=next(self.pauses))

    def _check(self, step: Step, facts: Facts) -> None:
        if isinstance(step, CreateJob):
            assert facts.job is None
        if isinstance(step, StartJob):
            assert facts.job is not None
            assert facts.job.state is JobState.RECEIVED
        if isinstance(step, Commit):
            assert facts.job is not None
            assert facts.job.state is JobState.FINISHED
        if self.paused:
            assert not isinstance(step, CreateJob | StartJob)
        if isinstance(step, Wait):
            assert step.until > facts.now

    def _carry_out(self, step: Step, *, answer_lost: bool, kept: bool) -> None:
        match step:
            case CreateJob():
                self._create(answer_lost=answer_lost, kept=kept)
            case AdoptJob(job_id):
                self._adopt(job_id)
            case StartJob() if answer_lost:
                pass
            case AbandonJob():
                self.abandoned = True
            case Wait(until):
                self.now = max(self.now, until)
            case Done():
                assert self.run.ended
            case _:
                self.run = replace(self.run, state=AFTER[type(step)], built_at=self.now)

    def _create(self, *, answer_lost: bool, kept: bool) -> None:
        assert not self.listed
        if kept or not answer_lost:
            self.created += 1
            self.listed.append(f"job-{self.created}")
        if not answer_lost:
            self._adopt(self.listed[0])

    def _adopt(self, job_id: str) -> None:
        self.created_at = self.now
        self.run = replace(self.run, state=RunState.CREATED, job_id=job_id, job_created_at=self.now)


@given(
    run_states,
    job_states,
    st.sampled_from(ENDS),
    st.lists(pauses, max_size=20),
    st.lists(st.tuples(st.booleans(), st.booleans()), max_size=10),
    st.lists(st.booleans(), max_size=20),
)
def test_every_run_ends_with_at_most_one_job(
    state: RunState,
    states: States,
    end: JobState,
    drawn_pauses: list[int],
    losses: list[tuple[bool, bool]],
    stops: list[bool],
) -> None:
    world = World(run(state), [*states, end], drawn_pauses, stops)

    for answer_lost, kept in losses:
        world.step(answer_lost=answer_lost, kept=kept)
    for _ in range(len(states) + 12):
        world.step(answer_lost=False, kept=True)

    assert world.run.ended
    assert world.run.state in ALWAYS_ENDED
    assert world.created <= 1
    assert isinstance(world.steps[-1], Done)
    assert sum(isinstance(step, Commit) for step in world.steps) <= 1


@given(run_states.filter(lambda state: state not in ALWAYS_ENDED), st.sampled_from(ALIVE))
def test_a_job_that_never_ends_ends_its_run_too(state: RunState, stuck: JobState | None) -> None:
    world = World(run(state), [stuck], [])
    hours = 0
    while not world.run.ended and hours < 100:
        world.step(answer_lost=False, kept=True)
        world.now += 30 * MINUTE
        hours += 1

    assert world.run.ended


@given(run_states, instants, st.sampled_from((*JobState, None)), st.none() | instants)
def test_a_step_depends_on_the_run_and_the_facts_alone(
    state: RunState, now: datetime, job_state: JobState | None, not_before: datetime | None
) -> None:
    job = ImportJob(job_id="job-1", state=job_state) if job_state else None
    facts = Facts(now=now, job=job, create_not_before=not_before)

    step = next_step(run(state), facts, LIMITS)

    assert step == next_step(run(state), facts, LIMITS)
    assert isinstance(step, Done) is run(state).ended
    if isinstance(step, CreateJob):
        assert job is None
    if isinstance(step, StartJob):
        assert job_state is JobState.RECEIVED
    if isinstance(step, Commit):
        assert job_state is JobState.FINISHED
