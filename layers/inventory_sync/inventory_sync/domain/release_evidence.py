"""Evidence of what becomes of a shipped unit at NewStore, and the verdict that it adds up to.

Two kinds. A shipped unit that no range has released is still listed among NewStore's allocations:
then it waits for a range. Or an import has told NewStore a quantity, and `n` units of the row were
completed after its range and before the import began: then NewStore promises `n` less than it was
told if a unit waits for a range, and nothing less if it does not. What else a row is short of (a
safety stock) is measured by control rows of the same location that have no such unit.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from inventory_sync.domain.reading import ReleaseReading

VERDICT_ROWS = 12
"""So many rows of one kind are a verdict, if they are four fifths of all."""
VERDICT_SHARE = 0.8
KEPT_MAX = 24
"""Of the observations only the last ones count."""
CHANGES_MAX = 20
CONTROLS_MIN = 3


class EvidenceKind(StrEnum):
    """How a row says it."""

    ALLOCATION = "allocation"
    """A unit that shipped is still listed."""
    ATP = "atp"
    """The promise, compared with what was sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RowMeasure:
    """One row just after an import that NewStore has finished, in units.

    `completed` were completed after the range and before the import began, by their ids; `listed`
    of them are still among NewStore's allocations; `open_units` are the other allocations.
    `released` says that the import's range released a unit of the row: until it shows, such a row
    is short of it.
    """

    location_id: str
    product_id: str
    sent: int
    atp: int
    open_units: int
    reservations: int
    completed: tuple[str, ...]
    listed: int
    released: bool

    @property
    def missing(self) -> int:
        """What NewStore promises less than it was told, for no reason that is known."""
        return self.sent - self.atp - self.open_units - self.reservations


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """One row that speaks for a reading, by the first of its units; `missing` is beyond `offset`.

    `offset` is what the control rows of its location are short of.
    """

    at: datetime
    reading: ReleaseReading
    kind: EvidenceKind
    location_id: str
    product_id: str
    unit: str
    completed: int
    sent: int
    atp: int
    missing: int
    offset: int

    @property
    def about(self) -> tuple[str, str, str]:
        """The row, and the first unit that it is about: each counts once."""
        return self.location_id, self.product_id, self.unit


@dataclass(frozen=True, slots=True, kw_only=True)
class VerdictChange:
    """A verdict, or the end of one, and how many rows spoke for each reading."""

    at: datetime
    before: ReleaseReading | None
    after: ReleaseReading | None
    for_range: int
    for_immediate: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseFindings:
    """The last observations, the verdict, and its history; both by time."""

    verdict: ReleaseReading | None = None
    observations: tuple[Observation, ...] = ()
    changes: tuple[VerdictChange, ...] = ()

    def rows_for(self, reading: ReleaseReading) -> int:
        """How many observations speak for it."""
        return sum(found.reading is reading for found in self.observations)

    def in_force(self, setting: ReleaseReading) -> ReleaseReading:
        """The setting where it names a reading, else the verdict, else not known yet."""
        if setting is not ReleaseReading.FIND_OUT:
            return setting
        return self.verdict or ReleaseReading.FIND_OUT

    def contradict(self, reading: ReleaseReading) -> bool:
        """Whether more than a fifth of what makes a verdict speaks against the reading."""
        if reading is ReleaseReading.FIND_OUT:
            return False
        last = self.observations[-VERDICT_ROWS:]
        against = sum(found.reading is not reading for found in last)
        return against > VERDICT_ROWS * (1 - VERDICT_SHARE)


def observations_of(rows: Sequence[RowMeasure], at: datetime) -> tuple[Observation, ...]:
    """What the rows of one location say; none where they do not say it clearly.

    Of a row without anything to promise the ATP proves nothing: NewStore shows no less than 0.
    """
    offset = _offset([row for row in rows if row.atp > 0 and not row.completed])
    found = []
    for row in rows:
        if row.listed:
            kind = EvidenceKind.ALLOCATION
            reading: ReleaseReading | None = ReleaseReading.RANGE
        elif offset is None or row.atp <= 0 or not row.completed:
            continue
        else:
            kind = EvidenceKind.ATP
            reading = _reading_of(row.missing - offset, len(row.completed))
        if reading is not None:
            found.append(_observation(row, reading, kind, offset or 0, at))
    return tuple(found)


def still_listed(
    location_id: str, product_id: str, units: Sequence[str], *, at: datetime
) -> Observation:
    """That units which have shipped, by their ids, wait among NewStore's allocations for a range.

    It needs no import: where a shipped unit is taken off at once none is ever listed.
    """
    return Observation(
        at=at,
        reading=ReleaseReading.RANGE,
        kind=EvidenceKind.ALLOCATION,
        location_id=location_id,
        product_id=product_id,
        unit=min(units),
        completed=len(units),
        sent=0,
        atp=0,
        missing=0,
        offset=0,
    )


def _observation(
    row: RowMeasure, reading: ReleaseReading, kind: EvidenceKind, offset: int, at: datetime
) -> Observation:
    return Observation(
        at=at,
        reading=reading,
        kind=kind,
        location_id=row.location_id,
        product_id=row.product_id,
        unit=min(row.completed),
        completed=len(row.completed),
        sent=row.sent,
        atp=row.atp,
        missing=row.missing - offset,
        offset=offset,
    )


def weigh(
    findings: ReleaseFindings, new: Iterable[Observation], *, now: datetime
) -> ReleaseFindings:
    """The findings with new observations, and the verdict that holds from here on.

    A verdict ends as soon as what came last contradicts it; what came before is forgotten then. A
    reading never follows the other at once.
    """
    kept = {found.about: found for found in findings.observations}
    for found in new:
        kept.pop(found.about, None)
        kept[found.about] = found
    weighed = replace(findings, observations=tuple(kept.values())[-KEPT_MAX:])
    if findings.verdict is None:
        return _changed(weighed, _verdict(weighed), now)
    if weighed.contradict(findings.verdict):
        last = weighed.observations[-VERDICT_ROWS:]
        return _changed(replace(weighed, observations=last), None, now)
    return weighed


def _offset(controls: Sequence[RowMeasure]) -> int | None:
    """What control rows are short of; None where they differ, or the import does not show yet."""
    if len(controls) < CONTROLS_MIN:
        return None
    [(offset, agreeing)] = Counter(row.missing for row in controls).most_common(1)
    released = [row for row in controls if row.released]
    shows = bool(released) and all(row.missing == offset for row in released)
    return offset if shows and agreeing >= VERDICT_SHARE * len(controls) else None


def _reading_of(missing: int, completed: int) -> ReleaseReading | None:
    if missing == completed:
        return ReleaseReading.RANGE
    return ReleaseReading.IMMEDIATE if missing == 0 else None


def _verdict(findings: ReleaseFindings) -> ReleaseReading | None:
    for reading in (ReleaseReading.RANGE, ReleaseReading.IMMEDIATE):
        rows = findings.rows_for(reading)
        if rows >= VERDICT_ROWS and rows >= VERDICT_SHARE * len(findings.observations):
            return reading
    return None


def _changed(
    findings: ReleaseFindings, verdict: ReleaseReading | None, now: datetime
) -> ReleaseFindings:
    if verdict is findings.verdict:
        return findings
    change = VerdictChange(
        at=now,
        before=findings.verdict,
        after=verdict,
        for_range=findings.rows_for(ReleaseReading.RANGE),
        for_immediate=findings.rows_for(ReleaseReading.IMMEDIATE),
    )
    changes = (*findings.changes, change)[-CHANGES_MAX:]
    return replace(findings, verdict=verdict, changes=changes)
