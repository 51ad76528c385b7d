"""Evidence rows: only rows that may show what becomes of a shipped unit are looked at."""

from typing import Any

from inventory_sync.domain.events import OpenEvent
from inventory_sync.domain.evidence_rows import CONTROLS_MAX, EvidenceRow, evidence_rows
from inventory_sync.domain.manifest import Ledger
from inventory_sync.domain.units import completed_units
from tests.builders import DC, MINUTE, NOW, open_event

E = 100
PLAIN = {f"C{number}": 5 + number for number in range(9)}


def rows(
    *events: OpenEvent, sent: tuple[str, ...] = ("A", "B"), rows_max: int = 12, **quantities: int
) -> dict[str, EvidenceRow]:
    """By product, of an import up to E that began now and sent A and B."""
    ledger = Ledger(
        location_id=DC,
        run_id="run-1",
        quantities=dict(sorted({"A": 4, "B": 3, **PLAIN, **quantities}.items())),
        sent=frozenset(sent),
    )
    units = completed_units(events)
    found = evidence_rows(ledger, units, cut_end=E, began_at=NOW, rows_max=rows_max)
    return {row.product_id: row for row in found}


def shipped(logical_timestamp: int, *products: str, ago: int = 5, **fields: Any) -> OpenEvent:
    """Published some minutes before the import began."""
    at = NOW - ago * MINUTE
    found: OpenEvent = open_event(logical_timestamp, *products, published_at=at, **fields)
    return found


def test_a_row_with_units_after_the_range_is_measured_beside_controls() -> None:
    found = rows(shipped(101, "A", "A"), shipped(99, "B"))

    assert (found["A"].sent, len(found["A"].completed)) == (4, 2)
    assert (found["B"].released, found["B"].completed) == (True, ())
    assert len(found) == 1 + CONTROLS_MAX
    assert "C8" in found  # where most is left
    assert "C0" not in found


def test_without_such_a_row_nothing_is_asked() -> None:
    assert rows(shipped(99, "B")) == {}
    assert rows() == {}


def test_a_row_that_the_import_did_not_send_is_left_out() -> None:
    assert rows(shipped(101, "A"), sent=("B",)) == {}


def test_a_row_of_which_a_unit_left_while_the_import_was_under_way_is_left_out() -> None:
    assert rows(shipped(101, "A"), shipped(102, "A", ago=-1)) == {}
    assert rows(shipped(102, "A", ago=0)) == {}


def test_a_control_has_no_unit_after_the_range_and_something_left() -> None:
    found = rows(shipped(101, "A"), shipped(99, "B"), shipped(102, "B"), sent=("A",))

    assert "B" not in found
    assert "A" not in rows(shipped(101, "B"), shipped(99, "A"), A=0)


def test_a_unit_that_an_earlier_import_counted_does_not_tell_whether_this_one_shows() -> None:
    assert "B" not in rows(shipped(101, "A"), shipped(99, "B", counted_by="run-0"))


def test_no_more_rows_are_asked_than_allowed() -> None:
    found = rows(shipped(101, "A", "B"), rows_max=1)

    assert [product for product, row in found.items() if row.completed] == ["A"]
