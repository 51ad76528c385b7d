"""Dry run: the import's own code says what it would do, and nothing has happened."""

from pathlib import Path
from typing import Any

import pytest

from inventory_sync.domain.cut import LogicalRange
from inventory_sync.domain.errors import LeaseLostError, RejectedError, RetriableError
from inventory_sync.domain.import_run import RunState
from inventory_sync.domain.manifest import Basis
from inventory_sync.use_cases.import_stock.dry_run import RowChange
from tests.builders import DC, NOW, SKU, STORE
from tests.unit.use_cases.import_world import ImportWorld

SKU_2, SKU_3 = "SKU-2", "SKU-3"


def added_back_and_subtracted(**settings: Any) -> ImportWorld:
    """10 is in the ERP's figure, 11 is not, 12 is though it comes after the range."""
    world = ImportWorld(DC, STORE, **settings)
    world.stock(20)
    world.stock(5, SKU_2)
    world.stock(8, SKU_3, at=STORE)
    world.import_now()
    world.ship(10)
    world.forward()
    world.ship(11, SKU, SKU)
    world.settle()
    last = world.ship(12, SKU, SKU, SKU)
    world.forward_only(last)
    world.stock(6, SKU_2)
    return world


def state_of(world: ImportWorld) -> Any:
    """Everything that a run may write, and what NewStore was asked for."""
    return (
        world.runs.head(),
        dict(world.runs.history),
        dict(world.files.archives),
        dict(world.files.manifests),
        dict(world.files.ledgers),
        dict(world.files.finalizations),
        world.location_store.holds(),
        world.leases.token,
        list(world.newstore_model.jobs.by_id),
        [world.state_of(e.event) for e in world.event_log.open_events()],
        dict(world.records.kept),
    )


def test_the_sum_of_every_row_that_changes_is_told(tmp_path: Path) -> None:
    world = added_back_and_subtracted()

    found = world.dry_run(tmp_path)

    sums = {
        "was": 20, "now": 17, "added_back": 3, "subtracted": 2,
    }  # fmt: skip
    other = {"was": 5, "now": 6, "added_back": 0, "subtracted": 0}
    assert found.rows == (
        RowChange(location_id=DC, product_id=SKU, **sums),
        RowChange(location_id=DC, product_id=SKU_2, **other),
    )
    assert (found.run.state, found.run.cut_end, found.run.rows) == (RunState.UPLOADED, 11, 2)
    assert [file.released for file in found.files] == [LogicalRange(0, 11)]
    assert [record.basis for record in found.locations] == [Basis.SNAPSHOT] * 2


@pytest.mark.parametrize("full", [True, False])
def test_a_real_run_on_the_same_facts_sends_the_same_bytes(tmp_path: Path, full: bool) -> None:
    world = added_back_and_subtracted(file_bytes=1)

    found = world.dry_run(tmp_path, full=full)
    run = world.importer()(lambda: 900, full=full).run

    assert run is not None
    sent = world.files.fetch(run.source_uri)
    assert (tmp_path / "dry.zip").read_bytes() == sent
    assert found.archive_bytes == len(sent)
    assert len(found.files) == found.run.files == run.files > 1
    assert (found.run.rows, found.run.cut_end) == (run.rows, run.cut_end)


def test_nothing_is_written_and_newstore_is_told_nothing(tmp_path: Path) -> None:
    world = added_back_and_subtracted()
    world.stock(7, SKU_3, at=STORE)
    before, since = state_of(world), world.clock.now()

    found = world.dry_run(tmp_path)

    assert state_of(world) == before
    assert world.clock.now() == since
    assert found.held == {}


def test_what_would_be_held_is_told_and_not_held(tmp_path: Path) -> None:
    world = added_back_and_subtracted()
    world.stock(5_000_000, SKU_3, at=STORE)

    found = world.dry_run(tmp_path)

    [held] = found.held[STORE].holds
    assert (held.kind, held.product_id) == ("absurd", SKU_3)
    assert world.location_store.holds() == {}
    assert [r.basis for r in found.locations] == [Basis.SNAPSHOT, Basis.SNAPSHOT]


def test_what_would_end_an_approval_does_not_end_it(tmp_path: Path) -> None:
    world = added_back_and_subtracted()
    world.approve("units_fell")

    world.dry_run(tmp_path)

    assert [a.kind for a in world.location_store.approvals()[DC]] == ["units_fell"]


def test_a_full_run_tells_the_rows_that_stay_by_their_number(tmp_path: Path) -> None:
    world = added_back_and_subtracted()

    found = world.dry_run(tmp_path, full=True)

    assert (len(found.rows), found.rows_unchanged, found.run.rows) == (2, 1, 3)


def test_no_more_rows_are_kept_than_are_wanted(tmp_path: Path) -> None:
    found = added_back_and_subtracted().dry_run(tmp_path, rows_max=1)

    assert [row.product_id for row in found.rows] == [SKU]
    assert found.run.rows == 2


def test_before_the_first_import_newstore_was_told_nothing(tmp_path: Path) -> None:
    world = ImportWorld()
    world.stock(4)

    found = world.dry_run(tmp_path)

    assert [(row.was, row.now) for row in found.rows] == [(None, 4)]


def test_where_nothing_would_be_sent_there_is_no_file(tmp_path: Path) -> None:
    world = ImportWorld()
    world.stock(4)
    world.import_now()

    found = world.dry_run(tmp_path)

    assert (found.run.state, found.files, found.archive_bytes) == (RunState.FINISHED, (), 0)


def test_a_location_by_itself_is_rehearsed_too(tmp_path: Path) -> None:
    world = added_back_and_subtracted()

    found = world.dry_run(tmp_path, STORE)

    assert {r.location_id: r.basis for r in found.locations} == {
        DC: Basis.ROLLED_FORWARD,
        STORE: Basis.SNAPSHOT,
    }
    with pytest.raises(RejectedError, match="nowhere"):
        world.dry_run(tmp_path, "nowhere")


def test_while_a_run_is_under_way_there_is_nothing_to_rehearse(tmp_path: Path) -> None:
    world = added_back_and_subtracted()
    world.newstore_model.jobs.job_seconds = 600
    world.tick()

    with pytest.raises(RejectedError, match="STARTED"):
        world.dry_run(tmp_path)


def test_a_build_that_chooses_its_cut_end_again_is_told_once(tmp_path: Path) -> None:
    world = ImportWorld(DC, STORE)
    world.stock(10)
    world.stock(10, at=STORE)
    world.erp.shown[STORE] = RetriableError("down")
    world.ship(1)
    world.ship(2, at=STORE)
    world.settle()

    found = world.dry_run(tmp_path)

    assert found.run.cut_end == 1
    assert [record.location_id for record in found.locations] == [DC]
    assert len(found.files) == 1


def test_that_imports_are_paused_is_told(tmp_path: Path) -> None:
    world = added_back_and_subtracted()
    world.hold()

    assert world.dry_run(tmp_path).paused.startswith("olga")


def test_an_archive_that_could_not_be_written_is_not_left_behind(tmp_path: Path) -> None:
    world = added_back_and_subtracted()
    world.seconds_left = 900
    world.erp.on_read = lambda location_id: (_ for _ in ()).throw(LeaseLostError(location_id))

    with pytest.raises(LeaseLostError):
        world.dry_run(tmp_path)

    assert list(tmp_path.iterdir()) == []
    assert world.clock.now() > NOW


def test_who_watches_is_told_how_far_it_is(tmp_path: Path) -> None:
    world = added_back_and_subtracted()
    told: list[tuple[int, int]] = []

    world.dry_run(tmp_path, progress=lambda done, total: told.append((done, total)))

    assert told == [(0, 2), (1, 2)]
