"""The ERP in memory: its books, and the calls that others make."""

from functools import cached_property

from local.erp.books import ErpBooks
from local.erp.calls import ErpCalls


class ErpModel(ErpBooks):
    """`calls` are what the adapter may ask of it; they fail as planned in `faults`."""

    @cached_property
    def calls(self) -> ErpCalls:
        """Over these books."""
        return ErpCalls(self)
