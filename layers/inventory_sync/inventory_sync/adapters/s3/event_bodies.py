"""Bodies of events: in the table's item, or in S3 where they are too large for one."""

from collections.abc import Callable, Mapping
from functools import cache
from hashlib import sha256
from typing import Any, Protocol

from inventory_sync.domain.errors import FatalError, RejectedError

INLINE_BYTES_MAX = 131_072
"""An item holds 400 KB, of which the event's items take as much as their body, twice."""
PREFIX = "bodies/"


class Objects(Protocol):
    """A bucket: whole objects by key."""

    def get(self, key: str) -> bytes | None:
        """None where there is no such object."""

    def put(self, key: str, data: bytes) -> None:
        """Write an object whatever stands there."""


class EventBodies:
    """`open_bucket` is called at the first large body: the webhook starts without a client for it.

    The same body has the same key, so that a repeated delivery writes nothing new.
    """

    def __init__(self, open_bucket: Callable[[], Objects]) -> None:
        self._bucket = cache(open_bucket)

    def keep(self, body: bytes) -> dict[str, Any]:
        """What the item has of it, once S3 has what the item points to."""
        attributes = body_attributes(body)
        if "body_key" in attributes:
            self._bucket().put(attributes["body_key"]["S"], body)
        return attributes

    def read(self, item: Mapping[str, Any]) -> bytes:
        """The body of an item, byte for byte.

        RejectedError where its retention is over, and where it is not what was stored.
        """
        if "body_key" not in item:
            try:
                return bytes(item["body"]["B"])
            except (KeyError, TypeError) as error:
                raise RejectedError("the item's body cannot be read; restore the item") from error
        key = item["body_key"]["S"]
        body = self._bucket().get(key)
        if body is None:
            raise RejectedError(f"the bucket has no {key} any more; its retention is over")
        if _key(body) != key:
            raise RejectedError(f"{key} is not what was stored; restore its earlier version")
        return body


def body_attributes(body: bytes) -> dict[str, Any]:
    """What an item has of a body: itself, or where S3 has it."""
    if len(body) <= INLINE_BYTES_MAX:
        return {"body": {"B": body}}
    return {"body_key": {"S": _key(body)}, "body_bytes": {"N": str(len(body))}}


def _key(body: bytes) -> str:
    return f"{PREFIX}{sha256(body).hexdigest()}"


def _no_bucket() -> Objects:
    raise FatalError("large bodies are in S3, and no bucket was named here")


SMALL_BODIES = EventBodies(_no_bucket)
"""For whoever has nothing to do with bodies, or with none that are large."""
