"""A location's ledger as gzipped JSON: the one record with a row for each product.

Read and written for each location in each run, so by column and without a model of every row.
`sent_all` says that every row was sent; `sent` has the others that were; `lacking` has pairs of
request and item, `unowned` has their products too, `mispicks_over` pairs of event key and product;
the last two are left out where there are none.
"""

import gzip
import zlib
from collections.abc import Set
from typing import Any

from pydantic_core import from_json, to_json

from inventory_sync.adapters.s3.columns import flag, rows_of, text, texts, tuples
from inventory_sync.domain.errors import FatalError
from inventory_sync.domain.events import EndedMispick
from inventory_sync.domain.manifest import Ledger
from inventory_sync.domain.units import UnitId

_NOT_OURS = (OSError, EOFError, zlib.error, ValueError, TypeError)
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
        quantities = rows_of(record["products"], record["units"])
        sent: Set[str] = frozenset(texts(record["sent"]))
        if flag(record["sent_all"]):
            sent = sent | quantities.keys() if sent else quantities.keys()
        return Ledger(
            location_id=text(record["location_id"]),
            run_id=text(record["run_id"]),
            quantities=quantities,
            sent=sent,
            lacking=frozenset(UnitId(*pair) for pair in tuples(record["lacking"], 2)),
            unowned={
                UnitId(request_id, item_id): product
                for request_id, item_id, product in tuples(record.get(_UNOWNED, []), 3)
            },
            mispicks_over=frozenset(
                EndedMispick(*pair) for pair in tuples(record.get(_MISPICKS_OVER, []), 2)
            ),
        )
    except _NOT_OURS as error:
        raise FatalError(f"{what}: not a ledger of ours: {error}") from error
