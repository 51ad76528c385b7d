"""A location's ledger as gzipped JSON: the one record with a row for each product.

Read and written for each location in each run, so without a model of every row.
"""

import gzip
import json
import zlib
from decimal import Decimal, InvalidOperation
from typing import Any

from inventory_sync.domain.errors import FatalError
from inventory_sync.domain.manifest import Ledger

_NOT_OURS = (
    OSError,
    EOFError,
    zlib.error,
    ValueError,
    TypeError,
    AttributeError,
    InvalidOperation,
)
_FIELDS = {"location_id", "run_id", "quantities", "sent"}


def encode_ledger(ledger: Ledger) -> bytes:
    """The same ledger always gives the same bytes; a Decimal is written as text."""
    record = {
        "location_id": ledger.location_id,
        "run_id": ledger.run_id,
        "quantities": ledger.quantities,
        "sent": sorted(ledger.sent),
    }
    text = json.dumps(record, default=str, sort_keys=True)
    return gzip.compress(text.encode(), compresslevel=1, mtime=0)


def decode_ledger(data: bytes, what: str) -> Ledger:
    """The ledger; FatalError naming `what` where it is not one of ours."""
    try:
        record: dict[str, Any] = json.loads(gzip.decompress(data))
        if set(record) != _FIELDS:
            raise FatalError(f"{what}: fields {sorted(record)}, expected {sorted(_FIELDS)}")
        quantities = record["quantities"]
        if set(map(type, quantities.values())) - {int}:
            quantities = {p: q if type(q) is int else Decimal(q) for p, q in quantities.items()}
        return Ledger(
            location_id=record["location_id"],
            run_id=record["run_id"],
            quantities=quantities,
            sent=frozenset(record["sent"]),
        )
    except _NOT_OURS as error:
        raise FatalError(f"{what}: not a ledger of ours: {error}") from error
