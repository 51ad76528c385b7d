"""What an object holds, and what that holds: every plain value under the path to it."""

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime, timedelta
from functools import partial
from types import FunctionType
from typing import Any

from botocore.client import BaseClient

PLAIN = (str, int, float, timedelta, datetime, type(None))


def leaves(value: object) -> dict[str, Any]:
    """Names without underscores before them; an object that stands twice is looked into once."""
    return dict(_leaves(value, "", set()))


def _leaves(value: object, path: str, seen: set[int]) -> Iterator[tuple[str, Any]]:
    if isinstance(value, PLAIN):
        yield path, value
    elif isinstance(value, BaseClient):
        yield path, value.meta.service_model.service_name
    elif isinstance(value, Mapping):
        yield path, dict(value)
    elif id(value) not in seen:
        seen.add(id(value))
        for name, part in _parts(value):
            yield from _leaves(part, f"{path}.{name.lstrip('_')}".lstrip("."), seen)


def _parts(value: Any) -> list[tuple[str, object]]:
    if isinstance(value, FunctionType):
        cells = zip(value.__code__.co_freevars, value.__closure__ or (), strict=True)
        return [(name, cell.cell_contents) for name, cell in cells]
    if isinstance(value, partial):
        return [*value.keywords.items()]
    if isinstance(value, tuple):
        return [(str(number), part) for number, part in enumerate(value)]
    if not type(value).__module__.startswith("inventory_sync"):
        return []
    if is_dataclass(value):
        return [(field.name, getattr(value, field.name)) for field in fields(value)]
    return list(vars(value).items())
