"""What every function but the webhook does around its use case."""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, TypeVar

from inventory_sync.adapters.unreadable import LeftOut
from inventory_sync.observability import PowertoolsObserver, in_context, make_observer

T = TypeVar("T")
Event = Mapping[str, Any]
Answer = dict[str, Any]
Handler = Callable[[Event, Any], Answer]
SecondsLeft = Callable[[], float]
Make = Callable[[], tuple[T, PowertoolsObserver]]
"""Called once, at the first event, and again where that failed."""


def handler_of(
    make: Make[T], answer: Callable[[T, PowertoolsObserver, Event, SecondsLeft], Answer]
) -> Handler:
    """A failure is logged once and raised, and metrics are written out whatever happens.

    What is logged names the invocation.
    """

    @cache
    def made() -> Handler:
        use_case, observer = make()

        def handler(event: Event, context: Any) -> Answer:
            with LeftOut(observer.failure) as left_out:
                try:
                    return answer(
                        use_case,
                        observer,
                        event,
                        lambda: context.get_remaining_time_in_millis() / 1000,
                    )
                except Exception as error:
                    observer.failure(error)
                    raise
                finally:
                    if left_out.records:
                        observer.count("RecordsUnreadable", len(left_out.records))
                    observer.flush()

        return observer.in_context(handler)

    def first(event: Event, context: Any) -> Answer:
        try:
            handler = made()
        except Exception as error:
            _log_failure(error, context)
            raise
        return handler(event, context)

    return first


def _log_failure(error: Exception, context: Any) -> None:
    """Of what comes before there is an observer."""

    def log(event: Event, context: Any) -> Answer:
        make_observer().failure(error)
        return {}

    in_context(log)({}, context)
