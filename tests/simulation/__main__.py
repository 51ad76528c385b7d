"""Run many seeds: `make simulate SEEDS=n [SEED=first]`; writes build/simulation.json.

Exits with 1 on the first violations, each printed with its seed and its shrunk story and kept
under tests/simulation/regressions/. With --readings it prints a table of its figures by what
becomes of a shipped unit at NewStore, and what the adapter takes for it.
"""

import argparse
import json
import os
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import get_args

from inventory_sync.domain.reading import ReleaseReading
from local.newstore.truth import Release
from tests.simulation.faults import RATES
from tests.simulation.figures import CAUSES, Figures
from tests.simulation.runner import Adapt, Outcome, run_seed, shrink
from tests.simulation.world import World

REGRESSIONS = Path(__file__).parent / "regressions"
REPORT = Path("build/simulation.json")
VIOLATIONS_SHOWN_MAX = 5
STORY_LINES_MAX = 60
CHUNK = 25


@dataclass
class Report:
    """What build/simulation.json holds; looks are checks of all invariants.

    Shares are of the time in which the shops are open, by cause (tests/simulation/figures.py).
    """

    seeds: int = 0
    first_seed: int = 0
    steps: int = 0
    looks: int = 0
    violations: dict[str, int] = field(default_factory=dict)
    faults_injected: dict[str, int] = field(default_factory=dict)
    share_of_time_oversold: dict[str, float] = field(default_factory=dict)
    mean_units_undersold: float = 0.0


def main(
    words: list[str] | None = None,
    *,
    adapt: Adapt | None = None,
    kept_in: Path = REGRESSIONS,
    report_to: Path = REPORT,
) -> int:
    """Parse, run, report. `adapt` changes each world as it is made: it has to be picklable."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seeds", type=int, default=300, help="how many (default 300)")
    parser.add_argument("--seed", type=int, default=0, help="the first one (default 0)")
    parser.add_argument("--story", action="store_true", help="print the first seed's story")
    parser.add_argument("--newstore", choices=get_args(Release))
    parser.add_argument("--reading", type=ReleaseReading, choices=tuple(ReleaseReading))
    parser.add_argument("--readings", action="store_true", help="a table of all of these")
    parser.add_argument("--processes", type=int, default=os.cpu_count(), help="at once")
    arguments = parser.parse_args(words)
    if arguments.readings:
        for line in _by_reading(arguments, adapt):
            print(line, flush=True)
        return 0
    adapt = partial(_set, release=arguments.newstore, reading=arguments.reading, adapt=adapt)
    if arguments.story:
        print("\n".join(run_seed(arguments.seed).trace))
        return 0
    report, bad = _simulated(arguments, adapt)
    report_to.parent.mkdir(exist_ok=True)
    report_to.write_text(json.dumps(asdict(report), indent=2) + "\n")
    print(_summary(report))
    for outcome in bad[:VIOLATIONS_SHOWN_MAX]:
        _keep(outcome, kept_in, adapt)
    return 1 if bad else 0


def _simulated(arguments: argparse.Namespace, adapt: Adapt) -> tuple[Report, list[Outcome]]:
    """All seeds, and those that ended with a violation."""
    report, bad = Report(first_seed=arguments.seed), []
    injected: Counter[str] = Counter()
    figures = Figures()
    seeds = range(arguments.seed, arguments.seed + arguments.seeds)
    with ProcessPoolExecutor(max_workers=arguments.processes) as pool:
        for outcome in pool.map(partial(_quietly, adapt=adapt), seeds, chunksize=CHUNK):
            report.seeds += 1
            report.steps += outcome.steps
            report.looks += outcome.looks
            figures.add(outcome.figures_of_time)
            injected += outcome.injected
            if outcome.violation:
                bad.append(outcome)
    report.violations = dict(Counter(outcome.violation for outcome in bad))
    report.faults_injected = {name: injected[name] for name in RATES}
    report.share_of_time_oversold = figures.share_oversold()
    report.mean_units_undersold = figures.mean_undersold()
    return report, bad


def _by_reading(arguments: argparse.Namespace, adapt: Adapt | None) -> Iterator[str]:
    """A table in Markdown."""
    causes = " | ".join(cause.replace("_", " ") for cause in CAUSES)
    yield f"| NewStore | `ReleaseReading` | seeds | violations | {causes} | units undersold |"
    yield "|---" * (5 + len(CAUSES)) + "|"
    for release in get_args(Release):
        for reading in ReleaseReading:
            cell = partial(_set, release=release, reading=reading, adapt=adapt)
            report, bad = _simulated(arguments, cell)
            shares = " | ".join(f"{report.share_of_time_oversold[c]:.2%}" for c in CAUSES)
            yield (
                f"| `{release}` | `{reading}` | {report.seeds} | {len(bad)} | {shares}"
                f" | {report.mean_units_undersold:.2f} |"
            )


def _set(
    world: World, *, release: Release | None, reading: ReleaseReading | None, adapt: Adapt | None
) -> None:
    """What becomes of a shipped unit, and what the adapter takes for it where it is not drawn."""
    if release is not None:
        world.newstore_model.release = release
        world.reading = world.reading_at_range
    world.reading = reading or world.reading
    if adapt is not None:
        adapt(world)


def _quietly(seed: int, adapt: Adapt | None) -> Outcome:
    outcome = run_seed(seed, adapt=adapt)
    outcome.trace = []
    return outcome


def _summary(report: Report) -> str:
    least = min(report.faults_injected, key=lambda name: report.faults_injected[name])
    return (
        f"{report.seeds} seeds from {report.first_seed}: {report.steps} steps,"
        f" {report.looks} looks at the invariants, {sum(report.faults_injected.values())} faults"
        f" (rarest: {least}, {report.faults_injected[least]} times)\n"
        f"violations: {report.violations or 'none'};"
        f" share of time with stock oversold: {_shares(report.share_of_time_oversold)};"
        f" units undersold at a moment: {report.mean_units_undersold:.2f}"
    )


def _shares(by_cause: dict[str, float]) -> str:
    return ", ".join(f"{cause} {share:.3%}" for cause, share in by_cause.items()) or "none"


def _keep(outcome: Outcome, directory: Path, adapt: Adapt | None) -> None:
    steps, faults = shrink(outcome.seed, outcome, adapt)
    again = run_seed(outcome.seed, steps=steps, only=faults, adapt=adapt)
    print(f"\nseed {outcome.seed}: {outcome.violation}: {outcome.figures}")
    print(f"shrunk to {steps} steps with {sorted(faults)}; the story:")
    print("\n".join(again.trace[-STORY_LINES_MAX:]))
    case = {
        "invariant": outcome.violation,
        "seed": outcome.seed,
        "steps": steps,
        "faults": sorted(faults),
    }
    directory.mkdir(exist_ok=True)
    path = directory / f"{outcome.violation}-{outcome.seed}.json"
    path.write_text(json.dumps(case, indent=2) + "\n")
    print(f"kept as {path.name}; rename it after the bug once that is known")


if __name__ == "__main__":
    sys.exit(main())
