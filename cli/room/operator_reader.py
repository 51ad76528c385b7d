"""Readings of a deployed stack with an operator's own credentials: nothing is changed.

However many locations there are, no table is read whole: what needs a person comes from the state
table, the last report and the metrics, and events are read where something is wrong or looked at.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from cli.command import Operator
from cli.explain import as_figures, explained, headline
from cli.findings import Findings
from cli.glance import Glance, glance_at
from cli.room.picture import RUNS_MAX
from cli.room.reading import Drift, Reading, Tile, oldest_stock_tile, standing_holds
from cli.room.shadow import shadow_row, shadow_tiles
from cli.shadow_now import LatestLooks
from cli.standing import standing
from cli.status import look_at_a_glance
from inventory_sync.adapters.unreadable import report_unreadable
from inventory_sync.domain.drift import Cause
from inventory_sync.domain.errors import FatalError, InventorySyncError
from inventory_sync.domain.events import OpenEvent
from inventory_sync.domain.locations import Location
from inventory_sync.domain.wording import counted

LOCATIONS_READ_MAX = 20
"""Held locations whose open events are read, beside those that were looked at."""
DRIFTS_MAX = 200
SUGGESTED_MAX = 20
LATELY = timedelta(minutes=15)
"""The sweep counts what is open every five minutes."""
DAY = timedelta(days=1)
GOALS: Mapping[str, float] = {
    "UnitsOversold": 0,
    "UnitsUndersold": 0,
    "ShipmentToErpSeconds": 300,
    "ShipmentToNewStoreSeconds": 1800,
}
"""docs/settings.md, Goals."""


@dataclass
class OperatorReader:
    """Keeps the last look, whose map finds locations, and files that do not change."""

    operator: Operator
    looked_at: set[str] = field(default_factory=set)
    _last: Glance | None = None
    _looks: LatestLooks = field(init=False)
    _report: tuple[str, tuple[Drift, ...]] = ("", ())

    def __post_init__(self) -> None:
        self._looks = LatestLooks(self.operator.stack.looks)

    def read(self) -> Reading:
        """Read anew; parts that change meanwhile may be a moment apart."""
        operator, stack = self._now(), self.operator.stack
        glance = self._last = glance_at(operator, self._last, self._looks)
        head, found = glance.head, Findings()
        look_at_a_glance(operator, glance, found)
        holds = standing_holds(glance.holds, glance.operator_holds)
        figures = self._metrics(operator, found.concerns)
        shadow = glance.shadow
        if shadow is None:
            tiles = tuple(_tiles(operator.now, glance, figures))
        else:
            tiles = tuple(shadow_tiles(operator.now, shadow))
        return Reading(
            at=operator.now,
            watermark=head.watermark,
            release=head.release,
            runs=tuple(islice(stack.runs.newest_first(), RUNS_MAX)),
            holds=holds,
            open_events=tuple(self._open_events(glance.places, [*holds])),
            open_count=_whole(figures.get("OpenEvents")),
            quarantined=_whole(figures.get("QuarantineDepth")),
            concerns=tuple(found.concerns),
            tiles=tiles,
            shadow=shadow,
            unstored=glance.unstored,
            drifts=self._drifts(glance.report),
            refresh=next((str(r["state"]) for r in found.lines if r[""] == "refresh"), ""),
        )

    def row(self, location_id: str, product_id: str) -> dict[str, Any]:
        """A row's sum, its holds and its history, ready for JSON; its location is watched."""
        operator = self._now()
        if self._last is not None and self._last.shadow is not None:
            self.looked_at.add(location_id)
            return shadow_row(self._last.shadow, location_id, product_id)
        found = explained(operator, location_id, product_id)
        self.looked_at.add(location_id)
        stands = standing(operator, found)
        figures = {**as_figures(found), **stands.figures}
        record: dict[str, Any] = json.loads(json.dumps(figures, default=_plain))
        return record | {
            "headline": headline(found),
            "lines": [line for line in stands.lines if line],
            "timeline": sorted(_timeline(record), key=lambda moment: moment["at"]),
        }

    def suggestions(self, text: str) -> list[str]:
        """Ids of locations that begin so, or contain it."""
        wanted = text.strip().casefold()
        places = self._last.places if self._last else self.operator.store.locations()
        ids = sorted(places)
        first = [one for one in ids if one.casefold().startswith(wanted)]
        others = (one for one in ids if wanted in one.casefold() and one not in set(first))
        return list(islice([*first, *others], SUGGESTED_MAX))

    def _now(self) -> Operator:
        return replace(self.operator, now=self.operator.stack.connect.now())

    def _open_events(self, known: Mapping[str, Location], held: list[str]) -> Iterator[OpenEvent]:
        wanted = [*sorted(self.looked_at), *sorted(set(held) - self.looked_at)]
        for location_id in [one for one in wanted if one in known][:LOCATIONS_READ_MAX]:
            yield from self.operator.stack.event_log.open_events_of(location_id)

    def _metrics(self, operator: Operator, concerns: list[str]) -> dict[str, float | None]:
        now, stack = operator.now, operator.stack
        try:
            lately = stack.highest(("OpenEvents", "QuarantineDepth"), now - LATELY, now)
            return {**lately, **stack.highest(tuple(GOALS), now - DAY, now)}
        except InventorySyncError as error:
            concerns.append(f"CloudWatch could not be asked: {error}")
            return {}

    def _drifts(self, folder: str) -> tuple[Drift, ...]:
        """Of a report, the costliest rows first."""
        if folder and folder != self._report[0]:
            found = self.operator.stack.bucket.get(f"{folder}drift.csv") or b""
            text = found.decode("utf-8", errors="replace")
            try:
                rows = sorted(_drifting(text), key=lambda drift: -abs(drift.drift_units))
            except (ValueError, LookupError, AttributeError, csv.Error) as error:
                report_unreadable(FatalError(f"{folder}drift.csv: {type(error).__name__}"))
                rows = []
            self._report = (folder, tuple(rows[:DRIFTS_MAX]))
        return self._report[1]


def _tiles(now: datetime, glance: Glance, figures: Mapping[str, float | None]) -> Iterator[Tile]:
    a_day = "highest of a day, by reconciliations"
    for name, shown in (
        ("UnitsOversold", "Promised too many"),
        ("UnitsUndersold", "Promised too few"),
    ):
        yield Tile(name=shown, value=figures.get(name), unit="units", goal=GOALS[name], since=a_day)
    since = "since the ERP was read, of all locations"
    yield oldest_stock_tile(now, _oldest_stock(glance), since)
    for name, shown in (
        ("ShipmentToErpSeconds", "Shipment to ERP"),
        ("ShipmentToNewStoreSeconds", "Shipment to NewStore"),
    ):
        yield Tile(
            name=shown,
            value=figures.get(name),
            unit="seconds",
            goal=GOALS[name],
            since="longest of a day",
        )


def _oldest_stock(glance: Glance) -> datetime | None:
    """When the ERP was read for the location that has waited longest, as of the last import."""
    entries = glance.manifest.locations if glance.manifest else {}
    return min((entries[key].as_of for key in glance.imported if key in entries), default=None)


def _drifting(text: str) -> Iterator[Drift]:
    for row in csv.DictReader(io.StringIO(text)):
        if int(row["drift"] or 0):
            yield Drift(
                location=row["location_id"].removeprefix("'"),
                product=row["product_id"].removeprefix("'"),
                atp_units=int(row["atp"] or 0),
                drift_units=int(row["drift"]),
                causes=tuple(c.value.replace("_", " ") for c in Cause if row.get(c.value)),
            )


def _timeline(record: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    """What happened to the row, from the figures of `explain`."""
    if record["as_of"]:
        yield {"at": record["as_of"], "kind": "read", "what": f"the ERP had {record['base']}"}
    for term in record["terms"]:
        if term["applied_at"]:
            what = f"the ERP booked event {term['logical_timestamp']}"
            yield {"at": term["applied_at"], "kind": "booked", "what": what}
    if record["finished_at"]:
        what = f"an import told NewStore {record['sent']}"
        yield {"at": record["finished_at"], "kind": "import", "what": what}
    for event in record["since"]:
        name = event["name"].rpartition(".")[2].replace("_", " ")
        what = f"event {event['logical_timestamp']} came: {counted(event['units'], 'unit')}, {name}"
        yield {"at": event["received_at"], "kind": "event", "what": what}
        if event["applied_at"]:
            what = f"the ERP booked event {event['logical_timestamp']}"
            yield {"at": event["applied_at"], "kind": "booked", "what": what}
    for hold in record["holds"]:
        yield {"at": hold["since"], "kind": "held", "what": f"held: {hold['kind']}"}


def _whole(value: float | None) -> int | None:
    return None if value is None else int(value)


def _plain(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
