"""Up to which logical timestamp a run states stock, and the range that it releases."""

from inventory_sync.domain.cut import (
    LocationCut,
    LogicalRange,
    choose_cut_end,
    outlier_timestamp,
)
from inventory_sync.domain.events import OpenEvent, logical_timestamp
from inventory_sync.use_cases.import_stock.build_import.context import ImportContext


def choose_cut(context: ImportContext, blocked: frozenset[str]) -> int:
    """The cut end, from the open events of all locations that are in the run or `blocked`.

    A run without any location, where nothing can be sent, releases nothing more.
    """
    places = context.places()
    if not places:
        return context.previous.cut_end
    floor, now = _floor(context), context.run.planned_at
    imported = frozenset(place.location_id for place in places)
    return choose_cut_end(
        _concerned(context, blocked),
        settled_before=now - context.settings.settle,
        floor=floor,
        blocked=blocked,
        below=context.unstored.ceilings(now, floor=floor, imported=imported),
    )


def has_outlier(context: ImportContext, blocked: frozenset[str]) -> bool:
    """Whether the cut end stays below a logical timestamp that one request alone shows."""
    return outlier_timestamp(_concerned(context, blocked), _floor(context)) is not None


def released_range(context: ImportContext, cut: LocationCut, *, anew: bool) -> LogicalRange:
    """From what is released already, or from a late event where one is being corrected.

    The range that passed over a late event may not have released it: where NewStore lets a range
    act on the locations of its file, the event's location need not have been in one. One less than
    the event's own, in case the start is not included. For the same reason a location that was in
    no import yet under its node, `anew`, starts where the first range did.
    """
    starts = [context.previous.cut_end]
    if anew:
        starts.append(context.settings.first_logical_timestamp)
    starts += (max(0, logical_timestamp(ref) - 1) for ref in cut.late)
    return LogicalRange(min(starts), cut.cut_end)


def _floor(context: ImportContext) -> int:
    return max(context.previous.cut_end, context.unfinished.cut_end)


def _concerned(context: ImportContext, blocked: frozenset[str]) -> list[OpenEvent]:
    ids = {place.location_id for place in context.places()} | blocked
    return [e for i in sorted(ids) for e in context.open_events.get(i, [])]
