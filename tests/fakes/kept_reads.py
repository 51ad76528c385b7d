"""Kept reads in memory, and executions that the test makes go on."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from inventory_sync.domain.stock_reads import KeptVersion, Read, ReadPlan, StockRead


class FakeKeptReads:
    """The last read of each location, kept at the moment that `now` gives."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._kept: dict[str, tuple[KeptVersion, Read]] = {}
        self._number = 0
        self.history: dict[str, Read] = {}
        """Every read that was ever kept, by its version."""

    def keep(self, location_id: str, read: Read) -> None:
        self._number += 1
        self.history[str(self._number)] = read
        self._kept[location_id] = KeptVersion(str(self._number), self._now()), read

    def versions(self) -> Mapping[str, KeptVersion]:
        return {location_id: version for location_id, (version, _) in self._kept.items()}

    def read(self, location_id: str) -> Read | None:
        if location_id not in self._kept:
            return None
        kept, read = self._kept[location_id]
        return replace(read, version=kept.version) if isinstance(read, StockRead) else read


@dataclass
class FakeReadExecutions:
    """Plans that were started, with the batches that are still to be read; none left is the end."""

    waiting: dict[ReadPlan, list[tuple[str, ...]]] = field(default_factory=dict)

    def start(self, plan: ReadPlan, batches: Sequence[Sequence[str]]) -> None:
        self.waiting.setdefault(plan, [tuple(batch) for batch in batches])

    def under_way(self, plan: ReadPlan) -> bool:
        return bool(self.waiting.get(plan))
