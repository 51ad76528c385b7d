"""What a run leaves behind for the next one."""

import pytest

from inventory_sync.domain.guards import LastFigures
from inventory_sync.domain.locations import Node
from inventory_sync.domain.manifest import Basis, Finalization, LocationEntry, Manifest
from tests.builders import NOW


def test_the_guards_compare_with_what_the_entry_counted() -> None:
    entry = LocationEntry(
        basis=Basis.SNAPSHOT, as_of=NOW, ledger_run_id="run-1", rows=3, units=40, node=Node("n", "")
    )

    assert entry.figures == LastFigures(rows=3, units=40)


def test_a_manifest_without_locations_knows_none() -> None:
    assert Manifest(run_id="run-1", cut_end=0).locations == {}


def test_a_watermark_moved_back_is_where_the_next_range_starts() -> None:
    assert Manifest(run_id="run-1", cut_end=12).moved_back(7).cut_end == 7


@pytest.mark.parametrize("watermark", [13, None])
def test_a_watermark_is_never_moved_ahead(watermark: int | None) -> None:
    assert Manifest(run_id="run-1", cut_end=12).moved_back(watermark).cut_end == 12


def test_a_settlement_has_late_events_only_where_it_names_them() -> None:
    assert Finalization(counted=(), closed=()).late == ()
