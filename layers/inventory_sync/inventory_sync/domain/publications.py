"""NewStore's attempts to publish an event to us that failed for good, and trying them again.

NewStore repeats a failed attempt by itself for a while (`retries_remaining`); only what it has
given up is ours to ask for.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from inventory_sync.domain.event_stream import WANTED_EVENTS

OVERLAP = timedelta(minutes=15)
"""How much is listed again: an attempt may show later than it was made."""
FIRST_LOOK = timedelta(days=1)
LOOK_BACK_MAX = timedelta(days=7)
AT_ONCE_MAX = 50
TRIES_MAX = 3
"""Of one event; a try that fails is in the list again."""
TRIES_KEPT = timedelta(days=7)


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """One failed attempt; `publication_id` is empty where NewStore shows none."""

    publication_id: str
    event_name: str
    entity_id: str
    domain_entity_id: str
    attempted_at: datetime
    retries_remaining: int = 0

    @property
    def event_key(self) -> str:
        """The same for all attempts at one event, as far as the list tells them apart."""
        return f"{self.event_name}#{self.domain_entity_id}#{self.entity_id}"

    @property
    def ref(self) -> str:
        """The attempt's own."""
        return self.publication_id or f"{self.event_key}@{self.attempted_at.isoformat()}"


@dataclass(frozen=True, slots=True)
class Tries:
    """How often an event's publication was asked for, and when last."""

    count: int
    last: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicationMemory:
    """What was looked at: attempts up to `looked_until`, and those in `seen` by their refs."""

    looked_until: datetime | None = None
    seen: Mapping[str, datetime] = field(default_factory=dict)
    tries: Mapping[str, Tries] = field(default_factory=dict)

    def since(self, now: datetime) -> datetime:
        """From where to list."""
        if self.looked_until is None:
            return now - FIRST_LOOK
        return max(self.looked_until - OVERLAP, now - LOOK_BACK_MAX)


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPlan:
    """`memory` is what to remember once it has been carried out."""

    retry: tuple[Publication, ...]
    given_up: tuple[Publication, ...]
    memory: PublicationMemory


def plan_retries(
    failures: Iterable[Publication], memory: PublicationMemory, now: datetime
) -> RetryPlan:
    """The oldest first, at most AT_ONCE_MAX; what is left comes with the next look."""
    fresh = sorted(
        (p for p in given_up_by_newstore(failures) if p.ref not in memory.seen),
        key=lambda p: (p.attempted_at, p.ref),
    )
    taken, left = fresh[:AT_ONCE_MAX], fresh[AT_ONCE_MAX:]
    tries = {key: t for key, t in memory.tries.items() if t.last > now - TRIES_KEPT}
    retry, given_up = [], []
    for publication in taken:
        before = tries.get(publication.event_key, Tries(0, now))
        if publication.publication_id and before.count < TRIES_MAX:
            tries[publication.event_key] = Tries(before.count + 1, now)
            retry.append(publication)
        else:
            given_up.append(publication)
    until = left[0].attempted_at if left else now
    seen = {**memory.seen, **{p.ref: p.attempted_at for p in taken}}
    kept = {ref: at for ref, at in seen.items() if at >= until - 2 * OVERLAP}
    return RetryPlan(
        retry=tuple(retry),
        given_up=tuple(given_up),
        memory=PublicationMemory(looked_until=until, seen=kept, tries=tries),
    )


def not_done(memory: PublicationMemory, undone: Iterable[Publication]) -> PublicationMemory:
    """As if these had not been looked at: the next look tries them."""
    undone = tuple(undone)
    if not undone:
        return memory
    refs = {publication.ref for publication in undone}
    first = min(publication.attempted_at for publication in undone)
    tries = dict(memory.tries)
    for publication in undone:
        before = tries[publication.event_key]
        tries[publication.event_key] = replace(before, count=max(0, before.count - 1))
    return PublicationMemory(
        looked_until=min(first, memory.looked_until or first),
        seen={ref: at for ref, at in memory.seen.items() if ref not in refs},
        tries=tries,
    )


def given_up_by_newstore(failures: Iterable[Publication]) -> Iterator[Publication]:
    """Those of events that concern stock and that NewStore does not try again by itself."""
    for found in failures:
        if found.event_name in WANTED_EVENTS and found.retries_remaining == 0:
            yield found
