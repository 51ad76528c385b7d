"""NewStore's OpenAPI files, and what went over the wire held against them.

The files are NewStore's and not part of this repository. Where they are at hand they are in
`../shared/newstore-openapi` beside it; elsewhere `load` skips the test with a word.
"""

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from tests.contract.openapi_schema import expanded, faults_of

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT.parent / "shared" / "newstore-openapi"
REQUIRED_VARIABLE = "OPENAPI_REQUIRED"
"""Set where the files have to be at hand: then a skip is a failure."""
_JSON = "application/json"
_METHODS = frozenset({"get", "put", "post", "patch", "delete"})


@dataclass(frozen=True, kw_only=True)
class Exchange:
    """One call and its answer; bodies as JSON, None where there was none."""

    method: str
    path: str
    query: Mapping[str, str]
    body: Any
    status: int
    answer: Any
    answer_type: str = _JSON

    def __str__(self) -> str:
        return f"{self.method} {self.path} -> {self.status}"


class OpenApi:
    """One file. Objects are closed: a member that the file does not name is a fault."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._operations: dict[str, Mapping[str, Any]] = {}
        self._paths: list[tuple[re.Pattern[str], str]] = []
        base = urlsplit(document["servers"][0]["url"]).path.rstrip("/")
        for path, item in expanded(document["paths"], document).items():
            shared = item.get("parameters", [])
            self._paths.append((_pattern(base + path), base + path))
            for method in _METHODS & item.keys():
                operation = item[method]
                parameters = [*shared, *operation.get("parameters", [])]
                name = f"{method.upper()} {base}{path}"
                self._operations[name] = {**operation, "parameters": parameters}
        # A path without parameters wins over one with them, as OpenAPI has it.
        self._paths.sort(key=lambda entry: entry[1].count("{"))

    @property
    def operations(self) -> frozenset[str]:
        """As "POST /v0/d/import/{import_id}/start"."""
        return frozenset(self._operations)

    def operation(self, exchange: Exchange) -> str:
        """The name of the operation that was called; empty where the file has none."""
        for pattern, path in self._paths:
            if pattern.fullmatch(exchange.path):
                name = f"{exchange.method} {path}"
                return name if name in self._operations else ""
        return ""

    def called(self, exchanges: Iterable[Exchange]) -> frozenset[str]:
        """The operations that were answered with a 2xx."""
        return frozenset(self.operation(e) for e in exchanges if 200 <= e.status < 300) - {""}

    def faults(self, exchanges: Iterable[Exchange]) -> list[str]:
        """Everything in which a call or its answer is not what the file says, in words."""
        return [f"{e}: {fault}" for e in exchanges for fault in self._faults(e)]

    def _faults(self, exchange: Exchange) -> Iterator[str]:
        operation = self._operations.get(self.operation(exchange))
        if operation is None:
            yield "no such operation"
            return
        yield from _query_faults(exchange.query, operation["parameters"])
        yield from _request_faults(exchange.body, operation.get("requestBody"))
        yield from _answer_faults(exchange, operation["responses"])


def load(name: str) -> OpenApi:
    """The file of that name, without ".yaml"."""
    return _load(at_hand(f"{name}.yaml"))


@cache
def _load(path: Path) -> OpenApi:
    return OpenApi(yaml.safe_load(path.read_text()))


def at_hand(name: str) -> Path:
    """A file of NewStore's; the test is skipped where it is not there, or fails where it must."""
    path = FOLDER / name
    if not path.is_file():
        text = f"NewStore's {name} is not at hand in ../shared/newstore-openapi"
        if os.environ.get(REQUIRED_VARIABLE):
            pytest.fail(f"required here: {text}")
        pytest.skip(text)
    return path


def _pattern(path: str) -> re.Pattern[str]:
    parts = re.split(r"\{[^{}]*\}", path)
    return re.compile("[^/]+".join(re.escape(part) for part in parts))


def _query_faults(
    query: Mapping[str, str], parameters: Iterable[Mapping[str, Any]]
) -> Iterator[str]:
    """`filter[state]` is the parameter `filter` in subscript notation."""
    known = {p["name"]: p for p in parameters if p["in"] == "query"}
    given = {name if name in known else name.partition("[")[0]: v for name, v in query.items()}
    for name, value in given.items():
        if name not in known:
            yield f"unknown query parameter {name}"
        else:
            yield from faults_of(_typed(value, known[name]["schema"]), known[name]["schema"])
    for name, parameter in known.items():
        if parameter.get("required") and name not in given:
            yield f"query parameter {name} is missing"


def _typed(value: str, schema: Mapping[str, Any]) -> object:
    return int(value) if schema.get("type") == "integer" and value.lstrip("-").isdigit() else value


def _request_faults(body: Any, declared: Mapping[str, Any] | None) -> Iterator[str]:
    if declared is None or _JSON not in declared["content"]:
        if declared is None and body is not None:
            yield "a body, where none is declared"
    elif body is not None or declared.get("required"):
        yield from faults_of(body, declared["content"][_JSON]["schema"], "request")


def _answer_faults(exchange: Exchange, responses: Mapping[str, Any]) -> Iterator[str]:
    declared = responses.get(str(exchange.status), responses.get("default"))
    if declared is None:
        yield f"status is none of {sorted(responses)}"
        return
    content = declared.get("content", {})
    if _JSON not in content:
        if not content and exchange.answer is not None:
            yield "an answer with a body, where none is declared"
        return
    if not exchange.answer_type.startswith(_JSON):
        yield f"the answer is {exchange.answer_type or 'of no type'}"
    yield from faults_of(exchange.answer, content[_JSON].get("schema", {}), "answer")
