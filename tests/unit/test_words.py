"""One word for one thing: words that the glossary has replaced do not come back."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
GLOSSARY = ROOT / "docs" / "glossary.md"
READ = frozenset({".py", ".md", ".yaml", ".yml", ".html", ".js", ".css", ".toml", ".sh", ""})
NOT_READ = ("docs/decisions/", "CHANGELOG.md", "tests/unit/test_words.py")
"""Decisions and the change log may name what is gone."""

REMOVED = {
    r"released_by": "counted_by",
    r"note_(applied|forwarded|rejected|counted)": "mark_applied and its like",
    r"EventDoor": "IngestResources",
    r"StreamDesk": "StreamAdmin",
    r"[Ll]one[ _]leap": "outlier timestamp",
    r"never_told": "without_baseline",
    r"_better_below": "_must_exclude_from_cut",
    r"in_other_hands|in other hands": "claimed by another forwarder",
    r"hand_on|tidy_up": "flush_counts, delete_registration",
    r"[Tt]he watch\b|WatchStream|watch_stream": "the stream check",
    r"SettleRun|settle_run|save_settlement|\bSETTLED\b": "finalize",
    r"serve on\b": "stay valid",
    r"wrong-footed": "late or slow",
    r"may be under way": "may still run",
    r"next tick goes on": "the next tick continues the import",
    r"([Tt]ry|tries) the door|behind the door|at the door": "test the webhook",
    r"[Ss]equence_?[Ss]cope|SEQUENCE_SCOPE|EqualLogicalTimestamps": "nothing: there is one counter",
    r"\"mode\": ?\"atp\"": "on_hand",
    r"/v0/d/stores": "/v0/locations",
    r"(?<![-0-9,.])\b1 (rows|files|units|locations|events|seconds)\b": "the singular",
}
"""As patterns, with what is said instead."""


def files() -> list[Path]:
    """What the repository holds as text."""
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout.split("\n")
    return [
        ROOT / name
        for name in listed
        if name and not name.startswith(NOT_READ) and Path(name).suffix in READ
    ]


@pytest.fixture(scope="module")
def lines() -> list[tuple[str, str]]:
    """Each line with where it stands."""
    return [
        (f"{path.relative_to(ROOT)}:{number}", line)
        for path in files()
        if path.is_file()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
    ]


@pytest.mark.parametrize("pattern", REMOVED)
def test_a_removed_word_does_not_come_back(pattern: str, lines: list[tuple[str, str]]) -> None:
    found = [f"{where}: {line.strip()[:90]}" for where, line in lines if re.search(pattern, line)]

    assert not found, f"say {REMOVED[pattern]}"


def test_the_patterns_find_what_they_are_meant_for() -> None:
    removed = ["it was released_by", "run, so the next tick goes on with 1 rows"]

    assert sum(bool(re.search(p, text)) for p in REMOVED for text in removed) == 3


def test_the_glossary_fits_a_page_and_names_each_term_once() -> None:
    rows = [line for line in GLOSSARY.read_text(encoding="utf-8").splitlines() if "|" in line]
    terms = [row.split("|")[1].strip() for row in rows[2:]]

    assert len(terms) == len(set(terms)) <= 60
