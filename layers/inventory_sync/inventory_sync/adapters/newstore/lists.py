"""Lists that NewStore gives in one page, or in several should it ever do so."""

from collections.abc import Mapping
from typing import Any, TypeVar
from urllib.parse import urljoin, urlsplit

from pydantic import BaseModel

from inventory_sync.adapters.http.answer import read_model
from inventory_sync.adapters.http.authorized import AuthorizedHttp
from inventory_sync.adapters.http.request import HttpRequest, RetrySafety
from inventory_sync.adapters.newstore.wire import next_page
from inventory_sync.domain.errors import RetriableError

PAGES_MAX = 100

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

    RetriableError for an answer without the list, pages that lead in a circle or to another
    host, and more than PAGES_MAX of them: half a list must not pass for a whole one.
    """
    entries: list[M] = []
    request = HttpRequest(
        method="GET", url=url, retry=RetrySafety.ALWAYS, query=query or {}, bare_list=names[0]
    )
    visited: set[str] = set()
    while True:
        answer = http.call(request)
        entries += [read_model(entry, value, request.where) for value in _values(answer, names)]
        visited.add(request.url)
        following = next_page(answer)
        if not following:
            return entries
        following = urljoin(request.url, following)
        _check_page(following, url, visited, len(entries))
        request = HttpRequest(
            method="GET", url=following, retry=RetrySafety.ALWAYS, bare_list=names[0]
        )


def _values(answer: dict[str, Any], names: tuple[str, ...]) -> list[object]:
    found = next((answer[name] for name in names if name in answer), None)
    if not isinstance(found, list):
        raise RetriableError(f"expected a list under {' or '.join(names)}, got {sorted(answer)}")
    return found


def _check_page(following: str, url: str, visited: set[str], entries: int) -> None:
    host = urlsplit(following)[:2]
    if host != urlsplit(url)[:2]:
        raise RetriableError(f"the next page is at another host than {urlsplit(url).hostname}")
    if following in visited or len(visited) >= PAGES_MAX:
        raise RetriableError(
            f"the list at {urlsplit(url).path} does not end: {len(visited)} pages,"
            f" {entries} entries"
        )
