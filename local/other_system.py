"""A usual integration beside a shadow, and what is true meanwhile of what NewStore promises."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta

from inventory_sync.adapters.s3.looks import S3Looks
from inventory_sync.domain.shadow import Amount, ShadowReport
from inventory_sync.use_cases.reconcile.shadow_report import report_of
from local.erp.records import Movement, MovementLine
from local.scenario import OtherSystemTraits
from local.stack import Stack

Key = tuple[str, str]
LOOK_EVERY = timedelta(minutes=5)
HUNDREDTHS = 2
"""Unit hours are compared to so many digits: a look takes a fraction of a second."""


class OtherSystem:
    """Books what ships after its lag, and imports the ERP's newest figures, without a range.

    What it reads of the ERP shows at NewStore some minutes later, whatever ships meanwhile.
    """

    def __init__(self, stack: Stack, traits: OtherSystemTraits) -> None:
        self._stack, self._traits = stack, traits
        self._next_read = stack.clock.now()
        self._under_way: list[tuple[datetime, dict[Key, int]]] = []

    def ships(self, request_id: str, location: str, products: Mapping[str, str]) -> None:
        """It learns of these units, by item id, and books them in its own time."""
        erp = self._stack.erp
        erp.actual_lag_seconds = self._traits.lag_seconds
        lines = tuple(MovementLine(item, product) for item, product in products.items())
        movement_id = f"other/{request_id}/{'/'.join(products)}"
        occurred_at = self._stack.clock.now().isoformat()
        erp.book_movement(
            Movement(movement_id, location, occurred_at, request_id, request_id, 0, lines)
        )

    def run(self, keys: Iterable[Key]) -> None:
        """Whatever is due by now: what it has read shows, and it reads anew."""
        now, newstore = self._stack.clock.now(), self._stack.newstore
        for due, figures in [one for one in self._under_way if one[0] <= now]:
            for key, units in figures.items():
                newstore.set_imported(key, units)
            self._under_way.remove((due, figures))
        if now >= self._next_read:
            figures = {key: self._stack.erp.shown(key) for key in keys}
            due = now + timedelta(minutes=self._traits.import_takes_minutes)
            self._under_way.append((due, figures))
            self._next_read += timedelta(minutes=self._traits.import_every_minutes)


class Watched:
    """A shadow that looks every five minutes, beside what the simulators know in between."""

    def __init__(
        self,
        stack: Stack,
        traits: OtherSystemTraits,
        physical: Callable[[], dict[Key, int]],
    ) -> None:
        self.other = OtherSystem(stack, traits)
        self._stack, self._physical = stack, physical
        self.began = stack.clock.now()
        self.too_much: dict[Key, Amount] = defaultdict(Amount)
        self.too_little: dict[Key, Amount] = defaultdict(Amount)

    def wait(self, minutes: float) -> None:
        """What has just happened is looked at before time passes."""
        end = self._stack.clock.now() + timedelta(minutes=minutes)
        while (now := self._stack.clock.now()) < end:
            self.other.run(self._physical())
            self._stack.tick()
            self._pass_time(min(end, now + LOOK_EVERY))

    def _pass_time(self, until: datetime) -> None:
        now, newstore = self._stack.clock.now(), self._stack.newstore
        for key, units in self._physical().items():
            right = max(0, units - newstore.open_allocations(key))
            promised = max(0, newstore.atp(key))
            self.too_much[key] = self.too_much[key].plus(max(0, promised - right), until - now)
            self.too_little[key] = self.too_little[key].plus(max(0, right - promised), until - now)
        self._stack.clock.sleep((until - now).total_seconds())

    def report(self, bucket: str) -> ShadowReport:
        """What the shadow says of it."""
        now = self._stack.clock.now()
        looks = S3Looks(self._stack.aws.s3, bucket)
        return report_of(looks.between(self.began, now), until=now, rows_max=1000)

    def compared(self, report: ShadowReport) -> list[tuple[str, float, float]]:
        """Row by row and in all, in unit hours: what is true, and what the report says.

        Where the report calls more certain than is true, that is one more line.
        """
        told = {(story.location_id, story.product_id): story for story in report.costliest}
        lines: list[tuple[str, float, float]] = []
        for key in sorted(self._physical()):
            promises = told[key].promises if key in told else None
            for name, true in (("much", self.too_much[key]), ("little", self.too_little[key])):
                said = getattr(promises, f"too_{name}") if promises else Amount()
                lines.append((f"{key[1]} at {key[0]}, too {name}", *_both(true, said)))
            certain = promises.certain if promises else Amount()
            true_hours, certain_hours = _both(self.too_much[key], certain)
            if certain_hours > true_hours:
                lines.append((f"{key[1]} at {key[0]}, certain", true_hours, certain_hours))
        true_much = sum(one.unit_hours for one in self.too_much.values())
        lines.append(("in all, too much", *_both(Amount(true_much), report.total.too_much)))
        true_little = sum(one.unit_hours for one in self.too_little.values())
        lines.append(("in all, too little", *_both(Amount(true_little), report.total.too_little)))
        return lines


def _both(true: Amount, said: Amount) -> tuple[float, float]:
    return round(true.unit_hours, HUNDREDTHS), round(said.unit_hours, HUNDREDTHS)
