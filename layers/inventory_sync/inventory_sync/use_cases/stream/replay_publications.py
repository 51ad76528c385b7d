"""Replay: have NewStore publish again what it could not deliver in a window."""

from dataclasses import dataclass
from datetime import datetime

from inventory_sync.domain.errors import NotOfferedError, RejectedError
from inventory_sync.domain.publications import Publication, given_up_by_newstore
from inventory_sync.ports.newstore import EventStreams
from inventory_sync.ports.observe import Clock
from inventory_sync.use_cases.stream.retry_publications import PAUSE_SECONDS


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """Failed publications of a window: asked for again, refused, or more than the limit.

    Not `offered`: NewStore has no such call, or shows no ids to ask by.
    """

    found: int
    asked: tuple[Publication, ...]
    refused: tuple[Publication, ...]
    offered: bool


@dataclass(frozen=True, slots=True)
class ReplayPublications:
    """Each event is asked for once, however many attempts at it have failed."""

    streams: EventStreams
    clock: Clock
    stream_id: str

    def __call__(self, since: datetime, until: datetime, limit: int) -> Replayed:
        """The oldest first. NotOfferedError where NewStore does not even list them."""
        listed = self.streams.failures(self.stream_id, since, until)
        latest = {found.event_key: found for found in given_up_by_newstore(listed)}
        failed = sorted(latest.values(), key=lambda found: (found.attempted_at, found.ref))
        asked: list[Publication] = []
        refused: list[Publication] = []
        for publication in failed[:limit]:
            if not publication.publication_id:
                return self._not_offered(failed, asked, refused)
            try:
                self.streams.retry(self.stream_id, publication.publication_id)
            except NotOfferedError:
                return self._not_offered(failed, asked, refused)
            except RejectedError:
                refused.append(publication)
                continue
            asked.append(publication)
            self.clock.sleep(PAUSE_SECONDS)
        return Replayed(found=len(failed), asked=tuple(asked), refused=tuple(refused), offered=True)

    def _not_offered(
        self, failed: list[Publication], asked: list[Publication], refused: list[Publication]
    ) -> Replayed:
        return Replayed(
            found=len(failed), asked=tuple(asked), refused=tuple(refused), offered=False
        )
