"""A location's stock from the newest whole file that the ERP has dropped."""

from datetime import datetime

from inventory_sync.adapters.erp.csv_bucket import CsvBucket, Found
from inventory_sync.adapters.erp.csv_format import CsvFormat
from inventory_sync.adapters.erp.ids import Ids
from inventory_sync.domain.errors import RejectedError, SnapshotIncompleteError
from inventory_sync.domain.stock import StockSnapshot, Units


class CsvStock:
    """Reads `stock/<location>/`."""

    def __init__(self, bucket: CsvBucket, ids: Ids) -> None:
        self._bucket = bucket
        self._ids = ids

    def snapshot(self, location_id: str, form: CsvFormat) -> StockSnapshot:
        """RejectedError without any file; SnapshotIncompleteError where it does not add up."""
        ids = self._ids.pinned()
        location = ids.erp_location(location_id)
        file, named_as_of = self._newest(location, form)
        wanted = [form.columns.product, form.columns.on_hand]
        wanted += [form.columns.as_of] if form.columns.as_of else []
        units: dict[str, Units] = {}
        as_of = None if form.columns.as_of else named_as_of
        count = 0
        for count, (sku, figure, *moment) in enumerate(
            self._bucket.rows(file, form, wanted), start=1
        ):
            _add(units, ids.product_id(sku) if sku else "", figure, form, file, count)
            for text in moment:
                row_as_of = _instant(text, form, file, count)
                as_of = min(as_of or row_as_of, row_as_of)
        self._check_count(file, form, count)
        if as_of is None:
            raise SnapshotIncompleteError(f"{file.key}: no row says as of when it is")
        return StockSnapshot(location_id, as_of, units)

    def _newest(self, location: str, form: CsvFormat) -> tuple[Found, datetime]:
        """By what its name says, else by when it came; only files that are complete."""
        found = {file.key: file for file in self._bucket.listed(f"stock/{location}/")}
        files = [file for key, file in found.items() if key.endswith(".csv")]
        if not files:
            raise RejectedError(f"no stock file under stock/{location[:80]}/ in the ERP's bucket")
        whole = [f for f in files if not form.done_suffix or f.key + form.done_suffix in found]
        dated = [(form.as_of_of(f.key.rpartition("/")[2]), f) for f in whole]
        if form.columns.as_of:
            dated = [(f.modified, f) for f in whole]
        ready = [(as_of, f.key, f) for as_of, f in dated if as_of is not None]
        if not ready:
            raise SnapshotIncompleteError(
                f"stock/{location[:80]}/: {len(files)} files, {len(whole)} complete by"
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
            raise SnapshotIncompleteError(f"{file.key}: {count} rows, its marker says {text}")


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
        return form.instant(text)
    except ValueError as error:
        raise SnapshotIncompleteError(f"{file.key} row {count + 1}: {error}") from None
