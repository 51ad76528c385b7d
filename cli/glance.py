"""What a look at a stack reads, each part once; `status` and the control room tell of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from cli.command import Operator
from cli.mode import StackMode, mode_of
from cli.shadow_now import LatestLooks, ShadowNow
from inventory_sync.domain.errors import FatalError
from inventory_sync.domain.holds import LocationHold, OperatorHold
from inventory_sync.domain.import_head import ImportHead
from inventory_sync.domain.inbound import QuarantinedCompletion
from inventory_sync.domain.locations import Location
from inventory_sync.domain.manifest import Manifest

SUMMARY = "summary.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Glance:
    """`manifest` is the last finished import's, None where none has finished, or where it cannot be
    read; `manifest_fault` says why.

    `report` is the folder of the newest whole reconciliation, empty where there is none. Both are
    of no time before a shadow, nor is `head`. `shadow` is what one sees now, None where live.
    `unstored` are shipments that only the quarantine knows, the oldest first.
    """

    mode: StackMode
    shadow: ShadowNow | None
    head: ImportHead
    places: Mapping[str, Location]
    holds: Mapping[str, LocationHold]
    operator_holds: Mapping[str, OperatorHold]
    unstored: tuple[QuarantinedCompletion, ...]
    manifest: Manifest | None
    report: str
    manifest_fault: str = ""

    @property
    def imported(self) -> list[str]:
        """Ids of the locations that imports ask for."""
        return [key for key, place in self.places.items() if place.enabled]


def glance_at(
    operator: Operator, before: Glance | None = None, looks: LatestLooks | None = None
) -> Glance:
    """A manifest of the look `before` is not read again: an import's never changes."""
    mode, stack = mode_of(operator), operator.stack
    head = _head(operator, mode)
    looks = looks or LatestLooks(stack.looks)
    known, fault = before.manifest if before else None, ""
    try:
        known = _manifest(operator, head.finished_run_id, known)
    except FatalError as error:
        known, fault = None, str(error)
    return Glance(
        mode=mode,
        shadow=looks.at(operator.now) if mode.is_shadow else None,
        head=head,
        places=operator.store.locations(),
        holds=operator.store.holds(),
        operator_holds=operator.store.operator_holds(),
        unstored=tuple(
            sorted(stack.unstored.unresolved(), key=lambda one: (one.received_at, one.entry_id))
        ),
        manifest=known,
        report=_last_report(operator, mode),
        manifest_fault=fault,
    )


def _head(operator: Operator, mode: StackMode) -> ImportHead:
    """Without the runs of before a shadow."""
    head = operator.stack.head.head()
    since = head.after_shadow(mode.shadow_until)
    return head if since is head else replace(since, run=None)


def _manifest(operator: Operator, run_id: str | None, known: Manifest | None) -> Manifest | None:
    if run_id is None:
        return None
    if known is not None and known.run_id == run_id:
        return known
    return operator.stack.files.manifest(run_id)


def _last_report(operator: Operator, mode: StackMode) -> str:
    """A report's summary is written last; its folder is named by when it began."""
    if mode.is_shadow:
        return ""
    until = mode.shadow_until
    first = f"reports/{until:%Y%m%dT%H%M%SZ}/" if until else ""
    keys = operator.stack.bucket.keys("reports/")
    whole = (key.removesuffix(SUMMARY) for key in keys if key.endswith(f"/{SUMMARY}"))
    return max((folder for folder in whole if folder > first), default="")
