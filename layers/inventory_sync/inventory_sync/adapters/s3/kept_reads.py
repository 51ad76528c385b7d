"""The last read of each location's stock as gzipped JSON, by column.

reads/stock/<location>.json.gz    rows, or why there are none
"""

import gzip
import zlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

from pydantic_core import from_json, to_json

from inventory_sync.adapters.instants import from_text
from inventory_sync.adapters.s3.bucket import Bucket
from inventory_sync.adapters.s3.columns import flag, rows_of, text, texts
from inventory_sync.adapters.unreadable import report_unreadable
from inventory_sync.domain.errors import FatalError
from inventory_sync.domain.stock import StockSnapshot
from inventory_sync.domain.stock_reads import KeptVersion, Read, StockRead, UnreadStock

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_PREFIX, _SUFFIX = "reads/stock/", ".json.gz"
_NOT_OURS = (OSError, EOFError, zlib.error, ValueError, TypeError, KeyError, AttributeError)


class S3KeptReads:
    """One object for each location, so that a read takes the place of the last one."""

    def __init__(self, client: "S3Client", bucket: str) -> None:
        self._bucket = Bucket(client, bucket)

    def keep(self, location_id: str, read: Read) -> None:
        """Whatever stands there."""
        self._bucket.put(_key(location_id), encode_read(read))

    def versions(self) -> Mapping[str, KeptVersion]:
        """By S3's listing: a request for each thousand."""
        found = self._bucket.listed(_PREFIX)
        return {
            unquote(one.key.removeprefix(_PREFIX).removesuffix(_SUFFIX)): KeptVersion(
                one.etag, one.modified_at
            )
            for one in found
        }

    def read(self, location_id: str) -> Read | None:
        """None where there is none, or one that cannot be read: the location is read anew."""
        key = _key(location_id)
        found = self._bucket.get_tagged(key)
        try:
            return None if found is None else decode_read(location_id, *found, key)
        except FatalError as error:
            report_unreadable(error)
            return None


def encode_read(read: Read) -> bytes:
    """A Decimal is written as text."""
    record: dict[str, Any]
    if isinstance(read, UnreadStock):
        record = {"unread": read.reason, "incomplete": read.incomplete}
    else:
        rows = read.snapshot.on_hand_units
        record = {
            "as_of": read.snapshot.as_of.isoformat(),
            "started_at": read.started_at.isoformat(),
            "fed_since": read.fed_since.isoformat() if read.fed_since else None,
            "cursor": read.cursor,
            "products": list(rows),
            "units": list(rows.values()),
            "unreadable": dict(read.snapshot.unreadable),
            "unknown": dict(read.snapshot.unknown),
        }
    return gzip.compress(to_json(record), compresslevel=1, mtime=0)


def decode_read(location_id: str, data: bytes, version: str, what: str) -> Read:
    """FatalError naming `what` where it is not one of ours."""
    try:
        record: dict[str, Any] = from_json(gzip.decompress(data), cache_strings="none")
        if "unread" in record:
            return UnreadStock(text(record["unread"]), incomplete=flag(record["incomplete"]))
        unreadable: dict[str, str] = record["unreadable"]
        unknown: dict[str, str] = record.get("unknown", {})
        texts([*unreadable.keys(), *unreadable.values(), *unknown.keys(), *unknown.values()])
        rows = rows_of(record["products"], record["units"])
        cursor, fed_since = record["cursor"], record["fed_since"]
        return StockRead(
            StockSnapshot(location_id, from_text(record["as_of"]), rows, unreadable, unknown),
            None if cursor is None else text(cursor),
            from_text(record["started_at"]),
            None if fed_since is None else from_text(fed_since),
            version,
        )
    except _NOT_OURS as error:
        raise FatalError(f"{what}: not a read of ours: {error}") from error


def _key(location_id: str) -> str:
    return f"{_PREFIX}{quote(location_id, safe='')}{_SUFFIX}"
