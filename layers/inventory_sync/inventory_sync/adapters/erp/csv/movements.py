"""Movements as files for the ERP to collect, and the files in which it acknowledges them."""

import csv
import io
import re
from datetime import datetime, timedelta
from hashlib import sha256

from inventory_sync.adapters.erp.csv.bucket import CsvBucket, Found
from inventory_sync.adapters.erp.csv.format import CsvFormat
from inventory_sync.adapters.erp.csv.passed_over import PassedOver
from inventory_sync.adapters.erp.csv.table import BadRow, GoodRow, each_row
from inventory_sync.adapters.erp.ids import Ids
from inventory_sync.domain.acknowledgements import ERP_CLOCK_SKEW
from inventory_sync.domain.errors import SnapshotIncompleteError
from inventory_sync.domain.stock import (
    Acknowledgement,
    Conflict,
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
_FOLDER = "acknowledgements/"
_RANK: dict[type[MovementOutcome], int] = {
    Acknowledgement: 2,
    Rejection: 1,
    TryLater: 0,
    Unknown: 0,
}
"""A row that cannot be read gives way to any that can; what was refused may be booked later."""


class CsvMovements:
    """One file for each movement, so that a repeat writes the same file again, or none.

    A row of it is a unit.
    """

    def __init__(self, bucket: CsvBucket, ids: Ids, passed_over: PassedOver) -> None:
        self._bucket = bucket
        self._ids = ids
        self._passed_over = passed_over
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
            return Conflict(f"{key} is there with other content")
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
        """By movement id, from all files, each read once.

        `applied` counts wherever it stands, then `rejected`; of two alike the later stands.
        Files from before `since` cannot know of what happened then, and are not read.
        """
        if not form.acknowledged:
            return {}
        files = [f for f in self._bucket.listed(_FOLDER) if f.key != _FOLDER]
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
        """Row by row: one that cannot be read keeps its own movement waiting, and no other."""
        found: dict[str, MovementOutcome] = {}
        if not file.is_csv:
            self._passed_over.say(file, "is neither .csv nor .csv.gz")
            return found
        names = form.acknowledgement_columns
        optional = (names.applied_at, names.document_id, names.reason)
        lines = self._bucket.lines(file, form.encoding)
        try:
            rows = each_row(lines, form.delimiter, (names.movement_id, names.status), optional)
            for row in rows:
                movement_id, outcome = _outcome(row, file, form)
                if isinstance(outcome, TryLater | Unknown):
                    self._passed_over.say(file, outcome.reason)
                if movement_id:
                    _note(found, movement_id, outcome)
        except (SnapshotIncompleteError, ValueError) as error:
            self._passed_over.say(file, str(error))
        return found


def _outcome(row: GoodRow | BadRow, file: Found, form: CsvFormat) -> tuple[str, MovementOutcome]:
    """Of which movement, empty where it does not say; TryLater or Unknown for what is not clear."""
    where = f"{file.key} line {row.line}"
    if isinstance(row, BadRow):
        return row.first, TryLater(f"{where}: {row.fault}")
    movement_id, status, applied_at, document_id, reason = row.values
    if not movement_id:
        return "", TryLater(f"{where}: {form.acknowledgement_columns.movement_id} is empty")
    if status.casefold() == "rejected":
        return movement_id, Rejection(reason or "the ERP gives no reason")
    if status.casefold() != "applied":
        allowed = "allowed is applied, rejected"
        return movement_id, TryLater(f"{where}: status {status[:40]!r}: {allowed}")
    try:
        moment = form.applied_at(applied_at) if applied_at else file.modified + ERP_CLOCK_SKEW
    except ValueError as error:
        return movement_id, Unknown(f"{where}: applied_at {applied_at[:40]!r}: {error}")
    return movement_id, Acknowledgement(moment, document_id)


def _note(known: dict[str, MovementOutcome], movement_id: str, outcome: MovementOutcome) -> None:
    kept = known.get(movement_id)
    if kept is None or _RANK[type(outcome)] >= _RANK[type(kept)]:
        known[movement_id] = outcome


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
