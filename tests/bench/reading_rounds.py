"""Hours of imports over an ERP that takes a fixed time for a page, on a clock that is moved by it.

The use cases are the real ones: ticks, builds, plans of reads, kept reads. What reading at once
gains is in `read_seconds`, so that locations are read one after the other. Where a chain has more
than LOCATIONS_MAX locations one here stands for several. Machine time counts as none.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from inventory_sync.domain.import_run import ImportJob
from inventory_sync.domain.stock_reads import BATCH_LOCATIONS, ReadPlan
from inventory_sync.use_cases.import_stock.ask_for_reads import ask_for_reads
from inventory_sync.use_cases.import_stock.import_stock import Tick, TickOutcome
from tests.builders import SKU
from tests.unit.use_cases.import_world import ImportWorld, TestedNewStore

TICK = timedelta(minutes=5)
JOB = timedelta(minutes=1)
"""Assumed: what NewStore takes for a job; tools/scale assumes the same."""
LOCATIONS_MAX = 500
INVOCATION_SECONDS = 900.0
SPARE_SECONDS = 360.0
"""As bootstrap/build_import.py sets it."""
ROUNDS = 2.2
"""So often all locations are read before a course ends; the first round is not looked at."""
TRANSITIONS_A_BATCH = 3
TRANSITIONS_A_PLAN = 3
"""Counted from the definition in template.yaml, and as AWS bills the start of a child."""


@dataclass(frozen=True, kw_only=True)
class SlowErp:
    """`page_seconds` are what a page takes, whatever else is asked."""

    name: str
    page_seconds: float
    pages: int
    at_once: int

    @property
    def location_seconds(self) -> float:
        """With all calls that it bears under way."""
        return self.page_seconds * self.pages / self.at_once


@dataclass(frozen=True, kw_only=True)
class RoundFigures:
    """Of one course: what it came to once the first round was over."""

    read_all_seconds: float
    oldest_seconds: float
    tick_to_job_seconds: float
    plans: int
    transitions_a_plan: float


class TimedNewStore(TestedNewStore):
    """NewStore, where a job takes its time while the tick waits for it."""

    def __init__(self, world: ImportWorld) -> None:
        super().__init__(world)
        self._clock = world.clock
        self._started = ""

    def start_job(self, job_id: str, source_uri: str) -> None:
        super().start_job(job_id, source_uri)
        self._started = job_id

    def job(self, job_id: str) -> ImportJob | None:
        if self._started == job_id:
            self._started = ""
            self._clock.advance(JOB)
        return super().job(job_id)


class Course:
    """One chain, one ERP, one shape."""

    def __init__(self, locations: int, erp: SlowErp, *, fan_out: bool) -> None:
        self.each = max(1, locations // LOCATIONS_MAX)
        self.read_seconds = erp.location_seconds * self.each
        self.round_seconds = erp.location_seconds * locations
        places = [f"S{number:04d}" for number in range(locations // self.each)]
        self.world = ImportWorld(*places, fan_out=fan_out)
        self.world.build_settings = replace(self.world.build_settings, spare_seconds=SPARE_SECONDS)
        self.world.newstore = TimedNewStore(self.world)
        self.clock = self.world.clock
        self.left = 0.0
        self.reads = 0
        self.told: dict[str, datetime] = {}
        self.oldest = 0.0
        self.to_job: list[float] = []
        self.batches: list[int] = []
        self._all_in(places)

    def _all_in(self, places: list[str]) -> None:
        """From here on all locations are imported, as of one moment."""
        for place in places:
            self.world.erp_model.set_stock((place, SKU), 10)
        fans_out, self.world.fans_out = self.world.fans_out, False
        self.world.import_now()
        self.world.fans_out = fans_out
        self.began = self.clock.now()
        self.told = dict.fromkeys(places, self.began)
        self.world.erp.on_read = self._spend

    def _spend(self, location_id: str) -> None:
        """The ERP's time; and a figure that is another one than the last."""
        self.reads += 1
        self.world.erp_model.set_stock((location_id, SKU), 10 + self.reads % 7)
        self.clock.advance(self.read_seconds)
        self.left -= self.read_seconds

    def _tick(self, ended: str = "") -> Tick:
        """What an invocation does; the age of the oldest stock just before its job ends."""
        self.left, began = INVOCATION_SECONDS, self.clock.now()
        tick = self.world.importer()(lambda: self.left, ended_plan=ended)
        run = tick.run
        if tick.outcome is not TickOutcome.ENDED or run is None or run.planned_at < began:
            return tick
        if run.rows and run.job_created_at is not None:
            self.to_job.append((run.job_created_at - began).total_seconds())
        if self.warm:
            age = self.clock.now() - min(self.told.values())
            self.oldest = max(self.oldest, age.total_seconds())
        entries = self.world.files.manifest(run.run_id).locations
        self.told = {place: entry.as_of for place, entry in entries.items()}
        return tick

    @property
    def warm(self) -> bool:
        """Whether the first round is over, by the ERP's time and by an import's."""
        first = timedelta(seconds=self.round_seconds) + 2 * TICK
        return min(self.told.values()) > self.began and self.clock.now() - self.began > first

    @property
    def over(self) -> bool:
        places = len(self.told)
        return self.warm and self.reads > ROUNDS * places and len(self.to_job) > 4

    def inline(self) -> RoundFigures:
        """A tick every five minutes; one that is still at work when it is due is left out."""
        due = self.clock.now() + TICK
        while not self.over:
            self._at(due)
            self._tick()
            late = (self.clock.now() - due) / TICK
            due += TICK * max(1, math.ceil(late))
        return self._figures()

    def fanned_out(self) -> RoundFigures:
        """Ticks, and beside them the reads of the plan under way, which end with a tick."""
        due = reading = self.clock.now() + TICK
        busy = self.clock.now()
        while not self.over:
            plan, waiting = self._under_way()
            if plan is not None and waiting and reading < due:
                self._at(reading)
                self.world.reader()(plan, waiting.pop(0), lambda: INVOCATION_SECONDS)
                reading = self.clock.now()
                if not waiting:
                    self._end(plan, busy)
                    busy = self.clock.now()
                    self._note(plan)
                continue
            self._at(max(due, busy))
            before = plan
            self._tick()
            busy, due = self.clock.now(), due + TICK
            if self._note(before):
                reading = max(reading, due - TICK)
        return self._figures()

    def _end(self, plan: ReadPlan, busy: datetime) -> None:
        """The execution calls for a tick; one at work asks for the next reads at its end."""
        if self.clock.now() >= busy:
            self._tick(ended=plan.plan_id)
            return
        self._at(busy)
        importer = self.world.importer()
        lease = importer.leases.acquire(now=busy, until=busy + TICK)
        if lease is None or importer.fan_out is None:
            raise RuntimeError("the tick has not given its lease back")
        leased = importer.under(lease, lambda: INVOCATION_SECONDS)
        leased.load(None)
        ask_for_reads(importer.fan_out, leased, whole=False, ended="")
        leased.release()

    def _note(self, before: ReadPlan | None) -> bool:
        """Whether there is another plan now, with how many locations."""
        plan, waiting = self._under_way()
        if plan == before:
            return False
        self.batches.append(len(waiting))
        return True

    def _under_way(self) -> tuple[ReadPlan | None, list[tuple[str, ...]]]:
        plan = self.world.runs.head().reads
        return plan, self.world.executions.waiting.get(plan, []) if plan else []

    def _at(self, when: datetime) -> None:
        """Imports and reads have a time of their own each."""
        self.clock.step(when - self.clock.now())

    def _figures(self) -> RoundFigures:
        locations = [number * self.each for number in self.batches]
        transitions = [
            TRANSITIONS_A_PLAN + TRANSITIONS_A_BATCH * math.ceil(number / BATCH_LOCATIONS)
            for number in locations
        ]
        return RoundFigures(
            read_all_seconds=self.round_seconds,
            oldest_seconds=self.oldest,
            tick_to_job_seconds=sum(self.to_job) / len(self.to_job),
            plans=len(self.batches),
            transitions_a_plan=sum(transitions) / len(transitions) if transitions else 0.0,
        )


def courses(locations: int, erp: SlowErp) -> Iterator[RoundFigures]:
    """Inline, then fanned out."""
    yield Course(locations, erp, fan_out=False).inline()
    yield Course(locations, erp, fan_out=True).fanned_out()
