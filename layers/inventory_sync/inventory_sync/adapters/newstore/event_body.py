"""NewStore's event bodies, read by hand: pydantic would double the webhook's cold start.

Tolerant of what we do not use and of matters of form: a shipment that is not understood is released
at NewStore all the same. Strict about what a key, a quantity or a point in time is.
"""

import json
import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from functools import partial
from typing import TypeVar

from inventory_sync.adapters.instants import read_instant
from inventory_sync.domain.events import EventName, FulfillmentEvent, FulfillmentItem
from inventory_sync.domain.ids import ID_CHARACTERS_MAX, UNUSABLE
from inventory_sync.domain.inbound import (
    IgnoredEvent,
    MalformedEventError,
    UnstoredCompletion,
)
from inventory_sync.domain.instants import BOUNDS

UNPARSABLE = "unparsable"
WRONG_TENANT = "wrong_tenant"

ITEMS_MAX = 10_000
LOGICAL_TIMESTAMP_MAX = 10**18
METRIC_NAME_CHARACTERS_MAX = 100

_NAMES = {name.value: name for name in EventName}
_NOT_IN_METRICS = re.compile(r"[^A-Za-z0-9._-]")
_REASON = re.compile("[a-z_]{1,40}")
_DIGITS = re.compile(r"([0-9]{1,19})(?:\.0+)?")
_INTEGER_CHARACTERS_MAX = 1_000
"""Longer ones are no number that we read; Python refuses those of over 4,300 digits."""
_COMMA_AT_THE_END = re.compile(r'("(?:[^"\\]|\\.)*+"?)|,(?=\s*[}\]])', re.DOTALL)
"""A text, or a comma after an object's or a list's last member."""
_EXACT_FLOATS = 2.0**53
"""Below it a float stands for one whole number only."""
_JSON_KINDS = {dict: "an object", list: "a list", str: "a text", bool: "a boolean", int: "a number"}

_Fields = dict[str, object]
_T = TypeVar("_T")


class _Ambiguous(dict[str, object]):
    """An object in which a key is repeated: only harmless where we do not read it."""


def parse_event(body: bytes, tenant: str) -> FulfillmentEvent | IgnoredEvent:
    """The event; MalformedEventError, and no other error, for anything that is none of `tenant`."""
    try:
        return _parsed(body, tenant)
    except MalformedEventError as error:
        completion, harmless = _remains(body, tenant)
        raise MalformedEventError(
            error.reason, error.detail, completion=completion, harmless=harmless
        ) from error


def _parsed(body: bytes, tenant: str) -> FulfillmentEvent | IgnoredEvent:
    try:
        return _event(_object(_json(body), "the body"), tenant)
    except MalformedEventError:
        raise
    except RecursionError as error:
        raise _unparsable("the body", "is nested too deeply", "send it flatter") from error
    except Exception as error:
        # A retry would bring the same bytes to the same fault, and the stream would stop for them.
        kind = type(error).__name__
        raise _unparsable("the body", f"made the parser fail ({kind})", "report it") from error


def _json(body: bytes) -> object:
    """Bytes that are no UTF-8 become half surrogates, which none of the fields that we read has."""
    text = body.decode("utf-8-sig", "surrogateescape").rstrip("\0 \t\r\n")
    try:
        return _DECODER.decode(text)
    except ValueError as error:
        fault = error
    try:
        return _DECODER.decode(_COMMA_AT_THE_END.sub(_text_alone, text))
    except ValueError:
        raise _unparsable("the body", f"is not JSON ({fault})", "send one JSON object") from fault


def _text_alone(found: re.Match[str]) -> str:
    return found[1] or ""


def _members(pairs: list[tuple[str, object]]) -> _Fields:
    fields = dict(pairs)
    return fields if len(fields) == len(pairs) else _Ambiguous(fields)


def _integer(digits: str) -> int | float:
    return int(digits) if len(digits) <= _INTEGER_CHARACTERS_MAX else float(digits)


_DECODER = json.JSONDecoder(object_pairs_hook=_members, parse_int=_integer, strict=False)
"""Takes what JSON does not allow, such as NaN or a newline in a text: most stand in fields that
nobody reads, and each of those we do read is checked."""


def _remains(body: bytes, tenant: str) -> tuple[UnstoredCompletion | None, bool]:
    """What a malformed body says of units that were shipped, and whether it is harmless."""
    try:
        fields = _json(body)
        if not isinstance(fields, dict):
            return None, False
        said, name = fields.get("tenant"), _plain(fields.get("name"))
        of_others = _plain(said) not in ("", _plain(tenant))
        if of_others or name in _NAMES.keys() - {EventName.ITEMS_COMPLETED}:
            return None, True
        payload = _payload(fields)
        if name != EventName.ITEMS_COMPLETED or not isinstance(payload, dict):
            return None, False
        return _completion(payload, fields.get("published_at")), False
    except Exception:  # noqa: BLE001 - what made the parser fail may do so here too
        return None, False


def _completion(payload: _Fields, published_at: object) -> UnstoredCompletion:
    """Of items that contradict one another none is read."""
    request_id = _if_readable(lambda: _text(payload, "id"), "")
    listed = payload.get("items")
    raw = listed[:ITEMS_MAX] if isinstance(listed, list) and request_id else []
    read = [_if_readable(partial(_item, value, "item"), None) for value in raw]
    products = _products(item for item in read if item)
    known = [item for item in read if item and len(products[item.item_id]) == 1]
    items = _each_once(known)
    whole = bool(items) and listed == raw and len(known) == len(read)
    return UnstoredCompletion(
        location_id=_if_readable(lambda: _text(payload, "fulfillment_location_id"), ""),
        logical_timestamp=_if_readable(
            lambda: _logical_timestamp(payload.get("logical_timestamp")), None
        ),
        fulfillment_request_id=request_id,
        service_level=_if_readable(lambda: _optional_text(payload, "service_level"), ""),
        items=items,
        whole=whole and not isinstance(payload, _Ambiguous),
        published_at=_instant(published_at),
    )


def _if_readable(read: Callable[[], _T], otherwise: _T) -> _T:
    try:
        return read()
    except MalformedEventError:
        return otherwise


def _event(fields: _Fields, tenant: str) -> FulfillmentEvent | IgnoredEvent:
    if _raw_text(fields, "tenant", "tenant") != tenant:
        detail = f"tenant is not {tenant!r}; register the stream of that tenant, or set Tenant"
        raise MalformedEventError(WRONG_TENANT, detail)
    name = _raw_text(fields, "name", "name")
    if name not in _NAMES:
        if (meant := _plain(name)) in _NAMES:
            problem = f"is {meant} but for case or blanks"
            raise _unparsable("name", problem, "send it as it is documented")
        return IgnoredEvent(_NOT_IN_METRICS.sub("?", name[:METRIC_NAME_CHARACTERS_MAX]))
    payload = _object(_payload(fields), "payload")
    return FulfillmentEvent(
        name=_NAMES[name],
        location_id=_text(payload, "fulfillment_location_id"),
        logical_timestamp=_logical_timestamp(payload.get("logical_timestamp")),
        fulfillment_request_id=_text(payload, "id"),
        order_id=_optional_text(payload, "order_id"),
        service_level=_optional_text(payload, "service_level"),
        items=_items(payload.get("items")),
        published_at=_published_at(fields.get("published_at")),
    )


def _items(value: object) -> tuple[FulfillmentItem, ...]:
    if not isinstance(value, list) or not 1 <= len(value) <= ITEMS_MAX:
        remedy = f"send a list of 1 to {ITEMS_MAX} items"
        count = f"has {len(value)} items" if isinstance(value, list) else f"is {_kind(value)}"
        raise _unparsable("payload.items", count, remedy)
    items = [_item(item, f"payload.items[{index}]") for index, item in enumerate(value)]
    products = _products(items)
    for index, item in enumerate(items):
        if len(products[item.item_id]) > 1:
            problem = "has the id of another item, and another product"
            raise _unparsable(f"payload.items[{index}]", problem, "send one product for each id")
    return _each_once(items)


def _products(items: Iterable[FulfillmentItem]) -> dict[str, set[str]]:
    """By item id: an item is one unit, and of one product."""
    found: dict[str, set[str]] = {}
    for item in items:
        found.setdefault(item.item_id, set()).add(item.product_id)
    return found


def _each_once(items: Iterable[FulfillmentItem]) -> tuple[FulfillmentItem, ...]:
    """The first of those with one id."""
    found: dict[str, FulfillmentItem] = {}
    for item in items:
        found.setdefault(item.item_id, item)
    return tuple(found.values())


def _item(value: object, where: str) -> FulfillmentItem:
    fields = _object(value, where)
    return FulfillmentItem(
        item_id=_text(fields, "id", where),
        product_id=_text(fields, "product_id", where),
        shipped_at=_instant(fields.get("shipped_at")),
        rejection_reason=_rejection_reason(fields.get("rejection_reason")),
    )


def _rejection_reason(value: object) -> str:
    """Empty where it is none of NewStore's words: nothing but `no_inventory` matters to us."""
    word = "_".join(re.split(r"[\s_-]+", value.strip())).lower() if isinstance(value, str) else ""
    return word if _REASON.fullmatch(word) else ""


def _logical_timestamp(value: object) -> int:
    where = "payload.logical_timestamp"
    number = _whole(value)
    if isinstance(value, str) and (digits := _DIGITS.fullmatch(value.strip())):
        number = int(digits[1])
    if number is None:
        problem = "has a fraction" if type(value) is float else f"is {_kind(value)}"
        raise _unparsable(where, problem, "send it as a JSON integer such as 12")
    if not 0 <= number <= LOGICAL_TIMESTAMP_MAX:
        raise _unparsable(where, "is out of range", f"allowed is 0 to {LOGICAL_TIMESTAMP_MAX}")
    return number


def _whole(value: object) -> int | None:
    """The whole number that a JSON number stands for."""
    if type(value) is float and value.is_integer() and abs(value) < _EXACT_FLOATS:
        return int(value)
    return value if type(value) is int else None


def _published_at(value: object) -> datetime:
    instant = _instant(value)
    if instant is None:
        remedy = f"send {BOUNDS} such as 2026-03-02T09:00:00.123Z"
        raise _unparsable("published_at", "is no ISO 8601 instant", remedy)
    return instant


def _instant(value: object) -> datetime | None:
    """A missing offset means UTC; None for anything else, and for a placeholder like the year 1."""
    try:
        return read_instant(value, UTC)
    except ValueError:
        return None


def _payload(fields: _Fields) -> object:
    """Which may be there as the text of a JSON object."""
    payload = fields.get("payload")
    try:
        return _DECODER.decode(payload) if isinstance(payload, str) else payload
    except ValueError:
        return payload


def _plain(value: object) -> str:
    """Without blanks and case; empty for what is no text."""
    return "".join(value.split()).casefold() if isinstance(value, str) else ""


def _object(value: object, where: str) -> _Fields:
    if isinstance(value, _Ambiguous):
        raise _unparsable(where, "has a key twice", "send each key once")
    if not isinstance(value, dict):
        raise _unparsable(where, f"is {_kind(value)}", "send a JSON object")
    return value


def _optional_text(fields: _Fields, name: str) -> str:
    return "" if fields.get(name) in (None, "") else _text(fields, name)


def _text(fields: _Fields, name: str, where: str = "payload") -> str:
    """A number is taken for the text of its digits: an ERP's product may be 4006381333931."""
    path = f"{where}.{name}"
    number = _whole(fields.get(name))
    text = _raw_text(fields, name, path) if number is None else str(number)
    if len(text) > ID_CHARACTERS_MAX:
        raise _unparsable(path, "is too long", f"allowed are {ID_CHARACTERS_MAX} characters")
    if UNUSABLE.search(text):
        problem = "has a control character or half a surrogate pair"
        raise _unparsable(path, problem, "send it without")
    return text


def _raw_text(fields: _Fields, name: str, path: str) -> str:
    value = fields.get(name)
    if not isinstance(value, str) or not value:
        problem = "is empty" if value == "" else f"is {_kind(value)}"
        raise _unparsable(path, problem, "send a text")
    return value


def _kind(value: object) -> str:
    return "missing or null" if value is None else _JSON_KINDS.get(type(value), "a number")


def _unparsable(where: str, problem: str, remedy: str) -> MalformedEventError:
    return MalformedEventError(UNPARSABLE, f"{where} {problem}; {remedy}")
