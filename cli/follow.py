"""`status --follow`: wait until the first import, or the full refresh, has had every location."""

from dataclasses import replace
from datetime import datetime

from cli.command import Operator
from cli.glance import Glance, glance_at
from cli.mode import mode_of
from cli.output import refusal
from cli.progress import progress
from cli.text import span
from inventory_sync.domain.import_head import ImportHead
from inventory_sync.domain.manifest import Manifest
from inventory_sync.domain.refresh import RefreshProgress, waits

POLL_SECONDS = 15
NOT_BEGUN = "the first import has not begun"


def follow(operator: Operator, minutes: int) -> Operator:
    """For at most so long; the operator as of then. What is held is not waited for.

    RefusedError where the stack is a shadow.
    """
    if mode_of(operator).is_shadow:
        raise refusal("this stack is a shadow: no import comes; see `status` and `shadow report`")
    connect, glance = operator.stack.connect, None
    until = connect.monotonic() + 60 * minutes
    with progress(NOT_BEGUN) as line:
        while connect.monotonic() < until:
            glance = glance_at(operator, glance)
            waiting = _waiting(operator.now, glance)
            if waiting == "":
                break
            line.say(waiting)
            connect.sleep(POLL_SECONDS)
            operator = replace(operator, now=connect.now())
    return operator


def _waiting(now: datetime, glance: Glance) -> str:
    """What it waits for, in words; empty where no location is waited for any more."""
    manifest, imported = glance.manifest, glance.imported
    if manifest is None:
        return _of_run(glance.head) or NOT_BEGUN
    held = glance.holds.keys() | glance.operator_holds.keys()
    if not any(
        _waits(manifest, location_id) for location_id in imported if location_id not in held
    ):
        return ""
    found = RefreshProgress.of(manifest, imported, now)
    of_all = f"{found.refreshed} of {found.locations} locations"
    left = "" if found.time_left is None else f", about {span(found.time_left)} left"
    return f"every row of {of_all} sent{left}; {_of_run(glance.head)}"


def _waits(manifest: Manifest, location_id: str) -> bool:
    entry = manifest.locations.get(location_id)
    return entry is None or waits(entry, manifest.refresh_since)


def _of_run(head: ImportHead) -> str:
    return f"run {head.run.run_id} is {head.run.state}" if head.run else ""
