"""Our own records as JSON: every field is checked on the way in, unknown ones are refused."""

import json
from typing import Any, TypeVar

from pydantic import ConfigDict, TypeAdapter, ValidationError

from inventory_sync.domain.errors import FatalError, LaterRecordError

T = TypeVar("T")
_UNKNOWN, _LATER = "unexpected_keyword_argument", "unknown; written by a later version?"


def encode(record: object) -> str:
    """A frozen dataclass as JSON; the same record always gives the same text."""
    return json.dumps(_adapter(type(record)).dump_python(record, mode="json"), sort_keys=True)


def decode(kind: type[T], text: str | bytes, what: str) -> T:
    """The record; FatalError naming `what` and the field where it is not one of ours.

    A field that nobody knows is refused, at any depth: saving the record would lose it.
    """
    try:
        record: T | None = _adapter(kind).validate_json(text)
    except ValidationError as error:
        faults = error.errors(include_input=False)
        first = next((fault for fault in faults if fault["type"] == _UNKNOWN), faults[0])
        later = first["type"] == _UNKNOWN
        place = ".".join(map(str, first["loc"]))
        text = ": ".join(filter(None, (what, place, _LATER if later else first["msg"])))
        raise (LaterRecordError if later else FatalError)(text) from error
    if record is None:
        raise FatalError(f"{what}: not a JSON object")
    return record


def _adapter(kind: type[Any]) -> TypeAdapter[Any]:
    """Milliseconds to make, so made once for each of our kinds of record.

    `| None` because only so pydantic takes a configuration for dataclasses that have none.
    """
    if kind not in _ADAPTERS:
        optional: Any = kind | None
        _ADAPTERS[kind] = TypeAdapter(optional, config=ConfigDict(extra="forbid"))
    return _ADAPTERS[kind]


_ADAPTERS: dict[type[Any], TypeAdapter[Any]] = {}
