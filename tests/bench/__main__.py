"""`make bench`: interleaved runs, medians, every ratio from one run; writes build/bench.json."""

import json
import statistics
import subprocess
import sys
from pathlib import Path

REPORT = Path("build/bench.json")
ROUNDS = 3
ROWS = 1_000_000
SIZES = (100_000, 1_000_000)


def measure(way: str, rows: int) -> dict[str, float]:
    """One run in a process of its own."""
    command = [sys.executable, "-m", "tests.bench.builds", way, str(rows)]
    answer = subprocess.run(command, check=True, capture_output=True, text=True)
    result: dict[str, float] = json.loads(answer.stdout)
    return result


def medians(ways: list[tuple[str, int]]) -> dict[tuple[str, int], dict[str, float]]:
    """Round by round, so that what else the machine does hits all alike."""
    runs: dict[tuple[str, int], list[dict[str, float]]] = {way: [] for way in ways}
    for _ in range(ROUNDS):
        for way in ways:
            runs[way].append(measure(*way))
    return {
        way: {name: statistics.median(run[name] for run in found) for name in found[0]}
        for way, found in runs.items()
    }


def row(name: str, value: float, unit: str, baseline: float) -> dict[str, object]:
    """One line of the report."""
    ratio = round(value / baseline, 3)
    return {"name": name, "value": value, "unit": unit, "baseline": baseline, "ratio": ratio}


def main() -> None:
    """Measure, print, write."""
    ways = [("usual", ROWS), ("ours", ROWS), ("floor", ROWS), ("delta", ROWS), ("ours", SIZES[0])]
    found = medians(ways)
    ours, usual = found["ours", ROWS], found["usual", ROWS]
    small, delta = found["ours", SIZES[0]], found["delta", ROWS]
    floor = found["floor", ROWS]["cpu_seconds"]
    cpu, peak = ours["cpu_seconds"], ours["peak_bytes"]
    report = [
        row("full build against the usual way", cpu, "CPU s", usual["cpu_seconds"]),
        row("full build against the floor", cpu, "CPU s", floor),
        row("full build, peak memory against the usual way", peak, "bytes", usual["peak_bytes"]),
        row("peak memory at 1,000,000 against 100,000 rows", peak, "bytes", small["peak_bytes"]),
        row("delta of 1,000 changes against the full build", delta["cpu_seconds"], "CPU s", cpu),
        row("rows a delta of 1,000 changes sends", delta["rows"], "rows", 1000),
    ]
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_text(json.dumps(report, indent=2) + "\n")
    for line in report:
        print(f"{line['name']:50} {line['value']:14,.2f} {line['unit']:6} ratio {line['ratio']}")


if __name__ == "__main__":
    main()
