"""What a run leaves behind for the next one."""

from inventory_sync.domain.guards import LastFigures
from inventory_sync.domain.manifest import Basis, Finalization, LocationEntry, Manifest
from tests.builders import NOW


def test_the_guards_compare_with_what_the_entry_counted() -> None:
    entry = LocationEntry(
        cut_end=12, basis=Basis.SNAPSHOT, as_of=NOW, ledger_run_id="run-1", rows=3, units=40
    )

    assert entry.figures == LastFigures(rows=3, units=40)


def test_a_manifest_without_locations_knows_none() -> None:
    assert Manifest(run_id="run-1", cut_end=0).locations == {}


def entry(cut_end: int) -> LocationEntry:
    return LocationEntry(
        cut_end=cut_end, basis=Basis.SNAPSHOT, as_of=NOW, ledger_run_id="run-1", rows=3, units=40
    )


def test_a_watermark_moved_back_is_where_the_next_range_starts() -> None:
    manifest = Manifest(run_id="run-1", cut_end=12, locations={"A": entry(12), "B": entry(9)})

    tenant = manifest.moved_back(7, {})
    location = manifest.moved_back(None, {"A": 5, "gone": 1})

    assert (tenant.cut_end, tenant.locations) == (7, manifest.locations)
    assert location.cut_end == 12
    assert location.locations == {"A": entry(5), "B": entry(9)}


def test_a_watermark_is_never_moved_ahead() -> None:
    manifest = Manifest(run_id="run-1", cut_end=12, locations={"A": entry(12)})

    assert manifest.moved_back(13, {"A": 99}) == manifest


def test_a_settlement_has_late_events_only_where_it_names_them() -> None:
    assert Finalization(counted=(), closed=()).late == ()
