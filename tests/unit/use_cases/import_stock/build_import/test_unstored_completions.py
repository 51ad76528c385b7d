"""What was shipped and stands in quarantine only is not released as if it were still there."""

import json
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from inventory_sync.adapters.newstore.event_body import parse_event
from inventory_sync.domain.events import FulfillmentEvent
from inventory_sync.domain.inbound import QuarantineEntry, UnstoredCompletion
from inventory_sync.domain.manifest import Basis
from inventory_sync.domain.reading import ReleaseReading
from inventory_sync.use_cases.ingest.ingest_event import IngestEvent, IngestResult
from local.newstore.events import event_bytes
from tests.builders import DC, HOUR, MINUTE, SKU, STORE
from tests.event_bodies import TENANT, event_fields
from tests.unit.use_cases.import_world import ImportWorld, started

DAY = timedelta(hours=24)
BAD_TIME: dict[str, Any] = {"published_at": "yesterday"}
"""All else can be read."""


def body_of(event: FulfillmentEvent, *, published_at: str = "", **payload: Any) -> bytes:
    """The event's body, with something else in it."""
    plain: dict[str, Any] = {
        "id": event.fulfillment_request_id,
        "fulfillment_location_id": event.location_id,
        "logical_timestamp": event.logical_timestamp,
        "items": [{"id": i.item_id, "product_id": i.product_id} for i in event.items],
    }
    at = published_at or f"{event.published_at:%Y-%m-%dT%H:%M:%SZ}"
    return event_bytes(event_fields(published_at=at, **(plain | payload)))


def without_products(event: FulfillmentEvent) -> bytes:
    """Nobody can read what left."""
    return body_of(event, items=[{"id": item.item_id} for item in event.items])


def ingest(world: ImportWorld, body: bytes) -> IngestResult:
    return IngestEvent(
        parse=partial(parse_event, tenant=TENANT),
        event_log=world.event_log,
        quarantine=world.quarantine,
        clock=world.clock,
        observer=world.observer,
    )(body).result


def quarantined(world: ImportWorld, body: bytes) -> None:
    assert ingest(world, body) is IngestResult.QUARANTINED


@pytest.fixture
def world() -> ImportWorld:
    """One unit of ten was shipped at 12, and another at 15, which is stored."""
    return started()


def shipped(world: ImportWorld, at: str = DC) -> FulfillmentEvent:
    lost = world.ship(12, at=at, delivered=False)
    world.ship(15)
    world.settle()
    return lost


# While it may


@pytest.mark.parametrize("spoiled", [partial(body_of, **BAD_TIME), without_products])
def test_the_cut_end_stays_below_an_unstored_completed_body(
    world: ImportWorld, spoiled: Any
) -> None:
    quarantined(world, spoiled(shipped(world)))

    run = world.import_now()

    assert run.cut_end == 0
    assert world.unreleased() == 2
    assert world.atp() == 8
    assert world.hold_kinds() == []


def test_without_that_body_the_cut_end_is_the_last_settled_event(world: ImportWorld) -> None:
    shipped(world)

    assert world.import_now().cut_end == 15


def test_events_below_it_are_released(world: ImportWorld) -> None:
    world.ship(11)
    quarantined(world, without_products(shipped(world)))

    assert world.import_now().cut_end == 11


@pytest.mark.parametrize("location", [None, "", [DC], "x" * 201])
@pytest.mark.parametrize("fields", [{}, {"items": [{"id": "i"}]}])
def test_one_whose_location_cannot_be_read_may_be_of_any_and_does_nothing_more(
    world: ImportWorld, location: object, fields: dict[str, Any]
) -> None:
    world.ship(11)
    lost = shipped(world)
    quarantined(world, body_of(lost, **{"fulfillment_location_id": location, **fields}))

    assert world.import_now().cut_end == 11

    world.clock.advance(DAY)
    assert world.import_now().cut_end == 15


@pytest.mark.parametrize("number", [None, -1, 12.5, True, "ten"])
def test_one_whose_timestamp_cannot_be_read_holds_the_cut_and_its_units_are_taken_off_at_once(
    world: ImportWorld, number: object
) -> None:
    """It may be below the watermark: then NewStore has released it already."""
    quarantined(world, body_of(shipped(world), logical_timestamp=number))

    assert world.import_now().cut_end == 0
    assert (world.on_hand(), world.hold_kinds()) == (9, [])

    world.clock.advance(DAY)
    assert world.import_now().cut_end == 15
    assert (world.on_hand(), world.unreleased(), world.hold_kinds()) == (8, 0, [])


def test_items_that_contradict_one_another_hold_their_location(world: ImportWorld) -> None:
    two = [{"id": "x", "product_id": SKU}, {"id": "x", "product_id": "SKU-2"}]
    quarantined(world, body_of(shipped(world), items=two))
    world.clock.advance(DAY)

    assert world.import_now().cut_end == 15
    assert world.hold_kinds() == ["completion_unreadable"]


@pytest.mark.parametrize(
    "form",
    [
        {"tenant": f" {TENANT.upper()}"},
        {"name": "Fulfillment_Request.Items_Completed"},
        {"name": "fulfillment_request.items_completed "},
    ],
)
def test_one_of_ours_but_for_case_or_blanks_holds_the_cut(
    world: ImportWorld, form: dict[str, str]
) -> None:
    fields = json.loads(body_of(shipped(world)))
    quarantined(world, event_bytes({**fields, **form}))

    assert world.import_now().cut_end == 0
    assert world.observer.counts["CompletionsUnstored"] > 0


def test_the_hours_count_from_when_it_first_came(world: ImportWorld) -> None:
    body = without_products(shipped(world))
    quarantined(world, body)
    world.clock.advance(DAY - HOUR)
    quarantined(world, body)
    assert world.import_now().cut_end == 0

    world.clock.advance(HOUR)

    assert world.import_now().cut_end == 15


def test_the_hours_are_a_setting(world: ImportWorld) -> None:
    world.build_settings = replace(world.build_settings, quarantine_blocks=timedelta(0))
    quarantined(world, without_products(shipped(world)))

    assert world.import_now().cut_end == 15


def test_each_import_counts_those_that_nobody_has_resolved(world: ImportWorld) -> None:
    quarantined(world, without_products(shipped(world)))
    before = world.observer.counts["CompletionsUnstored"]

    world.import_now()

    assert (before, world.observer.counts["CompletionsUnstored"]) == (1, 2)


# Not meant


def test_a_body_of_a_location_that_is_not_imported_keeps_nothing_back(world: ImportWorld) -> None:
    quarantined(world, body_of(shipped(world), fulfillment_location_id="ELSEWHERE", **BAD_TIME))

    assert world.import_now().cut_end == 15


def test_an_assigned_body_keeps_nothing_back(world: ImportWorld) -> None:
    event = shipped(world)
    fields = json.loads(without_products(event))
    quarantined(world, event_bytes({**fields, "name": "fulfillment_request.assigned"}))

    assert world.import_now().cut_end == 15
    assert world.observer.counts["CompletionsUnstored"] == 0


def test_another_tenant_s_body_keeps_nothing_back(world: ImportWorld) -> None:
    fields = json.loads(without_products(shipped(world)))
    quarantined(world, event_bytes({**fields, "tenant": "other"}))

    assert world.import_now().cut_end == 15


@pytest.mark.parametrize("first", ["stored", "quarantined"])
def test_a_malformed_repeat_of_a_stored_event_keeps_nothing_back(
    world: ImportWorld, first: str
) -> None:
    event = shipped(world)
    bodies = [body_of(event), body_of(event, **BAD_TIME)]
    for body in bodies if first == "stored" else reversed(bodies):
        ingest(world, body)

    run = world.import_now()

    assert (run.cut_end, world.on_hand()) == (15, 8)


def test_a_malformed_repeat_of_a_closed_event_takes_nothing_off(world: ImportWorld) -> None:
    event = world.ship(12)
    world.forward()
    world.settle()
    world.import_now()
    assert not world.is_open(event)

    quarantined(world, body_of(event, **BAD_TIME))

    assert world.import_now(full=True).cut_end == 12
    assert world.on_hand() == 9


# When the hours are over


def test_units_that_can_be_read_are_taken_off_when_the_cut_end_passes_them(
    world: ImportWorld,
) -> None:
    quarantined(world, body_of(shipped(world), **BAD_TIME))
    world.clock.advance(DAY)

    run = world.import_now()

    assert run.cut_end == 15
    assert (world.on_hand(), world.unreleased(), world.atp()) == (8, 0, 8)
    assert world.hold_kinds() == []
    assert world.import_now(full=True).cut_end == 15
    assert world.atp() == 8


def test_a_stored_event_that_cannot_be_read_is_not_released_while_it_may_be_mended(
    world: ImportWorld,
) -> None:
    bad = world.ship(12)
    world.settle()
    world.ship(15)
    world.settle()
    world.event_log.spoil(bad.ref)

    assert world.import_now().cut_end < 12
    world.clock.advance(DAY)
    assert world.import_now().cut_end == 15
    assert world.hold_kinds() == ["completion_unreadable"]


def test_with_a_change_feed_they_are_taken_off_once_however_many_imports_follow() -> None:
    world = started(change_feed="sequence")
    quarantined(world, body_of(shipped(world), **BAD_TIME))
    world.forward()
    world.clock.advance(DAY)

    for _ in range(4):
        world.import_now()

    assert (world.on_hand(), world.atp()) == (8, 8)


def test_units_that_the_erp_learns_of_through_another_channel_are_not_taken_off_twice() -> None:
    world = started(counter_lag=10 * MINUTE)
    event = world.ship(12, level="IN_STORE_HANDOVER", delivered=False)
    world.erp_model.sell_at_counter((DC, SKU), 1)
    world.ship(15, level="IN_STORE_HANDOVER")
    world.erp_model.sell_at_counter((DC, SKU), 1)
    world.forward()
    world.settle()
    quarantined(world, body_of(event, service_level="IN_STORE_HANDOVER", **BAD_TIME))
    world.clock.advance(DAY)

    world.import_now()

    assert (world.on_hand(), world.atp()) == (8, 8)


def test_where_units_cannot_be_read_the_location_sends_only_what_units_explain() -> None:
    world = started(DC, STORE)
    quarantined(world, without_products(shipped(world)))
    world.clock.advance(DAY)
    world.erp_model.receive((DC, SKU), 5)
    world.erp_model.receive((STORE, SKU), 5)

    run = world.import_now()

    assert run.cut_end == 15
    assert world.hold_kinds() == ["completion_unreadable"]
    assert (world.on_hand(), world.on_hand(at=STORE)) == (9, 15)
    entries = world.files.manifest(run.run_id).locations
    assert entries[DC].basis is Basis.ROLLED_FORWARD


def test_of_a_body_that_can_be_read_in_part_those_units_are_taken_off(world: ImportWorld) -> None:
    event = world.ship(12, SKU, SKU, delivered=False)
    world.settle()
    world.ship(15)
    world.settle()
    items = [{"id": event.items[0].item_id, "product_id": SKU}, {"id": event.items[1].item_id}]
    quarantined(world, body_of(event, items=items))
    world.clock.advance(DAY)

    world.import_now()

    assert world.on_hand() == 8
    assert world.hold_kinds() == ["completion_unreadable"]


def test_one_that_comes_below_the_watermark_is_taken_off_at_once(world: ImportWorld) -> None:
    """It is released already."""
    event = shipped(world)
    world.import_now()
    assert world.atp() == 10 - 1

    quarantined(world, body_of(event, **BAD_TIME))
    world.import_now()

    assert world.atp() == 8


def test_under_immediate_nothing_unread_is_overwritten(world: ImportWorld) -> None:
    """NewStore has taken the unit off its stock by itself: the ERP's figure would put it back."""
    world.build_settings = replace(world.build_settings, reading=ReleaseReading.IMMEDIATE)
    quarantined(world, without_products(shipped(world)))

    world.import_now()

    assert world.hold_kinds() == ["completion_unreadable"]


# Until a person has resolved it


def test_once_it_is_resolved_the_location_is_imported_as_before(world: ImportWorld) -> None:
    quarantined(world, without_products(shipped(world)))
    world.clock.advance(DAY)
    world.import_now()
    assert world.hold_kinds() == ["completion_unreadable"]

    [found] = world.quarantine.unresolved()
    world.quarantine.resolve(found.entry_id)
    world.stock(7)
    world.import_now()

    assert (world.hold_kinds(), world.on_hand()) == ([], 6)


def test_sent_in_as_it_should_have_been_it_is_booked_and_taken_off_once(world: ImportWorld) -> None:
    event = shipped(world)
    quarantined(world, body_of(event, **BAD_TIME))
    world.clock.advance(DAY)
    world.import_now()
    assert world.atp() == 8

    assert ingest(world, body_of(event)) is IngestResult.STORED
    world.forward()
    world.settle()
    world.import_now(full=True)

    assert world.atp() == 8
    assert world.erp_model.on_hand((DC, SKU)) == 8
    assert not world.is_open(event)


def test_a_completion_whose_timestamp_is_lost_keeps_everything_back_for_its_hours() -> None:
    world = started()
    world.ship(15)
    world.settle()
    lost = UnstoredCompletion(location_id="", logical_timestamp=None)
    world.quarantine.add(
        QuarantineEntry(
            reason="r", detail="", body=b"", received_at=world.clock.now(), completion=lost
        )
    )

    assert world.import_now().cut_end == 0
    assert world.atp() == 9

    world.clock.advance(DAY)
    assert world.import_now().cut_end == 15


def test_a_location_of_which_such_a_record_is_left_is_held() -> None:
    world = started()
    lost = UnstoredCompletion(location_id=DC, logical_timestamp=None)
    world.quarantine.add(
        QuarantineEntry(
            reason="r", detail="", body=b"", received_at=world.clock.now(), completion=lost
        )
    )

    world.import_now()

    assert world.hold_kinds(DC) == ["completion_unreadable"]
