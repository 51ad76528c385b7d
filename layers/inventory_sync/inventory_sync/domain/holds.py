"""Held locations, and what operators say about them."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from inventory_sync.domain.guards import APPROVABLE, FALLS, RISES, Hold, HoldKind


@dataclass(frozen=True, slots=True, kw_only=True)
class LocationHold:
    """A location as operators see it that is held, or has rows that are."""

    location_id: str
    holds: tuple[Hold, ...]
    since: datetime
    run_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """An operator lets a location, or a row of it, past one guard.

    It names the hold it was given for by its `figures`, and lets through what is no worse than
    `bound_units`: a location that falls no lower, a location or row that rises no higher. Without
    `until` it is for one import: it ends when a finished one has used it, when the hold clears,
    or after `APPROVAL_AGE_MAX`. With it, it lasts until that instant.
    """

    location_id: str
    kind: HoldKind
    product_id: str = ""
    figures: str
    bound_units: int
    who: str
    why: str
    at: datetime
    until: datetime | None = None

    @property
    def named(self) -> tuple[HoldKind, str]:
        """What it is for."""
        return self.kind, self.product_id

    def in_force(self, at: datetime) -> bool:
        """For a run that is planned at that instant."""
        return self.at <= at <= self.ends_at

    @property
    def ends_at(self) -> datetime:
        """The last instant at which it counts."""
        return self.until or self.at + APPROVAL_AGE_MAX

    def covers(self, hold: Hold) -> bool:
        """Whether it is for that hold, and the hold is no worse than what was looked at."""
        if self.named != (hold.kind, hold.product_id) or hold.kind not in APPROVABLE:
            return False
        if hold.kind in FALLS:
            return hold.units >= self.bound_units
        return hold.kind not in RISES or hold.units <= self.bound_units


APPROVAL_AGE_MAX = timedelta(hours=24)


def bound_of(hold: Hold) -> int:
    """What an approval of a hold lets through: trade goes on until the next import reads it."""
    trade = max(20, hold.units // 10)
    return max(0, hold.units - trade) if hold.kind in FALLS else hold.units + trade


@dataclass(frozen=True, slots=True, kw_only=True)
class Resend:
    """Rows of a location that the next import sends whatever they were; none named means all."""

    location_id: str
    products: tuple[str, ...]
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorHold:
    """An operator keeps a location out of imports until it is resumed.

    Without a `location_id`, `ALL_IMPORTS`: imports are paused altogether.
    """

    location_id: str
    who: str
    why: str
    at: datetime

    def __str__(self) -> str:
        return f"{self.who}, {self.at:%Y-%m-%d %H:%M}Z: {self.why}"


ALL_IMPORTS = ""
