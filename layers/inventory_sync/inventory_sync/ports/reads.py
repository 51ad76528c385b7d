"""Reads of the ERP's stock that are kept for the next import, and what makes them."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from inventory_sync.domain.stock_reads import KeptVersion, Read, ReadPlan


class KeptReads(Protocol):
    """The last read of each location. Methods raise RetriableError."""

    def keep(self, location_id: str, read: Read) -> None:
        """In place of the last one."""

    def versions(self) -> Mapping[str, KeptVersion]:
        """Of all locations that have a read, by location id."""

    def read(self, location_id: str) -> Read | None:
        """The last one, with its version; None where there is none that can be read."""


class ReadExecutions(Protocol):
    """Who calls the reader where reads fan out. Methods raise RetriableError or FatalError."""

    def start(self, plan: ReadPlan, batches: Sequence[Sequence[str]]) -> None:
        """Have every batch of locations read; nothing happens where the plan was started before."""

    def under_way(self, plan: ReadPlan) -> bool:
        """Whether it was started and has not ended, be it well or not."""
