"""What adds up over the locations of a run."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import islice

from inventory_sync.domain.cut import LocationCut
from inventory_sync.domain.events import EventRef
from inventory_sync.domain.import_run import ImportRun, RunState
from inventory_sync.domain.manifest import Basis, Finalization, LocationEntry
from inventory_sync.ports.observe import Observer
from inventory_sync.use_cases.import_stock.build_import.file_packer import FilePacker
from inventory_sync.use_cases.import_stock.build_import.read_stock import LeftOut

LEFT_OUT_NAMED_MAX = 200
UNSENDABLE_NAMED_MAX = 50
PRODUCT_NAMED_CHARACTERS_MAX = 80
REASON_CHARACTERS_MAX = 500
LEFT_OUT_BYTES_MAX = 110_000
"""A run's record has to fit a table item, where a letter takes up to twelve bytes; the metric has
the number of all left out."""


@dataclass
class Tally:
    """Grows as locations are added to the run."""

    entries: dict[str, LocationEntry] = field(default_factory=dict)
    counted: list[EventRef] = field(default_factory=list)
    closed: list[EventRef] = field(default_factory=list)
    late: list[EventRef] = field(default_factory=list)
    mispicks: list[EventRef] = field(default_factory=list)
    clamped: int = 0
    snapshots: int = 0
    rows_left: int = 0
    unsendable: list[str] = field(default_factory=list)

    def add(self, cut: LocationCut, clamped: int, rows_left: int, entry: LocationEntry) -> None:
        """One location that is in the run; `rows_left` had no room in the archive."""
        self.entries[cut.location_id] = entry
        self.rows_left += rows_left
        self.counted += cut.counted
        self.closed += cut.closed
        self.late += cut.late
        self.clamped += clamped
        self.snapshots += entry.basis is Basis.SNAPSHOT

    def leave_out(self, location_id: str, rows: Mapping[str, str]) -> None:
        """Rows that are not sent, by product, with what is wrong with them."""
        for product, fault in islice(rows.items(), UNSENDABLE_NAMED_MAX - len(self.unsendable)):
            named = product[:PRODUCT_NAMED_CHARACTERS_MAX]
            self.unsendable.append(f"{location_id} {named!r}: {fault}")

    def finalization(self) -> Finalization:
        """What is to be marked once the run has finished."""
        return Finalization(
            counted=_pairs(self.counted + self.mispicks),
            closed=_pairs(self.closed),
            late=_pairs(self.late),
        )

    def count(
        self,
        observer: Observer,
        left_out: Mapping[str, LeftOut],
        rows_held: Mapping[str, int],
        oldest: float,
    ) -> None:
        """Into the metrics; `oldest` is the age of the oldest stock as a share of the maximum."""
        held = sum(left.held and not left.by_choice for left in left_out.values())
        observer.count("LocationsHeld", held + len(rows_held))
        observer.count("StockAgePercent", round(100 * oldest, 1))
        unwanted = sum(not left.by_choice for left in left_out.values())
        observer.count("LocationsLeftOut", unwanted)
        observer.count("LateEvents", len(self.late))
        observer.count("RowsClamped", self.clamped)

    def built(
        self, run: ImportRun, cut_end: int, packer: FilePacker, left_out: Mapping[str, LeftOut]
    ) -> ImportRun:
        """The run with what is to be sent; ended where that is nothing.

        Where only some locations were asked for, the others are not named as left out.
        """
        state = RunState.UPLOADED
        if not packer.files:
            held = any(left.held for left in left_out.values())
            state = RunState.HELD if held and not self.snapshots else RunState.FINISHED
        return replace(
            run,
            state=state,
            cut_end=cut_end,
            rows=packer.rows,
            files=packer.files,
            late_events=len(self.late),
            clamped=self.clamped,
            released_events=len(self.counted),
            snapshots=self.snapshots,
            rows_left=self.rows_left,
            rows_unsendable=tuple(self.unsendable),
            left_out=_named(left_out),
        )


def _named(left_out: Mapping[str, LeftOut]) -> dict[str, str]:
    """As many of those that were asked for, by location id, as the run's record has room for."""
    named: dict[str, str] = {}
    room = LEFT_OUT_BYTES_MAX
    asked_for = ((place, left) for place, left in sorted(left_out.items()) if left.asked_for)
    for place, left in islice(asked_for, LEFT_OUT_NAMED_MAX):
        reason = left.reason[:REASON_CHARACTERS_MAX]
        room -= len(json.dumps([place, reason]))
        if room < 0:
            break
        named[place] = reason
    return named


def _pairs(refs: list[EventRef]) -> tuple[tuple[str, str], ...]:
    return tuple((ref.location_id, ref.event_key) for ref in refs)
