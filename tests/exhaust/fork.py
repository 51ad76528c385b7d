"""Copies of a world of fakes and models: what can change is copied, what is frozen is shared."""

import copy
import threading
from collections import Counter, defaultdict, deque
from collections.abc import Callable
from dataclasses import is_dataclass
from enum import Enum
from itertools import count
from types import MethodType
from typing import Any

from local.http_server import CallFaults
from local.newstore.atp_exports import AtpExports
from local.newstore.integrations import Integrations
from local.newstore.publications import Publications
from local.newstore.publisher import Publisher
from local.newstore.request_limit import RequestLimit
from local.newstore.tokens import TokenIssuer

Made = dict[int, Any]
Fork = Callable[[Any, Made], Any]

_LOCKS = (type(threading.Lock()), type(threading.RLock()))


def forked(value: Any) -> Any:
    """A copy that shares no mutable part with it; the same object stays one object."""
    return _fork(value, {})


def _fork(value: Any, made: Made) -> Any:
    how = _HOW.get(type(value)) or _learn(value)
    if how is _share:
        return value
    found = made.get(id(value))
    return how(value, made) if found is None else found


def _share(value: Any, made: Made) -> Any:
    return value


def _fork_dict(value: Any, made: Made) -> Any:
    made[id(value)] = new = value.copy()
    for key, held in value.items():
        if _HOW.get(type(held)) is not _share:
            new[key] = _fork(held, made)
    return new


def _fork_counter(value: Any, made: Made) -> Any:
    """Counts are numbers; Counter's own copy counts them anew."""
    made[id(value)] = new = Counter.__new__(Counter)
    dict.update(new, value)
    return new


def _fork_list(value: Any, made: Made) -> Any:
    made[id(value)] = new = value.copy()
    for place, held in enumerate(value):
        if _HOW.get(type(held)) is not _share:
            new[place] = _fork(held, made)
    return new


def _fork_shallow(value: Any, made: Made) -> Any:
    made[id(value)] = new = copy.copy(value)
    return new


def _fork_publisher(value: Any, made: Made) -> Any:
    """What is published does not change any more, and so is not copied itself."""
    made[id(value.events)] = [*value.events]
    return _fork_object(value, made)


def _fork_method(value: Any, made: Made) -> Any:
    return MethodType(value.__func__, _fork(value.__self__, made))


def _fork_object(value: Any, made: Made) -> Any:
    kind = type(value)
    made[id(value)] = new = object.__new__(kind)
    attributes = new.__dict__
    for name, held in value.__dict__.items():
        attributes[name] = held if _HOW.get(type(held)) is _share else _fork(held, made)
    return new


def _learn(value: Any) -> Fork:
    """How to copy its type: what has no attributes of its own, or is frozen, cannot change."""
    kind = type(value)
    frozen = isinstance(value, Enum) or (
        is_dataclass(kind) and kind.__dataclass_params__.frozen  # type: ignore[attr-defined]
    )
    changes = hasattr(value, "__dict__") and kind.__module__.partition(".")[0] in _OURS
    _HOW[kind] = _fork_object if changes and not frozen else _share
    return _HOW[kind]


_OURS = {"inventory_sync", "local", "tests"}
_UNUSED = (AtpExports, CallFaults, Integrations, Publications, RequestLimit, TokenIssuer)
"""What no step here changes."""
_HOW: dict[type, Fork] = {
    dict: _fork_dict,
    Counter: _fork_counter,
    defaultdict: _fork_dict,
    list: _fork_list,
    deque: _fork_list,
    set: _fork_shallow,
    count: _fork_shallow,
    MethodType: _fork_method,
    **dict.fromkeys((str, int, bytes, bool, float, tuple, frozenset, type(None)), _share),
    **dict.fromkeys(_LOCKS, _share),
    Publisher: _fork_publisher,
    **dict.fromkeys(_UNUSED, _share),
}
