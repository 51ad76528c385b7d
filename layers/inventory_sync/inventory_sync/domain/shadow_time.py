"""Up to when a shadow has left to another system what shipped: nobody may count that as ours."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from inventory_sync.domain.cut import AppliedRule
from inventory_sync.domain.errors import FatalError

NOTED_AHEAD = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class ShadowTime:
    """Up to when a shadow has left to the other system what ships.

    `next_location` is where its next look at NewStore's promises begins.
    """

    until: datetime
    next_location: str = ""


def left_to_other_system(now: datetime, go_live_at: datetime | None) -> datetime:
    """What ships up to then a shadow leaves to the other system: until now, or until go-live.

    A minute more, so that one note is enough for that long, and a clock may be ahead.
    """
    until = now + NOTED_AHEAD
    return until if go_live_at is None else min(until, go_live_at)


def refuse_gap(until: datetime, rule: AppliedRule) -> None:
    """FatalError where what a shadow has left to the other system would count as ours to book."""
    if rule.go_live_at is None or rule.go_live_at < until or rule.other_system_lag is None:
        raise FatalError(
            f"this stack was a shadow until {until:%Y-%m-%dT%H:%M:%SZ}: Mode live needs GoLiveAt"
            " at that time or later, and OtherSystemLagSeconds as it was; see Cut over in"
            " docs/deploy.md"
        )
