"""Why an imported quantity is what it is: the sum of design.md with its terms written out."""

from collections.abc import Mapping
from dataclasses import dataclass

from inventory_sync.domain.cut import Part
from inventory_sync.domain.manifest import Basis, Ledger
from inventory_sync.domain.row_selection import sendable
from inventory_sync.domain.run_record import EventPart, LocationRecord
from inventory_sync.domain.stock import Units

_SIGNS: Mapping[Part, int] = {Part.ADDED_BACK: 1, Part.SUBTRACTED: -1}
"""What an event adds to a row: an event that is in the base, or after it, adds nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """One event in a row's sum; `units` are the row's, signed, 0 where it moves nothing."""

    event: EventPart
    units_of_event: int
    units: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RowSum:
    """One row of a past run: `base` and the terms add up to `quantity`, of which `sent` was sent.

    `ledger_quantity` is what the run itself computed and kept; the two agree, else `adds_up` is
    false. `record` is None where the run kept none: then the base is the ledger's figure.
    """

    run_id: str
    base: Units
    terms: tuple[Term, ...]
    ledger_quantity: Units
    was_sent: bool
    record: LocationRecord | None

    @property
    def quantity(self) -> Units:
        """As of the cut end, possibly negative."""
        return self.base + sum(term.units for term in self.terms)

    @property
    def sent(self) -> int:
        """What NewStore was told: whole units from 0 up."""
        return sendable(self.quantity)

    @property
    def clamped(self) -> bool:
        """Whether less than none was sent as none."""
        return self.quantity < 0

    @property
    def adds_up(self) -> bool:
        """Whether the parts give what the run computed."""
        return self.quantity == self.ledger_quantity

    @property
    def rolled_forward(self) -> bool:
        """Whether the base is an earlier run's figure rather than the ERP's."""
        return self.record is not None and self.record.basis is Basis.ROLLED_FORWARD


def row_sum(product_id: str, ledger: Ledger, record: LocationRecord | None) -> RowSum:
    """The sum of one product's row in the run that kept the ledger."""
    computed = ledger.quantities.get(product_id, 0)
    events = record.events if record else ()
    concerned = [event for event in events if product_id in event.units]
    base = record.base[product_id] if record and concerned else computed
    return RowSum(
        run_id=ledger.run_id,
        base=base,
        terms=tuple(_term(event, event.units[product_id]) for event in concerned),
        ledger_quantity=computed,
        was_sent=product_id in ledger.sent,
        record=record,
    )


def _term(event: EventPart, units: int) -> Term:
    return Term(event=event, units_of_event=units, units=_SIGNS.get(event.part, 0) * units)
