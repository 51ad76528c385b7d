"""What the sample says of the schedule, of `StockReads`, and of the first import."""

import re
from dataclasses import dataclass
from datetime import timedelta

from cli.preflight.check import Check, look, passed
from cli.preflight.erp import StockSample
from cli.text import span
from inventory_sync.bootstrap.build_import import SPARE_SECONDS
from inventory_sync.domain.wording import counted
from inventory_sync.use_cases.import_stock.build_import.file_packer import (
    ARCHIVE_BYTES,
    CHANGES_SHARE,
)

INVOCATION_SECONDS = 900
READ_SECONDS_MAX = INVOCATION_SECONDS - SPARE_SECONDS
"""What one invocation has to read the ERP; what it does not reach comes first in the next."""
BYTES_OF_A_JOB = round(ARCHIVE_BYTES * (1 - CHANGES_SHARE))
"""Of rows that are sent for the first time."""
HOURS_LOOKED_AT = 12
_RATE = re.compile(r"rate\((\d+) (minute|hour|day)s?\)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How the stack reads and imports; `every` is None where the schedule is no rate.

    A shadow reads as often, in as many ticks as it takes.
    """

    at_once: int
    fans_out: bool
    every: timedelta | None
    job_spacing: timedelta
    shadow: bool = False

    @property
    def between_jobs(self) -> timedelta:
        """The least time from one job to the next."""
        return max(self.every or timedelta(0), self.job_spacing)


def interval_of(schedule: str) -> timedelta | None:
    """Of a rate expression; a cron expression has none."""
    found = _RATE.fullmatch(schedule.strip())
    return timedelta(**{f"{found[2]}s": int(found[1])}) if found else None


def reading_check(sample: StockSample, plan: Plan, *, feed: bool) -> Check:
    """How long it takes to read the whole ERP, and whether one invocation does it."""
    name = "ERP: time to read"
    seconds = sample.seconds_each * sample.locations / plan.at_once
    figures = {
        "seconds_of_a_location": round(sample.seconds_each, 2),
        "seconds_of_all": round(seconds, 1),
        "sampled": len(sample.read),
    }
    told = (
        f"{sample.seconds_each:.2g} s a location, so {span(timedelta(seconds=round(seconds)))}"
        f" for {counted(sample.locations, 'location')}, {plan.at_once} at once"
    )
    if plan.shadow:
        at_once = sample.seconds_each * sample.locations
        told = f"{sample.seconds_each:.2g} s a location, one after another:"
        told += f" {span(timedelta(seconds=round(at_once)))} for each to be looked at once"
        return passed(name, told, **{**figures, "seconds_of_all": round(at_once, 1)})
    told += ", and less where the change feed is used" if feed else ""
    if seconds > READ_SECONDS_MAX and not plan.fans_out:
        return look(
            name,
            f"{told}: one invocation has {span(timedelta(seconds=READ_SECONDS_MAX))}",
            "StockReads=fan_out in docs/settings.md, then deploy",
            **figures,
        )
    if plan.every is not None and seconds > plan.every.total_seconds():
        return look(
            name,
            f"{told}: imports come every {span(plan.every)}, and stock is up to that much older",
            "ErpReadsAtOnce or ImportSchedule in docs/settings.md",
            **figures,
        )
    every = f", imports every {span(plan.every)}" if plan.every else ""
    return passed(name, f"{told}{every}: StockReads may stay {_reads(plan)}", **figures)


def size_check(sample: StockSample, plan: Plan, finished_run_id: str | None) -> Check:
    """The first import of a chain: how many rows, in how many jobs, in what time at least."""
    name = "first import"
    if finished_run_id is not None:
        return passed(name, f"over: {finished_run_id} has finished; see `run {finished_run_id}`")
    jobs = max(1, -(-sample.file_bytes // BYTES_OF_A_JOB))
    hours = (jobs - 1) * plan.between_jobs / timedelta(hours=1)
    figures = {
        "rows": sample.rows,
        "file_bytes": sample.file_bytes,
        "jobs": jobs,
        "hours": round(hours, 1),
    }
    told = "once it is live, " if plan.shadow else ""
    told += f"some {counted(sample.rows, 'row')} in {counted(jobs, 'job')}"
    told += f", {hours:.2g} hours at least" if jobs > 1 else ", at once"
    if hours > HOURS_LOOKED_AT:
        return look(name, told, "docs/scale.md; locations may be enabled in parts", **figures)
    return passed(name, told, **figures)


def _reads(plan: Plan) -> str:
    return "fan_out" if plan.fans_out else "inline"
