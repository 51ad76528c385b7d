"""A location's stock from the newest whole file that the ERP has dropped."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from inventory_sync.adapters.csv_text import decoded
from inventory_sync.adapters.erp.csv.bucket import CsvBucket, Found
from inventory_sync.adapters.erp.csv.format import CsvFormat
from inventory_sync.adapters.erp.csv.parts import PartedFile
from inventory_sync.adapters.erp.csv.passed_over import PassedOver
from inventory_sync.adapters.erp.csv.table import all_rows
from inventory_sync.adapters.erp.ids import Ids, UnknownProductError
from inventory_sync.adapters.parts import Row
from inventory_sync.domain.errors import RejectedError, SnapshotIncompleteError
from inventory_sync.domain.stock import StockSnapshot, Units
from inventory_sync.domain.wording import counted

_FILES_READ_MAX = 5
"""Of files whose rows say as of when they are: so many may be dated ahead."""


class CsvStock:
    """Reads `stock/<location>/`, or `stock/` itself where a file is of all locations."""

    def __init__(self, bucket: CsvBucket, ids: Ids, passed_over: PassedOver) -> None:
        self._bucket = bucket
        self._ids = ids
        self._passed_over = passed_over
        self._parted = PartedFile()

    def snapshot(self, location_id: str, form: CsvFormat, now: datetime) -> StockSnapshot:
        """RejectedError without any file; SnapshotIncompleteError where it does not add up.

        A file that is dated after `now` waits for its time, and an earlier one is used.
        """
        ids = self._ids.pinned()
        location = ids.erp_location(location_id)
        ahead = ""
        for file, named_as_of in self._usable(_folder(location, form), form, now)[:_FILES_READ_MAX]:
            found = self._read(file, named_as_of, location_id, ids, form)
            if not form.columns.as_of or found.as_of <= now:
                return found
            ahead = ahead or f"{file.key} {_ahead(found.as_of, now)}"
            self._passed_over.say(file, _ahead(found.as_of, now))
        raise SnapshotIncompleteError(f"no file can be used: {ahead}")

    def _read(
        self, file: Found, named_as_of: datetime, location_id: str, ids: Ids, form: CsvFormat
    ) -> StockSnapshot:
        location = ids.erp_location(location_id)
        listed, unknown = _Listed(form), dict[str, str]()
        as_of = None if form.columns.as_of else named_as_of
        for _, (line, fault, sku, *values) in self._rows(file, location, form):
            where = f"{file.key} line {line}"
            try:
                product_id = ids.product_id(sku) if sku else ""
            except UnknownProductError as error:
                unknown[f"sku {sku}"] = f"{where}: {error}"
                continue
            row_as_of = listed.add(product_id, values, fault, where)
            as_of = min(as_of or row_as_of, row_as_of) if row_as_of else as_of
        if as_of is None:
            fault = next(iter(listed.unreadable.values()), "there is none")
            raise SnapshotIncompleteError(f"{file.key}: no row says as of when it is: {fault}")
        return StockSnapshot(location_id, as_of, listed.units, listed.unreadable, unknown)

    def _rows(self, file: Found, location: str, form: CsvFormat) -> Iterator[Row]:
        """Those of the location; the file's rows are counted before the last of them is given."""
        columns = form.columns
        wanted = [columns.product, columns.on_hand, *([columns.as_of] if columns.as_of else [])]
        if columns.location is None:
            number = 0
            for number, row in enumerate(self._lines(file, form, wanted, 1), start=1):
                yield number, row
            self._check_count(file, form, number)
            return
        rows = self._lines(file, form, [columns.location, *wanted], 2)
        by_location = _located(file, columns.location, rows)
        parts = self._parted.parts((file.key, file.etag), by_location)
        self._check_count(file, form, parts.count)
        found = False
        for part in parts.of(location):
            found = True
            yield part
        if not found:
            raise RejectedError(
                f"{file.key} has no row of location {location[:80]}; one that has nothing at all"
                " has to be listed with a product at 0"
            )

    def _lines(
        self, file: Found, form: CsvFormat, columns: list[str], keys: int
    ) -> Iterator[list[str]]:
        """Each row's line in the file, what is wrong with it, and its values."""
        lines = self._bucket.lines(file, form.encoding)
        for line, fault, values in all_rows(file.key, lines, form.delimiter, columns, keys):
            yield [str(line), fault, *values]

    def _usable(self, folder: str, form: CsvFormat, now: datetime) -> list[tuple[Found, datetime]]:
        """The newest first, by what its name says, else by when it came; only complete files.

        Of several as of the same moment the last uploaded.
        """
        found = {file.key: file for file in self._bucket.listed(folder)}
        markers = {key.lower(): file for key, file in found.items()}
        ready: list[tuple[datetime, datetime, str, Found]] = []
        passed: list[str] = []
        for file in found.values():
            name = file.key.removeprefix(folder)
            if "/" in name or _is_marker(name, form):
                continue
            marker = markers.get((file.key + form.done_suffix).lower())
            as_of = _as_of(file, form)
            if fault := _fault(file, as_of, marker, form, now):
                self._passed_over.say(file, fault)
                passed.append(f"{name} {fault}")
            elif as_of is not None:
                ready.append((as_of, file.modified, file.key, file))
        if not ready and not passed:
            raise RejectedError(
                f"no stock file (.csv or .csv.gz) under {folder[:90]} in the ERP's bucket"
            )
        if not ready:
            raise SnapshotIncompleteError(f"{folder[:90]}: no file can be used: {passed[-1]}")
        ready.sort(key=lambda found: found[:3], reverse=True)
        as_of, _, _, file = ready[0]
        for other in (found[3] for found in ready if found[0] == as_of and found[3] is not file):
            why = f"has the as-of of {file.key}, the last uploaded: that one alone counts"
            self._passed_over.say(other, f"{why}, so put all rows into one file")
        return [(found[3], found[0]) for found in ready]

    def _check_count(self, file: Found, form: CsvFormat, count: int) -> None:
        """Against the number in the marker, where the ERP writes one."""
        if not form.done_suffix:
            return
        key = file.key + form.done_suffix
        try:
            said = decoded(self._bucket.read(key) or b"").strip()
        except UnicodeError as error:
            raise SnapshotIncompleteError(f"{key} is no text: {error}") from None
        if said and said != str(count):
            raise SnapshotIncompleteError(
                f"{file.key}: {counted(count, 'row')}, its marker says {said[:20]!r}: expected is"
                " nothing, or the number of rows without the header"
            )


def _located(file: Found, column: str, rows: Iterator[list[str]]) -> Iterator[list[str]]:
    """By location; a row without one could be of any, whose product would count as not listed."""
    for line, fault, place, *values in rows:
        if not place:
            raise SnapshotIncompleteError(f"{file.key} line {line}: column {column} is empty")
        yield [place, line, fault, *values]


def _is_marker(name: str, form: CsvFormat) -> bool:
    return bool(form.done_suffix) and name.lower().endswith(form.done_suffix.lower())


def _as_of(file: Found, form: CsvFormat) -> datetime | None:
    """What the name says, else what follows from the upload; a column of as-ofs is read later."""
    if form.columns.as_of:
        return file.modified
    if form.export_seconds_max is not None and not _dated_by_name(file, form):
        return file.modified - timedelta(seconds=form.export_seconds_max)
    return form.as_of_of(_name(file))


def _dated_by_name(file: Found, form: CsvFormat) -> bool:
    return not form.columns.as_of and re.search(form.as_of_in_name, _name(file)) is not None


def _name(file: Found) -> str:
    return file.key.rpartition("/")[2]


def _fault(
    file: Found, as_of: datetime | None, marker: Found | None, form: CsvFormat, now: datetime
) -> str | None:
    """Why a file cannot be used."""
    if not file.is_csv:
        return "is neither .csv nor .csv.gz"
    if form.done_suffix and marker is None:
        return f"is not complete: there is no marker of its name and {form.done_suffix}"
    if as_of is None:
        return (
            "has no time in its name that as_of_in_name and time of connector.json can read; for a"
            " name that is written again and again set export_seconds_max or columns.as_of"
        )
    if as_of > now and _dated_by_name(file, form):
        return _ahead(as_of, now)
    if marker and form.export_seconds_max is not None and marker.modified < file.modified:
        return f"was written after its marker {form.done_suffix}, which has to come last"
    return None


def _ahead(as_of: datetime, now: datetime) -> str:
    return f"is dated {as_of}, after {now}: it waits for its time; is time_zone right?"


def _folder(location: str, form: CsvFormat) -> str:
    return f"stock/{location}/" if form.columns.location is None else "stock/"


@dataclass(slots=True)
class _Listed:
    """The rows so far, by product; one that cannot be read spoils its product's other rows too."""

    form: CsvFormat
    units: dict[str, Units] = field(default_factory=dict)
    unreadable: dict[str, str] = field(default_factory=dict)

    def add(
        self, product_id: str, values: Sequence[str], fault: str, where: str
    ) -> datetime | None:
        """As of when the row is, where it says so itself, after its figure."""
        if not product_id:
            raise SnapshotIncompleteError(f"{where}: no product")
        known = product_id in self.units or product_id in self.unreadable
        if known and self.form.duplicates == "refuse":
            raise SnapshotIncompleteError(
                f"{where}: product {product_id[:80]} again; set duplicates to sum where bins are"
                " rows"
            )
        if fault:
            self._unreadable(product_id, f"in {where} cannot be told: {fault}")
            return None
        shown, *moment = values
        try:
            units = self.form.units(shown)
            as_of = None
            for shown in moment:
                as_of = self.form.as_of(shown)
        except ValueError as error:
            self._unreadable(product_id, f"in {where} {shown[:40]!r} is {error}")
            return None
        if product_id not in self.unreadable:
            self.units[product_id] = self.units.get(product_id, 0) + units
        return as_of

    def _unreadable(self, product_id: str, fault: str) -> None:
        self.units.pop(product_id, None)
        self.unreadable[product_id] = fault
