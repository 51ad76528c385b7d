"""What the watch over the event stream remembers from one look to the next."""

from dataclasses import dataclass, field
from datetime import datetime

from inventory_sync.domain.arrivals import Arrivals
from inventory_sync.domain.publications import PublicationMemory


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamCheckState:
    """`version` grows with each write; `restarts` has the oldest first."""

    version: int = 0
    restarts: tuple[datetime, ...] = ()
    publications: PublicationMemory = field(default_factory=PublicationMemory)
    arrivals: Arrivals = field(default_factory=Arrivals)
