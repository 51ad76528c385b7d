"""When functions were a shadow last, an item of the state table for each."""

from datetime import datetime

from inventory_sync.adapters.codec import decode, encode
from inventory_sync.adapters.dynamodb.state_table import StateTable
from inventory_sync.domain.shadow_time import ShadowTime

KIND = "shadow"


class DynamoShadowTimes:
    """`function` is whose time is noted. A record that cannot be read is an error: FatalError."""

    def __init__(self, table: StateTable, function: str) -> None:
        self._table = table
        self._function = function

    def until(self) -> datetime | None:
        """The latest of all functions."""
        found = (_read(record) for _, record in self._table.records(KIND))
        return max((time.until for time in found), default=None)

    def own(self) -> ShadowTime | None:
        """Read consistently."""
        found = dict(self._table.records(KIND)).get(self._function)
        return None if found is None else _read(found)

    def note(self, time: ShadowTime) -> None:
        """Whatever stood there."""
        self._table.put(KIND, self._function, encode(time))


def _read(record: str) -> ShadowTime:
    return decode(ShadowTime, record, "shadow time")
