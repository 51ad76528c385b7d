"""Explain: the parts add up to what NewStore was told, for every run on record."""

import pytest

from inventory_sync.domain.cut import Part
from inventory_sync.domain.errors import RejectedError, RetriableError
from inventory_sync.use_cases.explain_quantity import ExplainQuantity, Explanation
from tests.builders import DC, MINUTE, SKU
from tests.fakes.run_history import FakeEventHistory, FakeRunHistory
from tests.unit.use_cases.import_world import ImportWorld, started

OTHER = "SKU-2"
STOCK = {SKU: 20, OTHER: 5}


def explainer(world: ImportWorld) -> ExplainQuantity:
    return ExplainQuantity(
        runs=FakeRunHistory(world.runs),
        files=world.files,
        records=world.records,
        event_log=world.event_log,
        history=FakeEventHistory(world.event_log),
    )


def explain(world: ImportWorld, product: str = SKU, **asked) -> Explanation:
    return explainer(world)(DC, product, **asked)


def moves(found: Explanation) -> dict[int, int]:
    """Units by logical timestamp."""
    return {term.event.logical_timestamp: term.units for term in found.row.terms}


def added_back_and_subtracted() -> ImportWorld:
    """10 is in the ERP's figure, 11 is not yet, 12 is though it is after the cut end."""
    world = started(units=STOCK)
    world.ship(10)
    world.forward()
    world.ship(11, SKU, SKU)
    world.settle()
    later = world.ship(12, SKU, SKU, SKU, OTHER)
    world.forward_only(later)
    return world


def test_a_product_added_back_and_subtracted_in_one_run_adds_up() -> None:
    world = added_back_and_subtracted()
    run = world.import_now()

    found = explain(world)

    assert moves(found) == {10: 0, 11: -2, 12: 3}
    assert (found.row.base, found.row.quantity) == (16, 17)
    assert found.row.adds_up
    assert world.rows(run)[(DC, SKU)] == found.row.sent == 17
    assert found.run.run_id == run.run_id


def test_every_row_of_every_run_adds_up_to_the_figure_in_its_file() -> None:
    world = added_back_and_subtracted()
    world.import_now()
    for at in range(13, 19):
        world.ship(at, *[SKU] * (at % 3), OTHER)
        if at % 2:
            world.forward()
        world.clock.advance(10 * MINUTE)
        if at == 15:
            world.erp.shown[DC] = RetriableError("down")
        world.import_now(full=at == 16)
        world.erp.shown.clear()

    sent = 0
    for run in world.runs.history.values():
        for (_, product), units in (world.rows(run) if run.files else {}).items():
            found = explain(world, product, at=run.ended_at)
            assert found.row.adds_up
            assert (found.run.run_id, found.row.sent) == (run.run_id, units)
            sent += 1
    assert sent > 10


def test_a_row_that_later_runs_did_not_send_is_explained_by_the_run_that_did() -> None:
    world = started(units=STOCK)
    first = world.runs.head().finished_run_id
    world.stock(6, OTHER)
    second = world.import_now()

    found = explain(world)

    assert found.run.run_id == first
    assert [run.run_id for run in found.later] == [second.run_id]
    assert explain(world, OTHER).run.run_id == second.run_id


def test_the_past_is_explained_as_it_was_then() -> None:
    world = started(units=STOCK)
    then = world.clock.now()
    world.clock.advance(MINUTE)
    world.stock(30)
    world.import_now()

    assert explain(world, at=then).row.sent == 20
    assert explain(world).row.sent == 30


def test_a_run_that_failed_explains_nothing_but_is_named() -> None:
    world = started(units=STOCK)
    world.stock(30)
    world.newstore_model.jobs.fail_next_job()
    failed = world.import_now()

    found = explain(world)

    assert (found.row.sent, [run.run_id for run in found.later]) == (20, [failed.run_id])


def test_a_location_rolled_forward_starts_from_its_last_figure() -> None:
    world = started(units=STOCK)
    world.erp.shown[DC] = RetriableError("down")
    world.ship(10)
    world.settle()
    world.import_now()

    found = explain(world)

    assert found.row.rolled_forward
    assert (found.row.base, moves(found), found.row.sent) == (20, {10: -1}, 19)


def test_less_than_none_was_sent_as_none() -> None:
    world = started(units={SKU: 1, OTHER: 5})
    world.erp.shown[DC] = RetriableError("down")
    world.ship(10, SKU, SKU)
    world.settle()
    world.import_now()

    found = explain(world)

    assert (found.row.quantity, found.row.sent, found.row.clamped) == (-1, 0, True)


def test_what_happened_since_is_listed_late_events_too() -> None:
    world = started(units=STOCK)
    world.ship(10)
    late = world.ship(11, delivered=False)
    world.ship(12)
    world.settle()
    world.import_now()
    world.deliver(late)
    world.ship(13, OTHER)
    world.ship(14)

    found = explain(world)

    assert [e.state.event.logical_timestamp for e in found.since] == [11, 14]


def test_without_its_record_a_row_is_explained_by_its_ledger_alone() -> None:
    world = added_back_and_subtracted()
    world.import_now()
    world.records.kept.clear()

    found = explain(world)

    assert (found.row.record, found.row.terms, found.row.sent) == (None, (), 17)


def test_a_record_that_does_not_fit_its_ledger_is_seen() -> None:
    world = added_back_and_subtracted()
    run = world.import_now()
    ledger = world.files.ledgers[DC, run.run_id]
    changed = {**ledger.quantities, SKU: 18}
    world.files.save_ledger(
        ledger.__class__(location_id=DC, run_id=run.run_id, quantities=changed, sent=ledger.sent)
    )

    assert not explain(world).row.adds_up


@pytest.mark.parametrize("product", ["unknown", SKU])
def test_a_row_that_no_run_has_sent_is_refused_with_what_to_look_at(product: str) -> None:
    world = started(units=STOCK) if product == "unknown" else ImportWorld()

    with pytest.raises(RejectedError, match=f"has sent {product} at {DC}"):
        explain(world, product)


def test_parts_say_why_they_move_nothing() -> None:
    world = added_back_and_subtracted()
    world.import_now()

    assert [term.event.part for term in explain(world).row.terms] == [
        Part.IN_BASE,
        Part.SUBTRACTED,
        Part.ADDED_BACK,
    ]
