"""The sum of one row, written out: base and terms add up to what was computed and sent."""

from decimal import Decimal
from typing import Any

import pytest

from inventory_sync.domain.cut import LogicalRange, Part
from inventory_sync.domain.explain import RowSum, row_sum
from inventory_sync.domain.manifest import Basis, Ledger
from inventory_sync.domain.run_record import EventPart, LocationRecord
from inventory_sync.domain.stock import Units
from tests.builders import DC, HOUR, NOW, SKU

OTHER = "SKU-2"


def part(kind: Part, units: int, product: str = SKU) -> EventPart:
    return EventPart(
        event_key=f"{kind}-{units}",
        logical_timestamp=12,
        part=kind,
        counted=True,
        late=False,
        published_at=NOW,
        applied_at=None,
        units={product: units},
    )


def record(*parts: EventPart, base: Units = 10, **fields: Any) -> LocationRecord:
    plain: dict[str, Any] = {
        "location_id": DC,
        "basis": Basis.SNAPSHOT,
        "cut_end": 12,
        "released": LogicalRange(9, 12),
        "as_of": NOW,
        "read_at": NOW,
        "apply_lag": 0 * HOUR,
        "base": {product: base for found in parts for product in found.units},
        "events": parts,
    }
    return LocationRecord(**(plain | fields))


def explain(quantity: Units | None, found: LocationRecord | None, product: str = SKU) -> RowSum:
    quantities = {} if quantity is None else {product: quantity}
    ledger = Ledger(location_id=DC, run_id="run-1", quantities=quantities, sent={SKU})
    return row_sum(product, ledger, found)


def test_what_was_added_back_and_taken_off_adds_up_to_the_quantity() -> None:
    parts = part(Part.ADDED_BACK, 3), part(Part.SUBTRACTED, 2)

    found = explain(11, record(*parts))

    assert (found.run_id, found.base, found.quantity, found.sent) == ("run-1", 10, 11, 11)
    assert [(term.units_of_event, term.units) for term in found.terms] == [(3, 3), (2, -2)]
    assert [term.event for term in found.terms] == list(parts)
    assert found.adds_up
    assert not found.clamped


@pytest.mark.parametrize("kind", [Part.IN_BASE, Part.AFTER])
def test_what_the_base_has_and_what_comes_after_moves_nothing(kind: Part) -> None:
    found = explain(10, record(part(kind, 3)))

    assert [(term.units_of_event, term.units) for term in found.terms] == [(3, 0)]
    assert (found.quantity, found.adds_up) == (10, True)


def test_a_record_that_does_not_lead_to_what_was_computed_does_not_add_up() -> None:
    for computed in (7, 9):
        assert not explain(computed, record(part(Part.SUBTRACTED, 2))).adds_up
    assert explain(1_008, record(part(Part.SUBTRACTED, 2), base=1_010)).adds_up


def test_events_of_other_products_have_no_part_in_the_sum() -> None:
    found = explain(10, record(part(Part.SUBTRACTED, 2, OTHER)))

    assert (found.base, found.terms, found.quantity) == (10, (), 10)


@pytest.mark.parametrize("found", [None, record()])
def test_without_an_event_the_base_is_what_was_computed(found: LocationRecord | None) -> None:
    assert explain(4, found).base == 4
    assert explain(None, found).base == 0


def test_less_than_none_was_sent_as_none() -> None:
    below = explain(-1, record(part(Part.SUBTRACTED, 2), base=1))

    assert (below.quantity, below.sent, below.clamped) == (-1, 0, True)
    assert not explain(0, None).clamped
    assert explain(Decimal("-0.5"), None).clamped


def test_whether_the_row_was_sent_is_the_ledgers_word() -> None:
    assert explain(4, None).was_sent
    assert not explain(4, None, OTHER).was_sent


def test_a_base_that_was_rolled_forward_is_an_earlier_runs() -> None:
    rolled = record(basis=Basis.ROLLED_FORWARD, base_run_id="run-0")

    assert explain(4, rolled).rolled_forward
    assert not explain(4, record()).rolled_forward
    assert not explain(4, None).rolled_forward


def test_the_record_is_kept_beside_the_sum() -> None:
    kept = record()

    assert explain(4, kept).record == kept
