"""How an ERP writes its CSV files: connector.json in its bucket, read as strictly as it is meant.

docs/connectors/csv-on-s3.md lists the fields.
"""

import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from inventory_sync.adapters.erp.rest_wire import FIGURE_DIGITS_MAX
from inventory_sync.domain.errors import FatalError
from inventory_sync.domain.stock import Units

FORMAT_KEY = "connector.json"


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Columns(_Part):
    """Headers of the stock file. Without `location` a file is of the location in its folder."""

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
    """Every field has a default; `time` is strptime's, and UTC where it names no offset.

    `as_of_in_name` is a pattern with a group named as_of. `done_suffix`: a stock file counts once
    an object of its name and this suffix is there; empty where files appear whole.
    """

    encoding: str = "utf-8-sig"
    delimiter: str = Field(default=",", min_length=1, max_length=1)
    decimal: Literal[".", ","] = "."
    thousands: Literal["", ".", ",", " ", "'"] = ""
    columns: Columns = Columns()
    acknowledgement_columns: AckColumns = AckColumns()
    as_of_in_name: str = r"(?P<as_of>\d{8}T\d{6})"
    time: str = "%Y%m%dT%H%M%S"
    done_suffix: str = ".done"
    duplicates: Literal["refuse", "sum"] = "refuse"
    absent_means_zero: bool = True
    acknowledged: bool = True
    apply_lag_seconds: int = Field(default=0, ge=0, le=172_800)

    @model_validator(mode="after")
    def _fits_together(self) -> "CsvFormat":
        if self.thousands == self.decimal:
            raise ValueError("thousands and decimal are the same sign")
        if self.columns.as_of is None and "as_of" not in re.compile(self.as_of_in_name).groupindex:
            raise ValueError("as_of_in_name has no group as_of, and columns.as_of is not set")
        "".encode(self.encoding)
        return self

    def units(self, text: str) -> Units:
        """A figure as the file writes it; ValueError for anything else."""
        separator = re.escape(self.thousands)
        grouped = rf"|\d{{1,3}}({separator}\d{{3}})+" if self.thousands else ""
        pattern = rf"[+-]?(\d+{grouped})({re.escape(self.decimal)}\d+)?"
        if not re.fullmatch(pattern, text, re.ASCII):
            raise ValueError("not a figure")
        plain = text.replace(self.thousands, "") if self.thousands else text
        number = Decimal(plain.replace(self.decimal, "."))
        if number.adjusted() >= FIGURE_DIGITS_MAX:
            raise ValueError("not a figure of stock")
        return int(number) if number == number.to_integral_value() else number

    def instant(self, text: str) -> datetime:
        """By `time`; ValueError for anything else."""
        moment = datetime.strptime(text, self.time)  # noqa: DTZ007 - a zone follows
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)

    def as_of_of(self, name: str) -> datetime | None:
        """What a file's name says; None where it says nothing, or nothing that can be read."""
        found = re.search(self.as_of_in_name, name)
        try:
            return self.instant(found["as_of"]) if found else None
        except (ValueError, IndexError):
            return None


def read_format(body: bytes) -> CsvFormat:
    """FatalError naming the fields that are wrong."""
    try:
        return CsvFormat.model_validate_json(body)
    except (ValidationError, LookupError, re.error) as error:
        raise FatalError(f"{FORMAT_KEY} in the ERP's bucket is wrong: {_plain(error)}") from None


def _plain(error: Exception) -> str:
    if not isinstance(error, ValidationError):
        return str(error)
    return "; ".join(
        f"{'.'.join(map(str, fault['loc'])) or 'it'}: {fault['msg']}" for fault in error.errors()
    )
