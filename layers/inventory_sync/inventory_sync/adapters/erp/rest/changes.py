"""What changed at a location, and the rows of some products, over the REST contract."""

from contextlib import suppress
from dataclasses import replace
from datetime import datetime

from inventory_sync.adapters.erp.ids import Ids, UnknownProductError
from inventory_sync.adapters.erp.rest.wire import ChangesAnswer, RowsAnswer
from inventory_sync.adapters.http.answer import read_model
from inventory_sync.adapters.http.authorized import AuthorizedHttp
from inventory_sync.adapters.http.errors import HttpRejectedError
from inventory_sync.adapters.http.request import HttpRequest, RetrySafety
from inventory_sync.adapters.values import Fault
from inventory_sync.domain.erp import Changes
from inventory_sync.domain.errors import RetriableError, SnapshotIncompleteError
from inventory_sync.domain.stock import StockSnapshot, Units
from inventory_sync.ports.observe import Clock

READ_PRODUCTS_MAX = 1_000
"""Products in one `POST /v1/stock/read`; docs/erp-openapi.yaml."""
CHANGE_PAGES_MAX = 1_000

_CURSOR_GONE = 410


class ChangesReader:
    """Reads the feed, and the rows it points at; each within `seconds_max`."""

    def __init__(
        self, http: AuthorizedHttp, clock: Clock, ids: Ids, base_url: str, seconds_max: float
    ) -> None:
        self._http = http
        self._clock = clock
        self._ids = ids
        self._base_url = base_url
        self._seconds_max = seconds_max

    def changes(self, location_id: str, cursor: str | None) -> Changes:
        """Since the cursor, as of the first page; where the feed stands now without one.

        Not complete where the ERP has forgotten the cursor, or products had other names then.
        RejectedError for a location the ERP does not know, RetriableError where the feed cannot
        be read to its end.
        """
        ids = self._ids.pinned()
        since = None if cursor is None else ids.untag_cursor(cursor)
        if cursor is None or since is not None:
            try:
                return self._since(ids, location_id, since)
            except HttpRejectedError as error:
                if since is None or error.status != _CURSOR_GONE:
                    raise
        now = self._since(ids, location_id, None)
        return replace(now, product_ids=frozenset(), complete=False)

    def read(self, location_id: str, product_ids: frozenset[str]) -> StockSnapshot:
        """Their rows, as of the earliest answer; errors as for a whole snapshot."""
        until = self._clock.monotonic() + self._seconds_max
        ids = self._ids.pinned()
        location = ids.erp_location(location_id)
        skus = sorted(ids.sku(product_id) for product_id in product_ids)
        instants: list[datetime] = []
        units: dict[str, Units] = {}
        unreadable: dict[str, str] = {}
        for start in range(0, max(1, len(skus)), READ_PRODUCTS_MAX):
            if instants and self._clock.monotonic() >= until:
                raise _incomplete(location, f"not read within {self._seconds_max} s")
            asked = set(skus[start : start + READ_PRODUCTS_MAX])
            answer = self._rows(location, sorted(asked))
            instants.append(answer.as_of)
            for row in answer.rows:
                if type(row.product) is not str or row.product not in asked:
                    name = str(row.product)[:80]
                    raise _incomplete(location, f"sku {name} comes twice or unasked")
                asked.remove(row.product)
                product_id = ids.product_id(row.product)
                if isinstance(row.on_hand, Fault):
                    unreadable[product_id] = row.on_hand.text
                else:
                    units[product_id] = row.on_hand
        return StockSnapshot(location_id, min(instants), units, unreadable)

    def _since(self, ids: Ids, location_id: str, cursor: str | None) -> Changes:
        until = self._clock.monotonic() + self._seconds_max
        location = ids.erp_location(location_id)
        found: set[str] = set()
        as_of: datetime | None = None
        for _ in range(CHANGE_PAGES_MAX):
            page = self._page(location, cursor)
            as_of = min(as_of or page.as_of, page.as_of)
            for sku in page.products:
                with suppress(UnknownProductError):
                    found.add(ids.product_id(sku))
            if not page.more:
                return Changes(
                    product_ids=frozenset(found),
                    cursor=ids.tag_cursor(page.cursor),
                    as_of=as_of,
                    complete=True,
                )
            if page.cursor == cursor or self._clock.monotonic() >= until:
                break
            cursor = page.cursor
        raise RetriableError(f"ERP location {location}: the change feed comes to no end")

    def _page(self, location: str, cursor: str | None) -> ChangesAnswer:
        query = (
            {"location": location} if cursor is None else {"location": location, "cursor": cursor}
        )
        request = HttpRequest(
            method="GET", url=f"{self._base_url}/v1/changes", retry=RetrySafety.ALWAYS, query=query
        )
        answer = read_model(ChangesAnswer, self._http.call(request), request.where)
        if answer.location != location:
            raise RetriableError(f"{request.where}: it is of location {answer.location[:40]!r}")
        return answer

    def _rows(self, location: str, skus: list[str]) -> RowsAnswer:
        request = HttpRequest(
            method="POST",
            url=f"{self._base_url}/v1/stock/read",
            retry=RetrySafety.ALWAYS,
            json={"location": location, "products": skus},
        )
        answer = self._http.call(request)
        try:
            rows = read_model(RowsAnswer, answer, request.where)
        except RetriableError as error:
            raise _incomplete(location, str(error)) from error
        if rows.location != location:
            raise _incomplete(location, f"the rows are of location {rows.location[:40]!r}")
        return rows


def _incomplete(location: str, text: str) -> SnapshotIncompleteError:
    return SnapshotIncompleteError(f"ERP location {location}: {text}")
