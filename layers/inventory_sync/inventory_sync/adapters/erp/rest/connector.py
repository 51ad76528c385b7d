"""The ERP behind the REST contract of docs/erp-openapi.yaml."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import quote

from inventory_sync.adapters.erp.ids import Ids
from inventory_sync.adapters.erp.kept import Kept
from inventory_sync.adapters.erp.rest.bulk import BulkCall, BulkPoster
from inventory_sync.adapters.erp.rest.changes import ChangesReader
from inventory_sync.adapters.erp.rest.snapshot import SnapshotLimits, SnapshotReader
from inventory_sync.adapters.erp.rest.wire import (
    CapabilitiesAnswer,
    MovementAnswer,
    allocation_json,
    allocation_outcomes,
    movement_json,
    movement_outcomes,
)
from inventory_sync.adapters.http.answer import read_model
from inventory_sync.adapters.http.authorized import AuthorizedHttp
from inventory_sync.adapters.http.errors import HttpRejectedError
from inventory_sync.adapters.http.request import HttpRequest, RetrySafety
from inventory_sync.domain.erp import Changes, Dedupe, ErpCapabilities
from inventory_sync.domain.errors import (
    FatalError,
    RejectedError,
    RetriableError,
)
from inventory_sync.domain.references import reference_of
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

_NOT_FOUND = 404


class RestErpStock:
    """Implements ports.ErpStock. `apply_lag` is the setting; the longer of it and the ERP's counts.

    Sends nothing but GET requests, and POST /v1/stock/read.
    """

    def __init__(
        self,
        http: AuthorizedHttp,
        clock: Clock,
        *,
        base_url: str,
        apply_lag: timedelta,
        ids: Ids,
        snapshot_limits: SnapshotLimits,
    ) -> None:
        self._http = http
        self._clock = clock
        self._base_url = base_url
        self._apply_lag = apply_lag
        self._ids = ids
        stock_url = f"{base_url}/v1/stock"
        self._snapshots = SnapshotReader(http, clock, ids, stock_url, snapshot_limits)
        self._changes = ChangesReader(http, clock, ids, base_url, snapshot_limits.seconds_max)
        self._answer: Kept[CapabilitiesAnswer] = Kept(clock)

    def capabilities(self) -> ErpCapabilities:
        """Asked for once a minute; FatalError for an ERP that would book repeats unnoticed."""
        answer = self._capabilities()
        lag = timedelta(seconds=answer.apply_lag_seconds)
        return ErpCapabilities(
            dedupe=Dedupe(answer.dedupe),
            bulk_max=answer.bulk_max,
            reservations=answer.reservations,
            apply_lag=max(lag, self._apply_lag),
            reference_length_max=answer.reference_length_max,
            change_feed=answer.change_feed,
            absent_means_zero=answer.absent_means_zero,
            consistent_snapshot=answer.consistent_snapshot,
        )

    def snapshot(self, location_id: str) -> StockSnapshot:
        """All rows of a location, under our ids."""
        consistent = self._capabilities().consistent_snapshot
        return self._snapshots.read(location_id, consistent=consistent)

    def changes(self, location_id: str, cursor: str | None) -> Changes:
        """What has changed since the cursor, under our ids."""
        return self._changes.changes(location_id, cursor)

    def read(self, location_id: str, product_ids: frozenset[str]) -> StockSnapshot:
        """The rows of these products, under our ids."""
        return self._changes.read(location_id, product_ids)

    def _capabilities(self) -> CapabilitiesAnswer:
        return self._answer.get(self._ask)

    def _ask(self) -> CapabilitiesAnswer:
        url = f"{self._base_url}/v1/capabilities"
        request = HttpRequest(method="GET", url=url, retry=RetrySafety.ALWAYS)
        answer = read_model(CapabilitiesAnswer, self._http.call(request), request.where)
        if answer.dedupe not in set(Dedupe):
            raise FatalError(
                f"the ERP says dedupe={answer.dedupe[:40]!r}: it would book a repeat twice;"
                " it has to recognise a movement_id it has booked (native), or to find one"
                " by GET /v1/movements/{movement_id} (lookup)"
            )
        return answer


class RestErp(RestErpStock):
    """Implements ports.Erp.

    `post_seconds_max` bounds one call with many entries; it must stay below the forwarder's claim.
    """

    def __init__(
        self,
        http: AuthorizedHttp,
        clock: Clock,
        *,
        base_url: str,
        apply_lag: timedelta,
        ids: Ids,
        snapshot_limits: SnapshotLimits,
        post_seconds_max: float = 90,
    ) -> None:
        super().__init__(
            http,
            clock,
            base_url=base_url,
            apply_lag=apply_lag,
            ids=ids,
            snapshot_limits=snapshot_limits,
        )
        self._post_seconds_max = post_seconds_max

    def post_movements(self, movements: list[StockMovement]) -> list[MovementOutcome]:
        """One outcome per movement; FatalError only from `capabilities`, with nothing posted."""
        try:
            capabilities = self._capabilities()
        except RetriableError as error:
            return [TryLater(str(error)) for _ in movements]
        call = self._movements(capabilities.reference_length_max)
        return self._poster().post(call, movements, capabilities.bulk_max)

    def look_up(self, movement_id: str) -> MovementOutcome | None:
        """None only where the ERP itself says that it has none; Unknown where it does not say."""
        try:
            reference = reference_of(movement_id, self._capabilities().reference_length_max)
            return self._look_up(reference)
        except (RetriableError, RejectedError, FatalError) as error:
            return Unknown(f"no answer to the look-up: {error}")

    def change_allocations(self, changes: list[AllocationChange]) -> list[AllocationOutcome]:
        """One outcome per change; repeats are harmless, so an unknown outcome is TryLater."""
        try:
            bulk_max = self._capabilities().bulk_max
        except RetriableError as error:
            return [TryLater(str(error)) for _ in changes]
        return self._poster().post(self._allocations(), changes, bulk_max)

    def _look_up(self, reference: str) -> MovementOutcome | None:
        """An answer, a 404 too, counts only if it names the reference: gateways have their own."""
        url = f"{self._base_url}/v1/movements/{quote(reference, safe='')}"
        request = HttpRequest(method="GET", url=url, retry=RetrySafety.ALWAYS)
        try:
            body: Mapping[str, Any] = self._http.call(request)
        except HttpRejectedError as error:
            if error.status != _NOT_FOUND or (error.body or {}).get("movement_id") != reference:
                raise
            body = error.body or {}
        found = read_model(MovementAnswer, body, request.where)
        if found.movement_id != reference:
            return Unknown(f"the look-up gave movement {found.movement_id[:80]!r}")
        return None if found.outcome == "absent" else found.movement_outcome()

    def _poster(self) -> BulkPoster:
        return BulkPoster(self._http, self._clock, self._clock.monotonic() + self._post_seconds_max)

    def _movements(self, length_max: int) -> BulkCall[StockMovement, MovementOutcome]:
        def reference(movement: StockMovement) -> str:
            return reference_of(movement.movement_id, length_max)

        return BulkCall(
            url=f"{self._base_url}/v1/movements",
            name="movements",
            retry=RetrySafety.NOT_TAKEN,
            write=lambda movement: movement_json(movement, reference(movement), self._ids),
            reference=reference,
            read=movement_outcomes,
            later=TryLater,
            missing=Unknown,
            refused=Rejection,
        )

    def _allocations(self) -> BulkCall[AllocationChange, AllocationOutcome]:
        return BulkCall(
            url=f"{self._base_url}/v1/allocations",
            name="allocations",
            retry=RetrySafety.ALWAYS,
            write=lambda change: allocation_json(change, self._ids),
            reference=lambda change: (change.fulfillment_request_id, change.logical_timestamp),
            read=allocation_outcomes,
            later=TryLater,
            missing=TryLater,
            refused=Rejection,
        )
