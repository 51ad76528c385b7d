"""What a deployment sets for the build of an import."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from inventory_sync.domain.mispick import MispickRule
from inventory_sync.domain.reading import ReleaseReading
from inventory_sync.domain.snapshot_guards import GuardLimits
from inventory_sync.use_cases.import_stock.build_import.file_packer import ARCHIVE_BYTES, FILE_BYTES


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildSettings:
    """`settle` is the settle window plus what clocks may differ by.

    `reading` is what a person has set; a run goes by its context's, which may have been found out.
    `spare_seconds` is kept back of the invocation for uploading and starting the job. Up to
    `reads_at_once` locations are read from the ERP while another one is cut and packed.
    """

    first_logical_timestamp: int
    settle: timedelta
    other_channel_lags: Mapping[str, timedelta]
    guards: GuardLimits
    go_live_at: datetime | None = None
    other_system_lag: timedelta | None = None
    reading: ReleaseReading = ReleaseReading.RANGE
    mispick: MispickRule = field(default_factory=MispickRule)
    quarantine_blocks: timedelta = timedelta(hours=24)
    spare_seconds: float = 120.0
    reads_at_once: int = 1
    file_bytes: int = FILE_BYTES
    archive_bytes: int = ARCHIVE_BYTES
