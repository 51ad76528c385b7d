"""Reads an import's zip as strictly as we may assume NewStore does."""

from __future__ import annotations

import io
import json
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeGuard, get_args

from local.newstore.fulfillment import StockKey

IMPORT_BYTES_MAX = 80_000_000
"""Of all files, uncompressed, which have to stay below it."""
FILES_MAX = 1000
Mode = Literal["on_hand", "atp"]


@dataclass(frozen=True)
class ImportFinding:
    """One entry of a job's error list."""

    reason: str
    entity_type: str
    entity_id: str


class UnusableImportError(Exception):
    """The zip, or one file of it, cannot be imported; `findings` is never empty."""

    def __init__(self, *findings: ImportFinding) -> None:
        super().__init__(findings[0].reason)
        self.findings = findings


@dataclass(frozen=True)
class Row:
    """Absolute quantity of one product at one node."""

    key: StockKey
    quantity: int


@dataclass(frozen=True)
class AvailabilitiesFile:
    """One file of the zip, valid in itself. The range is inclusive."""

    mode: Mode
    nodes: Mapping[str, str]
    """The store of each, empty for a DC."""
    range_start: int
    range_end: int
    rows: tuple[Row, ...]


def open_zip(content: bytes) -> list[tuple[str, bytes]]:
    """(name, content) of 1..1000 JSON files, ordered by name; raises UnusableImportError."""
    try:
        archive = zipfile.ZipFile(io.BytesIO(content))
        infos = sorted(archive.infolist(), key=lambda info: info.filename)
        sizes = [info.file_size for info in infos]
        if not 1 <= len(infos) <= FILES_MAX:
            raise _unusable(f"a zip holds 1 to {FILES_MAX} files, not {len(infos)}", "zip")
        if len({info.filename for info in infos}) != len(infos):
            raise _unusable("two files have the same name", "zip")
        if sum(sizes) >= IMPORT_BYTES_MAX:
            raise _unusable(f"{IMPORT_BYTES_MAX} bytes in all, or more", "zip")
        for info in infos:
            if not info.filename.endswith(".json"):
                raise _unusable("not a .json file", info.filename)
            if "availabilities" not in info.filename or "__MACOSX" in info.filename:
                raise _unusable("its name does not say availabilities", info.filename)
        return [(info.filename, archive.read(info)) for info in infos]
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError) as error:
        raise _unusable(f"not a zip: {error}", "zip") from error


def read_file(name: str, content: bytes) -> AvailabilitiesFile:
    """Validate one file whole, before any of its rows counts; raises UnusableImportError."""
    try:
        document = json.loads(content)
    except ValueError as error:
        raise _unusable(f"not JSON: {error}", name) from error
    if not isinstance(document, dict) or not isinstance(document.get("head"), dict):
        raise _unusable("no head", name)
    head = document["head"]
    mode = head.get("mode", "on_hand")
    if mode not in get_args(Mode):
        raise _unusable("head.mode is neither on_hand nor atp", name)
    nodes = _nodes(head.get("store_mapping"), name)
    start, end = _range(head.get("completed_fulfillment_requests"), name)
    rows = _rows(document.get("items"), frozenset(nodes))
    return AvailabilitiesFile(mode, nodes, start, end, rows)


def _nodes(mapping: Any, name: str) -> dict[str, str]:
    if not isinstance(mapping, list) or not mapping:
        raise _unusable("head.store_mapping is missing or empty", name)
    for entry in mapping:
        fields = entry if isinstance(entry, dict) else {}
        if not _is_id(fields.get("fulfillment_node_id")):
            raise _unusable("a store_mapping entry has no fulfillment_node_id", name)
        if not isinstance(fields.get("store_id", ""), str | None):
            raise _unusable("a store_mapping entry's store_id is neither text nor null", name)
    return {entry["fulfillment_node_id"]: entry.get("store_id") or "" for entry in mapping}


def _range(completed: Any, name: str) -> tuple[int, int]:
    fields = completed if isinstance(completed, dict) else {}
    start, end = fields.get("logical_timestamp_start"), fields.get("logical_timestamp_end")
    if not _is_count(start) or not _is_count(end):
        raise _unusable("completed_fulfillment_requests needs two non-negative integers", name)
    if start > end:
        raise _unusable(f"range starts at {start} and ends at {end}", name)
    return start, end


def _rows(items: Any, nodes: frozenset[str]) -> tuple[Row, ...]:
    if not isinstance(items, list) or not items:
        raise _unusable("items is not a list, or empty", "items")
    rows: dict[StockKey, Row] = {}
    findings = []
    for item in items:
        fields = item if isinstance(item, dict) else {}
        node: Any = fields.get("fulfillment_node_id")
        product: Any = fields.get("product_id")
        reason = _row_fault(node, product, fields.get("quantity"), nodes)
        if reason is None and (node, product) in rows:
            reason = "the row stands twice in the file"
        if reason is not None:
            findings.append(ImportFinding(reason, "availabilities", f"{node}/{product}"))
            continue
        rows[(node, product)] = Row((node, product), fields["quantity"])
    if findings:
        raise UnusableImportError(*findings)
    return tuple(rows.values())


def _row_fault(node: Any, product: Any, quantity: Any, nodes: frozenset[str]) -> str | None:
    if not _is_id(node) or not _is_id(product):
        return "fulfillment_node_id or product_id is missing"
    if node not in nodes:
        return f"fulfillment_node_id {node} is not in store_mapping"
    if not _is_count(quantity):
        return f"quantity is not a non-negative integer: {quantity!r}"
    return None


def _is_id(value: Any) -> TypeGuard[str]:
    return isinstance(value, str) and value != ""


def _is_count(value: Any) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _unusable(reason: str, entity_id: str) -> UnusableImportError:
    return UnusableImportError(ImportFinding(reason, "availabilities", entity_id))
