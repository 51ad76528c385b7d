"""What NewStore says of stock, straight over the simulator's model."""

from collections.abc import Callable, Iterable, Mapping, Set
from typing import Any

from inventory_sync.adapters.newstore.stock_wire import (
    AtpAnswer,
    ExportAnswer,
    InsightsAnswer,
    RequestAnswer,
    read_safety_stock,
)
from inventory_sync.domain.atp import (
    AtpExport,
    AtpKey,
    RequestedItem,
    SafetyStock,
    StockInsights,
)
from inventory_sync.domain.errors import BlockedError, RejectedError, RetriableError
from local.http_server import CallRefusedError
from local.newstore.model import NewStoreModel

BLOCKED_SECONDS = 300.0


class _OverModel:
    """`meanwhile` happens at each call."""

    def __init__(self, model: NewStoreModel) -> None:
        self._model = model
        self.calls = 0
        self.meanwhile: Callable[[], None] = lambda: None

    def _reach(self) -> None:
        self.calls += 1
        self.meanwhile()
        if not self._model.request_limit.allows():
            raise BlockedError("too many calls", BLOCKED_SECONDS)


class ModelStock(_OverModel):
    """ports.StockReader."""

    def atp(self, keys: Iterable[AtpKey]) -> Mapping[AtpKey, int]:
        wanted = list(keys)
        self._reach()
        found = self._model.stock_calls.availabilities(
            [(key.fulfillment_node_id, key.product_id) for key in wanted]
        )
        answers = [AtpAnswer.model_validate(row) for row in found]
        return {answer.key: answer.units for answer in answers}

    def insights(self, key: AtpKey) -> StockInsights:
        self._reach()
        asked = (key.fulfillment_node_id, key.product_id)
        found = self._model.stock_calls.stock_insights(asked)
        return InsightsAnswer.model_validate(found).insights()

    def safety_stock(self) -> SafetyStock:
        self._reach()
        return read_safety_stock(self._model.stock_calls.safety_stock().splitlines(), "CSV")

    def requested_items(self, order_uuid: str) -> list[RequestedItem]:
        self._reach()
        found = self._model.stock_calls.fulfillment_requests(order_uuid)["fulfillment_requests"]
        return [item for r in found for item in RequestAnswer.model_validate(r).requested()]


class _Rows:
    """ports.ExportedAtp."""

    def __init__(self, rows: Iterable[Mapping[str, Any]]) -> None:
        self._rows = [AtpAnswer.model_validate(row) for row in rows]

    def of(self, fulfillment_node_id: str) -> Mapping[str, int]:
        rows = [row for row in self._rows if row.fulfillment_node_id == fulfillment_node_id]
        return {row.product_id: row.units for row in rows}


class ModelExports(_OverModel):
    """ports.AtpExports. Set `file_is_broken` to have no file read whole."""

    file_is_broken = False

    def start(self, since: int | None) -> str:
        self._reach()
        return self._model.stock_calls.start_export(since)

    def export(self, export_id: str) -> AtpExport:
        self._reach()
        try:
            found = self._model.stock_calls.get_export(export_id, "https://link.example")
        except CallRefusedError as error:
            raise RejectedError(str(error)) from error
        return ExportAnswer.model_validate(found).export(export_id)

    def fetch(self, export: AtpExport, nodes: Set[str], in_time: Callable[[], bool]) -> _Rows:
        if self.file_is_broken or not in_time():
            raise RetriableError("the export's file")
        rows = self._model.atp_exports.of(export.export_id).rows if export.link else ()
        return _Rows(row for row in rows if row["fulfillment_node_id"] in nodes)
