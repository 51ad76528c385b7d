"""NewStore in memory: what is true of the tenant, and the calls that others make."""

from functools import cached_property

from local.newstore.calls import NewStoreCalls
from local.newstore.stock_calls import StockCalls
from local.newstore.stream_calls import StreamCalls
from local.newstore.truth import NewStoreTruth


class NewStoreModel(NewStoreTruth):
    """What the adapter may ask of it is in `calls`, `stock_calls` and `stream_calls`.

    They fail as planned in `faults`.
    """

    @cached_property
    def calls(self) -> NewStoreCalls:
        """About tokens, stores and imports."""
        return NewStoreCalls(self, self.faults)

    @cached_property
    def stock_calls(self) -> StockCalls:
        """About stock and orders."""
        return StockCalls(self, self.faults)

    @cached_property
    def stream_calls(self) -> StreamCalls:
        """About event streams."""
        return StreamCalls(self, self.faults)
