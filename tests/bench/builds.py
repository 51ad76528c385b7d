"""Ways to make an import's archive from the same rows; each runs in a process of its own.

`python -m tests.bench.builds WAY ROWS` prints CPU seconds, peak memory and rows sent as JSON.
Ours is measured on top of a finished import, with which it compares.
"""

import json
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path

from tests.bench.generated import CHANGED_ROWS, SHIPPED_UNITS
from tests.bench.other_ways import floor, rows_alone, usual_way
from tests.bench.reading import exported, open_events, pages

OTHERS: dict[str, Callable[[int], int]] = {
    "usual": usual_way,
    "floor": floor,
    "rows": rows_alone,
    "pages": pages,
    "open_events": open_events,
    "exported": exported,
}


def main() -> None:
    """Run one way once."""
    way, rows = sys.argv[1], int(sys.argv[2])
    found = other(OTHERS[way], rows) if way in OTHERS else ours(way, rows)
    sys.stdout.write(json.dumps({**found, "peak_bytes": peak_bytes()}) + "\n")


def other(way: Callable[[int], int], rows: int) -> dict[str, float]:
    """Once, from nothing."""
    started = time.process_time()
    sent = way(rows)
    return {"rows": sent, "cpu_seconds": time.process_time() - started}


def ours(way: str, rows: int) -> dict[str, float]:
    """`full`, `delta` (all rows read, few changed), `feed` (a delta of what a feed names) or

    `fan_out` (a delta whose reads were kept before; reading and keeping them count).
    """
    from tests.bench.build_world import build_world

    with build_world(rows, fed=way == "feed", fan_out=way == "fan_out") as build:
        build.read_all()
        build("base", None, full=True)
        if way != "full":
            build.change(rows=CHANGED_ROWS, shipped=SHIPPED_UNITS)
        build.s3.calls.clear()
        started = time.process_time()
        build.read_all()
        run = build("run", "base", full=way == "full")
        passed = time.process_time() - started
        sizes = {
            "archive_bytes": _size(build.folder / "imports" / "run"),
            "manifest_bytes": _size(build.folder / "runs" / "run" / "manifest.json"),
            "requests": build.s3.calls.total(),
            "ledger_bytes": _size(build.folder / "ledger" / "STORE-00000" / "run.json.gz"),
        }
    return {"rows": run.rows, "cpu_seconds": passed, **sizes}


def _size(path: Path) -> int:
    """Of a file, or of those in a folder."""
    files = path.iterdir() if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files)


def peak_bytes() -> float:
    """Of this process's own memory: getrusage's figure is at least what its parent had."""
    status = Path("/proc/self/status")
    if status.exists():
        [line] = (line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return float(line.split()[1]) * 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return float(peak if sys.platform == "darwin" else peak * 1024)


if __name__ == "__main__":
    main()
