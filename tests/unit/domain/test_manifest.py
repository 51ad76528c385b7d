"""What a run leaves behind for the next one."""

import pytest

from inventory_sync.domain.manifest import Finalization, Manifest


def test_a_manifest_without_locations_knows_none() -> None:
    assert Manifest(run_id="run-1", cut_end=0).locations == {}


def test_a_watermark_moved_back_is_where_the_next_range_starts() -> None:
    assert Manifest(run_id="run-1", cut_end=12).moved_back(7).cut_end == 7


@pytest.mark.parametrize("watermark", [13, None])
def test_a_watermark_is_never_moved_ahead(watermark: int | None) -> None:
    assert Manifest(run_id="run-1", cut_end=12).moved_back(watermark).cut_end == 12


def test_a_settlement_has_late_events_only_where_it_names_them() -> None:
    assert Finalization(counted=(), closed=()).late == ()
