"""Waiting for a block of our address to end, where there is time for it."""

from collections.abc import Callable
from typing import TypeVar

from inventory_sync.domain.errors import BlockedError
from inventory_sync.ports.observe import Clock, RemainingSeconds

T = TypeVar("T")


def patiently(ask: Callable[[], T], clock: Clock, remaining_seconds: RemainingSeconds) -> T:
    """Once more after a block; BlockedError where there is no time, or a block follows it."""
    try:
        return ask()
    except BlockedError as error:
        if remaining_seconds() < error.seconds:
            raise
        clock.sleep(error.seconds)
        return ask()
