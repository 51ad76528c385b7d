"""What a look at a stack reads, each part once; `status` and the control room tell of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from cli.command import Operator
from inventory_sync.domain.holds import LocationHold, OperatorHold
from inventory_sync.domain.import_head import ImportHead
from inventory_sync.domain.locations import Location
from inventory_sync.domain.manifest import Manifest

SUMMARY = "summary.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Glance:
    """`manifest` is the last finished import's, None where none has finished.

    `report` is the folder of the newest whole reconciliation, empty where there is none.
    """

    head: ImportHead
    places: Mapping[str, Location]
    holds: Mapping[str, LocationHold]
    operator_holds: Mapping[str, OperatorHold]
    manifest: Manifest | None
    report: str

    @property
    def imported(self) -> list[str]:
        """Ids of the locations that imports ask for."""
        return [key for key, place in self.places.items() if place.enabled]


def glance_at(operator: Operator, before: Glance | None = None) -> Glance:
    """A manifest of the look `before` is not read again: an import's never changes."""
    head = operator.stack.head.head()
    return Glance(
        head=head,
        places=operator.store.locations(),
        holds=operator.store.holds(),
        operator_holds=operator.store.operator_holds(),
        manifest=_manifest(operator, head.finished_run_id, before.manifest if before else None),
        report=_last_report(operator),
    )


def _manifest(operator: Operator, run_id: str | None, known: Manifest | None) -> Manifest | None:
    if run_id is None:
        return None
    if known is not None and known.run_id == run_id:
        return known
    return operator.stack.files.manifest(run_id)


def _last_report(operator: Operator) -> str:
    """A report's summary is written last."""
    keys = operator.stack.bucket.keys("reports/")
    whole = (key.removesuffix(SUMMARY) for key in keys if key.endswith(f"/{SUMMARY}"))
    return max(whole, default="")
