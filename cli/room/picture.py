"""One moment of a stack as the page shows it: plain values, ready for JSON."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from cli.room.reading import Drift, Promise, Reading, Tile
from cli.room.status import Status, status_of
from cli.shadow_now import ShadowNow
from inventory_sync.domain.events import FulfillmentEvent, OpenEvent
from inventory_sync.domain.guards import APPROVABLE
from inventory_sync.domain.holds import LocationHold
from inventory_sync.domain.import_run import ImportRun
from inventory_sync.domain.inbound import QuarantinedCompletion, short_entry_id
from inventory_sync.domain.reading import ReleaseReading
from inventory_sync.domain.stock import StockKey

Stage = Literal["under_way", "stored", "refused", "booked", "done"]

CLOSED_MAX = 100
"""Of the events that are through, only the latest are shown."""
RUNS_MAX = 20
SHADOW_ROWS_MAX = 200
UNSTORED_MAX = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class StockRow:
    """One location and product, in units; None where nobody can be asked.

    `promisable_units` is what may be promised: what is on the shelf less the open allocations.
    """

    location: str
    product: str
    held: bool
    erp_units: int | None
    on_hand_units: int | None
    open_allocations: int | None
    completed_unreleased: int | None
    atp_units: int | None
    shelf_units: int | None
    promisable_units: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class EventMark:
    """One event and how far it has come; `name` is assigned, items_completed or items_failed."""

    logical_timestamp: int
    name: str
    request: str
    location: str
    products: tuple[str, ...]
    published_at: str
    stage: Stage
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunLine:
    """One import run; `read` is of how many locations it has read the stock."""

    run_id: str
    state: str
    planned_at: str
    full: bool
    cut_end: int
    rows: int
    read: int
    failure: str
    left_out: Mapping[str, str]
    job_errors: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldLocation:
    """One held location; `reasons` are kind, figures, and whether an operator may approve it."""

    location: str
    since: str
    reasons: tuple[tuple[str, str, bool], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mispick:
    """Units of one row that were not on their shelf, by events that are still open."""

    location: str
    product: str
    units: int
    since: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UnstoredLine:
    """A shipment in quarantine that no stored event reports; `entry` is what commands find it by.

    `location` is empty, and `logical_timestamp` None, where it could not be read.
    """

    entry: str
    location: str
    logical_timestamp: int | None
    since: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseLine:
    """The reading that the last import went by, and how many rows NewStore has shown for each."""

    reading: str
    for_range: int
    for_immediate: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ShadowRow:
    """A row whose promise is not what it should be; `certain` of `too_many`, whatever was booked.

    `would_send` is the stock that the adapter would have sent at that look.
    """

    location: str
    product: str
    atp_units: int
    should_be: int
    would_send: int
    too_many: int
    certain: int
    too_few: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ShadowLine:
    """What the last look at each location saw; `rows` are the costliest of `differing`."""

    at: str | None
    locations: int
    compared: int
    differing: int
    in_words: str
    rows: tuple[ShadowRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """Instants are ISO 8601 in UTC; `told` is what happened just before.

    `by_search`: rows are looked up one by one, for there may be millions. `shadow` is None where
    the stack is live.
    """

    at: str
    told: str
    status: Status
    truth_known: bool
    by_search: bool
    watermark: int | None
    open_count: int | None
    quarantined: int | None
    tiles: tuple[Tile, ...]
    missed: tuple[bool, ...]
    drifts: tuple[Drift, ...]
    refresh: str
    shadow: ShadowLine | None
    erp_down_until: str | None
    rows: tuple[StockRow, ...]
    events: tuple[EventMark, ...]
    runs: tuple[RunLine, ...]
    holds: tuple[HeldLocation, ...]
    mispicks: tuple[Mispick, ...]
    unstored: tuple[UnstoredLine, ...]
    unstored_count: int
    release: ReleaseLine

    def to_json(self) -> dict[str, Any]:
        """Fields by name; no field of it is anything JSON does not have."""
        return asdict(self)


def picture(reading: Reading, told: str = "") -> Picture:
    """The same reading always gives the same picture."""
    down = reading.erp_down_until
    return Picture(
        at=reading.at.isoformat(),
        told=told,
        status=status_of(reading),
        truth_known=reading.truth is not None,
        by_search=reading.concerns is not None,
        watermark=reading.watermark,
        open_count=reading.open_count,
        quarantined=reading.quarantined,
        tiles=reading.tiles,
        missed=tuple(tile.missed for tile in reading.tiles),
        drifts=reading.drifts,
        refresh=reading.refresh,
        shadow=None if reading.shadow is None else _shadow(reading.shadow),
        erp_down_until=None if down is None else down.isoformat(),
        rows=tuple(_rows(reading)),
        events=tuple(
            sorted(_events(reading), key=lambda mark: (mark.logical_timestamp, mark.name))
        ),
        runs=tuple(_run(run) for run in reading.runs[:RUNS_MAX]),
        holds=tuple(_hold(hold) for _, hold in sorted(reading.holds.items())),
        mispicks=tuple(_mispicks(reading)),
        unstored=tuple(map(_unstored, reading.unstored[:UNSTORED_MAX])),
        unstored_count=len(reading.unstored),
        release=_release(reading),
    )


def _rows(reading: Reading) -> Iterator[StockRow]:
    shelf = reading.truth.shelf_units if reading.truth else {}
    for key in sorted({*reading.promises, *reading.erp_units, *shelf}):
        yield _row(reading, key, reading.promises.get(key), shelf.get(key))


def _row(reading: Reading, key: StockKey, promise: Promise | None, shelf: int | None) -> StockRow:
    open_allocations = promise.open_allocations if promise else None
    return StockRow(
        location=key[0],
        product=key[1],
        held=key[0] in reading.holds,
        erp_units=reading.erp_units.get(key),
        on_hand_units=promise.on_hand_units if promise else None,
        open_allocations=open_allocations,
        completed_unreleased=promise.completed_unreleased if promise else None,
        atp_units=promise.atp_units if promise else None,
        shelf_units=shelf,
        promisable_units=None if shelf is None else shelf - (open_allocations or 0),
    )


def _events(reading: Reading) -> Iterator[EventMark]:
    for stored in reading.open_events:
        yield _mark(stored.event, *_stage(stored, reading.watermark))
    if reading.truth is not None:
        for event in reading.truth.under_way:
            yield _mark(event, "under_way")
        latest = sorted(reading.truth.closed, key=lambda closed: closed.received_at)[-CLOSED_MAX:]
        for closed in latest:
            yield _mark(closed.event, "done")


def _stage(stored: OpenEvent, watermark: int | None) -> tuple[Stage, str]:
    if stored.rejected_reason is not None:
        return "refused", stored.rejected_reason
    event = stored.event
    released = event.completed and event.logical_timestamp <= (
        -1 if watermark is None else watermark
    )
    note = "already released at NewStore" if released else ""
    return ("stored" if stored.applied_at is None else "booked"), note


def _mark(event: FulfillmentEvent, stage: Stage, note: str = "") -> EventMark:
    return EventMark(
        logical_timestamp=event.logical_timestamp,
        name=event.name.rpartition(".")[2],
        request=event.fulfillment_request_id,
        location=event.location_id,
        products=tuple(item.product_id for item in event.items),
        published_at=event.published_at.isoformat(),
        stage=stage,
        note=note,
    )


def _shadow(shadow: ShadowNow) -> ShadowLine:
    differing = shadow.differing()
    rows = (
        ShadowRow(
            location=look.location_id,
            product=row.product_id,
            atp_units=row.atp,
            should_be=row.should_be,
            would_send=row.would_send,
            too_many=row.too_much,
            certain=row.certain,
            too_few=row.too_little,
        )
        for look, row in differing[:SHADOW_ROWS_MAX]
    )
    return ShadowLine(
        at=shadow.at.isoformat() if shadow.at else None,
        locations=len(shadow.looks),
        compared=shadow.rows,
        differing=len(differing),
        in_words=shadow.in_words,
        rows=tuple(rows),
    )


def _run(run: ImportRun) -> RunLine:
    return RunLine(
        run_id=run.run_id,
        state=run.state.value,
        planned_at=run.planned_at.isoformat(),
        full=run.full,
        cut_end=run.cut_end,
        rows=run.rows,
        read=run.snapshots,
        failure=run.failure,
        left_out=dict(run.left_out),
        job_errors=tuple(f"{error.entity_id}: {error.reason}" for error in run.job_errors),
    )


def _mispicks(reading: Reading) -> Iterator[Mispick]:
    found: dict[StockKey, list[OpenEvent]] = defaultdict(list)
    for open_event in reading.open_events:
        for product in open_event.event.mispicked:
            found[StockKey(open_event.event.location_id, product)].append(open_event)
    for (location, product), events in sorted(found.items()):
        since = min(open_event.event.published_at for open_event in events)
        yield Mispick(
            location=location, product=product, units=len(events), since=since.isoformat()
        )


def _unstored(one: QuarantinedCompletion) -> UnstoredLine:
    return UnstoredLine(
        entry=short_entry_id(one.entry_id),
        location=one.completion.location_id,
        logical_timestamp=one.completion.logical_timestamp,
        since=one.received_at.isoformat(),
    )


def _release(reading: Reading) -> ReleaseLine:
    last = next((run.reading for run in reading.runs if run.reading is not None), None)
    return ReleaseLine(
        reading=last.value if last else "",
        for_range=reading.release.rows_for(ReleaseReading.RANGE),
        for_immediate=reading.release.rows_for(ReleaseReading.IMMEDIATE),
    )


def _hold(hold: LocationHold) -> HeldLocation:
    reasons = tuple((h.kind.value, h.in_words, h.kind in APPROVABLE) for h in hold.holds)
    return HeldLocation(location=hold.location_id, since=hold.since.isoformat(), reasons=reasons)
