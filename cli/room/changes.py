"""What has changed between two moments of a stack that nobody narrates, in a sentence."""

from __future__ import annotations

import re
from collections.abc import Iterator

from cli.room.picture import Picture
from inventory_sync.domain.wording import counted

REASONS_MAX = 2
"""Of a status that says something else, where nothing else has changed."""


def what_changed(before: Picture | None, after: Picture) -> str:
    """Empty where there is nothing to name."""
    if before is None:
        return "The first look."
    told = [text for text in _changes(before, after) if text] or _new_reasons(before, after)
    text = "; ".join(told)
    return f"{text[0].upper()}{text[1:]}." if text else ""


def _changes(before: Picture, after: Picture) -> Iterator[str]:
    known = {run.run_id: run.state for run in before.runs}
    for run in reversed(after.runs[:3]):
        if known.get(run.run_id) != run.state:
            yield f"run {run.run_id} is {run.state.lower()}"
    if before.watermark != after.watermark:
        yield f"the watermark is {after.watermark}"
    held = {hold.location for hold in before.holds}
    holds = {hold.location for hold in after.holds}
    yield from (f"{location} is held" for location in sorted(holds - held))
    yield from (f"{location} is held no more" for location in sorted(held - holds))
    yield _events(before, after)
    if after.shadow and (before.shadow is None or before.shadow.in_words != after.shadow.in_words):
        yield f"the shadow looked at {after.shadow.in_words}"
    if before.quarantined != after.quarantined and after.quarantined is not None:
        yield f"{counted(after.quarantined, 'entry/entries')} in quarantine"


def _new_reasons(before: Picture, after: Picture) -> list[str]:
    known = {_without_figures(reason) for reason in before.status.reasons}
    news = [reason for reason in after.status.reasons if _without_figures(reason) not in known]
    return [reason.rstrip(".") for reason in news[:REASONS_MAX]]


def _without_figures(text: str) -> str:
    """What is said, whatever it counts or however long it has been so."""
    return re.sub(r"[\d,]+", "", text)


def _events(before: Picture, after: Picture) -> str:
    stages = {(e.location, e.logical_timestamp, e.name, e.request): e.stage for e in before.events}
    now = {(e.location, e.logical_timestamp, e.name, e.request): e.stage for e in after.events}
    came = len(now.keys() - stages.keys())
    moved = sum(stages[key] != stage for key, stage in now.items() if key in stages)
    told = [f"{counted(came, 'event')} came"] if came else []
    told += [f"{counted(moved, 'event')} went on"] if moved else []
    return ", ".join(told)
