"""Before anything is done: a shadow notes its time, and what is live looks at that of a shadow."""

from dataclasses import dataclass, field, replace
from datetime import datetime

from inventory_sync.domain.cut import AppliedRule
from inventory_sync.domain.shadow_time import ShadowTime, left_to_other_system, refuse_gap
from inventory_sync.ports.mode import ShadowTimes
from inventory_sync.ports.observe import Clock


@dataclass(slots=True, kw_only=True)
class NoteShadow:
    """A note stands before the first event is left to the other system; one a minute is enough."""

    times: ShadowTimes
    rule: AppliedRule
    clock: Clock
    noted: ShadowTime | None = field(default=None)

    def __call__(self) -> None:
        """RetriableError where it cannot be kept: then nothing is done."""
        now = self.clock.now()
        noted = self.noted or self.times.own() or ShadowTime(until=now)
        until = left_to_other_system(now, self.rule.go_live_at)
        if self.noted is None or noted.until < min(now, until):
            noted = replace(noted, until=max(noted.until, until))
            self.times.note(noted)
        self.noted = noted


@dataclass(slots=True, kw_only=True)
class RefuseGap:
    """Looks once: whoever makes a shadow of the stack again starts its functions anew."""

    times: ShadowTimes
    rule: AppliedRule
    looked: bool = field(default=False)
    shadow_until: datetime | None = field(default=None)

    def __call__(self) -> datetime | None:
        """FatalError where GoLiveAt leaves a gap, each time anew."""
        if not self.looked:
            self.shadow_until = self.times.until()
            self.looked = True
        if self.shadow_until is not None:
            refuse_gap(self.shadow_until, self.rule)
        return self.shadow_until
