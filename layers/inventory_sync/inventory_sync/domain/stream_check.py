"""What the stream check remembers from one check to the next."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from inventory_sync.domain.arrivals import Arrivals

RETRIES_MAX = 3
"""Of one rejected event; then a person has to look at it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamCheckState:
    """`version` grows with each write; `restarts` has the oldest first.

    `stopped_since` stands until a check finds the stream running; `retries` counts by rejected id.
    """

    version: int = 0
    restarts: tuple[datetime, ...] = ()
    stopped_since: datetime | None = None
    retries: Mapping[str, int] = field(default_factory=dict)
    arrivals: Arrivals = field(default_factory=Arrivals)
