"""What is read from the index of open events must be projected into it."""

from typing import Any

from inventory_sync.adapters.dynamodb.event_history import READ_OF_AN_EVENT
from inventory_sync.adapters.dynamodb.event_log import OPEN_EVENTS_INDEX, read_open_event
from tests.template.test_template import RESOURCES

NON_KEY_ATTRIBUTES_MAX = 20  # DynamoDB's limit for one index
EVENTS_TABLE = RESOURCES["EventsTable"]["Properties"]
(INDEX,) = EVENTS_TABLE["LocalSecondaryIndexes"]
KEYS = {key["AttributeName"] for key in EVENTS_TABLE["KeySchema"]}
PROJECTED = set(INDEX["Projection"]["NonKeyAttributes"])

INSTANT = {"S": "2026-01-01T00:00:00.000000Z"}
OPEN_EVENT = {
    "location_id": {"S": "NYC"},
    "event_key": {"S": "00000000000000000010#fulfillment_request.items_completed#ff1#0f"},
    "order_id": {"S": "order1"},
    "service_level": {"S": "TRADITIONAL"},
    "items": {"S": '[["item1","SKU-1"]]'},
    "published_at": INSTANT,
    "received_at": INSTANT,
    "applied_at": INSTANT,
    "forwarded_at": INSTANT,
    "rejected_reason": {"S": "none"},
    "counted_by": {"S": "run1"},
}


class Recording(dict[str, Any]):
    """Notes which attributes are asked for."""

    def __init__(self, item: dict[str, Any]) -> None:
        super().__init__(item)
        self.read: set[str] = set()

    def __contains__(self, name: object) -> bool:
        self.read.add(str(name))
        return super().__contains__(name)

    def __getitem__(self, name: str) -> Any:
        self.read.add(name)
        return super().__getitem__(name)

    def get(self, name: str, default: Any = None) -> Any:
        self.read.add(name)
        return super().get(name, default)


def test_all_that_is_read_of_an_open_event_is_projected() -> None:
    item = Recording(OPEN_EVENT)

    read_open_event(item)

    assert item.read - KEYS == PROJECTED


def test_all_that_is_read_of_an_open_event_is_asked_for_in_the_history_too() -> None:
    item = Recording(OPEN_EVENT)

    read_open_event(item)

    assert item.read <= set(READ_OF_AN_EVENT)


def test_the_index_has_the_name_the_adapter_reads() -> None:
    assert INDEX["IndexName"] == OPEN_EVENTS_INDEX


def test_the_projection_stays_within_the_limit() -> None:
    assert len(PROJECTED) <= NON_KEY_ATTRIBUTES_MAX
