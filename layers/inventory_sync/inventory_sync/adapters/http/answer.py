"""Answers as they come over the wire: bounded, read to the end, JSON objects or an error."""

import json
import re
from collections.abc import Callable
from contextlib import suppress
from decimal import Decimal
from io import BytesIO
from typing import IO, Any, TypeVar

import requests
from pydantic import BaseModel, ValidationError

from inventory_sync.domain.errors import RetriableError

_CHUNK_BYTES = 65_536
_FAULTS_SHOWN_MAX = 3
_EXPONENT_MAX = 100
_HALF_A_PAIR = re.compile(rb"\\u[dD][89a-fA-F]")

M = TypeVar("M", bound=BaseModel)
_Build = Callable[[list[tuple[str, Any]]], dict[str, Any]]


class OversizeError(Exception):
    """The body has more bytes than we take."""


def read_body(response: requests.Response, *, bytes_max: int) -> bytes:
    """The whole body, decompressed; errors as those of `copy_body`."""
    body = BytesIO()
    copy_body(response, body, bytes_max=bytes_max)
    return body.getvalue()


def copy_body(response: requests.Response, target: IO[bytes], *, bytes_max: int) -> None:
    """The body, decompressed, into the target; OversizeError, or errors of requests, urllib3."""
    taken = 0
    while piece := response.raw.read1(_CHUNK_BYTES, decode_content=True):
        taken += target.write(piece)
        if taken > bytes_max:
            raise OversizeError(f"more than {bytes_max} bytes")


def parse_object(body: bytes, bare_list: str | None = None) -> dict[str, Any] | None:
    """A JSON object, None for anything else, or with a key twice in it; fractions as Decimal.

    NaN, Infinity and a number beyond what can be read are a Decimal that is not finite: a fault of
    their field, not of the whole. `bare_list` names the key under which a list without an object
    around it is given.
    """
    try:
        parsed = _parsed(body)
        if _keys(parsed) != body.count(b'":'):
            parsed = _parsed(body, _each_once)
        if _HALF_A_PAIR.search(body):
            parsed = _with_whole_characters(parsed)
    except (ValueError, RecursionError):
        return None
    if isinstance(parsed, list) and bare_list is not None:
        return {bare_list: parsed}
    return parsed if isinstance(parsed, dict) else None


def repeated_key(body: bytes) -> str:
    """Of a body that is no object of ours: a key that one of its objects has twice, else empty."""
    try:
        _parsed(body, _each_once)
    except _RepeatedKeyError as error:
        return str(error)
    except (ValueError, RecursionError):
        pass
    return ""


def read_model(kind: type[M], data: object, where: str) -> M:
    """Checked against the model; RetriableError naming the fields, never their values."""
    try:
        return kind.model_validate(data)
    except ValidationError as error:
        raise RetriableError(f"{where}: not the agreed form: {_faults(error)}") from None


def _faults(error: ValidationError) -> str:
    faults = [f"{'.'.join(map(str, fault['loc']))}: {fault['type']}" for fault in error.errors()]
    more = len(faults) - _FAULTS_SHOWN_MAX
    return "; ".join(faults[:_FAULTS_SHOWN_MAX]) + (f"; and {more} more" if more > 0 else "")


class _RepeatedKeyError(ValueError):
    """Which of the two is meant nobody knows."""


def _parsed(body: bytes, build: _Build | None = None) -> object:
    """Once more, and more slowly, where a number has more digits than Python takes."""
    try:
        return json.loads(
            body, parse_float=_fraction, parse_constant=Decimal, object_pairs_hook=build
        )
    except (json.JSONDecodeError, UnicodeError, _RepeatedKeyError):
        raise
    except (ValueError, ArithmeticError):
        return json.loads(
            body,
            parse_float=_number,
            parse_int=_number,
            parse_constant=Decimal,
            object_pairs_hook=build,
        )


def _keys(parsed: object) -> int:
    """How many keys an object and the objects in its lists have; too few where others are deeper.

    That is quick, as pages of thousands of rows need it: to build each object with `_each_once`
    would take twice as long as all else. Where the body has another number it is done.
    """
    found = len(parsed) if isinstance(parsed, dict) else 0
    for value in parsed.values() if isinstance(parsed, dict) else [parsed]:
        if isinstance(value, list) and value and isinstance(value[0], dict):
            with suppress(TypeError):
                found += sum(map(len, value))
    return found


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        raise _RepeatedKeyError(next(key for key in keys if keys.count(key) > 1))
    return found


def _with_whole_characters(value: Any) -> Any:
    """Half a surrogate pair can be written nowhere: a replacement character takes its place."""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [_with_whole_characters(one) for one in value]
    if isinstance(value, dict):
        pairs = ((_with_whole_characters(key), value[key]) for key in value)
        return {key: _with_whole_characters(one) for key, one in pairs}
    return value


def _fraction(text: str) -> Decimal:
    """As an int a number such as 1e999999 would take a second and have a million digits."""
    number = Decimal(text)
    return number if abs(number.adjusted()) <= _EXPONENT_MAX else Decimal("NaN")


def _number(text: str) -> int | Decimal:
    try:
        return int(text) if text.lstrip("-").isdigit() else _fraction(text)
    except (ValueError, ArithmeticError):
        return Decimal("NaN")
