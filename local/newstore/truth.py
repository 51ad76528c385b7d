"""NewStore as the adapter meets it, in memory: no HTTP, no clock of its own, nothing random."""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Literal

from local.http_server import ASKED_KEPT, CallFaults, up_to_date
from local.newstore.atp_exports import AtpExports
from local.newstore.availabilities import AvailabilitiesFile, Mode, Row
from local.newstore.events import Event
from local.newstore.fulfillment import FulfillmentBook, FulfillmentRequest, Item, StockKey
from local.newstore.integrations import Integrations
from local.newstore.jobs import ImportJobs
from local.newstore.locations import Locations, StockLocation
from local.newstore.publications import Publications
from local.newstore.publisher import Publisher
from local.newstore.request_limit import RequestLimit
from local.newstore.tokens import TokenIssuer

RangeScope = Literal["tenant", "file_locations"]
Release = Literal["range", "immediate"]
NO_INVENTORY = "no_inventory"


class NewStoreTruth:
    """What is true of the tenant. Methods never fail by a planned fault.

    Faults of import jobs are planned in `jobs`. Every method first applies what jobs had to apply
    until `now()` (aware, UTC). Keys are (fulfillment_node_id, product_id).
    """

    def __init__(
        self,
        tenant: str,
        now: Callable[[], datetime],
        *,
        fetch: Callable[[str], bytes],
        range_scope: RangeScope = "tenant",
        range_start_released: bool = True,
        release: Release = "range",
        job_seconds: float = 0,
        seconds_between_files: float = 0,
        locations: Iterable[StockLocation] = (),
        clients: Mapping[str, str] | None = None,
        users: Mapping[str, str] | None = None,
        sleep: Callable[[float], None] | None = None,
    ) -> None:
        self.tenant, self.now = tenant, now
        self.range_scope = range_scope
        self.range_start_released = range_start_released
        self.lock = threading.RLock()
        self.faults = CallFaults(now)
        self.asked: deque[str] = deque(maxlen=ASKED_KEPT)
        """Over HTTP, by method and path."""
        self.faults.sleep = sleep
        self.request_limit = RequestLimit(now)
        self.atp_exports = AtpExports(now)
        self.publisher = Publisher(tenant, now)
        self.book = FulfillmentBook()
        self.cumulative_events = True
        """Whether `items_completed` lists all that its request has shipped by now, as the API says,
        or each shipment alone, as a public integration has seen it."""
        self.release: Release = release
        """Whether a shipped unit waits for a range, or is off its stock at once: then an import
        overwrites that (docs/newstore.md, What becomes of a shipped unit)."""
        self.locations = Locations(locations)
        self.jobs = ImportJobs(now, fetch, self._apply_file, self._apply_rows, self._check_file)
        self.jobs.job_seconds = job_seconds
        self.jobs.seconds_between_files = seconds_between_files
        self.tokens = TokenIssuer(now, clients or {}, users or {})
        self.integrations = Integrations(now)
        self.publications = Publications(now)
        self.imported: dict[StockKey, int] = {}
        self.reservations: Counter[StockKey] = Counter()
        self.safety_stock: Counter[StockKey] = Counter()
        self.unknown_products: set[str] = set()
        """Not in the catalog: their ATP is not answered."""
        self.clock_ahead = timedelta(0)
        """Of the header Date."""
        self.mispicked: set[StockKey] = set()
        """Rows of which a unit was not found: nothing is promised of them until their update."""

    # Truth: what happened at NewStore

    @up_to_date
    def assign(
        self,
        request_id: str,
        order_id: str,
        location_id: str,
        items: Sequence[tuple[str, str]],
        service_level: str = "STANDARD",
        *,
        associate_id: str | None = None,
        logical_timestamp: int | None = None,
    ) -> Event:
        """Send a new request of (item id, product id) units to a location: opens allocations."""
        request = FulfillmentRequest(request_id, order_id, location_id, service_level, associate_id)
        opened = [Item(item_id, product_id, self.now()) for item_id, product_id in items]
        self.book.assign(request, opened)
        return self.publisher.publish(
            "fulfillment_request.assigned", request, opened, logical_timestamp
        )

    @up_to_date
    def complete(
        self,
        request_id: str,
        item_ids: Sequence[str] | None = None,
        *,
        logical_timestamp: int | None = None,
    ) -> Event:
        """Ship or hand over items (None: all open ones); a request may be completed in parts.

        The event lists all items of the request that were shipped by now.
        """
        items = self.book.select_open(request_id, item_ids)
        request = self.book.requests[request_id]
        before = self.book.shipped(request_id) if self.cumulative_events else []
        event = self.publisher.publish(
            "fulfillment_request.items_completed", request, [*before, *items], logical_timestamp
        )
        self.book.complete(request_id, items, event["payload"]["logical_timestamp"], before)
        if self.release == "immediate":
            for key in self.book.release_at_once(request_id, items):
                self.imported[key] = self.imported.get(key, 0) - 1
        return event

    @up_to_date
    def fail(
        self,
        request_id: str,
        item_ids: Sequence[str] | None = None,
        *,
        logical_timestamp: int | None = None,
        rejection_reason: str = "",
    ) -> Event:
        """Give up items (None: all open ones): their allocations at this location are gone.

        With `no_inventory` nothing of their products is promised until their rows' next update.
        """
        items = self.book.select_open(request_id, item_ids)
        self.book.fail(request_id, items)
        request = self.book.requests[request_id]
        if rejection_reason == NO_INVENTORY:
            self.mispicked |= {(request.location_id, item.product_id) for item in items}
        return self.publisher.publish(
            "fulfillment_request.items_failed", request, items, logical_timestamp, rejection_reason
        )

    @up_to_date
    def set_imported(self, key: StockKey, quantity: int) -> None:
        """Stock that was there before the story begins."""
        self.imported[key] = quantity

    @up_to_date
    def on_hand(self, key: StockKey) -> int:
        """The imported quantity."""
        return self.imported.get(key, 0)

    @up_to_date
    def open_allocations(self, key: StockKey) -> int:
        """Units assigned, and neither completed nor failed."""
        return self.book.open[key]

    @up_to_date
    def completed_unreleased(self, key: StockKey) -> int:
        """Units completed whose allocation no import has released."""
        return self.book.completed_unreleased[key]

    @up_to_date
    def atp(self, key: StockKey) -> int:
        """Available to promise; may be negative, and is 0 where the location is off."""
        if self.locations.is_off(key[0]):
            return 0
        units = (
            self.imported.get(key, 0)
            - self.book.completed_unreleased[key]
            - self.book.open[key]
            - self.reservations[key]
            - self.safety_stock[key]
        )
        return min(0, units) if key in self.mispicked else units

    def stock_keys(self) -> list[StockKey]:
        """Every row there is."""
        return sorted(
            self.imported.keys() | self.book.open.keys() | self.book.completed_unreleased.keys()
        )

    @property
    @up_to_date
    def created_locations(self) -> list[str]:
        """Those that an import created."""
        return self.locations.created

    @property
    @up_to_date
    def imports_into_master(self) -> list[str]:
        """Locations mastered by NewStore that an import wrote to all the same: must stay empty."""
        return self.locations.imports_into_master

    def advance(self) -> None:
        """Apply what import jobs have to apply until now(), and end the replays that are due."""
        self.jobs.advance()
        self.integrations.advance()
        if self.publications.send is not None:
            self._replay()

    # Inside

    def _check_file(self, file: AvailabilitiesFile) -> None:
        self.locations.check(file.nodes)

    def _apply_rows(self, rows: Sequence[Row], mode: Mode) -> None:
        """What is sent as ATP lacks the open allocations already: they are added."""
        for row in rows:
            allocated = self.book.open[row.key] if mode == "atp" else 0
            self.imported[row.key] = row.quantity + allocated
            self.mispicked.discard(row.key)

    def _replay(self) -> None:
        for integration, events in self.integrations.replays(self.publisher.events):
            for event in events:
                self.publications.publish(integration.integration_id, event, "temporary")

    def _apply_file(self, file: AvailabilitiesFile) -> None:
        self.locations.note_import(file.nodes)
        self._apply_rows(file.rows, file.mode)
        locations = tuple(file.nodes) if self.range_scope == "file_locations" else None
        first = file.range_start + (0 if self.range_start_released else 1)
        self.book.release(locations, first, file.range_end)
