"""What a build needs around it: an ERP that makes its rows when asked, events, files on disk."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from inventory_sync.adapters.s3.file_store import S3FileStore
from inventory_sync.adapters.s3.kept_reads import S3KeptReads
from inventory_sync.adapters.s3.run_records import S3RunRecords
from inventory_sync.domain.erp import ChangeFeed, Changes, Dedupe, ErpCapabilities
from inventory_sync.domain.events import EventName, FulfillmentEvent, FulfillmentItem
from inventory_sync.domain.import_head import ImportHead
from inventory_sync.domain.import_run import ImportRun, RunState
from inventory_sync.domain.locations import Location, NewStoreLocations
from inventory_sync.domain.snapshot_guards import GuardLimits
from inventory_sync.domain.stock import StockSnapshot
from inventory_sync.domain.stock_reads import BATCH_LOCATIONS, ReadPlan, batches_of
from inventory_sync.use_cases.import_stock.build_import.build_import import BuildImport
from inventory_sync.use_cases.import_stock.build_import.settings import BuildSettings
from inventory_sync.use_cases.import_stock.read_locations import ReadLocations
from tests.bench.disk_s3 import DiskS3
from tests.bench.generated import (
    NOW,
    ROWS_PER_LOCATION,
    locations,
    on_hand,
    product,
    share,
    some_on_hand,
)
from tests.builders import listed
from tests.fakes.event_log import FakeEventLog
from tests.fakes.import_state import FakeLeases, FakeLocationStore, FakeRunStore
from tests.fakes.quarantine import FakeQuarantine

READS_AT_ONCE = 4
"""The default of ErpReadsAtOnce."""


@dataclass
class GeneratedErp:
    """ports.Erp as far as a build asks it; `changed` rows differ from the base, over all."""

    places: list[str]
    fed: bool
    changed: int = 0

    def capabilities(self) -> ErpCapabilities:
        return ErpCapabilities(
            dedupe=Dedupe.NATIVE,
            bulk_max=100,
            reservations=True,
            apply_lag=timedelta(0),
            change_feed=ChangeFeed.SEQUENCE if self.fed else ChangeFeed.NONE,
        )

    def snapshot(self, location_id: str) -> StockSnapshot:
        number = self._number(location_id)
        return StockSnapshot(location_id, NOW, on_hand(number, self._changed_at(number)))

    def changes(self, location_id: str, cursor: str | None) -> Changes:
        dirty = map(product, range(self._changed_at(self._number(location_id))))
        return Changes(product_ids=frozenset(dirty), cursor="next", as_of=NOW, complete=True)

    def read(self, location_id: str, product_ids: frozenset[str]) -> StockSnapshot:
        number = self._number(location_id)
        rows = some_on_hand(number, self._changed_at(number), sorted(product_ids))
        return StockSnapshot(location_id, NOW, rows)

    def _number(self, location_id: str) -> int:
        return int(location_id.removeprefix("STORE-"))

    def _changed_at(self, number: int) -> int:
        return share(self.changed, number, len(self.places))


class NothingKnown:
    """NewStore, clock and observer, as far as a build asks them."""

    def __init__(self, places: list[str]) -> None:
        self._places = places

    def locations(self, ids: object) -> NewStoreLocations:
        return listed(*self._places)

    def count(self, name: str, value: float = 1) -> None: ...

    def log(self, message: str, **figures: object) -> None: ...

    def now(self) -> Any:
        return NOW


class BuildWorld:
    """Call it with a run's id and the run it follows; without one all rows are new to NewStore."""

    def __init__(
        self, rows: int, folder: Path, *, fed: bool = False, fan_out: bool = False
    ) -> None:
        places = locations(rows)
        nobody: Any = NothingKnown(places)
        self.s3 = DiskS3(folder)
        client: Any = self.s3
        self.folder = folder
        self._runs = 0
        self._kept = S3KeptReads(client, "bucket") if fan_out else None
        self._places = places
        self._erp = GeneratedErp(places, fed)
        self._events = FakeEventLog()
        erp: Any = self._erp
        files = S3FileStore(client, "bucket", lambda key: f"s3://bucket/{key}")
        self._build = BuildImport(
            event_log=self._events,
            erp=erp,
            newstore=nobody,
            files=files,
            records=S3RunRecords(client, "bucket"),
            location_store=FakeLocationStore(
                *(
                    Location(location_id=p, fulfillment_node_id=p, store_id=p, erp_location=p)
                    for p in places
                )
            ),
            unstored=FakeQuarantine(),
            clock=nobody,
            observer=nobody,
            settings=BuildSettings(
                first_logical_timestamp=0,
                settle=timedelta(minutes=15),
                other_channel_lags={},
                guards=GuardLimits(),
                reads_at_once=READS_AT_ONCE,
            ),
            kept=self._kept,
        )

    def read_all(self) -> None:
        """Keep a read of each location, as the batches of one plan do."""
        build, kept = self._build, self._kept
        if kept is None:
            return
        reader = ReadLocations(
            erp=build.erp,
            event_log=build.event_log,
            unstored=build.unstored,
            files=build.files,
            runs=FakeRunStore(FakeLeases()),
            location_store=build.location_store,
            kept=kept,
            clock=build.clock,
            observer=build.observer,
        )
        for batch in batches_of(self._places, BATCH_LOCATIONS):
            reader(ReadPlan("plan", NOW), batch, lambda: 900.0)

    def change(self, *, rows: int, shipped: int) -> None:
        """So many rows change by themselves; so many other products are shipped, one unit each."""
        self._erp.changed = rows
        for number in range(shipped):
            place = self._places[number % len(self._places)]
            last = ROWS_PER_LOCATION - 1 - number // len(self._places)
            event = FulfillmentEvent(
                name=EventName.ITEMS_COMPLETED,
                location_id=place,
                logical_timestamp=number + 1,
                fulfillment_request_id=f"request-{number}",
                order_id=f"order-{number}",
                published_at=NOW - timedelta(minutes=20),
                service_level="STANDARD",
                items=(FulfillmentItem(f"item-{number}", product(last)),),
            )
            self._events.append(event, b"{}", NOW)

    def __call__(self, run_id: str, after: str | None, *, full: bool) -> ImportRun:
        planned_at = NOW + timedelta(minutes=self._runs)
        self._runs += 1
        run = ImportRun(
            run_id=run_id, state=RunState.PLANNED, planned_at=planned_at, full=full, cut_end=0
        )
        head = ImportHead(finished_run_id=after, watermark=0 if after else None)
        return self._build(run, head, lambda: None, lambda: 900.0)


@contextmanager
def build_world(rows: int, *, fed: bool = False, fan_out: bool = False) -> Iterator[BuildWorld]:
    """Its files are gone at the end of the block."""
    with tempfile.TemporaryDirectory() as folder:
        yield BuildWorld(rows, Path(folder), fed=fed, fan_out=fan_out)
