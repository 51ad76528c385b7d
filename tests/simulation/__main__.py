"""Run many seeds: `make simulate SEEDS=n [SEED=first]`; writes build/simulation.json.

Exits with 1 on the first violations, each printed with its seed and its shrunk story and kept
under tests/simulation/regressions/.
"""

import argparse
import json
import os
import sys
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path

from tests.simulation.faults import RATES
from tests.simulation.runner import Outcome, run_seed, shrink

REGRESSIONS = Path(__file__).parent / "regressions"
REPORT = Path("build/simulation.json")
VIOLATIONS_SHOWN_MAX = 5
STORY_LINES_MAX = 60
CHUNK = 25


@dataclass
class Report:
    """What build/simulation.json holds; looks are checks of all invariants."""

    seeds: int = 0
    first_seed: int = 0
    steps: int = 0
    looks: int = 0
    violations: dict[str, int] = field(default_factory=dict)
    faults_injected: dict[str, int] = field(default_factory=dict)
    share_of_looks_oversold: float = 0.0
    mean_units_undersold: float = 0.0


def main() -> int:
    """Parse, run, report."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seeds", type=int, default=300, help="how many (default 300)")
    parser.add_argument("--seed", type=int, default=0, help="the first one (default 0)")
    parser.add_argument("--story", action="store_true", help="print the first seed's story")
    arguments = parser.parse_args()
    if arguments.story:
        print("\n".join(run_seed(arguments.seed).trace))
        return 0
    report, bad = Report(first_seed=arguments.seed), []
    injected: Counter[str] = Counter()
    oversold = undersold = 0
    seeds = range(arguments.seed, arguments.seed + arguments.seeds)
    with ProcessPoolExecutor(max_workers=os.cpu_count()) as pool:
        for outcome in pool.map(_quietly, seeds, chunksize=CHUNK):
            report.seeds += 1
            report.steps += outcome.steps
            report.looks += outcome.looks
            oversold += outcome.oversold_looks
            undersold += outcome.undersold_units
            injected += outcome.injected
            if outcome.violation:
                bad.append(outcome)
    report.violations = dict(Counter(outcome.violation for outcome in bad))
    report.faults_injected = {name: injected[name] for name in RATES}
    report.share_of_looks_oversold = oversold / max(1, report.looks)
    report.mean_units_undersold = undersold / max(1, report.looks)
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_text(json.dumps(asdict(report), indent=2) + "\n")
    print(_summary(report))
    for outcome in bad[:VIOLATIONS_SHOWN_MAX]:
        _keep(outcome)
    return 1 if bad else 0


def _quietly(seed: int) -> Outcome:
    outcome = run_seed(seed)
    outcome.trace = []
    return outcome


def _summary(report: Report) -> str:
    least = min(report.faults_injected, key=lambda name: report.faults_injected[name])
    return (
        f"{report.seeds} seeds from {report.first_seed}: {report.steps} steps,"
        f" {report.looks} looks at the invariants, {sum(report.faults_injected.values())} faults"
        f" (rarest: {least}, {report.faults_injected[least]} times)\n"
        f"violations: {report.violations or 'none'};"
        f" looks with stock oversold: {report.share_of_looks_oversold:.4%}"
        f" (late events only); units undersold per look: {report.mean_units_undersold:.2f}"
    )


def _keep(outcome: Outcome) -> None:
    steps, faults = shrink(outcome.seed, outcome)
    again = run_seed(outcome.seed, steps=steps, only=faults)
    print(f"\nseed {outcome.seed}: {outcome.violation}: {outcome.figures}")
    print(f"shrunk to {steps} steps with {sorted(faults)}; the story:")
    print("\n".join(again.trace[-STORY_LINES_MAX:]))
    case = {
        "invariant": outcome.violation,
        "seed": outcome.seed,
        "steps": steps,
        "faults": sorted(faults),
    }
    REGRESSIONS.mkdir(exist_ok=True)
    path = REGRESSIONS / f"{outcome.violation}-{outcome.seed}.json"
    path.write_text(json.dumps(case, indent=2) + "\n")
    print(f"kept as {path.name}; rename it after the bug once that is known")


if __name__ == "__main__":
    sys.exit(main())
