"""What NewStore was last told of each location, and which of its rows are in doubt."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from inventory_sync.domain.holds import Resend
from inventory_sync.domain.import_head import FinishedJob
from inventory_sync.domain.import_run import ImportRun
from inventory_sync.domain.locations import Location, Node
from inventory_sync.domain.manifest import KeptLedger, Ledger, Manifest
from inventory_sync.domain.needed_rows import SentRows
from inventory_sync.domain.repeats import Repeats
from inventory_sync.domain.stock import LastQuantities
from inventory_sync.ports.files import FileStore

_WORD = re.compile(r"[^/:#|,;\s]+")


@dataclass(frozen=True, slots=True)
class Last:
    """A location's last quantities, where they are, and of when its snapshot was."""

    node: Node
    as_of: datetime
    ledger: Ledger
    repeats: Repeats | None = None


@dataclass(frozen=True, kw_only=True)
class LastKnown:
    """`previous` is the last finished run's manifest, `unfinished` that of an attempted one,
    of which all rows are in doubt, or those only that `refused_again` names.
    `resends` are the rows that operators want sent again.
    """

    files: FileStore
    previous: Manifest
    unfinished: Manifest
    refused_again: tuple[str, ...]
    resends: Mapping[str, Resend]
    recent_jobs: tuple[FinishedJob, ...] = ()

    def base(self, location_id: str) -> Ledger | None:
        """The location's quantities as of the last finished import."""
        entry = self.previous.locations.get(location_id)
        return self.files.ledger(location_id, entry.ledger_run_id) if entry else None

    def quantities(self, location_id: str, base: Ledger | None) -> Last | None:
        """What a location without a snapshot is rolled forward from; None where that is lost.

        An attempted import that read a newer snapshot comes first, as it may have reached
        NewStore. Its ledger names the units that its quantities lack already.
        """
        entry = self.previous.locations.get(location_id)
        attempted = self.unfinished.locations.get(location_id)
        if attempted is not None and (entry is None or attempted.as_of > entry.as_of):
            ledger = self.files.ledger(location_id, attempted.ledger_run_id)
            if ledger is None:
                return None
            return Last(attempted.node, attempted.as_of, ledger, attempted.repeats)
        if entry is None or base is None:
            return None
        return Last(entry.node, entry.as_of, base, entry.repeats)

    def kept(self, location_id: str, base: Ledger | None) -> KeptLedger:
        """What imports may have left at NewStore of the location; `lost` where not all is known."""
        lost = self._lost(location_id, base)
        if base is not None and not lost:
            return KeptLedger(base)
        kept = self.files.latest_ledger(location_id)
        return KeptLedger(kept.ledger or base, lost=lost or kept.lost)

    def ever(self, location_id: str, base: Ledger | None, kept: KeptLedger) -> LastQuantities:
        """The last quantities of the location that any run has kept.

        Where those are lost, earlier ones lack what has shipped since: then there are none.
        """
        if last := self.quantities(location_id, base):
            return last.ledger.last
        if kept.lost:
            return LastQuantities(dict.fromkeys(sorted(kept.products), 0))
        return kept.ledger.last if kept.ledger else LastQuantities({})

    def doubtful(
        self, run: ImportRun, location_id: str, base: Ledger | None, kept: KeptLedger
    ) -> frozenset[str]:
        """Products whose row has to be sent whatever it was."""
        doubtful = self._unfinished_rows(location_id) | self._asked(run, location_id, base)
        if kept.lost or location_id not in self.previous.locations:
            doubtful |= kept.products | frozenset(base.quantities if base else ())
        return doubtful

    def recently_sent(self, location_id: str) -> Iterator[SentRows]:
        """What recent jobs brought of the location, where they brought anything."""
        for job in self.recent_jobs:
            ledger = self.files.ledger(location_id, job.run_id)
            if ledger is not None:
                yield SentRows(job.ended_at, ledger)

    def left_by_others(self, place: Location) -> frozenset[str]:
        """Products that imports of other locations have left under the place's node."""
        left: set[str] = set()
        for manifest in (self.previous, self.unfinished):
            for location_id, entry in manifest.locations.items():
                here = entry.node.fulfillment_node_id == place.fulfillment_node_id
                if here and location_id != place.location_id:
                    ledger = self.files.ledger(location_id, entry.ledger_run_id)
                    kept = KeptLedger(ledger) if ledger else self.files.latest_ledger(location_id)
                    left |= kept.products
        return frozenset(left)

    def _unfinished_rows(self, location_id: str) -> frozenset[str]:
        if location_id not in self.unfinished.locations:
            return frozenset()
        ledger = self.files.ledger(location_id, self.unfinished.run_id)
        sent = frozenset(ledger.sent) if ledger else frozenset()
        return sent & _named(self.refused_again) if self.refused_again else sent

    def _asked(self, run: ImportRun, location_id: str, base: Ledger | None) -> frozenset[str]:
        """Rows that an operator wants sent again; all the location has where none is named."""
        asked = self.resends.get(location_id)
        if asked is None or asked.at > run.planned_at:
            return frozenset()
        return frozenset(asked.products or (base.quantities if base else ()))

    def _lost(self, location_id: str, base: Ledger | None) -> bool:
        """Whether a ledger that a manifest names cannot be read."""
        if base is None and location_id in self.previous.locations:
            return True
        attempted = self.unfinished.locations.get(location_id)
        if attempted is None:
            return False
        return self.files.ledger(location_id, attempted.ledger_run_id) is None


def _named(entity_ids: Iterable[str]) -> frozenset[str]:
    """What may be a product in the ids that a job's errors name.

    NewStore does not say what it puts there: a product, or a location and a product.
    """
    found = set[str]()
    for text in entity_ids:
        spans = [match.span() for match in _WORD.finditer(text)]
        found |= {text[start:end] for start, _ in spans for _, end in spans if start < end}
    return frozenset(found)
