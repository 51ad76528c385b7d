"""Have NewStore send rejected events once more, as far as the adapter would take them now."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from inventory_sync.domain.errors import RejectedError, RetriableError
from inventory_sync.domain.inbound import MalformedEventError, ParseEvent
from inventory_sync.domain.stream_check import RETRIES_MAX
from inventory_sync.domain.stream_records import RejectedEvent
from inventory_sync.ports.newstore import StreamRecords
from inventory_sync.ports.observe import Observer, RemainingSeconds

SPARE_SECONDS = 60.0
"""Kept back of the invocation for one call that takes long, and for the rest of the check."""
NAMED_MAX = 5

Remember = Callable[[Mapping[str, int]], None]


@dataclass(kw_only=True)
class _Outcome:
    """What became of the listed events, and how often each of those left was retried."""

    retries: dict[str, int]
    taken: int = 0
    left: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryRejected:
    """A retry is safe where our webhook answers 200 to it: it only lays down what was not kept.

    An event that cannot be read stays with NewStore until a person has looked at it.
    """

    records: StreamRecords
    parse: ParseEvent
    observer: Observer
    stream_id: str

    def __call__(
        self, retries: Mapping[str, int], remember: Remember, remaining_seconds: RemainingSeconds
    ) -> int:
        """How many are left. `remember` is told before each retry; forgets those that are gone."""
        listed = self.records.rejected_events(self.stream_id)
        outcome = _Outcome(retries={r.rejected_id: retries.get(r.rejected_id, 0) for r in listed})
        for rejected in listed:
            if remaining_seconds() < SPARE_SECONDS or not self._taken(rejected, outcome, remember):
                outcome.left.append(rejected.rejected_id)
        remember(outcome.retries)
        self._tell(outcome)
        return len(outcome.left)

    def _taken(self, rejected: RejectedEvent, outcome: _Outcome, remember: Remember) -> bool:
        """Whether NewStore keeps it no longer."""
        key = rejected.rejected_id
        if outcome.retries[key] >= RETRIES_MAX:
            return False
        try:
            return self._retried(key, outcome, remember)
        except (RetriableError, RejectedError) as error:
            self.observer.log("rejected event not taken", rejected_id=key, reason=error)
            return False

    def _retried(self, key: str, outcome: _Outcome, remember: Remember) -> bool:
        """RetriableError or RejectedError where NewStore goes on keeping it."""
        body = self.records.rejected_event(self.stream_id, key)
        if body is not None and not self._readable(body):
            return False
        if body is not None:
            outcome.retries[key] += 1
            remember(outcome.retries)
            self.records.retry_rejected(self.stream_id, key)
            outcome.taken += 1
        del outcome.retries[key]
        return True

    def _readable(self, body: bytes) -> bool:
        try:
            self.parse(body)
        except MalformedEventError:
            return False
        return True

    def _tell(self, outcome: _Outcome) -> None:
        self.observer.count("RejectedEvents", len(outcome.left))
        if outcome.left or outcome.taken:
            named = ", ".join(outcome.left[:NAMED_MAX])
            self.observer.log(
                "rejected events",
                taken=outcome.taken,
                left=len(outcome.left),
                rejected_ids=named,
            )
