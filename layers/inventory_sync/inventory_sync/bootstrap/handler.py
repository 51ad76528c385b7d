"""What every function but the webhook does around its use case."""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, TypeVar

from inventory_sync.adapters.unreadable import UnreadableRecords
from inventory_sync.observability import PowertoolsObserver

T = TypeVar("T")
Event = Mapping[str, Any]
Answer = dict[str, Any]
Handler = Callable[[Event, Any], Answer]
SecondsLeft = Callable[[], float]
Make = Callable[[], tuple[T, PowertoolsObserver]]
"""Called once, at the first event."""


def handler_of(
    make: Make[T], answer: Callable[[T, PowertoolsObserver, Event, SecondsLeft], Answer]
) -> Handler:
    """A failure is logged once and raised, and metrics are written out whatever happens.

    What is logged names the invocation.
    """

    @cache
    def made() -> Handler:
        unreadable = UnreadableRecords()
        use_case, observer = make()

        def handler(event: Event, context: Any) -> Answer:
            try:
                return answer(
                    use_case, observer, event, lambda: context.get_remaining_time_in_millis() / 1000
                )
            except Exception as error:
                observer.failure(error)
                raise
            finally:
                if found := unreadable.taken():
                    observer.count("RecordsUnreadable", len(found))
                observer.flush()

        return observer.in_context(handler)

    return lambda event, context: made()(event, context)
