"""Ask NewStore once more for what it could not deliver and no longer tries."""

from collections.abc import Callable
from dataclasses import dataclass

from inventory_sync.domain.errors import (
    InventorySyncError,
    NotOfferedError,
    OutcomeUnknownError,
    RejectedError,
    RetriableError,
)
from inventory_sync.domain.publications import (
    Publication,
    PublicationMemory,
    RetryPlan,
    not_done,
    plan_retries,
)
from inventory_sync.ports.newstore import EventStreams
from inventory_sync.ports.observe import Clock, Observer, RemainingSeconds

PAUSE_SECONDS = 0.5
"""Between two retries: each comes back to our own webhook."""
SPARE_SECONDS = 30.0
"""Kept back of the invocation for one call that takes long."""

Remember = Callable[[PublicationMemory], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPublications:
    """Each publication is dealt with once; what a retry comes to is in NewStore's list later."""

    streams: EventStreams
    clock: Clock
    observer: Observer
    stream_id: str

    def __call__(
        self, memory: PublicationMemory, remember: Remember, remaining_seconds: RemainingSeconds
    ) -> None:
        """RetriableError where NewStore failed: what is left comes with the next look."""
        now = self.clock.now()
        try:
            failures = self.streams.failures(self.stream_id, memory.since(now), now)
        except NotOfferedError as error:
            self.observer.log("failed publications are not listed", reason=error)
            failures = []
        plan = plan_retries(failures, memory, now)
        remember(plan.memory)
        given_up, undone, failure = self._carry_out(plan, remaining_seconds)
        if undone:
            remember(not_done(plan.memory, undone))
        self._count(plan, given_up, undone)
        if failure is not None:
            raise failure

    def _carry_out(
        self, plan: RetryPlan, remaining_seconds: RemainingSeconds
    ) -> tuple[list[Publication], list[Publication], InventorySyncError | None]:
        """What was given up, what is left, and why the rest was left."""
        given_up = list(plan.given_up)
        for number, publication in enumerate(plan.retry):
            if remaining_seconds() < SPARE_SECONDS:
                return given_up, list(plan.retry[number:]), None
            try:
                self.streams.retry(self.stream_id, publication.publication_id)
            except RejectedError as error:
                self.observer.log("publication not retried", reason=error)
                given_up.append(publication)
                if isinstance(error, NotOfferedError):
                    return [*given_up, *plan.retry[number + 1 :]], [], None
            except (RetriableError, OutcomeUnknownError) as error:
                return given_up, list(plan.retry[number:]), error
            self.clock.sleep(PAUSE_SECONDS)
        return given_up, [], None

    def _count(
        self, plan: RetryPlan, given_up: list[Publication], undone: list[Publication]
    ) -> None:
        failed = len(plan.retry) + len(plan.given_up) - len(undone)
        self.observer.count("PublicationsGivenUp", len(given_up))
        if failed:
            self.observer.log("publications failed", failed=failed, retried=failed - len(given_up))
        for publication in given_up:
            self.observer.log(
                "publication given up",
                event_name=publication.event_name,
                entity_id=publication.entity_id,
                attempted_at=publication.attempted_at,
            )
