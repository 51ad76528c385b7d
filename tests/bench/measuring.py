"""What all measurements share: figures with goals, interleaved runs, processes of their own."""

import json
import math
import os
import statistics
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")
ROOT = Path(__file__).resolve().parents[2]
SOURCES = os.pathsep.join([str(ROOT / "layers" / "inventory_sync"), str(ROOT)])


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One line of the report.

    `baseline` is in the same unit and from the same run. The goal is the most that the ratio may
    be, or the value where there is no baseline; None where nothing was asked.
    """

    name: str
    value: float
    unit: str
    baseline: float | None = None
    goal: float | None = None

    @property
    def ratio(self) -> float | None:
        """Of value to baseline; None without one."""
        return self.value / self.baseline if self.baseline else None

    @property
    def met(self) -> bool | None:
        """None where there is no goal."""
        if self.goal is None:
            return None
        return (self.value if self.ratio is None else self.ratio) <= self.goal

    def entry(self) -> dict[str, object]:
        """As it stands in build/bench.json."""
        return {
            "name": self.name,
            "value": self.value,
            "unit": self.unit,
            "baseline": self.baseline,
            "ratio": self.ratio,
            "goal": self.goal,
            "met": self.met,
        }


def interleaved(ways: Mapping[str, Callable[[], T]], rounds: int) -> dict[str, list[T]]:
    """Round by round, so that what else the machine does hits all ways alike."""
    found: dict[str, list[T]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            found[name].append(way())
    return found


def medians(runs: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Of each figure by itself."""
    return {name: statistics.median(run[name] for run in runs) for name in runs[0]}


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least `share` of all do not exceed; 0.99 for p99."""
    return sorted(values)[math.ceil(share * len(values)) - 1]


def in_a_process(
    module: str,
    *arguments: object,
    python: Sequence[str] = (sys.executable,),
    environment: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """What `python -m module` prints, a JSON object; by default over the sources, as they are."""
    done = subprocess.run(
        [*python, "-m", module, *map(str, arguments)],
        check=True,
        cwd=ROOT,
        env={**(environment or {**os.environ, "PYTHONPATH": SOURCES})},
        stdout=subprocess.PIPE,
        text=True,
    )
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer
