"""The stream check's memory: one item of the state table for each stream."""

from dataclasses import replace

from inventory_sync.adapters.codec import decode, encode
from inventory_sync.adapters.dynamodb.state_table import StateTable
from inventory_sync.adapters.unreadable import report_unreadable
from inventory_sync.domain.errors import FatalError, LaterRecordError, LeaseLostError
from inventory_sync.domain.stream_check import StreamCheckState

KIND = "stream_check"


class DynamoStreamCheckStates:
    """Written only over the version that was read."""

    def __init__(self, table: StateTable) -> None:
        self._table = table

    def load(self, stream_id: str) -> StreamCheckState:
        """An empty one before the first look, and where what stands there cannot be read.

        LaterRecordError where a later version has written it.
        """
        record = self._table.record(KIND, stream_id)
        if record is None:
            return StreamCheckState()
        try:
            return decode(StreamCheckState, record, f"{KIND} {stream_id}")
        except LaterRecordError:
            raise
        except FatalError as error:
            report_unreadable(error)
            return StreamCheckState(version=self._table.version(KIND, stream_id))

    def save(self, stream_id: str, memory: StreamCheckState) -> StreamCheckState:
        """One conditional write."""
        written = replace(memory, version=memory.version + 1)
        if not self._table.replace(KIND, stream_id, encode(written), version=written.version):
            raise LeaseLostError(f"another check of stream {stream_id} is at work")
        return written
