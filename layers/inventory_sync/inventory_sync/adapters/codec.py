"""Our own records as JSON: every field is checked on the way in, unknown ones are refused."""

import dataclasses
import json
from typing import Any, TypeVar, cast

from pydantic import TypeAdapter, ValidationError

from inventory_sync.domain.errors import FatalError

T = TypeVar("T")


def encode(record: object) -> str:
    """A frozen dataclass as JSON; the same record always gives the same text."""
    adapter: TypeAdapter[object] = TypeAdapter(type(record))
    return json.dumps(adapter.dump_python(record, mode="json"), sort_keys=True)


def decode(kind: type[T], text: str | bytes, what: str) -> T:
    """The record; FatalError naming `what` and the field where it is not one of ours."""
    try:
        raw = json.loads(text)
        known = {field.name for field in dataclasses.fields(cast(Any, kind))}
        unknown = sorted(set(raw) - known)
        if unknown:
            raise FatalError(f"{what}: unknown fields {unknown}; written by a later version?")
        return TypeAdapter(kind).validate_json(text)
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        place = ".".join(map(str, first["loc"]))
        raise FatalError(f"{what}: {place}: {first['msg']}") from error
    except (ValueError, TypeError) as error:
        raise FatalError(f"{what}: not a JSON object") from error
