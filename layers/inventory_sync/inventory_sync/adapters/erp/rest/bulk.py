"""Posting many things at once, so that each gets an outcome of its own.

the ERP's answer to a chunk     outcome of each of its entries
200                             its result, matched by its reference; `missing` without one
not sent, 429, no right to it   `later`
400, 409, 413, 422              halves are posted, down to the entry that is at fault: `refused`
any other 3xx or 4xx            `later`: the address is wrong, not the entry
sent, no readable answer        `missing`
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from inventory_sync.adapters.http.authorized import AuthorizedHttp
from inventory_sync.adapters.http.errors import HttpRejectedError
from inventory_sync.adapters.http.request import HttpRequest, RetrySafety
from inventory_sync.domain.errors import FatalError, OutcomeUnknownError, RetriableError
from inventory_sync.ports.observe import Clock

_CONTENT_REFUSED = frozenset({400, 409, 413, 422})

E = TypeVar("E")
O = TypeVar("O")  # noqa: E741 - an outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkCall(Generic[E, O]):
    """How entries of one kind are written and their outcomes read.

    `read` gives the outcomes by reference of those results it understands.
    """

    url: str
    name: str
    retry: RetrySafety
    write: Callable[[E], Mapping[str, Any]]
    reference: Callable[[E], object]
    read: Callable[[list[Any]], Mapping[object, O]]
    later: Callable[[str], O]
    missing: Callable[[str], O]
    refused: Callable[[str], O]


class BulkPoster:
    """Nothing is posted after `until`: what is left gets `later`."""

    def __init__(self, http: AuthorizedHttp, clock: Clock, until: float) -> None:
        self._http = http
        self._clock = clock
        self._until = until

    def post(self, call: BulkCall[E, O], entries: list[E], bulk_max: int) -> list[O]:
        """One outcome per entry, in order; never an error."""
        outcomes: list[O] = []
        for start in range(0, len(entries), bulk_max):
            outcomes += self._chunk(call, entries[start : start + bulk_max])
        return outcomes

    def _chunk(self, call: BulkCall[E, O], entries: list[E]) -> list[O]:
        if self._clock.monotonic() >= self._until:
            return [call.later("no time left to post it") for _ in entries]
        try:
            results = self._results(call, entries)
        except OutcomeUnknownError as error:
            return [call.missing(str(error)) for _ in entries]
        except HttpRejectedError as error:
            return self._refused(call, entries, error)
        except (RetriableError, FatalError) as error:
            return [call.later(str(error)) for _ in entries]
        found = call.read(results)
        missing = call.missing("the ERP's answer has no readable result for it")
        return [found.get(call.reference(entry), missing) for entry in entries]

    def _results(self, call: BulkCall[E, O], entries: list[E]) -> list[Any]:
        body = {call.name: [call.write(entry) for entry in entries]}
        request = HttpRequest(method="POST", url=call.url, retry=call.retry, json=body)
        results = self._http.call(request).get("results")
        if not isinstance(results, list):
            raise OutcomeUnknownError(f"{request.where}: expected a list under results")
        return results

    def _refused(self, call: BulkCall[E, O], entries: list[E], error: HttpRejectedError) -> list[O]:
        if error.status not in _CONTENT_REFUSED:
            return [call.later(f"{error}; check ERP_BASE_URL") for _ in entries]
        if len(entries) == 1:
            return [call.refused(str(error))]
        middle = len(entries) // 2
        return self._chunk(call, entries[:middle]) + self._chunk(call, entries[middle:])
