"""NewStore's books: what assigning, completing, failing and importing do to ATP."""

from __future__ import annotations

import pytest

from tests.unit.local.newstore_builder import DC, KEY, OTHER_KEY, SKU, Newstore, file_of


def test_the_guides_example_ends_at_17_on_hand_and_atp_16() -> None:
    newstore = Newstore()
    newstore.model.set_imported(KEY, 10)
    shipped = [newstore.assign() for _ in range(3)]
    newstore.assign()
    for logical_timestamp, request_id in enumerate(shipped, start=10):
        newstore.model.complete(request_id, logical_timestamp=logical_timestamp)
    assert newstore.model.atp(KEY) == 6
    assert newstore.model.completed_unreleased(KEY) == 3

    newstore.import_files(file_of({KEY: 17}, (10, 12)))

    assert newstore.model.on_hand(KEY) == 17
    assert newstore.model.completed_unreleased(KEY) == 0
    assert newstore.model.open_allocations(KEY) == 1
    assert newstore.model.atp(KEY) == 16


def test_completing_does_not_change_atp_until_an_import_releases() -> None:
    newstore = Newstore()
    newstore.model.set_imported(KEY, 5)
    request_id = newstore.assign(units=2)
    assert newstore.model.atp(KEY) == 3
    newstore.model.complete(request_id)
    assert newstore.model.atp(KEY) == 3


def test_a_failed_item_gives_its_allocation_back() -> None:
    newstore = Newstore()
    newstore.model.set_imported(KEY, 5)
    request_id = newstore.assign(units=2)
    newstore.model.fail(request_id, [f"{request_id}-i2"])
    assert newstore.model.open_allocations(KEY) == 1
    assert newstore.model.atp(KEY) == 4


@pytest.mark.parametrize("cumulative", [True, False])
def test_a_partial_shipment_gives_several_completed_events_of_one_request(
    cumulative: bool,
) -> None:
    newstore = Newstore()
    newstore.model.cumulative_events = cumulative
    request_id = newstore.assign(units=3)
    first = newstore.model.complete(request_id, [f"{request_id}-i2"])
    second = newstore.model.complete(request_id)
    assert [item["id"] for item in first["payload"]["items"]] == ["ff1-i2"]
    again = ["ff1-i2"] if cumulative else []
    assert [item["id"] for item in second["payload"]["items"]] == [*again, "ff1-i1", "ff1-i3"]
    assert second["payload"]["logical_timestamp"] > first["payload"]["logical_timestamp"]


def test_an_item_is_completed_or_failed_once() -> None:
    newstore = Newstore()
    request_id = newstore.assign()
    newstore.model.complete(request_id)
    with pytest.raises(ValueError, match="not open"):
        newstore.model.complete(request_id)
    with pytest.raises(ValueError, match="not open"):
        newstore.model.fail(request_id, [f"{request_id}-i1"])


def test_reservations_and_safety_stock_lower_atp_only() -> None:
    newstore = Newstore()
    newstore.model.set_imported(KEY, 10)
    newstore.model.reservations[KEY] = 2
    newstore.model.safety_stock[KEY] = 3
    assert newstore.model.atp(KEY) == 5
    assert newstore.model.on_hand(KEY) == 10


def test_an_event_has_every_field_that_newstore_posts() -> None:
    newstore = Newstore()
    request_id = newstore.assign(service_level="IN_STORE_HANDOVER", associate_id="associate-7")
    event = newstore.model.complete(request_id, logical_timestamp=175)
    assert event == {
        "tenant": "acme",
        "name": "fulfillment_request.items_completed",
        "published_at": "2026-01-15T10:30:00.000Z",
        "payload": {
            "id": "ff1",
            "order_id": "order-1",
            "logical_timestamp": 175,
            "fulfillment_location_id": DC,
            "associate_id": "associate-7",
            "service_level": "IN_STORE_HANDOVER",
            "items": [{"id": "ff1-i1", "product_id": SKU}],
        },
    }


@pytest.mark.parametrize(
    ("digits", "published_at"),
    [(0, "10:30:00Z"), (3, "10:30:00.123Z"), (6, "10:30:00.123456Z"), (9, "10:30:00.123456000Z")],
)
def test_published_at_has_0_to_9_fraction_digits(digits: int, published_at: str) -> None:
    newstore = Newstore()
    newstore.clock.sleep(0.123456)
    newstore.model.publisher.fraction_digits = digits
    assert newstore.ship()["published_at"] == f"2026-01-15T{published_at}"


def test_one_counter_serves_the_tenant() -> None:
    newstore = Newstore()
    timestamps = [
        newstore.ship(key=key)["payload"]["logical_timestamp"] for key in (KEY, OTHER_KEY)
    ]
    assert timestamps == [2, 4]


def test_the_counter_goes_on_after_an_explicit_value_and_a_hole() -> None:
    newstore = Newstore()
    newstore.ship(logical_timestamp=100)
    newstore.model.publisher.skip(5)
    assert newstore.ship()["payload"]["logical_timestamp"] == 107


def test_insights_show_open_and_unreleased_allocations() -> None:
    newstore = Newstore()
    newstore.assign()
    newstore.ship(logical_timestamp=10)
    items = [a["item_uuid"] for a in newstore.model.stock_calls.stock_insights(KEY)["allocations"]]
    assert items == ["ff1-i1", "ff2-i1"]


def test_a_leaked_allocation_survives_every_release() -> None:
    newstore = Newstore()
    newstore.ship(logical_timestamp=10)
    newstore.ship(logical_timestamp=11)
    newstore.model.book.leak_next_releases = 1
    newstore.import_files(file_of({KEY: 0}, (10, 11)))
    newstore.import_files(file_of({KEY: 0}, (10, 11)))
    assert newstore.model.completed_unreleased(KEY) == 1
    items = [a["item_uuid"] for a in newstore.model.stock_calls.stock_insights(KEY)["allocations"]]
    assert items == ["ff1-i1"]
