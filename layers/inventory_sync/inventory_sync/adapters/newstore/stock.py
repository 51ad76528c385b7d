"""What NewStore says of stock and of orders, as docs/newstore.md has it, "Reading back"."""

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote

from inventory_sync.adapters.http.answer import read_model
from inventory_sync.adapters.http.authorized import AuthorizedHttp
from inventory_sync.adapters.http.errors import HttpRejectedError
from inventory_sync.adapters.http.request import HttpRequest, RetrySafety
from inventory_sync.adapters.newstore.downloaded import downloaded
from inventory_sync.adapters.newstore.lists import most_of
from inventory_sync.adapters.newstore.stock_wire import (
    AtpAnswer,
    InsightsAnswer,
    RequestAnswer,
    read_safety_stock,
)
from inventory_sync.domain.atp import AtpKey, RequestedItem, SafetyStock, StockInsights
from inventory_sync.domain.errors import RetriableError

ATP_KEYS_MAX = 2000
"""In one call."""


class NewStoreStock:
    """Implements ports.StockReader. FatalError where credentials are refused."""

    def __init__(self, http: AuthorizedHttp, *, base_url: str) -> None:
        self._http = http
        self._base_url = base_url

    def atp(self, keys: Iterable[AtpKey]) -> dict[AtpKey, int]:
        """Units NewStore would promise; keys it does not answer are left out."""
        wanted = sorted(set(keys))
        found: dict[AtpKey, int] = {}
        for start in range(0, len(wanted), ATP_KEYS_MAX):
            found.update(self._atp(wanted[start : start + ATP_KEYS_MAX]))
        return found

    def _atp(self, keys: list[AtpKey]) -> dict[AtpKey, int]:
        request = HttpRequest(
            method="POST",
            url=f"{self._base_url}/v0/availabilities",
            retry=RetrySafety.ALWAYS,
            json={"atp_keys": [key._asdict() for key in keys]},
        )
        items = _entries(self._http.call(request), "items", request.where)
        by_key = {a.key: a.units for a in most_of(AtpAnswer, items, request.where)}
        return {key: by_key[key] for key in keys if key in by_key}

    def insights(self, key: AtpKey) -> StockInsights:
        """What NewStore takes off a row's quantity."""
        request = self._get("/v0/stock/insights", query=key._asdict())
        return read_model(InsightsAnswer, self._http.call(request), request.where).insights()

    def safety_stock(self) -> SafetyStock:
        """Of all rows. A table of some megabytes: read from the disk, line by line."""
        request = self._get("/v1/stock/safety_stock", headers={"Accept": "text/csv"})
        with downloaded(lambda file: self._http.download(request, file)) as file:
            lines = (line.decode("utf-8", "replace") for line in file)
            return read_safety_stock(lines, request.where)

    def requested_items(self, order_uuid: str) -> list[RequestedItem]:
        """The earliest request first; the 2,000 latest ones of an order that has more."""
        request = self._get(f"/v0/fulfillment_requests/{quote(order_uuid, safe='')}")
        try:
            answer: Mapping[str, Any] = self._http.call(request)
        except HttpRejectedError as error:
            # Too many requests are answered 400, with the latest of them all the same.
            if not error.body or "fulfillment_requests" not in error.body:
                raise
            answer = error.body
        listed = _entries(answer, "fulfillment_requests", request.where)
        requests = most_of(RequestAnswer, listed, request.where)
        return [item for request in requests for item in request.requested()]

    def _get(
        self,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> HttpRequest:
        return HttpRequest(
            method="GET",
            url=self._base_url + path,
            retry=RetrySafety.ALWAYS,
            query=query or {},
            headers=headers or {},
        )


def _entries(answer: Mapping[str, Any], name: str, where: str) -> list[Any]:
    if not isinstance(found := answer.get(name), list):
        raise RetriableError(f"{where}: expected a list under {name}")
    return found
