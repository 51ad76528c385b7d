"""Errors in words, where one part fails and the others go on."""

from traceback import extract_tb

from inventory_sync.domain.errors import InventorySyncError


def in_words(error: Exception) -> str:
    """Its text; of what nobody foresaw its kind and place, as its text may quote data."""
    if isinstance(error, InventorySyncError):
        return str(error)
    at = extract_tb(error.__traceback__)[-1]
    kind = f"{type(error).__name__} at {at.filename.rpartition('/')[2]}:{at.lineno}"
    return f"it made our code fail ({kind}): report it"
