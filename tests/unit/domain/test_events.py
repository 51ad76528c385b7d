"""Events: their keys, their units, which of them concern the sum."""

from dataclasses import replace

import pytest

from inventory_sync.domain.events import FulfillmentItem, key_parts, logical_timestamp
from tests.builders import DC, ITEMS_ASSIGNED, ITEMS_COMPLETED, ITEMS_FAILED, NOW, event, open_event


def test_the_key_begins_with_the_padded_logical_timestamp() -> None:
    found = event(7, name=ITEMS_ASSIGNED, fulfillment_request_id="ff1").ref

    assert found.location_id == DC
    begin = "00000000000000000007#fulfillment_request.assigned#ff1#"
    assert found.event_key.startswith(begin)
    assert len(found.event_key) == len(begin) + 16


def test_keys_sort_as_logical_timestamps_do() -> None:
    numbers = [10**18, 9, 100, 10, 0]

    refs = sorted(event(number, fulfillment_request_id="ff").ref for number in numbers)

    assert [int(ref.event_key.split("#")[0]) for ref in refs] == sorted(numbers)


def test_a_key_gives_its_logical_timestamp_back() -> None:
    assert logical_timestamp(event(10**15).ref) == 10**15


def test_events_that_differ_in_any_part_of_the_key_never_share_one() -> None:
    events = [
        event(10, fulfillment_request_id="ff1"),
        event(11, fulfillment_request_id="ff1"),
        event(10, fulfillment_request_id="ff2"),
        event(10, fulfillment_request_id="ff1", name=ITEMS_FAILED),
        event(10, fulfillment_request_id="ff1", at="NYC"),
    ]

    assert len({found.ref for found in events}) == len(events)


def test_a_repeated_delivery_has_the_same_key_whatever_else_it_says() -> None:
    later = replace(event(10, "A", "B"), published_at=NOW, order_id="other")

    assert event(10, "A", "B").ref == event(10, "B", "A").ref == later.ref


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (["a"], ["b"]),
        (["a", "b"], ["a"]),
        (["a", "b"], ["ab"]),
        (["1:a"], ["a"]),
        (["a"], ["a", "a"]),
    ],
)
def test_two_events_of_one_request_and_timestamp_are_kept_apart_by_their_items(
    one: list[str], other: list[str]
) -> None:
    refs = {
        replace(event(10), items=tuple(FulfillmentItem(i, "A") for i in ids)).ref
        for ids in (one, other)
    }

    assert len(refs) == 2


def test_only_completed_items_have_left_the_location() -> None:
    assert event(name=ITEMS_COMPLETED).completed
    assert not event(name=ITEMS_ASSIGNED).completed
    assert not event(name=ITEMS_FAILED).completed


def test_every_item_is_one_unit() -> None:
    assert event(10, "A", "B", "A").units() == {"A": 2, "B": 1}


def test_a_new_open_event_has_nothing_done_about_it() -> None:
    found = open_event()

    state = (found.applied_at, found.forwarded_at, found.rejected_reason, found.counted_by)
    assert state == (None, None, None, None)


def test_a_key_is_taken_apart_again_whatever_the_request_is_called() -> None:
    for request_id in ("ff1", "ff#1", "#"):
        one = event(7, fulfillment_request_id=request_id)

        assert key_parts(one.ref) == (7, one.name, request_id)
