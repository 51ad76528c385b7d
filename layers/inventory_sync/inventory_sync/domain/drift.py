"""Drift: by how much NewStore's promise differs from the books, and why.

    drift = ATP - (stock by the ERP, as of the released range
                   - true allocations - reservations - safety stock)

It falls into parts that add up to it:

    - allocations of items that are completed and released     leaked_allocation
    + units of events that came late and no import has counted late
    + what the ERP's figure has moved since the last import    erp_correction
    + ATP - (quantity sent - allocations - reservations        in_flight, waiting_for_import or
             - safety stock), which is not below 0             unexplained

NewStore lists an item as allocated until its completion is released, so events on their way to us
are in its allocations: they move nothing here. ATP is never negative: where more is taken off than
was sent, 0 is right.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Cause(StrEnum):
    """Why a row differs; from the one that needs a person to those that pass by themselves."""

    UNEXPLAINED = "unexplained"
    LEAKED_ALLOCATION = "leaked_allocation"
    LATE = "late"
    ERP_CORRECTION = "erp_correction"
    WAITING_FOR_IMPORT = "waiting_for_import"
    IN_FLIGHT = "in_flight"


@dataclass(frozen=True, slots=True, kw_only=True)
class RowFigures:
    """What is known of one row, in units.

    `sent` is what NewStore was last told, `erp` what it would be told now for the same range; None
    where the ERP was not read. `waiting` says that an import which has the row is under way, did
    not finish or finished only just now; `moving` that NewStore's figures changed while they were
    read. Not `complete`: more may be allocated or reserved than NewStore lists.
    """

    location_id: str
    product_id: str
    sent: int
    erp: int | None
    late: int
    atp: int
    allocations: int
    leaked: int
    reservations: int
    waiting: bool
    moving: bool
    safety_stock: int = 0
    complete: bool = True

    @property
    def rest(self) -> int:
        """By how much the promise differs from what was sent less what NewStore takes off."""
        taken_off = self.allocations + self.reservations + self.safety_stock
        return self.atp - max(0, self.sent - taken_off)

    @property
    def judged(self) -> bool:
        """Too much is too much however many more are allocated; anything else cannot be told."""
        return self.complete or self.rest > 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RowDrift:
    """A row's drift by cause; parts that are 0 are left out."""

    figures: RowFigures
    parts: Mapping[Cause, int]

    @property
    def units(self) -> int:
        """Above 0: NewStore promises more than there is."""
        return sum(self.parts.values())

    @property
    def oversold_units(self) -> int:
        """Of the promise; NewStore oversells no more than it promises."""
        return max(0, min(self.units, self.figures.atp))

    @property
    def undersold_units(self) -> int:
        """What NewStore could promise and does not."""
        return max(0, -self.units)


def drift_of(row: RowFigures) -> RowDrift:
    """The parts add up to the drift whatever the figures are."""
    erp = row.sent - row.late if row.erp is None else row.erp
    parts = {
        Cause.LEAKED_ALLOCATION: -row.leaked,
        Cause.LATE: row.late,
        Cause.ERP_CORRECTION: row.sent - row.late - erp,
        _rest(row): row.rest,
    }
    return RowDrift(figures=row, parts={cause: units for cause, units in parts.items() if units})


def _rest(row: RowFigures) -> Cause:
    if row.waiting:
        return Cause.WAITING_FOR_IMPORT
    return Cause.IN_FLIGHT if row.moving else Cause.UNEXPLAINED
