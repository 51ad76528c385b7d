"""`status --follow`: wait until the first import, or the full refresh, has had every location."""

from dataclasses import replace

from cli.command import Operator
from cli.progress import progress
from cli.text import span
from inventory_sync.domain.import_head import ImportHead
from inventory_sync.domain.manifest import Manifest
from inventory_sync.domain.refresh import RefreshProgress, waits

POLL_SECONDS = 15
NOT_BEGUN = "the first import has not begun"


def follow(operator: Operator, minutes: int) -> Operator:
    """For at most so long; the operator as of then. What is held is not waited for."""
    connect = operator.stack.connect
    until = connect.monotonic() + 60 * minutes
    with progress(NOT_BEGUN) as line:
        while connect.monotonic() < until:
            waiting = _waiting(operator)
            if waiting == "":
                break
            line.say(waiting)
            connect.sleep(POLL_SECONDS)
            operator = replace(operator, now=connect.now())
    return operator


def _waiting(operator: Operator) -> str:
    """What it waits for, in words; empty where no location is waited for any more."""
    head = operator.stack.head.head()
    if head.finished_run_id is None:
        return _of_run(head) or NOT_BEGUN
    manifest = operator.stack.files.manifest(head.finished_run_id)
    places = operator.store.locations().values()
    imported = [place.location_id for place in places if place.enabled]
    held = operator.store.holds().keys() | operator.store.operator_holds().keys()
    if not any(
        _waits(manifest, location_id) for location_id in imported if location_id not in held
    ):
        return ""
    found = RefreshProgress.of(manifest, imported, operator.now)
    of_all = f"{found.refreshed} of {found.locations} locations"
    left = "" if found.time_left is None else f", about {span(found.time_left)} left"
    return f"every row of {of_all} sent{left}; {_of_run(head)}"


def _waits(manifest: Manifest, location_id: str) -> bool:
    entry = manifest.locations.get(location_id)
    return entry is None or waits(entry, manifest.refresh_since)


def _of_run(head: ImportHead) -> str:
    return f"run {head.run.run_id} is {head.run.state}" if head.run else ""
