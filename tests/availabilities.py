"""One check for every archive that a test has made for NewStore.

It is ours, so that it holds where NewStore's own `availabilities.schema.json` is not at hand; where
that is, each file is held against it too. The schema says neither that rows stand once nor that
their nodes are in `store_mapping`, nor how large an archive may be.
"""

import io
import json
import zipfile
from collections import Counter
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator

from tests.contract.openapi import FOLDER

SCHEMA = FOLDER / "availabilities.schema.json"
ARCHIVE_BYTES_MAX = 80_000_000
FILES_MAX = 1000
ID_CHARACTERS_MAX = 256
SCHEMA_BYTES_MAX = 100_000
"""Larger files are left to our own check: the validator takes seconds for a megabyte."""
Row = tuple[str, str]


def checked(fetch: Callable[[str], bytes]) -> Callable[[str], bytes]:
    """What NewStore fetches, checked on the way."""

    def fetched(uri: str) -> bytes:
        content = fetch(uri)
        check_archive(content)
        return content

    return fetched


def check_archive(content: bytes) -> None:
    """AssertionError for what NewStore would not take, or would take at random."""
    with zipfile.ZipFile(io.BytesIO(content)) as zipped:
        infos = zipped.infolist()
        assert sum(info.file_size for info in infos) < ARCHIVE_BYTES_MAX, "the archive is too large"
        assert 1 <= len(infos) <= FILES_MAX, f"{len(infos)} files"
        rows: Counter[Row] = Counter()
        for info in infos:
            assert "availabilities" in info.filename, f"{info.filename} does not say what it is"
            assert "__MACOSX" not in info.filename, info.filename
            file = zipped.read(info)
            document = json.loads(file)
            faults = faults_of(document)
            assert not faults, f"{info.filename}: {faults[:5]}"
            if SCHEMA.is_file() and len(file) <= SCHEMA_BYTES_MAX:
                against_schema = schema_faults_of(document)
                assert not against_schema, f"{info.filename}: {against_schema[:5]}"
            rows.update(
                (item["fulfillment_node_id"], item["product_id"]) for item in items(document)
            )
    twice = [row for row, times in rows.items() if times > 1]
    assert not twice, f"rows that stand twice: {twice[:5]}"


def items(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = document["items"]
    return found


def faults_of(document: Any) -> list[str]:
    """What the schema says, and that every row's node stands in the head."""
    if not isinstance(document, dict) or not isinstance(document.get("head"), dict):
        return ["no head"]
    head, rows = document["head"], document.get("items")
    mapping = head.get("store_mapping")
    if not isinstance(mapping, list):
        return ["store_mapping is no list"]
    faults = [f"store_mapping: {entry}" for entry in mapping if not _is_mapping(entry)]
    if head.get("mode", "on_hand") not in ("on_hand", "atp"):
        faults.append(f"mode: {head['mode']}")
    if not isinstance(rows, list) or not rows:
        return [*faults, "items are no list, or empty"]
    nodes = {entry["fulfillment_node_id"] for entry in mapping} if not faults else set()
    return faults + [f"row: {row}" for row in rows if not _is_row(row, nodes)]


def _is_mapping(entry: Any) -> bool:
    return (
        isinstance(entry, dict)
        and _is_id(entry.get("fulfillment_node_id"))
        and isinstance(entry.get("store_id", ""), str | None)
    )


def _is_row(row: Any, nodes: set[str]) -> bool:
    """Future stock is not what this project sends."""
    if not isinstance(row, dict):
        return False
    quantity, node = row.get("quantity"), row.get("fulfillment_node_id")
    return (
        _is_id(row.get("product_id"))
        and _is_id(node)
        and node in nodes
        and isinstance(quantity, int)
        and not isinstance(quantity, bool)
        and quantity >= 0
        and "future_inventory" not in row
    )


def _is_id(value: Any) -> bool:
    return isinstance(value, str) and 1 <= len(value) <= ID_CHARACTERS_MAX


def schema_faults_of(document: Any) -> list[str]:
    """By NewStore's own file."""
    return [
        f"{error.json_path}: {error.message}"[:200] for error in _schema().iter_errors(document)
    ]


@cache
def _schema() -> Draft202012Validator:
    return Draft202012Validator(json.loads(SCHEMA.read_text()))
