"""How an ERP writes its CSV files: connector.json in its bucket, read as strictly as it is meant.

docs/connectors/csv-on-s3.md lists the fields.
"""

import re
from datetime import datetime
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from inventory_sync.adapters.csv_text import decoded
from inventory_sync.adapters.values import read_figure
from inventory_sync.domain.errors import FatalError
from inventory_sync.domain.instants import bounded
from inventory_sync.domain.stock import Units

FORMAT_KEY = "connector.json"
_SEPARATORS = {" ": "[ \u00a0\u2009\u202f]", "'": "['\u2019]"}
"""Signs that look alike in a spreadsheet, by the one that stands for them in connector.json."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Columns(_Part):
    """Headers of the stock files.

    With `location` a file is of all locations, and stands in `stock/` itself; without it a file is
    of the location in whose folder it stands.
    """

    location: str | None = None
    product: str = "product"
    on_hand: str = "on_hand"
    as_of: str | None = None


class AckColumns(_Part):
    """Headers of the acknowledgement files."""

    movement_id: str = "movement_id"
    status: str = "status"
    applied_at: str = "applied_at"
    document_id: str = "document_id"
    reason: str = "reason"


class CsvFormat(_Part):
    """Every field has a default; times are strptime's, in `time_zone` where they name no offset.

    `acknowledgement_time` is that of acknowledgements where it is not `time`. `as_of_in_name` is a
    pattern with a group named as_of. `export_seconds_max` dates a file whose name has no time, such
    as one that is written anew again and again: by its upload, less so many seconds.
    `done_suffix`: a stock file counts once an object of its name and this suffix is there; empty
    where files appear whole.
    """

    encoding: str = "utf-8-sig"
    delimiter: str = Field(default=",", min_length=1, max_length=1)
    decimal: Literal[".", ","] = "."
    thousands: Literal["", ".", ",", " ", "'"] = ""
    columns: Columns = Columns()
    acknowledgement_columns: AckColumns = AckColumns()
    as_of_in_name: str = r"(?P<as_of>\d{8}T\d{6})"
    export_seconds_max: int | None = Field(default=None, ge=0, le=86_400)
    time: str = "%Y%m%dT%H%M%S"
    acknowledgement_time: str = ""
    time_zone: str = "UTC"
    done_suffix: str = ".done"
    duplicates: Literal["refuse", "sum"] = "refuse"
    absent_means_zero: bool = True
    acknowledged: bool = True
    apply_lag_seconds: int = Field(default=0, ge=0, le=172_800)

    @model_validator(mode="after")
    def _fits_together(self) -> "CsvFormat":
        if not self.acknowledged and self.apply_lag_seconds == 0:
            raise ValueError(
                "acknowledged is false and apply_lag_seconds is 0, so a movement would count as"
                " booked the moment its file is written: set apply_lag_seconds to the longest time"
                " from a movement file until stock files show it (86400 for a nightly batch), or"
                " let the ERP acknowledge"
            )
        if self.thousands == self.decimal:
            raise ValueError("thousands and decimal are the same sign")
        if self.columns.as_of is None and "as_of" not in re.compile(self.as_of_in_name).groupindex:
            raise ValueError("as_of_in_name has no group as_of, and columns.as_of is not set")
        "".encode(self.encoding)
        try:
            ZoneInfo(self.time_zone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError(f"time_zone {self.time_zone[:40]!r} is none of tz database") from None
        return self

    def units(self, text: str) -> Units:
        """A figure as the file writes it, its minus before or after it; ValueError for others."""
        separator = _SEPARATORS.get(self.thousands, re.escape(self.thousands))
        grouped = rf"|\d{{1,3}}({separator}\d{{3}})+" if self.thousands else ""
        pattern = rf"[+\-\u2212]?(\d+{grouped})({re.escape(self.decimal)}\d+)?|\d[^-]*-"
        match = re.fullmatch(pattern, text, re.ASCII)
        if match is None:
            raise ValueError(f"no figure with {self._signs()}, as connector.json says")
        if text.endswith("-"):
            return self.units("-" + text[:-1].rstrip())
        plain = re.sub(separator, "", text) if self.thousands else text
        return read_figure(plain.replace("\u2212", "-").replace(self.decimal, "."))

    def _signs(self) -> str:
        thousands = f" and thousands {self.thousands!r}" if self.thousands else ""
        return f"decimal {self.decimal!r}{thousands}"

    def as_of(self, text: str) -> datetime:
        """By `time`; ValueError for anything else. The earlier where it could be two."""
        return self._instant(text, self.time, fold=0)

    def applied_at(self, text: str) -> datetime:
        """By `acknowledgement_time`, else `time`. The later where it could be two."""
        return self._instant(text, self.acknowledgement_time or self.time, fold=1)

    def _instant(self, text: str, form: str, fold: int) -> datetime:
        """An hour comes twice when clocks go back: a movement may count as shown too late only."""
        moment = datetime.strptime(text, form)  # noqa: DTZ007 - a zone follows
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=ZoneInfo(self.time_zone), fold=fold)
        return bounded(moment)

    def as_of_of(self, name: str) -> datetime | None:
        """What a file's name says; None where it says nothing, or nothing that can be read."""
        found = re.search(self.as_of_in_name, name)
        try:
            return self.as_of(found["as_of"]) if found else None
        except (ValueError, IndexError):
            return None


def read_format(body: bytes) -> CsvFormat:
    """FatalError naming the fields that are wrong."""
    try:
        return CsvFormat.model_validate_json(decoded(body))
    except (ValidationError, UnicodeError, LookupError, re.error) as error:
        raise FatalError(f"{FORMAT_KEY} in the ERP's bucket is wrong: {_plain(error)}") from None


def _plain(error: Exception) -> str:
    if not isinstance(error, ValidationError):
        return str(error)
    return "; ".join(
        f"{'.'.join(map(str, fault['loc'])) or 'it'}: {fault['msg']}" for fault in error.errors()
    )
