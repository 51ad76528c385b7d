"""Guards over a snapshot: what of it is not believed, row by row and as a whole."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from inventory_sync.domain.guards import Hold, HoldKind
from inventory_sync.domain.stock import StockSnapshot, Units, totals_of
from inventory_sync.domain.wording import counted

AHEAD_MAX = timedelta(hours=1)
"""How far an ERP's clock may be ahead of ours; a wrong time zone is more than that."""
ROWS_HELD_SHARE_MAX = 0.1
ROWS_HELD_MIN, ROWS_HELD_MAX = 4, 50
"""So many rows of a location may be held alone whatever their share, and at the most."""


@dataclass(frozen=True, slots=True)
class GuardLimits:
    """Shares are of the last finished import's products and units at the location, 0 to 1."""

    fall_share_max: float = 0.5
    fall_units_min: int = 20
    rise_factor_max: int = 10
    row_rise_factor_max: int = 100
    rise_units_min: int = 1_000
    quantity_units_max: int = 1_000_000
    stock_age_max: timedelta = timedelta(hours=36)


@dataclass(frozen=True, slots=True)
class Doubts:
    """What speaks against a snapshot: of the location, and of single rows."""

    location: tuple[Hold, ...] = ()
    rows: tuple[Hold, ...] = ()

    @property
    def all(self) -> tuple[Hold, ...]:
        """Of both."""
        return (*self.location, *self.rows)


def check_snapshot(
    snapshot: StockSnapshot,
    last: Mapping[str, Units] | None,
    limits: GuardLimits,
    *,
    keeps_unlisted: bool = False,
) -> Doubts:
    """Every guard that its rows trip, each named once with its figures.

    `last` are the quantities of the last finished import, None without one. With `keeps_unlisted`
    products that are not listed keep theirs: then only what is listed can have fallen.
    """
    doubted = _doubted_rows(snapshot, last or {}, limits)
    if len(doubted) > _rows_held_max(snapshot):
        whole = _compared(snapshot.on_hand_units, last, limits, keeps_unlisted=keeps_unlisted)
        return Doubts((*_of_many_rows(doubted, snapshot), *whole))
    if not snapshot.on_hand_units and not snapshot.unreadable:
        return Doubts(_empty(last, limits, keeps_unlisted=keeps_unlisted), doubted)
    rows: Mapping[str, Units] = snapshot.on_hand_units
    if doubted:
        before, held = last or {}, {hold.product_id for hold in doubted} - snapshot.unknown.keys()
        rows = {**rows, **{product: before.get(product, 0) for product in held}}
    return Doubts(_compared(rows, last, limits, keeps_unlisted=keeps_unlisted), doubted)


def check_as_of(
    as_of: datetime, shown_up_to: datetime | None, apply_lag: timedelta, *, now: datetime
) -> tuple[Hold, ...]:
    """A snapshot has to show all that the last one did: what was closed since counts on it.

    One that is dated ahead would count as showing what is booked until then.
    """
    if as_of - now > AHEAD_MAX:
        return (Hold(HoldKind.SNAPSHOT_AHEAD, f"as of {as_of}, which is ahead of {now}"),)
    if shown_up_to is not None and as_of - apply_lag < shown_up_to:
        figures = (
            f"as of {as_of} less an apply lag of {apply_lag} (ApplyLagSeconds, or the ERP's own),"
            f" the last one showed all up to {shown_up_to}"
        )
        return (Hold(HoldKind.SNAPSHOT_OLDER, figures),)
    return ()


def check_age(as_of: datetime, limits: GuardLimits, *, now: datetime) -> tuple[Hold, ...]:
    """Stock that nobody has renewed for too long."""
    if now - as_of <= limits.stock_age_max:
        return ()
    hours = limits.stock_age_max // timedelta(hours=1)
    return (Hold(HoldKind.SNAPSHOT_STALE, f"as of {as_of}, more than {hours} hours old"),)


def _empty(
    last: Mapping[str, Units] | None, limits: GuardLimits, *, keeps_unlisted: bool
) -> tuple[Hold, ...]:
    """Below the minimum of a fall no row at all is an answer: small locations sell out."""
    if keeps_unlisted and last:
        figures = "the ERP listed no row, and what it leaves out need not be none"
        return (Hold(HoldKind.SNAPSHOT_INCOMPLETE, figures),)
    if last is not None:
        units = totals_of(last).units
        if units == 0 or max(units, len(last)) < limits.fall_units_min:
            return ()
    return (Hold(HoldKind.SNAPSHOT_EMPTY, "the ERP listed no row"),)


def _doubted_rows(
    snapshot: StockSnapshot, last: Mapping[str, Units], limits: GuardLimits
) -> tuple[Hold, ...]:
    """In order of the products. What was let through once is not doubted for the same again."""
    totals = snapshot.totals
    found = [
        Hold(HoldKind.ROW_UNREADABLE, f"its figure {fault}", product_id=product)
        for product, fault in sorted(snapshot.unreadable.items())
    ]
    found += [
        Hold(HoldKind.ROW_UNREADABLE, fault, product_id=row)
        for row, fault in sorted(snapshot.unknown.items())
    ]
    if totals.plain and totals.highest < limits.rise_units_min:
        return tuple(found)
    for product, units in snapshot.on_hand_units.items():
        if type(units) is int and units < limits.rise_units_min:
            continue
        before = last.get(product, 0)
        if kind := _doubt(units, before, limits):
            found.append(
                Hold(kind, f"{units} now, {before} at the last import", int(units), product)
            )
    return tuple(sorted(found, key=lambda hold: hold.product_id))


def _doubt(units: Units, before: Units, limits: GuardLimits) -> HoldKind | None:
    if units > limits.quantity_units_max >= before:
        return HoldKind.ABSURD
    enough = units >= limits.rise_units_min and before >= 1
    if enough and units >= limits.row_rise_factor_max * before:
        return HoldKind.ROW_ROSE
    if units > 0 and units != int(units) and before == int(before):
        return HoldKind.FRACTIONAL
    return None


def _rows_held_max(snapshot: StockSnapshot) -> int:
    share = int(ROWS_HELD_SHARE_MAX * _listed(snapshot))
    return max(ROWS_HELD_MIN, min(ROWS_HELD_MAX, share))


def _listed(snapshot: StockSnapshot) -> int:
    return len(snapshot.on_hand_units) + len(snapshot.unreadable) + len(snapshot.unknown)


def _of_many_rows(doubted: tuple[Hold, ...], snapshot: StockSnapshot) -> list[Hold]:
    """One for each kind, with the first row."""
    listed = _listed(snapshot)
    holds = []
    for kind in sorted({hold.kind for hold in doubted}):
        rows = [hold for hold in doubted if hold.kind is kind]
        first = f"the first {rows[0].product_id!r}: {rows[0].figures}"
        figures = f"{len(rows)} of {counted(listed, 'row')}, {first}"
        holds.append(Hold(kind, figures, snapshot.totals.units))
    return holds


def _compared(
    rows: Mapping[str, Units],
    last: Mapping[str, Units] | None,
    limits: GuardLimits,
    *,
    keeps_unlisted: bool,
) -> tuple[Hold, ...]:
    """With the last import, by its products.

    What came elsewhere does not make up for what is gone, and new products are no rise.
    """
    if last is None:
        return ()
    if keeps_unlisted:
        rows = {**last, **rows}
    units, units_before = totals_of(rows).units, totals_of(last).units
    vanished = len(last.keys() - rows.keys())
    gone = int(
        sum(
            before - max(0, now)
            for product, before in last.items()
            if (now := rows.get(product, 0)) < before and before > 0
        )
    )
    allowed = f"allowed fall {limits.fall_share_max:.0%}"
    holds = []
    if _too_many(vanished, len(last), limits):
        figures = f"{vanished} of {counted(len(last), 'product')} of the last import are not listed"
        others = len(rows.keys() - last.keys())
        figures += f" any more, {counted(others, 'other')} are; {allowed}"
        holds.append(Hold(HoldKind.PRODUCTS_VANISHED, figures, units))
    if _too_many(gone, units_before, limits):
        left = f"{units_before - gone} of {counted(units_before, 'unit')} of the last import"
        holds.append(Hold(HoldKind.UNITS_FELL, f"{left} are left; {allowed}", units))
    of_last = sum(max(0, int(rows.get(product, 0))) for product in last)
    rose = of_last - units_before
    if 0 < units_before * limits.rise_factor_max <= of_last and rose >= limits.rise_units_min:
        figures = f"{of_last} now, {counted(units_before, 'unit')} at the last import"
        figures += f"; allowed rise {limits.rise_factor_max}-fold"
        holds.append(Hold(HoldKind.UNITS_ROSE, figures, units))
    return tuple(holds)


def _too_many(lost: int, before: int, limits: GuardLimits) -> bool:
    return lost > limits.fall_share_max * before and lost >= limits.fall_units_min
