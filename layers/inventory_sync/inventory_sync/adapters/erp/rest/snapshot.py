"""A location's stock over the REST contract: whole, or an error that says what is wrong with it."""

from dataclasses import dataclass, field
from datetime import datetime

from inventory_sync.adapters.erp.ids import Ids, UnknownProductError
from inventory_sync.adapters.erp.rest.wire import PageAnswer
from inventory_sync.adapters.http.answer import read_model
from inventory_sync.adapters.http.authorized import AuthorizedHttp
from inventory_sync.adapters.http.errors import HttpRejectedError
from inventory_sync.adapters.http.request import HttpRequest, RetrySafety
from inventory_sync.adapters.values import Fault
from inventory_sync.domain.errors import RetriableError, SnapshotIncompleteError
from inventory_sync.domain.stock import StockSnapshot, Units
from inventory_sync.domain.wording import counted
from inventory_sync.ports.observe import Clock

_CURSOR_GONE = 410


@dataclass(frozen=True, slots=True, kw_only=True)
class SnapshotLimits:
    """`page_rows` is what is asked for; the ERP may give fewer at a time."""

    page_rows: int = 5_000
    pages_max: int = 2_000
    seconds_max: float = 240


@dataclass(slots=True)
class _Collected:
    """The pages so far; `instants` are as of when they are, `row_counts` the totals they claim."""

    location: str
    instants: set[datetime] = field(default_factory=set)
    row_counts: set[int] = field(default_factory=set)
    units: dict[str, Units] = field(default_factory=dict)
    unreadable: dict[str, str] = field(default_factory=dict)
    unknown: dict[str, str] = field(default_factory=dict)
    cursors: set[str] = field(default_factory=set)

    @property
    def rows(self) -> int:
        """How many there are."""
        return len(self.units) + len(self.unreadable) + len(self.unknown)

    def wrong(self, text: str) -> SnapshotIncompleteError:
        """The error, with the figures."""
        figures = f"{counted(self.rows, 'row')}, row_count {sorted(self.row_counts)}"
        return SnapshotIncompleteError(f"ERP location {self.location}: {text} ({figures})")


class SnapshotReader:
    """Reads all pages of a location."""

    def __init__(
        self, http: AuthorizedHttp, clock: Clock, ids: Ids, url: str, limits: SnapshotLimits
    ) -> None:
        self._http = http
        self._clock = clock
        self._ids = ids
        self._url = url
        self._limits = limits

    def read(self, location_id: str, *, consistent: bool) -> StockSnapshot:
        """As of the earliest `as_of` of its pages; where it is `consistent` they have only one.

        RejectedError for a location the ERP does not know, SnapshotIncompleteError for pages that
        do not add up, RetriableError where it cannot be reached.
        """
        until = self._clock.monotonic() + self._limits.seconds_max
        ids = self._ids.pinned()
        collected = _Collected(ids.erp_location(location_id))
        cursor: str | None = ""
        for _ in range(self._limits.pages_max):
            page = self._page(collected, cursor)
            _add(collected, page, ids)
            cursor = page.next_cursor
            if not cursor:
                return _whole(collected, location_id, consistent)
            if cursor in collected.cursors:
                raise collected.wrong("a page's next_cursor leads back")
            collected.cursors.add(cursor)
            if self._clock.monotonic() >= until:
                raise collected.wrong(f"not read within {self._limits.seconds_max} s")
        raise collected.wrong(f"more than {self._limits.pages_max} pages")

    def _page(self, collected: _Collected, cursor: str | None) -> PageAnswer:
        query = {"location": collected.location, "limit": str(self._limits.page_rows)}
        if cursor:
            query["cursor"] = cursor
        request = HttpRequest(method="GET", url=self._url, retry=RetrySafety.ALWAYS, query=query)
        try:
            answer = self._http.call(request)
        except HttpRejectedError as error:
            if error.status == _CURSOR_GONE:
                raise collected.wrong("the ERP forgot the cursor on the way") from error
            raise
        try:
            return read_model(PageAnswer, answer, request.where)
        except RetriableError as error:
            raise collected.wrong(str(error)) from error


def _add(collected: _Collected, page: PageAnswer, ids: Ids) -> None:
    if page.location != collected.location:
        raise collected.wrong(f"a page is of location {page.location[:40]!r}")
    collected.instants.add(page.as_of)
    collected.row_counts.add(page.row_count)
    for row in page.rows:
        if type(row.product) is not str or not row.product:
            name = f"row {collected.rows + 1}"
            collected.unknown[name] = f"its product is no text, or empty: {str(row.product)[:40]!r}"
            continue
        try:
            product_id = ids.product_id(row.product)
        except UnknownProductError as error:
            if (name := f"sku {row.product}") in collected.unknown:
                raise collected.wrong(f"{name} stands in two rows") from None
            collected.unknown[name] = str(error)
            continue
        if product_id in collected.units or product_id in collected.unreadable:
            raise collected.wrong(f"product {product_id} stands in two rows")
        if isinstance(row.on_hand, Fault):
            collected.unreadable[product_id] = row.on_hand.text
        else:
            collected.units[product_id] = row.on_hand


def _whole(collected: _Collected, location_id: str, consistent: bool) -> StockSnapshot:
    """An ERP without consistent snapshots may change its count while it is read."""
    rows, counts = collected.rows, collected.row_counts
    if not min(counts) <= rows <= max(counts):
        raise collected.wrong("the rows are not as many as row_count")
    if consistent and len(collected.instants) * len(counts) > 1:
        raise collected.wrong(
            "the ERP says consistent_snapshot, but its pages have several as_of or row_count"
        )
    as_of = min(collected.instants)
    return StockSnapshot(
        location_id, as_of, collected.units, collected.unreadable, collected.unknown
    )
