"""`make bench ARGS="SECTION ..."`: measures, prints and writes build/bench.json.

Without a section all are measured. Each figure stands beside its goal; what is not met is said and
is no error. Sections measured earlier keep their figures in the file, each with its time.
"""

import json
import os
import platform
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from local.runtime_files import NotBuiltError
from tests.bench import (
    cold_start,
    event_to_erp,
    fan_out,
    full_build,
    load,
    memory,
    room,
    units,
    warm,
)
from tests.bench.measuring import Figure
from tests.contract.engines import EngineMissingError

REPORT = Path("build/bench.json")
SECTIONS: Mapping[str, Callable[[], Iterator[Figure]]] = {
    "cold_start": cold_start.figures,
    "warm": warm.figures,
    "load": load.figures,
    "full_build": full_build.figures,
    "memory": memory.figures,
    "fan_out": fan_out.figures,
    "units": units.figures,
    "event_to_erp": event_to_erp.figures,
    "room": room.figures,
}


def main(chosen: Sequence[str]) -> int:
    """0 with the sections measured, 2 for a section there is none of, or what is missing here."""
    if unknown := sorted(set(chosen) - SECTIONS.keys()):
        print(f"no section {', '.join(unknown)}; there are {', '.join(SECTIONS)}", file=sys.stderr)
        return 2
    try:
        for name in chosen or SECTIONS:
            measure(name)
    except (NotBuiltError, EngineMissingError) as error:
        print(error, file=sys.stderr)
        return 2
    print(f"\nAll figures: {REPORT}")
    return 0


def measure(section: str) -> None:
    """One section, printed line by line, into the report."""
    print(f"\n{section}", flush=True)
    REPORT.parent.joinpath("bench").mkdir(parents=True, exist_ok=True)
    at = datetime.now(UTC).isoformat(timespec="seconds")
    found = []
    for figure in SECTIONS[section]():
        print(tell(figure), flush=True)
        found.append({"section": section, **figure.entry(), "measured_at": at, **machine()})
    earlier = [entry for entry in read_report() if entry["section"] != section]
    order = list(SECTIONS)
    entries = sorted([*earlier, *found], key=lambda entry: order.index(entry["section"]))
    REPORT.write_text(json.dumps(entries, indent=2) + "\n")


def read_report() -> list[dict[str, Any]]:
    """What was measured earlier, of the sections there still are."""
    with suppress(FileNotFoundError):
        entries: list[dict[str, Any]] = json.loads(REPORT.read_text())
        return [entry for entry in entries if entry.get("section") in SECTIONS]
    return []


def machine() -> dict[str, object]:
    """What the figures depend on."""
    return {"python": platform.python_version(), "cores": os.cpu_count()}


def tell(figure: Figure) -> str:
    """A line of the table."""
    compared = ""
    if figure.ratio is not None:
        compared = f"/ {figure.baseline:,.4g} = {figure.ratio:.3f}"
    verdict = ""
    if figure.goal is not None:
        verdict = f"goal {figure.goal:g}: {'met' if figure.met else 'NOT MET'}"
    value = f"{figure.value:,.4g} {figure.unit}"
    return f"  {figure.name:72} {value:>16} {compared:20} {verdict}".rstrip()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
