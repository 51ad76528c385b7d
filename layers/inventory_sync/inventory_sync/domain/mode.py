"""Whether the adapter does its work, or stands beside a system that does it."""

from enum import StrEnum


class Mode(StrEnum):
    """What the adapter may change."""

    LIVE = "live"
    SHADOW = "shadow"
    """Nothing at NewStore and nothing in the ERP: it only receives, reads and computes."""
