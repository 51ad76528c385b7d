"""What the stream check remembers before its first look."""

from inventory_sync.domain.arrivals import Arrivals
from inventory_sync.domain.stream_check import StreamCheckState


def test_before_the_first_look_nothing_is_remembered() -> None:
    memory = StreamCheckState()

    assert (memory.version, memory.restarts, memory.stopped_since) == (0, (), None)
    assert (memory.retries, memory.arrivals) == ({}, Arrivals())
