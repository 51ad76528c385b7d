"""How much of DynamoDB's 400 KB an item takes, and texts cut to what there is room for."""

from collections.abc import Mapping
from typing import Any


def bytes_of(item: Mapping[str, Any]) -> int:
    """Names and values; numbers, which DynamoDB packs, count by their digits and so too much."""
    return sum(
        len(name.encode()) + len(value.encode() if isinstance(value, str) else value)
        for name, typed in item.items()
        for value in typed.values()
    )


def shortened(text: str, bytes_max: int) -> str:
    """The text's beginning, as storable UTF-8 of at most that many bytes."""
    return text.encode("utf-8", "replace")[:bytes_max].decode("utf-8", "ignore")
