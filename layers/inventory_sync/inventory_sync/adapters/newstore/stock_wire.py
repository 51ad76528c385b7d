"""What NewStore says of stock, as its JSON and CSV have it."""

import csv
import re
from collections.abc import Iterable, Iterator
from typing import Annotated, Any

from pydantic import BeforeValidator

from inventory_sync.adapters.newstore.wire import Answer, Count, Id, Text
from inventory_sync.adapters.redaction import excerpt
from inventory_sync.domain.atp import (
    Allocation,
    AtpExport,
    AtpKey,
    ExportState,
    RequestedItem,
    SafetyStock,
    StockInsights,
)
from inventory_sync.domain.errors import RetriableError

SAFETY_STOCK_COLUMNS = ["Product ID", "Location", "Safety Stock"]
_UNITS = re.compile(r"[0-9]{1,18}")


def _listed(value: object) -> object:
    return () if value is None else value


Entries = Annotated[tuple[Any, ...], BeforeValidator(_listed)]
"""A list that is only counted, and may be missing."""


class AtpAnswer(Answer):
    """What NewStore would promise of one product at one node."""

    product_id: Id
    fulfillment_node_id: Id
    atp: Count

    @property
    def key(self) -> AtpKey:
        return AtpKey(self.product_id, self.fulfillment_node_id)

    @property
    def units(self) -> int:
        """ATP is never negative."""
        return max(0, self.atp)


def _text_or_none(value: object) -> object:
    return value if isinstance(value, str) else ""


_Named = Annotated[str, BeforeValidator(_text_or_none)]


def _object(value: object) -> object:
    return value if isinstance(value, dict) else {}


class AllocationAnswer(Answer):
    """One item set aside, or completed and not released; it counts without readable names too."""

    order_uuid: _Named = ""
    item_uuid: _Named = ""


class InsightsAnswer(Answer):
    """What is taken off a row's quantity; all lists but the first may be missing."""

    allocations: list[Annotated[AllocationAnswer, BeforeValidator(_object)]]
    reservations: Entries = ()
    future_allocations: Entries = ()

    def insights(self) -> StockInsights:
        """In our terms."""
        return StockInsights(
            allocations=tuple(Allocation(a.order_uuid, a.item_uuid) for a in self.allocations),
            reservations=len(self.reservations),
            future_allocations=len(self.future_allocations),
        )


class StartedExportAnswer(Answer):
    """What starting an export answers."""

    availability_export_id: Id


class ExportAnswer(Answer):
    """An export of ATP."""

    state: Text = ""
    failure_reason: Text = ""
    last_updated_at: Count | None = None
    link: Text = ""

    def export(self, export_id: str) -> AtpExport:
        """States that NewStore does not document are OTHER."""
        known = {state.value for state in ExportState}
        return AtpExport(
            export_id=export_id,
            state=ExportState(self.state) if self.state in known else ExportState.OTHER,
            cursor=self.last_updated_at or 0,
            link=self.link,
            failure=excerpt(self.failure_reason),
        )


class _ItemAnswer(Answer):
    item_id: Id
    product_id: Id
    status: Text = ""


class RequestAnswer(Answer):
    """One fulfillment request of an order."""

    fulfillment_request_id: Id
    fulfillment_node_id: Text = ""
    items: list[_ItemAnswer]

    def requested(self) -> Iterator[RequestedItem]:
        """In our terms."""
        for item in self.items:
            yield RequestedItem(
                fulfillment_request_id=self.fulfillment_request_id,
                fulfillment_node_id=self.fulfillment_node_id,
                item_id=item.item_id,
                product_id=item.product_id,
                status=item.status,
            )


def read_safety_stock(lines: Iterable[str], where: str) -> SafetyStock:
    """RetriableError for a table that breaks off: NewStore then writes its error into it."""
    rows = csv.reader(lines)
    if next(rows, None) != SAFETY_STOCK_COLUMNS:
        raise RetriableError(f"{where}: expected the columns {', '.join(SAFETY_STOCK_COLUMNS)}")
    of_products: dict[AtpKey, int] = {}
    of_nodes: dict[str, int] = {}
    for number, row in enumerate(rows, start=2):
        if len(row) != len(SAFETY_STOCK_COLUMNS) or not row[1] or not _UNITS.fullmatch(row[2]):
            raise RetriableError(f"{where}: line {number} has no location or no number")
        product, node, units = row
        if product:
            of_products[AtpKey(product, node)] = int(units)
        else:
            of_nodes[node] = int(units)
    return SafetyStock(of_products=of_products, of_nodes=of_nodes)
