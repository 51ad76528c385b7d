"""Available to promise: rows under NewStore's names, what NewStore takes off them, its exports."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

INSIGHTS_MAX = 1_000
"""NewStore lists no more of a kind; its text says 2,000, so from here on a list may be cut off."""


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
    """Allocations and reservations of a row; `future_allocations` are of stock yet to come.

    Not `complete`: a list was so long that what is not in it may be allocated or reserved too.
    """

    allocations: tuple[Allocation, ...]
    reservations: int
    future_allocations: int = 0

    @property
    def complete(self) -> bool:
        """Whether an item that is not listed is not allocated, and the figures are whole."""
        return max(len(self.allocations), self.reservations) < INSIGHTS_MAX


@dataclass(frozen=True, slots=True, kw_only=True)
class SafetyStock:
    """Units that NewStore holds back, of a node's products and of every other product there.

    NewStore does not say what holds where both are given: taken here is the product's own.
    """

    of_products: Mapping[AtpKey, int] = field(default_factory=dict)
    of_nodes: Mapping[str, int] = field(default_factory=dict)

    def of(self, key: AtpKey) -> int:
        """Of one row."""
        return self.of_products.get(key, self.of_nodes.get(key.fulfillment_node_id, 0))


class ExportState(StrEnum):
    """Of an export of ATP; OTHER is any word that NewStore does not document: it has not ended."""

    RECEIVED = "received"
    PROCESSING = "processing"
    FAILED = "failed"
    FINISHED = "finished"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class AtpExport:
    """`cursor` counts NewStore's updates of ATP: it is no time. `link` is empty without a file."""

    export_id: str
    state: ExportState
    cursor: int = 0
    link: str = field(default="", repr=False)
    failure: str = ""

    def cursor_after(self, before: int | None) -> int | None:
        """From where to ask next: an export in which nothing has changed answers 0."""
        return self.cursor or before


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestedItem:
    """One item of one fulfillment request, by NewStore's own word.

    `status` is dispatched, shipped, rejected or cancelled.
    """

    fulfillment_request_id: str
    fulfillment_node_id: str
    item_id: str
    product_id: str
    status: str
