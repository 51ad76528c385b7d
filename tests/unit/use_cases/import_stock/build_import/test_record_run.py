"""What a run keeps of each location's sum."""

from inventory_sync.domain.cut import LogicalRange, Part
from inventory_sync.domain.errors import RetriableError
from inventory_sync.domain.import_run import ImportRun
from inventory_sync.domain.manifest import Basis
from inventory_sync.domain.run_record import LocationRecord
from tests.builders import DC, SKU, STORE
from tests.unit.use_cases.import_world import ImportWorld, started


def record_of(world: ImportWorld, run: ImportRun) -> LocationRecord:
    (record,) = world.records.locations(run.run_id)
    return record


def test_a_run_without_events_keeps_its_location_and_no_row() -> None:
    world = started(units={SKU: 20})
    world.stock(21)

    record = record_of(world, world.import_now())

    assert (record.rows_sent, record.base, record.events) == (1, {}, ())
    assert record.basis is Basis.SNAPSHOT


def test_a_row_that_an_event_touched_is_kept_with_what_the_snapshot_said() -> None:
    world = started(units={SKU: 20})
    world.ship(10)
    world.forward()
    world.ship(11)
    world.settle()

    record = record_of(world, world.import_now())

    assert (record.cut_end, record.released) == (11, LogicalRange(0, 11))
    assert record.base == {SKU: 19}
    assert [event.part for event in record.events] == [Part.IN_BASE, Part.SUBTRACTED]
    assert record.as_of <= record.read_at


def test_a_location_rolled_forward_names_the_run_it_starts_from() -> None:
    world = started(units={SKU: 20})
    before = world.runs.head().finished_run_id
    world.erp.shown[DC] = RetriableError("down")
    world.ship(10)
    world.settle()

    record = record_of(world, world.import_now())

    assert (record.basis, record.base_run_id) == (Basis.ROLLED_FORWARD, before)
    assert (record.base, record.events[0].part) == ({SKU: 20}, Part.SUBTRACTED)


def test_a_row_sent_as_none_is_counted_as_clamped() -> None:
    world = started(units={SKU: 20})
    world.erp.shown[DC] = RetriableError("down")
    world.ship(10, *[SKU] * 21)
    world.settle()

    assert record_of(world, world.import_now()).rows_clamped == 1


def test_every_location_of_a_run_is_in_its_record_once() -> None:
    world = ImportWorld(DC, STORE)
    world.stock(1)
    world.stock(2, at=STORE)
    world.put_location("UNREADABLE")
    world.erp.shown["UNREADABLE"] = RetriableError("down")
    world.ship(10, at="UNREADABLE")
    world.settle()

    run = world.import_now()

    found = [record.location_id for record in world.records.locations(run.run_id)]
    assert sorted(found) == [DC, STORE]
