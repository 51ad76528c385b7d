"""What a run knew and sent, location by location; the next run starts from it."""

from collections.abc import Mapping, Set
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from inventory_sync.domain.events import EndedMispick
from inventory_sync.domain.locations import Node
from inventory_sync.domain.repeats import Repeats
from inventory_sync.domain.stock import LastQuantities, Units
from inventory_sync.domain.units import UnitId


class Basis(StrEnum):
    """Where a location's quantities came from."""

    SNAPSHOT = "snapshot"
    ROLLED_FORWARD = "rolled_forward"


@dataclass(frozen=True, slots=True)
class FeedPosition:
    """Where the ERP's change feed stood for a location, under the name the ERP had for it then.

    `since` is when all rows were last read.
    """

    erp_location: str
    cursor: str
    since: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LocationEntry:
    """One location in a run. `ledger_run_id` names the run whose ledger file holds its quantities.

    `as_of` is the snapshot's, on the ERP's clock; a location rolled forward keeps the last one.
    `feed` says from where on changes have to be read to bring the snapshot's rows up to date.
    `node` is what an import called it, so where its quantities are at NewStore.
    `refreshed_at` is when the last run was planned after which all its rows had been sent, chosen
    by the release reading in force; None where there was none yet. `refresh_from` is the product
    from which on rows wait to be sent, be they changed or not, since an archive was full; the empty
    text stands for all of them. `read` names the kept read that the
    quantities come from; empty where it was made for the run.
    `repeats` is of the last snapshot that was used.
    """

    basis: Basis
    as_of: datetime
    ledger_run_id: str
    rows: int
    units: int
    node: Node
    feed: FeedPosition | None = None
    refreshed_at: datetime | None = None
    refresh_from: str | None = None
    read: str = ""
    repeats: Repeats | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """All locations that have quantities at NewStore, by location id, as of one run's cut end.

    `refresh_since` is when the run was planned with which the last full refresh began; `row_bytes`
    is what a row took in the last archive.
    """

    run_id: str
    cut_end: int
    locations: Mapping[str, LocationEntry] = field(default_factory=dict)
    refresh_since: datetime | None = None
    row_bytes: float = 0.0

    def moved_back(self, watermark: int | None) -> "Manifest":
        """As if its range had ended where an operator has since set the watermark."""
        if watermark is None:
            return self
        return replace(self, cut_end=min(self.cut_end, watermark))


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """The quantities of one location as of the cut end of one run.

    `quantities`, in order of the products, are what was computed, so possibly negative; `sent` are
    the products whose rows that run sent; `lacking` are the units, open then, that the quantities
    are without, and `unowned` are those of them that LastQuantities names so. `mispicks_over` have
    ended with that run or before: what ends one may be seen once only, and the event of one of
    several products, or one that is not forwarded, stays open.
    """

    location_id: str
    run_id: str
    quantities: Mapping[str, Units]
    sent: Set[str]
    lacking: frozenset[UnitId] = frozenset()
    unowned: Mapping[UnitId, str] = field(default_factory=dict)
    mispicks_over: frozenset[EndedMispick] = frozenset()

    @property
    def last(self) -> LastQuantities:
        """What a later run rolls forward."""
        return LastQuantities(self.quantities, self.lacking, self.unowned)


@dataclass(frozen=True, slots=True)
class KeptLedger:
    """The newest ledger of a location that can be read; `lost` where a newer one cannot be."""

    ledger: Ledger | None = None
    lost: bool = False

    @property
    def products(self) -> frozenset[str]:
        """Of the rows that imports may have left at NewStore, as far as they are known."""
        return frozenset(self.ledger.quantities) if self.ledger else frozenset()


NOTHING_KEPT = KeptLedger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Finalization:
    """Events, as (location id, event key): what a run counted, what it closes once finished.

    `late` are those of the counted that arrived behind the watermark, for the record.
    """

    counted: tuple[tuple[str, str], ...]
    closed: tuple[tuple[str, str], ...]
    late: tuple[tuple[str, str], ...] = ()
