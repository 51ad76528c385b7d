"""Movements as files for the ERP to collect, and the files in which it acknowledges them."""

import csv
import io
import re
from datetime import datetime, timedelta
from hashlib import sha256

from inventory_sync.adapters.erp.csv.bucket import CsvBucket, Found
from inventory_sync.adapters.erp.csv.format import CsvFormat
from inventory_sync.adapters.erp.ids import Ids
from inventory_sync.domain.errors import SnapshotIncompleteError
from inventory_sync.domain.stock import (
    Acknowledgement,
    MovementOutcome,
    Rejection,
    StockMovement,
    TryLater,
    Unknown,
)

HEADERS = (
    "movement_id",
    "location",
    "occurred_at",
    "order_id",
    "fulfillment_request_id",
    "logical_timestamp",
    "item_id",
    "product",
    "quantity",
)
_READABLE_CHARACTERS_MAX = 80
_CLOCKS_DIFFER = timedelta(hours=1)


class CsvMovements:
    """One file for each movement, so that a repeat writes the same file again, or none.

    A row of it is a unit.
    """

    def __init__(self, bucket: CsvBucket, ids: Ids) -> None:
        self._bucket = bucket
        self._ids = ids
        self._read: dict[tuple[str, str], dict[str, MovementOutcome]] = {}

    def post(self, movements: list[StockMovement], form: CsvFormat) -> list[MovementOutcome]:
        """Acknowledged by the ERP's files, or else by ours being there; never booked twice.

        Acknowledgements are looked for first: an ERP may have collected a file and taken it away.
        """
        since = min((movement.occurred_at for movement in movements), default=None)
        answered = self._answered(form, since)
        return [self._post(movement, form, answered) for movement in movements]

    def find(self, movement_id: str, form: CsvFormat) -> MovementOutcome | None:
        """The ERP's word, or that it has none yet; None where no file was written."""
        if form.acknowledged and movement_id in (answered := self._answered(form, None)):
            return answered[movement_id]
        key = _key(movement_id)
        file = self._bucket.head(key)
        if file is None:
            return None
        named = {row[0] for row in _parsed(self._bucket.read(key) or b"")[1:]}
        if named != {movement_id}:
            return Unknown(f"{key} is there, but does not name movement {movement_id}")
        return _waiting(file, form)

    def _post(
        self, movement: StockMovement, form: CsvFormat, answered: dict[str, MovementOutcome]
    ) -> MovementOutcome:
        key, rows = _key(movement.movement_id), self._rows(movement)
        kept = self._bucket.read(key)
        if kept is not None and _parsed(kept) != rows:
            return Rejection(f"{key} is there with other content")
        if movement.movement_id in answered:
            return answered[movement.movement_id]
        if kept is None and not self._bucket.create(key, _written(rows, form)):
            return TryLater(f"{key} has just been written by another")
        file = self._bucket.head(key)
        return TryLater(f"{key} is not there yet") if file is None else _waiting(file, form)

    def _rows(self, movement: StockMovement) -> list[list[str]]:
        fixed = (
            movement.movement_id,
            self._ids.erp_location(movement.location_id),
            movement.occurred_at.isoformat(),
            movement.order_id,
            movement.fulfillment_request_id,
            str(movement.logical_timestamp),
        )
        lines = [
            [*fixed, line.unit.item_id, self._ids.sku(line.product_id), "1"]
            for line in movement.lines
        ]
        return [list(HEADERS), *lines]

    def _answered(self, form: CsvFormat, since: datetime | None) -> dict[str, MovementOutcome]:
        """By movement id, from all files, each read once; a rejection may be followed by `applied`.

        Files from before `since` cannot know of what happened then, and are not read.
        """
        if not form.acknowledged:
            return {}
        files = [f for f in self._bucket.listed("acknowledgements/") if f.key.endswith(".csv")]
        if since is not None:
            files = [f for f in files if f.modified >= since - _CLOCKS_DIFFER]
        known = {(file.key, file.etag) for file in files}
        self._read = {name: kept for name, kept in self._read.items() if name in known}
        answered: dict[str, MovementOutcome] = {}
        for file in sorted(files, key=lambda found: (found.modified, found.key)):
            name = (file.key, file.etag)
            if name not in self._read:
                self._read[name] = self._acknowledgements(file, form)
            for movement_id, outcome in self._read[name].items():
                _note(answered, movement_id, outcome)
        return answered

    def _acknowledgements(self, file: Found, form: CsvFormat) -> dict[str, MovementOutcome]:
        """A file that cannot be read tells nothing: its movements wait, and the log says why."""
        names = form.acknowledgement_columns
        columns = [names.movement_id, names.status, names.applied_at]
        columns += [names.document_id, names.reason]
        found: dict[str, MovementOutcome] = {}
        try:
            for movement_id, status, applied_at, document, reason in self._bucket.rows(
                file, form, columns
            ):
                if status == "applied":
                    _note(found, movement_id, _applied(file, form, applied_at, document))
                elif status == "rejected":
                    why = reason or "the ERP gives no reason"
                    _note(found, movement_id, Rejection(why))
                else:
                    text = f"{file.key} says status {status[:40]!r}: allowed is applied, rejected"
                    _note(found, movement_id, TryLater(text))
        except SnapshotIncompleteError as error:
            return {movement_id: TryLater(str(error)) for movement_id in found}
        return found


def _note(answered: dict[str, MovementOutcome], movement_id: str, outcome: MovementOutcome) -> None:
    """The latest word stands, but for one that says less than what is known."""
    before = answered.get(movement_id)
    if isinstance(before, Acknowledgement) and not isinstance(outcome, Acknowledgement):
        return
    if isinstance(before, Rejection) and not isinstance(outcome, Acknowledgement | Rejection):
        return
    answered[movement_id] = outcome


def _applied(file: Found, form: CsvFormat, applied_at: str, document: str) -> MovementOutcome:
    try:
        return Acknowledgement(
            form.applied_at(applied_at) if applied_at else file.modified, document
        )
    except ValueError as error:
        return Unknown(f"{file.key} says applied at {applied_at[:40]!r}: {error}")


def _written(rows: list[list[str]], form: CsvFormat) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=form.delimiter, lineterminator="\r\n").writerows(rows)
    return text.getvalue().encode()


def _parsed(body: bytes) -> list[list[str]]:
    """Of a file of ours, whatever the delimiter was when it was written; nothing of another's."""
    text = body.decode("utf-8", "replace")
    if not text.startswith(HEADERS[0]):
        return []
    delimiter = text[len(HEADERS[0]) : len(HEADERS[0]) + 1] or ","
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    return [row for row in rows if row]


def _key(movement_id: str) -> str:
    """Of signs that any file system has; the id itself stands in the file."""
    readable = re.sub(r"[^A-Za-z0-9-]", "-", movement_id)[:_READABLE_CHARACTERS_MAX]
    return f"movements/{readable}-{sha256(movement_id.encode()).hexdigest()[:24]}.csv"


def _waiting(file: Found, form: CsvFormat) -> MovementOutcome:
    if form.acknowledged:
        return TryLater(f"{file.key} is written; the ERP has not acknowledged it yet")
    return Acknowledgement(file.modified, file.key)
