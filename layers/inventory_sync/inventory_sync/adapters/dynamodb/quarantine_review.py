"""The quarantine table as operators read and resolve it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from inventory_sync.adapters.aws.errors import translated
from inventory_sync.adapters.dynamodb.audit import AuditedTable, Author, Change
from inventory_sync.adapters.dynamodb.calls import items_of, transact
from inventory_sync.adapters.dynamodb.state_table import StateTable
from inventory_sync.adapters.dynamodb.unstored_completions import DynamoUnstoredCompletions
from inventory_sync.adapters.instants import from_text, to_text
from inventory_sync.adapters.s3.event_bodies import EventBodies
from inventory_sync.domain.errors import RejectedError
from inventory_sync.domain.events import EventRef
from inventory_sync.domain.inbound import QuarantineEntry, short_entry_id

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

UNREADABLE_ENTRY = "unreadable_entry"
_LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
_WHAT = "quarantine table"


@dataclass(frozen=True, slots=True, kw_only=True)
class Quarantined:
    """An entry; `resolution` says what became of it, empty while somebody has to look at it.

    The entry of a large body has none: `QuarantineReview.body` reads it.
    """

    entry_id: str
    entry: QuarantineEntry
    body_bytes: int
    resolution: str = ""


class QuarantineReview:
    """Entries by their id, which may be shortened as far as it stays unique.

    What is resolved stays for its retention, and comes back by itself where the same comes again.
    """

    def __init__(
        self, client: "DynamoDBClient", table: str, state: StateTable, bodies: EventBodies
    ) -> None:
        self._client = client
        self._table = table
        self._audited = AuditedTable(state)
        self._completions = DynamoUnstoredCompletions(state)
        self._bodies = bodies

    def entries(self) -> Iterator[Quarantined]:
        """All, in no order; the table holds what is wrong, so it is small."""
        arguments = {"TableName": self._table, "ConsistentRead": True}
        return map(_readable, items_of(_WHAT, self._client.scan, arguments))

    def find(self, beginning: str) -> Quarantined:
        """The one entry whose id begins so; RejectedError where that is none or several."""
        found = [one for one in self.entries() if one.entry_id.startswith(beginning)]
        if len(found) != 1:
            number = f"{len(found)} entries begin" if found else "no entry begins"
            raise RejectedError(f"{number} with {beginning!r}; see `quarantine list`")
        return found[0]

    def body(self, entry_id: str) -> bytes:
        """Byte for byte; RejectedError where its retention is over."""
        key: Any = {"quarantine_id": {"S": entry_id}}
        with translated(_WHAT):
            answer: Any = self._client.get_item(TableName=self._table, Key=key, ConsistentRead=True)
        if "Item" not in answer:
            raise RejectedError(f"{short_entry_id(entry_id)} is gone; its retention is over")
        return self._bodies.read(answer["Item"])

    def resolve(self, entry_id: str, word: str, author: Author) -> None:
        """Nobody has to look at it any more; `word` says what became of it."""
        self._write([self._resolved(entry_id, word, author)], entry_id, word, author)

    def release(self, entry_id: str, ref: EventRef, events_table: str, author: Author) -> None:
        """Let the sweep forward an event again that the ERP had refused, and resolve its entry."""
        update = {
            "UpdateExpression": "SET retried = :yes REMOVE rejected_reason",
            "ConditionExpression": "attribute_exists(rejected_reason)",
            "ExpressionAttributeValues": {":yes": {"BOOL": True}},
        }
        self._with_event(update, entry_id, ref, events_table, "to be forwarded again", author)

    def apply(
        self,
        entry_id: str,
        ref: EventRef,
        events_table: str,
        applied_at: datetime,
        author: Author,
    ) -> None:
        """Take an event that the ERP had refused for booked since then, and resolve its entry."""
        at = to_text(applied_at)
        update = {
            "UpdateExpression": "SET applied_at = :at, forwarded_at = :now REMOVE rejected_reason",
            "ConditionExpression": "attribute_exists(rejected_reason)",
            "ExpressionAttributeValues": {":at": {"S": at}, ":now": {"S": to_text(author.at)}},
        }
        self._with_event(update, entry_id, ref, events_table, f"resolved, booked at {at}", author)

    def close(self, entry_id: str, ref: EventRef, events_table: str, author: Author) -> None:
        """End an event that cannot be read, which else comes back, and resolve its entry."""
        update = {
            "UpdateExpression": (
                "SET expires_at = if_not_exists(retain_until, :now) REMOVE open_key"
            ),
            "ConditionExpression": "attribute_exists(event_key)",
            "ExpressionAttributeValues": {":now": {"N": str(int(author.at.timestamp()))}},
        }
        self._with_event(update, entry_id, ref, events_table, "resolved, its event closed", author)

    def _with_event(
        self,
        update: dict[str, Any],
        entry_id: str,
        ref: EventRef,
        events_table: str,
        word: str,
        author: Author,
    ) -> None:
        """Change the stored event and resolve its entry, both or neither."""
        key = {"location_id": {"S": ref.location_id}, "event_key": {"S": ref.event_key}}
        change = {"Update": {"TableName": events_table, "Key": key, **update}}
        self._write([change, self._resolved(entry_id, word, author)], entry_id, word, author)

    def _resolved(self, entry_id: str, word: str, author: Author) -> dict[str, Any]:
        told = f"{word} by {author.who} at {to_text(author.at)}" + (
            f": {author.why}" if author.why else ""
        )
        return {
            "Update": {
                "TableName": self._table,
                "Key": {"quarantine_id": {"S": entry_id}},
                "UpdateExpression": (
                    "SET resolution = :told, expires_at = if_not_exists(expires_at, retain_until)"
                ),
                "ConditionExpression": (
                    "attribute_exists(quarantine_id) AND attribute_not_exists(resolution)"
                ),
                "ExpressionAttributeValues": {":told": {"S": told}},
            }
        }

    def _write(self, writes: list[Any], entry_id: str, word: str, author: Author) -> None:
        """In one transaction with the audit record, and with the end of its completion."""
        change = Change(kind="quarantine", item_id=entry_id, before=None, after=word)
        record = self._audited.record_of([change], author)
        items: Any = [*writes, self._completions.removal(entry_id), record]
        if not transact(_WHAT, self._client, items):
            raise RejectedError(
                f"{short_entry_id(entry_id)} is resolved already, or its event is no longer refused"
                " by the ERP; see `quarantine list --all` and `events --rejected`"
            )


def _readable(item: Any) -> Quarantined:
    """Where the entry itself cannot be read, as much of it as says which it is."""
    try:
        return _quarantined(item)
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        fault = f"the quarantine has it, but it cannot be read: {type(error).__name__}: {error}"
        entry = QuarantineEntry(
            reason=UNREADABLE_ENTRY, detail=fault, body=b"", received_at=_LONG_AGO
        )
        return Quarantined(entry_id=item["quarantine_id"]["S"], entry=entry, body_bytes=0)


def _quarantined(item: Any) -> Quarantined:
    ref = None
    if "location_id" in item:
        ref = EventRef(item["location_id"]["S"], item["event_key"]["S"])
    body = bytes(item.get("body", {}).get("B", b""))
    return Quarantined(
        entry_id=item["quarantine_id"]["S"],
        body_bytes=int(item["body_bytes"]["N"]) if "body_bytes" in item else len(body),
        resolution=item.get("resolution", {}).get("S", ""),
        entry=QuarantineEntry(
            reason=item["reason"]["S"],
            detail=item["detail"]["S"],
            body=body,
            received_at=from_text(item["received_at"]["S"]),
            ref=ref,
        ),
    )
