"""What the lock files pin."""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
SHIPPED = ROOT / "layers" / "inventory_sync" / "requirements.txt"
"""What runs in production; every other lock file is of tools and tests."""

_PIN = re.compile(r"([A-Za-z0-9._-]+)(?:\[[^]]*\])?==([^\s;]+)(?: ; .+?)?(?: \\)?")
_BETWEEN = re.compile(r"\s*#.*|\s+--hash=sha256:[0-9a-f]{64}(?: \\)?|")


class Pin(NamedTuple):
    """One release; `name` is normalised as package indexes do it."""

    name: str
    version: str


def lock_files() -> list[Path]:
    """All of them."""
    return [*sorted((ROOT / "requirements").glob("*.txt")), SHIPPED]


def read_pins(path: Path) -> list[Pin]:
    """Each release once, whatever Python or platform it is for; ValueError for any other line."""
    pins = set()
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if found := _PIN.fullmatch(line):
            pins.add(Pin(re.sub(r"[-_.]+", "-", found[1]).lower(), found[2]))
        elif not _BETWEEN.fullmatch(line):
            raise ValueError(f"{path}:{number}: neither a pin nor a hash; run `make lock`")
    if not pins:
        raise ValueError(f"{path}: pins nothing; run `make lock`")
    return sorted(pins)


def by_pin(paths: Iterable[Path]) -> dict[Pin, list[Path]]:
    """Which of the files have it, in the pins' order."""
    found: dict[Pin, list[Path]] = {}
    for path in paths:
        for pin in read_pins(path):
            found.setdefault(pin, []).append(path)
    return dict(sorted(found.items()))
