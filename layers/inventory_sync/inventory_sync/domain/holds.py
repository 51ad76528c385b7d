"""Held locations, and what operators say about them."""

from dataclasses import dataclass
from datetime import datetime

from inventory_sync.domain.guards import Hold


@dataclass(frozen=True, slots=True, kw_only=True)
class LocationHold:
    """A held location as operators see it."""

    location_id: str
    holds: tuple[Hold, ...]
    since: datetime
    run_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """An operator lets one import through the named guards, once."""

    location_id: str
    kinds: tuple[str, ...]
    who: str
    why: str
    at: datetime


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
