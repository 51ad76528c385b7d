"""Reports of reconciliations in S3.

reports/<report>/drift.csv      a line for each row that differs
reports/<report>/summary.json   totals by cause
"""

import csv
import io
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING

from inventory_sync.adapters.s3.bucket import Bucket
from inventory_sync.domain.drift import Cause, RowDrift

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_FIGURES = (
    "location_id", "product_id", "atp", "sent", "erp", "allocations", "reservations",
)  # fmt: skip
COLUMNS = (*_FIGURES, "drift", *(cause.value for cause in Cause))
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


class S3Reports:
    """Reports sort by time; they expire with the runs' files."""

    def __init__(self, client: "S3Client", bucket: str) -> None:
        self._bucket = Bucket(client, bucket)

    @contextmanager
    def writer(self, report_id: str) -> Iterator["CsvReport"]:
        """Uploaded when the block ends without an error."""
        with self._bucket.upload(f"reports/{report_id}/drift.csv") as file:
            yield CsvReport(file)

    def save_summary(self, report_id: str, summary: Mapping[str, object]) -> str:
        """The folder both files stand in."""
        text = json.dumps(summary, indent=2, sort_keys=True) + "\n"
        self._bucket.put(f"reports/{report_id}/summary.json", text.encode())
        return f"s3://{self._bucket.name}/reports/{report_id}/"


class CsvReport:
    """Writes rows as they come."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._line(COLUMNS)

    def add(self, drift: RowDrift) -> None:
        """An empty cell is a part of nothing, or a figure that was not read."""
        figures = [getattr(drift.figures, name) for name in _FIGURES]
        parts = [drift.parts.get(cause, "") for cause in Cause]
        self._line([*map(_cell, figures), drift.units, *parts])

    def _line(self, cells: object) -> None:
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerow(cells)  # type: ignore[arg-type]
        self._file.write(text.getvalue().encode())


def _cell(value: object) -> object:
    """An id that a spreadsheet would take for a formula is quoted as text."""
    if isinstance(value, str) and value.startswith(_FORMULA_STARTS):
        return "'" + value
    return "" if value is None else value
