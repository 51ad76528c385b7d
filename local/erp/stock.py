"""The ERP's stock: what is booked, and what its snapshots show of it."""

from __future__ import annotations

import heapq
from datetime import datetime
from itertools import count

from local.erp.records import StockKey


class StockLedger:
    """Two views of the same bookings: `booked` at once, `shown` from each booking's time on.

    Stock may go negative: what is booked as shipped has left.
    """

    def __init__(self) -> None:
        self.booked: dict[str, dict[str, int]] = {}
        """Units by location, then product."""
        self._shown: dict[str, dict[str, int]] = {}
        self._due: list[tuple[datetime, int, StockKey, int]] = []
        self._sequence = count()
        self.log: list[tuple[datetime, StockKey]] = []
        """Every change of what is shown, in its order: since when, and of what."""

    def add_location(self, location: str) -> None:
        self.booked.setdefault(location, {})
        self._shown.setdefault(location, {})

    def book(self, key: StockKey, units: int, show_from: datetime) -> None:
        """Add units (negative: take away), visible in snapshots as of `show_from` or later."""
        location, product = key
        self.add_location(location)
        self.booked[location][product] = self.booked[location].get(product, 0) + units
        heapq.heappush(self._due, (show_from, next(self._sequence), key, units))

    def shown(self, location: str, as_of: datetime) -> dict[str, int]:
        """Units by product as of an instant; must not be asked for an earlier one later."""
        while self._due and self._due[0][0] <= as_of:
            since, _, (place, product), units = heapq.heappop(self._due)
            self._shown[place][product] = self._shown[place].get(product, 0) + units
            self.log.append((since, (place, product)))
        return self._shown[location]
