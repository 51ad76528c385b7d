"""Available to promise: rows under NewStore's names, and what NewStore takes off them."""

from dataclasses import dataclass
from typing import NamedTuple


class AtpKey(NamedTuple):
    """A row of stock under NewStore's names."""

    product_id: str
    fulfillment_node_id: str


@dataclass(frozen=True, slots=True)
class Allocation:
    """An item that NewStore takes off a row: ordered, or completed and not released yet."""

    order_uuid: str
    item_uuid: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StockInsights:
    """Everything but the safety stock that NewStore takes off a row's quantity."""

    allocations: tuple[Allocation, ...]
    reservations: int
