"""A location's stock from the newest whole file that the ERP has dropped."""

from collections.abc import Iterator
from datetime import datetime

from inventory_sync.adapters.erp.csv.bucket import CsvBucket, Found
from inventory_sync.adapters.erp.csv.format import CsvFormat
from inventory_sync.adapters.erp.csv.parts import PartedFile
from inventory_sync.adapters.erp.ids import Ids
from inventory_sync.adapters.parts import Row
from inventory_sync.domain.errors import RejectedError, SnapshotIncompleteError
from inventory_sync.domain.stock import StockSnapshot, Units
from inventory_sync.domain.wording import counted


class CsvStock:
    """Reads `stock/<location>/`, or `stock/` itself where a file is of all locations."""

    def __init__(self, bucket: CsvBucket, ids: Ids) -> None:
        self._bucket = bucket
        self._ids = ids
        self._parted = PartedFile()

    def snapshot(self, location_id: str, form: CsvFormat) -> StockSnapshot:
        """RejectedError without any file; SnapshotIncompleteError where it does not add up."""
        ids = self._ids.pinned()
        location = ids.erp_location(location_id)
        file, named_as_of = self._newest(_folder(location, form), form)
        units: dict[str, Units] = {}
        as_of = None if form.columns.as_of else named_as_of
        for number, (sku, figure, *moment) in self._rows(file, location, form):
            _add(units, ids.product_id(sku) if sku else "", figure, form, file, number)
            for text in moment:
                row_as_of = _instant(text, form, file, number)
                as_of = min(as_of or row_as_of, row_as_of)
        if as_of is None:
            raise SnapshotIncompleteError(f"{file.key}: no row says as of when it is")
        return StockSnapshot(location_id, as_of, units)

    def _rows(self, file: Found, location: str, form: CsvFormat) -> Iterator[Row]:
        """Those of the location; the file's rows are counted before the last of them is given."""
        columns = form.columns
        wanted = [columns.product, columns.on_hand, *([columns.as_of] if columns.as_of else [])]
        if columns.location is None:
            number = 0
            for number, values in enumerate(self._bucket.rows(file, form, wanted), start=1):
                yield number, values
            self._check_count(file, form, number)
            return
        rows = self._bucket.rows(file, form, [columns.location, *wanted])
        parts = self._parted.parts((file.key, file.etag), rows)
        self._check_count(file, form, parts.count)
        found = False
        for row in parts.of(location):
            found = True
            yield row
        if not found:
            raise RejectedError(
                f"{file.key} has no row of location {location[:80]}; one that has nothing at all"
                " has to be listed with a product at 0"
            )

    def _newest(self, folder: str, form: CsvFormat) -> tuple[Found, datetime]:
        """By what its name says, else by when it came; only files that are complete."""
        found = {file.key: file for file in self._bucket.listed(folder)}
        files = [
            file
            for key, file in found.items()
            if key.endswith(".csv") and "/" not in key.removeprefix(folder)
        ]
        if not files:
            raise RejectedError(f"no stock file under {folder[:90]} in the ERP's bucket")
        whole = [f for f in files if not form.done_suffix or f.key + form.done_suffix in found]
        dated = [(form.as_of_of(f.key.rpartition("/")[2]), f) for f in whole]
        if form.columns.as_of:
            dated = [(f.modified, f) for f in whole]
        ready = [(as_of, f.key, f) for as_of, f in dated if as_of is not None]
        if not ready:
            raise SnapshotIncompleteError(
                f"{folder[:90]}: {counted(len(files), 'file')}, {len(whole)} complete by"
                f" {form.done_suffix or 'any name'}, none with an as-of that can be read"
            )
        as_of, _, file = max(ready)
        return file, as_of

    def _check_count(self, file: Found, form: CsvFormat, count: int) -> None:
        """Against the number in the marker, where the ERP writes one."""
        if not form.done_suffix:
            return
        said = (self._bucket.read(file.key + form.done_suffix) or b"").strip()
        if said and said != str(count).encode():
            text = said[:20].decode("ascii", "replace")
            raise SnapshotIncompleteError(
                f"{file.key}: {counted(count, 'row')}, its marker says {text}"
            )


def _folder(location: str, form: CsvFormat) -> str:
    return f"stock/{location}/" if form.columns.location is None else "stock/"


def _add(
    units: dict[str, Units], product_id: str, figure: str, form: CsvFormat, file: Found, count: int
) -> None:
    where = f"{file.key} row {count + 1}"
    if not product_id:
        raise SnapshotIncompleteError(f"{where}: no product")
    if product_id in units and form.duplicates == "refuse":
        raise SnapshotIncompleteError(
            f"{where}: product {product_id[:80]} again; set duplicates to sum where bins are rows"
        )
    try:
        units[product_id] = units.get(product_id, 0) + form.units(figure)
    except ValueError as error:
        raise SnapshotIncompleteError(f"{where}: {figure[:40]!r} is {error}") from None


def _instant(text: str, form: CsvFormat, file: Found, count: int) -> datetime:
    try:
        return form.as_of(text)
    except ValueError as error:
        raise SnapshotIncompleteError(f"{file.key} row {count + 1}: {error}") from None
