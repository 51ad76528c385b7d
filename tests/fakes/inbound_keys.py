"""Inbound keys in memory."""

from inventory_sync.domain.errors import InventorySyncError


class FakeInboundKeys:
    """Set `fails_with` to have the next calls fail."""

    def __init__(self, *keys: str) -> None:
        self.keys = set(keys)
        self.fails_with: InventorySyncError | None = None

    def accepts(self, key: str) -> bool:
        if self.fails_with is not None:
            raise self.fails_with
        return key in self.keys
