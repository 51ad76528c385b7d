"""NewStore in memory: what is true of the tenant, and the calls that others make."""

from functools import cached_property

from local.newstore.calls import NewStoreCalls
from local.newstore.truth import NewStoreTruth


class NewStoreModel(NewStoreTruth):
    """`calls` are what the adapter may ask of it; they fail as planned in `faults`."""

    @cached_property
    def calls(self) -> NewStoreCalls:
        """Over this truth."""
        return NewStoreCalls(self, self.faults)
