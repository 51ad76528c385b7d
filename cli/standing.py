"""How a row stands now: what holds it or its location, and when the ERP was last read."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from cli.command import Operator
from cli.text import instant
from inventory_sync.domain.errors import InventorySyncError
from inventory_sync.domain.holds import ALL_IMPORTS
from inventory_sync.domain.manifest import Basis
from inventory_sync.use_cases.explain_quantity import Explanation


@dataclass(frozen=True)
class Standing:
    """Figures for scripts, lines for people."""

    figures: dict[str, Any] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)


def standing(operator: Operator, found: Explanation) -> Standing:
    """Of an explained row; it is about now, whatever moment was explained."""
    holds = holds_of(operator, found.location_id)
    read = _last_read(operator, found.location_id)
    mispicks: list[dict[str, Any]] = [
        {
            "fulfillment_request_id": e.event.fulfillment_request_id,
            "units": e.event.mispicked.count(found.product_id),
            "since": e.event.published_at,
        }
        for e in found.mispicks
    ]
    told = [
        f"Mispick: {one['units']} of request {one['fulfillment_request_id']} not found since"
        f" {instant(one['since'])}; see `holds mispicks`"
        for one in mispicks
    ]
    return Standing(
        {**holds.figures, **read.figures, "mispicks": mispicks},
        [*holds.lines, *told, *read.lines],
    )


def holds_of(operator: Operator, location_id: str) -> Standing:
    """By guards and by operators, be it of all imports."""
    held = list(_holds(operator, location_id))
    lines = [
        f"Held: {one['kind']} since {instant(one['since'])}: {one['figures']}; see `holds list`"
        for one in held
    ]
    return Standing({"holds": held}, lines)


def _holds(operator: Operator, location_id: str) -> Iterator[dict[str, Any]]:
    by_operator = operator.store.operator_holds()
    for key, kind in ((ALL_IMPORTS, "imports are paused"), (location_id, "operator")):
        if hold := by_operator.get(key):
            yield {"kind": kind, "since": hold.at, "figures": f"{hold.who}: {hold.why}"}
    if found := operator.store.holds().get(location_id):
        for reason in found.holds:
            if not (reason.kind == "operator" and location_id in by_operator):
                yield {"kind": reason.kind, "since": found.since, "figures": reason.figures}


def _last_read(operator: Operator, location_id: str) -> Standing:
    """By the last finished import, and what kept the last run from it."""
    head = operator.stack.head.head()
    why = head.run.left_out.get(location_id, "") if head.run else ""
    unknown = {"last_read_as_of": None, "not_read": why or None}
    if head.finished_run_id is None:
        return Standing(unknown)
    try:
        manifest = operator.stack.files.manifest(head.finished_run_id)
    except InventorySyncError as error:
        return Standing(unknown, [f"Last read: not known: {error}"])
    entry = manifest.locations.get(location_id)
    if entry is None:
        return Standing(unknown)
    rolled = entry.basis is Basis.ROLLED_FORWARD
    line = f"Last read: the ERP's stock as of {instant(entry.as_of)}"
    line += f"; the last run did without: {why}" if why else ""
    line += "; rolled forward since" if rolled and not why else ""
    return Standing({"last_read_as_of": entry.as_of, "not_read": why or None}, [line])
