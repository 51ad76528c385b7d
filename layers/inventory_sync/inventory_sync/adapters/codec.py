"""Our own records as JSON: every field is checked on the way in, unknown ones are refused."""

import dataclasses
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from inventory_sync.domain.errors import FatalError

T = TypeVar("T")


def encode(record: object) -> str:
    """A frozen dataclass as JSON; the same record always gives the same text."""
    return json.dumps(_adapter(type(record)).dump_python(record, mode="json"), sort_keys=True)


def decode(kind: type[T], text: str | bytes, what: str) -> T:
    """The record; FatalError naming `what` and the field where it is not one of ours."""
    try:
        record: T = _adapter(kind).validate_json(text)
        unknown = sorted(_unknown(record, json.loads(text), ""))
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        place = ".".join(map(str, first["loc"]))
        raise FatalError(f"{what}: {place}: {first['msg']}") from error
    except (ValueError, TypeError) as error:
        raise FatalError(f"{what}: not a JSON object") from error
    if unknown:
        raise FatalError(f"{what}: unknown fields {unknown}; written by a later version?")
    return record


def _adapter(kind: type[Any]) -> TypeAdapter[Any]:
    """Milliseconds to make, so made once for each of our kinds of record."""
    if kind not in _ADAPTERS:
        _ADAPTERS[kind] = TypeAdapter(kind)
    return _ADAPTERS[kind]


_ADAPTERS: dict[type[Any], TypeAdapter[Any]] = {}


def _unknown(record: object, raw: Any, path: str) -> Iterator[str]:
    """Fields that validation passed over, at any depth: saving the record would lose them."""
    if dataclasses.is_dataclass(record):
        known = {field.name for field in dataclasses.fields(record)}
        yield from (path + name for name in raw.keys() - known)
        parts = [(name, getattr(record, name), raw[name]) for name in known & raw.keys()]
    elif isinstance(record, Mapping) and _holds_records(record.values()):
        parts = [(name, part, raw[name]) for name, part in record.items()]
    elif isinstance(record, tuple) and _holds_records(record):
        parts = [(str(n), part, raw[n]) for n, part in enumerate(record)]
    else:
        return
    for name, part, raw_part in parts:
        yield from _unknown(part, raw_part, f"{path}{name}.")


def _holds_records(values: Iterable[object]) -> bool:
    """Values are all of one kind; a ledger has hundreds of thousands that are none of ours."""
    return dataclasses.is_dataclass(next(iter(values), None))
