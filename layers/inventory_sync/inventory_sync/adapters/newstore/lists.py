"""Lists that NewStore gives whole, and those it gives in pages."""

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel

from inventory_sync.adapters.http.answer import read_model
from inventory_sync.adapters.http.authorized import AuthorizedHttp
from inventory_sync.adapters.http.errors import HttpRejectedError
from inventory_sync.adapters.http.request import HttpRequest, RetrySafety
from inventory_sync.adapters.newstore.wire import PageAnswer
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
    """All entries, under the first of the names the answer has, or of a bare list.

    RetriableError for an answer without the list.
    """
    request = HttpRequest(
        method="GET", url=url, retry=RetrySafety.ALWAYS, query=query or {}, bare_list=names[0]
    )
    return _entries(http.call(request), entry, names, request.where)


def read_pages(
    http: AuthorizedHttp, url: str, entry: type[M], *, query: Mapping[str, str]
) -> list[M]:
    """All entries of all pages; pages are asked for by offset, never by NewStore's links.

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
    for _ in range(PAGES_MAX):
        place = {"offset": str(len(entries)), "count": str(count)}
        request = HttpRequest(
            method="GET", url=url, retry=RetrySafety.ALWAYS, query={**query, **place}
        )
        answer = http.call(request)
        page = read_model(PageAnswer, answer, request.where).pagination_info
        found = _entries(answer, entry, ("items",), request.where)
        entries += found
        if page.ends_at(len(entries)):
            return entries
        if not found:
            break
    raise RetriableError(f"{request.where}: the list does not end after {len(entries)} entries")


def _entries(
    answer: Mapping[str, Any], entry: type[M], names: tuple[str, ...], where: str
) -> list[M]:
    found = next((answer[name] for name in names if name in answer), None)
    if not isinstance(found, list):
        raise RetriableError(
            f"{where}: expected a list under {' or '.join(names)}, got {sorted(answer)}"
        )
    return [read_model(entry, value, where) for value in found]
