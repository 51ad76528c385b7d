"""Odoo 19 over its JSON-2 API; docs/connectors/odoo.md says what it needs there."""

from collections.abc import Callable, Sequence
from datetime import timedelta

from inventory_sync.adapters.erp.ids import Ids
from inventory_sync.adapters.erp.odoo.allocations import OdooAllocations
from inventory_sync.adapters.erp.odoo.api import OdooApi
from inventory_sync.adapters.erp.odoo.master import OdooMaster
from inventory_sync.adapters.erp.odoo.shipments import OdooShipments
from inventory_sync.adapters.erp.odoo.stock import OdooStock
from inventory_sync.adapters.http.authorized import AuthorizedHttp
from inventory_sync.adapters.http.errors import HttpRejectedError
from inventory_sync.domain.erp import ChangeFeed, Changes, Dedupe, ErpCapabilities
from inventory_sync.domain.errors import (
    FatalError,
    OutcomeUnknownError,
    RejectedError,
    RetriableError,
)
from inventory_sync.domain.stock import (
    AllocationChange,
    AllocationOutcome,
    MovementOutcome,
    Rejection,
    StockMovement,
    StockSnapshot,
    TryLater,
    Unknown,
)
from inventory_sync.ports.observe import Clock

BULK_MAX = 100
ORIGIN_CHARACTERS_MAX = 500


class OdooErpStock:
    """Implements ports.ErpStock. `apply_lag` is the setting: Odoo itself shows at once what it
    booked.

    `not_for_sale` gives names of locations below a warehouse's stock that are left out.
    """

    def __init__(
        self,
        http: AuthorizedHttp,
        clock: Clock,
        *,
        base_url: str,
        database: Callable[[], str],
        not_for_sale: Callable[[], Sequence[str]] = tuple,
        apply_lag: timedelta,
        ids: Ids,
    ) -> None:
        self._api = OdooApi(http, base_url, database)
        self._clock = clock
        self._apply_lag = apply_lag
        self._master = OdooMaster(self._api, clock, not_for_sale)
        self._stock = OdooStock(self._api, self._master, ids, clock)

    def capabilities(self) -> ErpCapabilities:
        """Reservations where Odoo has an operation type for them."""
        return ErpCapabilities(
            dedupe=Dedupe.NATIVE,
            bulk_max=BULK_MAX,
            reservations=self._master.reservations(),
            apply_lag=self._apply_lag,
            reference_length_max=ORIGIN_CHARACTERS_MAX,
            change_feed=ChangeFeed.TIMESTAMP,
        )

    def snapshot(self, location_id: str) -> StockSnapshot:
        """All rows of a location, under our ids."""
        return self._stock.snapshot(location_id)

    def changes(self, location_id: str, cursor: str | None) -> Changes:
        """What was moved since the cursor, and a while before."""
        return self._stock.changes(location_id, cursor)

    def read(self, location_id: str, product_ids: frozenset[str]) -> StockSnapshot:
        """The rows of these products."""
        return self._stock.read(location_id, product_ids)


class OdooErp(OdooErpStock):
    """Implements ports.Erp.

    `post_seconds_max` bounds one call with many entries; it must stay below the forwarder's claim.
    """

    def __init__(
        self,
        http: AuthorizedHttp,
        clock: Clock,
        *,
        base_url: str,
        database: Callable[[], str],
        not_for_sale: Callable[[], Sequence[str]] = tuple,
        apply_lag: timedelta,
        ids: Ids,
        post_seconds_max: float = 90,
    ) -> None:
        super().__init__(
            http,
            clock,
            base_url=base_url,
            database=database,
            not_for_sale=not_for_sale,
            apply_lag=apply_lag,
            ids=ids,
        )
        self._post_seconds_max = post_seconds_max
        self._shipments = OdooShipments(self._api, self._master, ids)
        self._allocations = OdooAllocations(self._api, self._master, ids)

    def post_movements(self, movements: list[StockMovement]) -> list[MovementOutcome]:
        """One delivery each, in order; never raises."""
        until = self._clock.monotonic() + self._post_seconds_max
        return [self._post(movement, until > self._clock.monotonic()) for movement in movements]

    def look_up(self, movement_id: str) -> MovementOutcome | None:
        """None where there is no delivery, or one that is not done: posting it goes on with it."""
        try:
            delivery = self._shipments.find(movement_id)
            if delivery is None or not delivery.is_done:
                return None
            return self._shipments.acknowledged(delivery)
        except (RetriableError, RejectedError, FatalError) as error:
            return Unknown(f"no answer to the look-up: {error}")

    def change_allocations(self, changes: list[AllocationChange]) -> list[AllocationOutcome]:
        """One outcome per change; repeats are harmless."""
        until = self._clock.monotonic() + self._post_seconds_max
        return [self._change(change, until > self._clock.monotonic()) for change in changes]

    def _post(self, movement: StockMovement, in_time: bool) -> MovementOutcome:
        if not in_time:
            return TryLater("no time left to post it")
        try:
            return self._shipments.book(movement)
        except (OutcomeUnknownError, RetriableError) as error:
            return Unknown(str(error))
        except (HttpRejectedError, FatalError) as error:
            return TryLater(f"{error}; check the connector's address, database and key")
        except RejectedError as error:
            return Rejection(str(error))

    def _change(self, change: AllocationChange, in_time: bool) -> AllocationOutcome:
        if not in_time:
            return TryLater("no time left to send it")
        try:
            return self._allocations.change(change)
        except (OutcomeUnknownError, RetriableError) as error:
            return TryLater(str(error))
        except (HttpRejectedError, FatalError) as error:
            return TryLater(f"{error}; check the connector's address, database and key")
        except RejectedError as error:
            return Rejection(str(error))
