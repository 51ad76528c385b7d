"""The events table: DynamoDB as an append-only log with a sparse index of what is still open."""

import base64
import json
import zlib
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from inventory_sync.adapters.aws.errors import translated
from inventory_sync.adapters.dynamodb.calls import Item, Refused, items_of, write_if
from inventory_sync.adapters.dynamodb.item_size import bytes_of, shortened
from inventory_sync.adapters.instants import from_text, to_milliseconds, to_text
from inventory_sync.adapters.s3.event_bodies import SMALL_BODIES, EventBodies
from inventory_sync.domain.errors import RejectedError
from inventory_sync.domain.events import (
    EventRef,
    FulfillmentEvent,
    FulfillmentItem,
    OpenEvent,
    key_parts,
)
from inventory_sync.domain.inbound import AppendResult, ClaimResult, same_event
from inventory_sync.domain.unreadable import UnreadableEvent

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    from inventory_sync.domain.stock import Acknowledgement

OPEN_EVENTS_INDEX = "open_events"
NOTE_BYTES_MAX = 2_000
"""Of what the ERP says about an event; the quarantine has its reason at greater length."""
EVENT_BYTES_MAX = 409_600 - 9_600
"""DynamoDB's 400 KB for an item with its copies in local indexes, less what is noted later."""
ITEMS_BYTES_MAX = 131_072
"""More of an event's items is packed: they stand in the index too."""

NOT_OURS = (KeyError, ValueError, TypeError, AttributeError, ArithmeticError, zlib.error)
"""What reading an item raises that this version, or any, cannot have written."""
_NOT_IN_INDEX = frozenset({"body", "body_key", "body_bytes", "retain_until"})
_WHAT = "events table"
_SET_APPLIED = (
    "applied_at = if_not_exists(applied_at, :applied_at),"
    " document_id = if_not_exists(document_id, :document)"
)


class DynamoEventLog:
    """`retention` counts from receipt; an event that is still open outlives it.

    An item holds the event's fields for the index, its body (or where S3 has it) for the record,
    and `open_key` for as long as it is open. `expires_at` is set when it is closed. Only the
    flows that append name a bucket for large bodies.
    """

    def __init__(
        self,
        client: "DynamoDBClient",
        table: str,
        retention: timedelta,
        bodies: EventBodies = SMALL_BODIES,
    ) -> None:
        self._client = client
        self._table = table
        self._retention = retention
        self._bodies = bodies
        self._unreadable: dict[EventRef, UnreadableEvent] = {}

    def append(self, event: FulfillmentEvent, body: bytes, received_at: datetime) -> AppendResult:
        """One conditional put; its refusal brings back what stands there.

        A large body is in S3 before the item that points to it is here. RejectedError for an
        event with too many items to be stored: no repeat makes it smaller; StoreFullError where the
        location has no room.
        """
        kept = self._bodies.keep(body)
        item = event_item(event, kept, received_at, received_at + self._retention)
        refuse_oversized(item)
        arguments = {
            "TableName": self._table,
            "Item": item,
            "ConditionExpression": "attribute_not_exists(event_key)",
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
        answer = write_if(_WHAT, self._client.put_item, arguments)
        if isinstance(answer, Refused):
            return _compared(event, item, answer.item)
        return AppendResult.APPENDED

    def has(self, ref: EventRef) -> bool:
        """One consistent read, of the key alone."""
        with translated(_WHAT):
            answer: Any = self._client.get_item(
                TableName=self._table,
                Key=_key(ref),
                ProjectionExpression="event_key",
                ConsistentRead=True,
            )
        return "Item" in answer

    def open_events(self) -> Iterator[OpenEvent]:
        """A scan of the sparse index: its size is the open events, not the history."""
        arguments = {"TableName": self._table, "IndexName": OPEN_EVENTS_INDEX}
        self._unreadable.clear()
        yield from self._read(self._client.scan, {**arguments, "ConsistentRead": True})

    def unreadable_events(self) -> tuple[UnreadableEvent, ...]:
        """Those that the last scan has met, and queries since."""
        return tuple(self._unreadable[ref] for ref in sorted(self._unreadable))

    def open_events_of(self, location_id: str) -> list[OpenEvent]:
        """One consistent query, by logical timestamp."""
        arguments = {
            "TableName": self._table,
            "IndexName": OPEN_EVENTS_INDEX,
            "ConsistentRead": True,
            "KeyConditionExpression": "location_id = :location",
            "ExpressionAttributeValues": {":location": {"S": location_id}},
        }
        found = self._read(self._client.query, arguments)
        return sorted(found, key=lambda open_event: open_event.event.ref)

    def claim(self, ref: EventRef, *, now: datetime, until: datetime) -> ClaimResult:
        """Counts the attempt in the same write, so that a crash after it leaves its trace."""
        arguments = {
            "TableName": self._table,
            "Key": _key(ref),
            "UpdateExpression": "SET claim_until = :until ADD attempts :one",
            "ConditionExpression": (
                "attribute_exists(event_key) AND attribute_not_exists(applied_at)"
                " AND attribute_not_exists(forwarded_at)"
                " AND (attribute_not_exists(claim_until) OR claim_until <= :now)"
            ),
            "ExpressionAttributeValues": {
                ":until": {"N": str(to_milliseconds(until))},
                ":now": {"N": str(to_milliseconds(now))},
                ":one": {"N": "1"},
            },
            "ReturnValues": "UPDATED_NEW",
        }
        answer = write_if(_WHAT, self._client.update_item, arguments)
        if isinstance(answer, Refused):
            return ClaimResult.TAKEN
        first = answer["Attributes"]["attempts"]["N"] == "1"
        return ClaimResult.FIRST if first else ClaimResult.AGAIN

    def mark_owned(self, event: FulfillmentEvent, owned: frozenset[str]) -> None:
        """The owner of a unit never changes: every repeat writes the same.

        One bit for each item, the first item's the lowest: an event may list thousands.
        """
        bits = sum(1 << n for n, item in enumerate(event.items) if item.item_id in owned)
        self._update(event.ref, "SET owned = :owned", {":owned": f"{bits:x}"})

    def mark_applied(self, ref: EventRef, applied_at: datetime, document_id: str) -> None:
        """The first acknowledgement stands; a rejection it follows is over."""
        self._update(
            ref,
            f"SET {_SET_APPLIED} REMOVE rejected_reason",
            _applied_values(applied_at, document_id),
        )

    def mark_forwarded(
        self,
        ref: EventRef,
        forwarded_at: datetime,
        *,
        close: bool,
        applied: "Acknowledgement | None" = None,
    ) -> float:
        """One write for all: each costs as much as the event with its index entry."""
        sets = ["forwarded_at = if_not_exists(forwarded_at, :forwarded_at)"]
        removes = []
        values = {":forwarded_at": to_text(forwarded_at)}
        if applied is not None:
            sets.append(_SET_APPLIED)
            removes.append("rejected_reason")
            values |= _applied_values(applied.applied_at, applied.document_id)
        if close:
            sets.append("expires_at = retain_until")
            removes.append("open_key")
        update = "SET " + ", ".join(sets)
        if removes:
            update += " REMOVE " + ", ".join(removes)
        return self._update(ref, update, values)

    def mark_rejected(self, ref: EventRef, reason: str) -> None:
        """The event stays open: what the ERP refuses it has not booked."""
        stored = shortened(reason, NOTE_BYTES_MAX)
        self._update(ref, "SET rejected_reason = :reason", {":reason": stored})

    def mark_counted(self, ref: EventRef, run_id: str) -> None:
        """The first run stands."""
        self._update(ref, "SET counted_by = if_not_exists(counted_by, :run)", {":run": run_id})

    def close(self, ref: EventRef) -> None:
        """Out of the index; kept until its retention ends."""
        self._update(ref, "SET expires_at = retain_until REMOVE open_key", {})

    def _update(self, ref: EventRef, expression: str, values: Mapping[str, str]) -> float:
        """An event that is gone (its retention ended) needs no note.

        StoreFullError where the location has no room for one. Returns the upper estimate of what
        the location's events and index entries take, in gigabytes: DynamoDB takes 10 of them. 0
        where it gives none.
        """
        arguments: dict[str, Any] = {
            "TableName": self._table,
            "Key": _key(ref),
            "UpdateExpression": expression,
            "ConditionExpression": "attribute_exists(event_key)",
            "ReturnItemCollectionMetrics": "SIZE",
        }
        if values:
            arguments["ExpressionAttributeValues"] = {k: {"S": v} for k, v in values.items()}
        answer = write_if(_WHAT, self._client.update_item, arguments)
        if isinstance(answer, Refused):
            return 0.0
        return max(
            answer.get("ItemCollectionMetrics", {}).get("SizeEstimateRangeGB", ()), default=0.0
        )

    def _read(self, read: Any, arguments: dict[str, Any]) -> Iterator[OpenEvent]:
        for item in items_of(_WHAT, read, arguments):
            try:
                yield read_open_event(item)
            except NOT_OURS as error:
                found = _unreadable_event(item, error)
                self._unreadable[found.ref] = found


def _unreadable_event(item: Item, error: Exception) -> UnreadableEvent:
    try:
        received_at = _instant(item, "received_at")
    except NOT_OURS:
        received_at = None
    ref = EventRef(item["location_id"]["S"], item["event_key"]["S"])
    return UnreadableEvent(ref, f"{type(error).__name__}: {error}", received_at)


def _compared(event: FulfillmentEvent, item: Item, stored: Item) -> AppendResult:
    """What stands there and cannot be read is another event: this one goes into quarantine."""
    try:
        same = same_event(event, read_open_event(stored).event)
    except NOT_OURS:
        return AppendResult.CONFLICTING
    if not same:
        return AppendResult.CONFLICTING
    if _same_body(stored, item):
        return AppendResult.ALREADY_STORED
    return AppendResult.STORED_OTHERWISE


def _same_body(stored: Item, item: Item) -> bool:
    if "body_key" in stored or "body_key" in item:
        return stored.get("body_key") == item.get("body_key")
    return same_content(bytes(stored["body"]["B"]), item["body"]["B"])


def same_content(one: bytes, other: bytes) -> bool:
    """Whether two bodies are the same JSON; blanks and the order of members mean nothing.

    NewStore sends an event by two channels, and may write it differently for each.
    """
    if one == other:
        return True
    try:
        return _canonical(one) == _canonical(other)
    except (ValueError, RecursionError):
        return False


def _canonical(body: bytes) -> str:
    return json.dumps(json.loads(body), sort_keys=True)


def _applied_values(applied_at: datetime, document_id: str) -> dict[str, str]:
    document = shortened(document_id, NOTE_BYTES_MAX)
    return {":applied_at": to_text(applied_at), ":document": document}


def refuse_oversized(item: Item) -> None:
    """RejectedError unless an item of this table, its copy in the index and all marks fit.

    Counted here, since no refusal of DynamoDB's says by a code of its own that it is about this.
    """
    copied = {name: value for name, value in item.items() if name not in _NOT_IN_INDEX}
    size = bytes_of(item) + bytes_of(copied)
    if size > EVENT_BYTES_MAX:
        raise RejectedError(
            f"stored with its index entry the event takes {size} bytes,"
            f" allowed are {EVENT_BYTES_MAX}"
        )


def read_open_event(item: Item) -> OpenEvent:
    """The event of an item of the table, its index or its stream."""
    items = _read_items(item["items"])
    key = key_parts(EventRef(item["location_id"]["S"], item["event_key"]["S"]))
    return OpenEvent(
        event=FulfillmentEvent(
            name=key.name,
            location_id=item["location_id"]["S"],
            logical_timestamp=key.logical_timestamp,
            fulfillment_request_id=key.fulfillment_request_id,
            order_id=item["order_id"]["S"],
            service_level=item["service_level"]["S"],
            items=items,
            published_at=from_text(item["published_at"]["S"]),
        ),
        received_at=from_text(item["received_at"]["S"]),
        applied_at=_instant(item, "applied_at"),
        forwarded_at=_instant(item, "forwarded_at"),
        rejected_reason=item.get("rejected_reason", {}).get("S"),
        counted_by=item.get("counted_by", {}).get("S"),
        owned=_owned(item, items),
        retried="retried" in item,
    )


def _owned(item: Item, items: tuple[FulfillmentItem, ...]) -> frozenset[str] | None:
    """Which of its items it owns: all once it is done, unless it was marked before; else open."""
    if "owned" in item:
        bits = int(item["owned"]["S"], 16)
        return frozenset(found.item_id for n, found in enumerate(items) if bits >> n & 1)
    done = "applied_at" in item or "forwarded_at" in item
    return frozenset(found.item_id for found in items) if done else None


def _items_attribute(items: Iterable[FulfillmentItem]) -> dict[str, Any]:
    lists = [_item_list(item) for item in items]
    text = json.dumps(lists, ensure_ascii=False, separators=(",", ":"))
    encoded = text.encode()
    return {"B": zlib.compress(encoded)} if len(encoded) > ITEMS_BYTES_MAX else {"S": text}


def _item_list(item: FulfillmentItem) -> list[str]:
    found = [item.item_id, item.product_id, _shipped(item), item.rejection_reason]
    while not found[-1]:
        found.pop()
    return found


def _shipped(item: FulfillmentItem) -> str:
    return "" if item.shipped_at is None else to_text(item.shipped_at)


def _item(
    item_id: str, product_id: str, shipped_at: str = "", rejection_reason: str = ""
) -> FulfillmentItem:
    shipped = from_text(shipped_at) if shipped_at else None
    return FulfillmentItem(item_id, product_id, shipped, rejection_reason)


def _read_items(attribute: Mapping[str, Any]) -> tuple[FulfillmentItem, ...]:
    """A stream's record has bytes in base64."""
    text = attribute.get("S")
    if text is None:
        packed = attribute["B"]
        text = zlib.decompress(base64.b64decode(packed) if isinstance(packed, str) else packed)
    return tuple(_item(*found) for found in json.loads(text))


def _instant(item: Item, name: str) -> datetime | None:
    return from_text(item[name]["S"]) if name in item else None


def _key(ref: EventRef) -> dict[str, Any]:
    return {"location_id": {"S": ref.location_id}, "event_key": {"S": ref.event_key}}


def event_item(
    event: FulfillmentEvent,
    body: Mapping[str, Any],
    received_at: datetime,
    retain_until: datetime,
) -> dict[str, Any]:
    """What is stored of a new event; `body` are the attributes that have it or point to it.

    Nothing twice that its key says: with its marks a single unit's item stays below 1 KB, the
    size at which every write would cost one unit more.
    """
    return {
        **_key(event.ref),
        "open_key": {"S": f"{event.logical_timestamp:020d}"},
        "order_id": {"S": event.order_id},
        "published_at": {"S": to_text(event.published_at)},
        "received_at": {"S": to_text(received_at)},
        "service_level": {"S": event.service_level},
        "items": _items_attribute(event.items),
        "retain_until": {"N": str(int(retain_until.timestamp()))},
        **body,
    }
