"""A location's ledger as gzipped JSON: the one record with a row for each product.

Read and written for each location in each run, so by column and without a model of every row.
`sent_all` says that every row was sent; `sent` has the others that were; `lacking` has pairs of
request and item, `unowned` has their products too, `mispicks_over` pairs of event key and product;
the last two are left out where there are none.
"""

import gzip
import zlib
from collections.abc import Set
from decimal import Decimal, InvalidOperation
from typing import Any

from pydantic_core import from_json, to_json

from inventory_sync.domain.errors import FatalError
from inventory_sync.domain.events import EndedMispick
from inventory_sync.domain.manifest import Ledger
from inventory_sync.domain.units import UnitId

_NOT_OURS = (
    OSError,
    EOFError,
    zlib.error,
    ValueError,
    TypeError,
    AttributeError,
    InvalidOperation,
)
_UNOWNED, _MISPICKS_OVER = "unowned", "mispicks_over"
_FIELDS = {"location_id", "run_id", "products", "units", "sent_all", "sent", "lacking"}


def encode_ledger(ledger: Ledger) -> bytes:
    """The same ledger always gives the same bytes; a Decimal is written as text."""
    products = ledger.quantities.keys()
    sent_all = ledger.sent >= products
    none_besides = sent_all and len(ledger.sent) == len(products)
    record = {
        "location_id": ledger.location_id,
        "run_id": ledger.run_id,
        "products": list(products),
        "units": list(ledger.quantities.values()),
        "sent_all": sent_all,
        "sent": [] if none_besides else sorted(ledger.sent - products if sent_all else ledger.sent),
        "lacking": sorted(ledger.lacking),
    }
    if ledger.unowned:
        record[_UNOWNED] = sorted((*unit, product) for unit, product in ledger.unowned.items())
    if ledger.mispicks_over:
        record[_MISPICKS_OVER] = sorted(ledger.mispicks_over)
    return gzip.compress(to_json(record), compresslevel=1, mtime=0)


def decode_ledger(data: bytes, what: str) -> Ledger:
    """The ledger; FatalError naming `what` where it is not one of ours."""
    try:
        record: dict[str, Any] = from_json(gzip.decompress(data), cache_strings="none")
        if set(record) - {_UNOWNED, _MISPICKS_OVER} != _FIELDS:
            raise FatalError(f"{what}: fields {sorted(record)}, expected {sorted(_FIELDS)}")
        products, units = record["products"], record["units"]
        if set(map(type, units)) - {int}:
            units = [figure if type(figure) is int else Decimal(figure) for figure in units]
        quantities = dict(zip(products, units, strict=True))
        sent: Set[str] = frozenset(record["sent"])
        if record["sent_all"]:
            sent = sent | quantities.keys() if sent else quantities.keys()
        return Ledger(
            location_id=record["location_id"],
            run_id=record["run_id"],
            quantities=quantities,
            sent=sent,
            lacking=frozenset(UnitId(*pair) for pair in record["lacking"]),
            unowned={
                UnitId(request_id, item_id): product
                for request_id, item_id, product in record.get(_UNOWNED, ())
            },
            mispicks_over=frozenset(EndedMispick(*pair) for pair in record.get(_MISPICKS_OVER, ())),
        )
    except _NOT_OURS as error:
        raise FatalError(f"{what}: not a ledger of ours: {error}") from error
