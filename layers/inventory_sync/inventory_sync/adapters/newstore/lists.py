"""Lists that NewStore gives whole, and those it gives in pages."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar

from pydantic import BaseModel

from inventory_sync.adapters.http.answer import read_model
from inventory_sync.adapters.http.authorized import AuthorizedHttp
from inventory_sync.adapters.http.errors import HttpRejectedError
from inventory_sync.adapters.http.request import HttpRequest, RetrySafety
from inventory_sync.adapters.newstore.wire import PageAnswer
from inventory_sync.adapters.unreadable import report_unreadable_entry
from inventory_sync.domain.errors import RetriableError

PAGES_MAX = 100
COUNT = 100
"""Entries asked for in a page."""
COUNT_DEFAULT = 10
"""What NewStore gives unasked, so what it gives in any case (docs/newstore.md, Import)."""
_TOO_MANY = 400

M = TypeVar("M", bound=BaseModel)


def read_list(
    http: AuthorizedHttp,
    url: str,
    entry: type[M],
    *,
    names: tuple[str, ...] = ("items",),
    query: Mapping[str, str] | None = None,
) -> list[M]:
    """The entries, under the first of the names the answer has, or of a bare list.

    One that cannot be read is left out, and the log names it. RetriableError for an answer without
    the list, and where no entry can be read.
    """
    where, found = _listed(http, url, names, query)
    return most_of(entry, found, where)


def read_each(
    http: AuthorizedHttp, url: str, entry: type[M], *, names: tuple[str, ...] = ("items",)
) -> tuple[list[M], int]:
    """As `read_list`, but where no entry can be read none is given; and how many are listed."""
    where, found = _listed(http, url, names, None)
    return readable(entry, found, where), len(found)


def most_of(entry: type[M], values: Sequence[object], where: str) -> list[M]:
    """Those that can be read; RetriableError where none can be: then it is the form."""
    found = readable(entry, values, where)
    return found if found or not values else [read_model(entry, values[0], where)]


def readable(entry: type[M], values: Iterable[object], where: str) -> list[M]:
    """Those that can be read; the log names each other one by its place."""
    found: list[M] = []
    for number, value in enumerate(values):
        try:
            found.append(read_model(entry, value, f"{where}, entry {number}"))
        except RetriableError as error:
            report_unreadable_entry(error)
    return found


def read_pages(
    http: AuthorizedHttp, url: str, entry: type[M], *, query: Mapping[str, str]
) -> list[M]:
    """The entries of all pages; pages are asked for by offset, never by NewStore's links.

    One that cannot be read is left out, and the log names it.

    RetriableError for an answer without a list or without `pagination_info`, and for more than
    PAGES_MAX pages: half a list must not pass for a whole one.
    """
    try:
        return _pages(http, url, entry, query, COUNT)
    except HttpRejectedError as error:
        if error.status != _TOO_MANY:
            raise
        return _pages(http, url, entry, query, COUNT_DEFAULT)


def _pages(
    http: AuthorizedHttp, url: str, entry: type[M], query: Mapping[str, str], count: int
) -> list[M]:
    entries: list[M] = []
    listed = 0
    for _ in range(PAGES_MAX):
        place = {"offset": str(listed), "count": str(count)}
        request = HttpRequest(
            method="GET", url=url, retry=RetrySafety.ALWAYS, query={**query, **place}
        )
        answer = http.call(request)
        page = read_model(PageAnswer, answer, request.where).pagination_info
        found = _list_of(answer, ("items",), request.where)
        entries += readable(entry, found, request.where)
        listed += len(found)
        if page.ends_at(listed):
            return entries
        if not found:
            break
    raise RetriableError(f"{request.where}: the list does not end after {listed} entries")


def _listed(
    http: AuthorizedHttp, url: str, names: tuple[str, ...], query: Mapping[str, str] | None
) -> tuple[str, list[object]]:
    request = HttpRequest(
        method="GET", url=url, retry=RetrySafety.ALWAYS, query=query or {}, bare_list=names[0]
    )
    return request.where, _list_of(http.call(request), names, request.where)


def _list_of(answer: Mapping[str, Any], names: tuple[str, ...], where: str) -> list[object]:
    found = next((answer[name] for name in names if name in answer), None)
    if not isinstance(found, list):
        raise RetriableError(
            f"{where}: expected a list under {' or '.join(names)}, got {sorted(answer)}"
        )
    return found
