"""Our jobs at NewStore that were created but never started."""

from dataclasses import dataclass, field
from typing import Any

from inventory_sync.domain.errors import RejectedError
from inventory_sync.domain.import_run import ImportJob, JobState, RunState
from inventory_sync.use_cases.import_stock.import_jobs import ImportJobs
from tests.builders import run
from tests.fakes.observer import FakeObserver

RUN = run(RunState.UPLOADED)


@dataclass
class ListedJobs:
    """NewStore's list of received jobs; what is set to failed leaves it."""

    jobs: list[ImportJob]
    failed: dict[str, str] = field(default_factory=dict)
    refuses: bool = False

    def received_jobs(self) -> list[ImportJob]:
        return [job for job in self.jobs if job.job_id not in self.failed]

    def fail_job(self, job_id: str, reason: str) -> None:
        if self.refuses:
            raise RejectedError("409")
        self.failed[job_id] = reason


def job(job_id: str, name: str = RUN.job_name) -> ImportJob:
    return ImportJob(job_id=job_id, state=JobState.RECEIVED, name=name)


def jobs_over(newstore: Any) -> tuple[ImportJobs, FakeObserver]:
    observer = FakeObserver()
    return ImportJobs(newstore, observer), observer


def test_the_job_of_a_run_is_found_among_others() -> None:
    newstore = ListedJobs([job("j1", "prices"), job("j2"), job("j3", "inventory-sync run-0")])
    jobs, _ = jobs_over(newstore)

    assert jobs.received(RUN) == job("j2")
    assert newstore.failed == {}


def test_a_run_without_a_job_has_none() -> None:
    jobs, _ = jobs_over(ListedJobs([job("j1", "prices")]))

    assert jobs.received(RUN) is None


def test_where_a_job_was_created_twice_one_is_kept_and_the_others_never_start() -> None:
    newstore = ListedJobs([job("j3"), job("j1"), job("j2")])
    jobs, observer = jobs_over(newstore)

    assert jobs.received(RUN) == job("j1")
    assert newstore.failed == {
        "j2": "inventory-sync: created twice",
        "j3": "inventory-sync: created twice",
    }
    assert [note[0] for note in observer.notes] == ["job set to failed"] * 2


def test_orphans_are_failed_and_other_peoples_jobs_left_alone() -> None:
    newstore = ListedJobs([job("j1", "prices"), job("j2", "inventory-sync run-0"), job("j3")])
    jobs, _ = jobs_over(newstore)

    jobs.fail_orphans()

    assert newstore.failed == {
        "j2": "inventory-sync: orphan of an earlier run",
        "j3": "inventory-sync: orphan of an earlier run",
    }


def test_what_became_of_it_is_told() -> None:
    for refuses, told in (
        (False, "job set to failed: too old"),
        (True, "NewStore would not set the job to failed (too old): 409"),
    ):
        jobs, _ = jobs_over(ListedJobs([job("j1")], refuses=refuses))
        assert jobs.fail("j1", "too old") == told


def test_a_job_that_cannot_be_failed_is_noted_and_holds_nothing_up() -> None:
    jobs, observer = jobs_over(ListedJobs([job("j1")], refuses=True))

    jobs.fail_orphans()

    assert observer.notes[0][0] == "job could not be set to failed"
    assert observer.notes[0][1]["job_id"] == "j1"
