"""An ERP that drops its stock as CSV files into a bucket, and collects movements from there."""

from datetime import timedelta

from inventory_sync.adapters.erp.csv.bucket import CsvBucket
from inventory_sync.adapters.erp.csv.format import CsvFormat
from inventory_sync.adapters.erp.csv.movements import CsvMovements
from inventory_sync.adapters.erp.csv.passed_over import PassedOver
from inventory_sync.adapters.erp.csv.stock import CsvStock
from inventory_sync.adapters.erp.ids import Ids
from inventory_sync.adapters.erp.kept import Kept
from inventory_sync.domain.erp import Changes, Dedupe, ErpCapabilities
from inventory_sync.domain.errors import FatalError, RejectedError, RetriableError
from inventory_sync.domain.stock import (
    Accepted,
    AllocationChange,
    AllocationOutcome,
    MovementOutcome,
    StockMovement,
    StockSnapshot,
    TryLater,
    Unknown,
)
from inventory_sync.ports.observe import Clock, Observer

BULK_MAX = 100


class CsvErpStock:
    """Implements ports.ErpStock. The longer of `apply_lag` and the format's counts."""

    def __init__(
        self,
        bucket: CsvBucket,
        clock: Clock,
        observer: Observer,
        *,
        apply_lag: timedelta,
        ids: Ids,
    ) -> None:
        self._bucket = bucket
        self._clock = clock
        self._apply_lag = apply_lag
        self._passed_over = PassedOver(observer)
        self._stock = CsvStock(bucket, ids, self._passed_over)
        self._form: Kept[CsvFormat] = Kept(clock)

    def capabilities(self) -> ErpCapabilities:
        """A movement is a file of its name, so a repeat is the same file: native."""
        form = self._format()
        return ErpCapabilities(
            dedupe=Dedupe.NATIVE,
            bulk_max=BULK_MAX,
            reservations=False,
            apply_lag=max(self._apply_lag, timedelta(seconds=form.apply_lag_seconds)),
            absent_means_zero=form.absent_means_zero,
            consistent_snapshot=True,
        )

    def snapshot(self, location_id: str) -> StockSnapshot:
        """The newest complete file."""
        return self._stock.snapshot(location_id, self._format(), self._clock.now())

    def changes(self, location_id: str, cursor: str | None) -> Changes:
        """RejectedError: files tell no changes."""
        raise RejectedError(f"location {location_id}: CSV files have no change feed")

    def read(self, location_id: str, product_ids: frozenset[str]) -> StockSnapshot:
        """The same file, these rows."""
        whole = self.snapshot(location_id)
        kept = {p: units for p, units in whole.on_hand_units.items() if p in product_ids}
        unreadable = {p: fault for p, fault in whole.unreadable.items() if p in product_ids}
        return StockSnapshot(location_id, whole.as_of, kept, unreadable)

    def _format(self) -> CsvFormat:
        return self._form.get(self._bucket.format)


class CsvErp(CsvErpStock):
    """Implements ports.Erp."""

    def __init__(
        self,
        bucket: CsvBucket,
        clock: Clock,
        observer: Observer,
        *,
        apply_lag: timedelta,
        ids: Ids,
    ) -> None:
        super().__init__(bucket, clock, observer, apply_lag=apply_lag, ids=ids)
        self._movements = CsvMovements(bucket, ids, self._passed_over)

    def post_movements(self, movements: list[StockMovement]) -> list[MovementOutcome]:
        """Written, and acknowledged once the ERP says so; a repeat after any failure is safe."""
        try:
            return self._movements.post(movements, self._format())
        except (RetriableError, FatalError) as error:
            return [TryLater(str(error)) for _ in movements]

    def look_up(self, movement_id: str) -> MovementOutcome | None:
        """The ERP's acknowledgement; TryLater while there is none."""
        try:
            return self._movements.find(movement_id, self._format())
        except (RetriableError, FatalError) as error:
            return Unknown(str(error))

    def change_allocations(self, changes: list[AllocationChange]) -> list[AllocationOutcome]:
        """Files keep none; the core does not ask."""
        return [Accepted() for _ in changes]
