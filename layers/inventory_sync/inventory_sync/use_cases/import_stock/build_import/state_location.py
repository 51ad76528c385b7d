"""State one location: from what was read of it to what an import sends, as a function of values."""

from collections.abc import Set
from dataclasses import dataclass, replace
from datetime import datetime

from inventory_sync.domain.cut import LocationCut, LogicalRange, cut_snapshot, roll_forward
from inventory_sync.domain.events import OpenEvent
from inventory_sync.domain.locations import Location, Node
from inventory_sync.domain.manifest import (
    Basis,
    FeedPosition,
    KeptLedger,
    Ledger,
)
from inventory_sync.domain.mispick import Mispicks, find_mispicks
from inventory_sync.domain.needed_rows import select_needed_rows
from inventory_sync.domain.repeats import Repeats
from inventory_sync.domain.row_selection import Selection, select_rows
from inventory_sync.domain.run_record import BaseFigures
from inventory_sync.domain.stock import NO_QUANTITIES, LastQuantities
from inventory_sync.domain.stock_reads import StockRead
from inventory_sync.use_cases.import_stock.build_import.choose_cut import released_range
from inventory_sync.use_cases.import_stock.build_import.context import ImportContext
from inventory_sync.use_cases.import_stock.build_import.last_known import Last


@dataclass(frozen=True, slots=True, kw_only=True)
class LocationInputs:
    """All that was read of one location.

    `base` are its quantities as of the last finished import, `kept` those that are known at all:
    where they are lost, no more is known of the rows at NewStore. `anew` says that it was had
    under another node, which is `left_at`, or not at all. `read` is the ERP's stock; None where it
    was not read or is not used: then it is rolled forward from `last`. `unlisted` are the last
    quantities that any run has kept, where a product that the ERP does not list is not gone.
    `events` are its open events, read after its stock, so that every acknowledgement before it is
    known; `unstored` are those in quarantine. `doubtful` rows are sent whatever they were:
    NewStore may have something else. `refresh_from` is the product from which on every row is sent.
    """

    place: Location
    base: Ledger | None
    kept: KeptLedger
    anew: bool
    left_at: Node | None
    read: StockRead | None
    last: Last | None
    unlisted: LastQuantities | None
    events: list[OpenEvent]
    unstored: list[OpenEvent]
    doubtful: frozenset[str]
    refresh_from: str | None


@dataclass(frozen=True, slots=True)
class LeftRows:
    """Products of a location under a node that it has no longer."""

    node: Node
    products: Set[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class LocationStatement:
    """What a run says of one location; `selection` are the rows that it should send.

    `place` is named as it is at NewStore. `left` are rows that are still under the node it had.
    `as_of` is the moment up to which the ERP's bookings are in the quantities; `read` names the
    kept read that they come from, empty where it was made for the run. `in_doubt` are rows that
    NewStore may have, though `base` does not say so. `whole` where none is left out of a refresh.
    """

    place: Location
    base: Ledger | None
    figures: BaseFigures
    as_of: datetime
    cut: LocationCut
    selection: Selection
    mispicks: Mispicks
    released: LogicalRange
    feed: FeedPosition | None
    read: str
    repeats: Repeats | None
    whole: bool = False
    left: LeftRows | None = None
    in_doubt: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class NoBaseline:
    """There is no quantity to state; `passed` says that the cut end is not below its events.

    `lost` says that there was one, which cannot be read.
    """

    location_id: str
    passed: bool
    lost: bool = False


def state_location(
    context: ImportContext, inputs: LocationInputs, cut_end: int
) -> LocationStatement | NoBaseline:
    """The location as of the cut end; nothing is read or written here."""
    if inputs.read is not None:
        return _from_snapshot(context, inputs, inputs.read, cut_end)
    if inputs.last is not None:
        return _rolled_forward(context, inputs, inputs.last, cut_end)
    passed = any(
        e.event.completed
        and e.counted_by is None
        and context.previous.cut_end < e.event.logical_timestamp <= cut_end
        for e in inputs.events
    )
    return NoBaseline(inputs.place.location_id, passed, inputs.kept.lost)


def _from_snapshot(
    context: ImportContext, inputs: LocationInputs, read: StockRead, cut_end: int
) -> LocationStatement:
    snapshot, place, base = read.snapshot, inputs.place, inputs.base
    told = None if inputs.anew else base
    held = _held(read, inputs.last)
    cut = cut_snapshot(
        snapshot,
        inputs.events,
        cut_end=cut_end,
        watermark=context.watermark,
        rule=context.erp.rule,
        read_started_at=read.started_at,
        reading=context.reading,
        unlisted=inputs.unlisted,
        unstored=inputs.unstored,
        held=held,
    )
    listed = snapshot.on_hand_units
    figures = listed if inputs.unlisted is None else {**inputs.unlisted.quantities, **listed}
    if held.quantities:
        figures = {**figures, **held.quantities}
    mispicks = _mispicks(context, inputs, cut, from_snapshot=True)
    doubtful = inputs.doubtful | mispicks.forced
    refresh_from = "" if inputs.kept.lost else inputs.refresh_from
    selection = _selected(context, inputs, cut, told, doubtful, refresh_from=refresh_from)
    left_at = inputs.left_at
    return LocationStatement(
        place=_named(place, place.node(context.listed.get(place.fulfillment_node_id))),
        base=told,
        figures=BaseFigures(Basis.SNAPSHOT, figures, snapshot.as_of),
        as_of=snapshot.as_of - context.erp.rule.apply_lag,
        cut=cut,
        selection=mispicks.applied(selection, cut, doubtful),
        mispicks=mispicks,
        released=released_range(context, cut, anew=inputs.anew),
        feed=FeedPosition(place.erp_location, read.cursor, read.fed_since) if read.cursor else None,
        read=read.version,
        repeats=read.repeats,
        whole=refresh_from is not None,
        left=LeftRows(left_at, inputs.kept.products) if left_at and inputs.kept.ledger else None,
        in_doubt=inputs.doubtful,
    )


def _held(read: StockRead, last: Last | None) -> LastQuantities:
    """Rows of the location that are held, with what they were last; none where nothing was."""
    return (last.ledger.last if last else NO_QUANTITIES).of(read.held)


def _rolled_forward(
    context: ImportContext, inputs: LocationInputs, last: Last, cut_end: int
) -> LocationStatement:
    """Only a snapshot says that a row is gone or has changed by itself: here only units change one.

    It stays under the node that its last quantities are at: what the map calls it now may be wrong.
    """
    cut = roll_forward(
        inputs.place.location_id,
        last.ledger.last,
        inputs.events,
        cut_end=cut_end,
        watermark=context.watermark,
        rule=context.erp.rule,
        reading=context.reading,
        unstored=inputs.unstored,
    )
    mispicks = _mispicks(context, inputs, cut, from_snapshot=False)
    doubtful = inputs.doubtful | mispicks.forced
    selection = _selected(context, inputs, cut, inputs.base, doubtful)
    return LocationStatement(
        place=_named(inputs.place, last.node),
        base=inputs.base,
        figures=BaseFigures(
            Basis.ROLLED_FORWARD, last.ledger.quantities, last.as_of, last.ledger.run_id
        ),
        as_of=last.as_of,
        cut=cut,
        selection=mispicks.applied(selection, cut, doubtful),
        mispicks=mispicks,
        released=released_range(context, cut, anew=not inputs.base),
        feed=None,
        read=entry.read if (entry := context.entry(inputs.place)) else "",
        repeats=last.repeats,
    )


def _selected(
    context: ImportContext,
    inputs: LocationInputs,
    cut: LocationCut,
    told: Ledger | None,
    doubtful: frozenset[str],
    *,
    refresh_from: str | None = None,
) -> Selection:
    """By the reading in force; all that are asked for where the last quantities are lost."""
    if context.only_needed_rows(inputs.place) and not inputs.kept.lost:
        return select_needed_rows(
            cut,
            last=told.last if told else None,
            doubtful=doubtful,
            refresh_from=refresh_from,
            planned_at=context.run.planned_at,
        )
    last_sent = told.quantities if told else None
    return select_rows(cut, last_sent=last_sent, doubtful=doubtful, refresh_from=refresh_from)


def _named(place: Location, node: Node) -> Location:
    """As an import names it."""
    return replace(place, fulfillment_node_id=node.fulfillment_node_id, store_id=node.store_id)


def _mispicks(
    context: ImportContext, inputs: LocationInputs, cut: LocationCut, *, from_snapshot: bool
) -> Mispicks:
    """Whoever asks for a row by name to be sent again says that it is as the ERP has it."""
    asked = context.resends.get(inputs.place.location_id)
    planned_at = context.run.planned_at
    found = asked.products if asked is not None and asked.at <= planned_at else ()
    return find_mispicks(
        cut,
        inputs.events,
        inputs.base.last if inputs.base else None,
        from_snapshot=from_snapshot,
        found_at=dict.fromkeys(found, asked.at) if asked else {},
        now=planned_at,
        rule=context.settings.mispick,
        over_before=inputs.base.mispicks_over if inputs.base else frozenset(),
    )
