"""Bulk exports of ATP: made at their start, finished after a while, a zip behind a link."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

from local.http_server import CallRefusedError
from local.newstore.events import iso_instant
from local.newstore.fulfillment import StockKey

FILE_NAME = "availabilty.json"
"""As NewStore spells it."""
_IDS = UUID("0f0c2b0a-4f3d-4b8e-8f55-5c2d8f5f7a11")


@dataclass(frozen=True)
class AtpExport:
    """One export; `rows` are what it found at its start."""

    export_id: str
    received_at: datetime
    completes_at: datetime
    cursor: int
    rows: tuple[dict[str, Any], ...]
    failure: str


class AtpExports:
    """Exports by id. A row's revision is the number of the update that changed its ATP last."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._by_id: dict[str, AtpExport] = {}
        self._seen: dict[StockKey, tuple[int, int]] = {}
        self._updates = 0
        self.seconds: float = 0
        """How long one takes."""
        self.fail_next = ""
        """Why the next one fails."""

    def start(self, since: int | None, atp: Mapping[StockKey, int]) -> str:
        """Of all rows, or of those updated after `since`; the export's id."""
        self._observe(atp)
        wanted = {key: seen for key, seen in self._seen.items() if seen[1] > (since or 0)}
        rows = [_row(key, units, revision) for key, (units, revision) in sorted(wanted.items())]
        now = self._now()
        export = AtpExport(
            export_id=str(uuid5(_IDS, str(len(self._by_id)))),
            received_at=now,
            completes_at=now + timedelta(seconds=self.seconds),
            cursor=max((revision for _, revision in wanted.values()), default=0),
            rows=tuple(rows),
            failure=self.fail_next,
        )
        self.fail_next = ""
        self._by_id[export.export_id] = export
        return export.export_id

    def get(self, export_id: str, link: str) -> dict[str, Any]:
        """NewStore's JSON; CallRefusedError 404."""
        export = self.of(export_id)
        found = {"state": "processing", "received_at": iso_instant(export.received_at)}
        if self._now() < export.completes_at:
            return found
        found["completed_at"] = iso_instant(export.completes_at)
        if export.failure:
            return {**found, "state": "failed", "failure_reason": export.failure}
        return {**found, "state": "finished", "last_updated_at": export.cursor, "link": link}

    def packed(self, export_id: str) -> bytes:
        """The zip; CallRefusedError 404."""
        rows = self.of(export_id).rows
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(FILE_NAME, json.dumps(rows))
        return buffer.getvalue()

    def of(self, export_id: str) -> AtpExport:
        """CallRefusedError 404."""
        if export_id not in self._by_id:
            raise CallRefusedError(404, "unknown export")
        return self._by_id[export_id]

    def _observe(self, atp: Mapping[StockKey, int]) -> None:
        for key, units in sorted(atp.items()):
            if key not in self._seen or self._seen[key][0] != units:
                self._updates += 1
                self._seen[key] = (units, self._updates)


def _row(key: StockKey, units: int, revision: int) -> dict[str, Any]:
    return {
        "product_id": key[1],
        "fulfillment_node_id": key[0],
        "atp": units,
        "present_atp": units,
        "future_atp": 0,
        "revision": revision,
        "external_identifiers": [],
    }
