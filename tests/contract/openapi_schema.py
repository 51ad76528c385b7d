"""Schemas of OpenAPI 3.0 and 3.1 as JSON Schema, with closed objects."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from jsonschema import Draft202012Validator, FormatChecker

_CHECKER = FormatChecker(formats=())


@_CHECKER.checks("date-time", raises=ValueError)
def _date_time(value: object) -> bool:
    return not isinstance(value, str) or datetime.fromisoformat(value).tzinfo is not None


@_CHECKER.checks("uri")
def _uri(value: object) -> bool:
    return not isinstance(value, str) or bool(urlsplit(value).scheme)


@_CHECKER.checks("uuid", raises=ValueError)
def _uuid(value: object) -> bool:
    return not isinstance(value, str) or bool(UUID(value))


def faults_of(value: Any, schema: Mapping[str, Any], what: str = "") -> Iterator[str]:
    """What is wrong with the value, in words; a schema as `expanded` gives it, or any other."""
    validator = Draft202012Validator(schema, format_checker=_CHECKER)
    for error in sorted(validator.iter_errors(value), key=lambda error: error.json_path):
        yield f"{what} {error.json_path}: {error.message}"[:300]


def expanded(node: Any, document: Mapping[str, Any]) -> Any:
    """References resolved, `allOf` merged, `nullable` as a type, objects closed."""
    if isinstance(node, list):
        return [expanded(entry, document) for entry in node]
    if not isinstance(node, dict):
        return node
    if isinstance(node.get("$ref"), str):
        return expanded(_referred(node["$ref"], document), document)
    whole = {
        name: value if name in {"enum", "example", "examples"} else expanded(value, document)
        for name, value in node.items()
    }
    return _closed(_nullable(_merged(whole)))


def _referred(reference: str, document: Mapping[str, Any]) -> Any:
    found: Any = document
    for part in reference.removeprefix("#/").split("/"):
        found = found[part.replace("~1", "/").replace("~0", "~")]
    return found


def _merged(node: dict[str, Any]) -> dict[str, Any]:
    """The parts of `allOf` are closed already: as one object they allow what any of them names."""
    if "allOf" not in node:
        return node
    parts = [*node["allOf"], {name: value for name, value in node.items() if name != "allOf"}]
    merged: dict[str, Any] = {}
    for part in parts:
        merged |= part
    merged.pop("additionalProperties", None)
    merged["properties"] = {n: v for part in parts for n, v in part.get("properties", {}).items()}
    merged["required"] = sorted({name for part in parts for name in part.get("required", [])})
    return merged


def _nullable(node: dict[str, Any]) -> dict[str, Any]:
    if node.get("nullable") is not True or not isinstance(node.get("type"), str):
        return node
    values = {"enum": [*node["enum"], None]} if "enum" in node else {}
    return {**node, **values, "type": [node["type"], "null"]}


def _closed(node: dict[str, Any]) -> dict[str, Any]:
    """An object whose members are named here, and nowhere else, has no others."""
    if not isinstance(node.get("properties"), dict) or "additionalProperties" in node:
        return node
    branches = [branch for kind in ("oneOf", "anyOf") for branch in node.get(kind, [])]
    if any("properties" in branch for branch in branches):
        return node
    return {**node, "additionalProperties": False}
