"""What a chain asks of its stack, in the units in which things bend and are paid."""

import math
from dataclasses import dataclass
from functools import cached_property

from inventory_sync.domain.availabilities import encode_rows
from inventory_sync.use_cases.import_stock.build_import.file_packer import (
    ARCHIVE_BYTES,
    CHANGES_SHARE,
)
from tools.scale.chain import DAY_SECONDS, Chain
from tools.scale.measured import Measured
from tools.scale.runs import Course, Throughput, first_import, simulate

SETTLE_SECONDS = 905.0
ROW_BYTES = len(encode_rows("STORE-00001", {"SKU-00000001": 42}).encoded) + 2
ROWS_BUILT = 700_000


@dataclass(frozen=True)
class Load:
    """One chain over the measured figures."""

    chain: Chain
    measured: Measured

    @cached_property
    def read_seconds(self) -> float:
        """To read, cut and pack one location: the ERP's answers, or one core, whichever is slower.

        Calls go out at the pace that is set, and several at a time wait for their answers.
        """
        chain = self.chain
        a_call = max(1 / chain.calls_a_second, chain.page_seconds / chain.reads_at_once)
        full = self.measured("full build of 700,000 rows against the usual way", "s CPU")
        pages = self.measured(
            "reading 700,000 rows from the ERP's pages, against building them", "s CPU"
        )
        cpu = (full + pages) / ROWS_BUILT * chain.products
        return max(chain.calls_a_location * a_call, cpu)

    @cached_property
    def build_seconds(self) -> float:
        """CPU to cut and pack one location, whose read was kept before."""
        full = self.measured("full build of 700,000 rows against the usual way", "s CPU")
        return full / ROWS_BUILT * self.chain.products

    @cached_property
    def pace(self) -> Throughput:
        """Of its imports."""
        return Throughput(
            locations=self.chain.locations,
            read_seconds=self.read_seconds,
            archive_locations=int(ARCHIVE_BYTES * (1 - CHANGES_SHARE))
            // (ROW_BYTES * self.chain.products),
            job_seconds=self.chain.job_seconds,
        )

    @cached_property
    def course(self) -> Course:
        """Of its imports, once all locations are in."""
        return simulate(self.pace)

    @cached_property
    def first_runs(self) -> list[int]:
        """Locations told after each run of the first import."""
        return first_import(self.pace)

    @property
    def hot_share(self) -> float:
        """Of all events, at the busiest location."""
        return max(self.chain.hot_share, 1 / self.chain.locations)

    @property
    def hot_writes_a_second(self) -> float:
        """Write units of the busiest partition at peak; an average event lives through both."""
        return self.chain.peak_events_a_second * self.hot_share * self.write_units

    @property
    def write_units(self) -> float:
        """Of an event, half of them assigned, half completed."""
        return self._life("write")

    @property
    def read_units(self) -> float:
        """Of an event over the ticks it is open for: measured is one import and its commit."""
        ticks = math.ceil(SETTLE_SECONDS / self.course.period_seconds) + 1
        return self._life("read") * ticks

    def _life(self, kind: str) -> float:
        names = (
            f"{kind} units of an event ({name}), stored to closed"
            for name in ("items_completed", "assigned")
        )
        return sum(self.measured(name, "units") for name in names) / 2

    @property
    def open_events_at_peak(self) -> float:
        """Completed ones wait for the settle window and for the import after it."""
        waits = SETTLE_SECONDS + self.course.period_seconds
        return self.chain.peak_events_a_second / 2 * waits

    @property
    def open_events_megabytes(self) -> float:
        """That an import holds of them at peak."""
        each = self.measured("memory of an open event that an import holds", "KB")
        return self.open_events_at_peak * each / 1000

    @property
    def item_bytes(self) -> float:
        """Of a closed event."""
        return self.measured("an event's item, once closed", "bytes")

    @property
    def table_gigabytes(self) -> float:
        """Events kept until their retention ends."""
        return self.chain.events_a_day * self.chain.retention_days * self.item_bytes / 1e9

    @property
    def ledgers_a_day(self) -> float:
        """Ledgers written: of the locations with a change since their last reading."""
        chain = self.chain
        changes = chain.rows_changed_a_day + chain.requests_a_day
        a_run = changes * self.course.period_seconds / DAY_SECONDS
        runs = DAY_SECONDS / self.course.period_seconds
        return runs * chain.locations * (1 - math.exp(-a_run))

    @property
    def bucket_gigabytes(self) -> float:
        """Ledgers until they expire, with the month for which S3 keeps old versions."""
        each = self.measured("ledger of 10,000 products", "KB") * self.chain.products / 10_000
        return self.ledgers_a_day * (self.chain.retention_days + 30) * each / 1e6
