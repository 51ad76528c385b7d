"""What is known of a run before the first location is read: loaded once, handed down whole."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from inventory_sync.domain.cut import AppliedRule
from inventory_sync.domain.erp import ChangeFeed
from inventory_sync.domain.errors import (
    FatalError,
    RejectedError,
    RetriableError,
)
from inventory_sync.domain.events import OpenEvent
from inventory_sync.domain.guards import Hold, check_location, node_shared
from inventory_sync.domain.holds import Approval, LocationHold, OperatorHold, Resend
from inventory_sync.domain.import_head import FinishedJob, ImportHead
from inventory_sync.domain.import_run import ImportRun
from inventory_sync.domain.inbound import QuarantinedCompletion
from inventory_sync.domain.locations import Location, NewStoreLocations
from inventory_sync.domain.manifest import LocationEntry, Manifest
from inventory_sync.domain.reading import ReleaseReading
from inventory_sync.domain.refresh import choose_slice
from inventory_sync.domain.unstored import UnstoredUnits
from inventory_sync.ports.erp import ErpStock
from inventory_sync.ports.events import EventLog, UnstoredCompletions
from inventory_sync.ports.files import FileStore
from inventory_sync.ports.locations import RunLocations
from inventory_sync.ports.newstore import NewStore
from inventory_sync.use_cases.import_stock.build_import.file_packer import CHANGES_SHARE
from inventory_sync.use_cases.import_stock.build_import.settings import BuildSettings

_NEVER = timedelta(days=36_500)
OpenEvents = Mapping[str, list[OpenEvent]]


@dataclass(frozen=True, slots=True)
class ErpTerms:
    """What the ERP says of its snapshots; `failure` says why it could not be asked.

    `rule` says when a unit shows in one; without the ERP's word on that no snapshot is used.
    """

    rule: AppliedRule
    has_feed: bool = False
    absent_means_zero: bool = True
    failure: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportContext:
    """One run's starting point.

    `previous` is the last finished run's manifest, with its cut end where an operator has since set
    the watermark; `unfinished` is that of an attempted run, whose rows are in doubt at NewStore:
    all of them, or those only that `refused_again` names.
    Events up to the cut end of `previous` are released already. `open_events` are by location id,
    as they were when the run began: a location's are read again after its snapshot. `reading` is
    the one in force: set, or found out. `unstored` are shipments in quarantine that no stored event
    reports. `listed` are NewStore's locations. `refresh` are the locations whose turn it is to have
    every row sent, as far as there is room.
    """

    run: ImportRun
    watermark: int | None
    last_finished_at: datetime | None
    settings: BuildSettings
    reading: ReleaseReading
    switched: bool
    recent_jobs: tuple[FinishedJob, ...]
    locations: Mapping[str, Location]
    by_node: Mapping[str, frozenset[str]]
    listed: NewStoreLocations
    previous: Manifest
    unfinished: Manifest
    refused_again: tuple[str, ...]
    erp: ErpTerms
    open_events: OpenEvents
    unstored: UnstoredUnits
    approvals: Mapping[str, tuple[Approval, ...]]
    resends: Mapping[str, Resend]
    operator_holds: Mapping[str, OperatorHold]
    held_before: Mapping[str, LocationHold]
    refresh: frozenset[str] = frozenset()

    @property
    def at_newstore(self) -> frozenset[str]:
        """Locations of which NewStore has quantities, or may have."""
        return frozenset(self.previous.locations) | frozenset(self.unfinished.locations)

    @property
    def without_baseline(self) -> frozenset[str]:
        """Locations with events of which NewStore has no quantity yet."""
        return frozenset(self.open_events) - self.at_newstore

    @property
    def unmapped(self) -> frozenset[str]:
        """Locations with events that the map does not know: nothing can be sent for them."""
        return frozenset(self.open_events) - frozenset(self.locations)

    @property
    def mastered(self) -> frozenset[str]:
        """Enabled locations that NewStore is the inventory master of."""
        places = self.locations.items()
        return frozenset(i for i, place in places if place.enabled and self._mastered(place))

    def entry(self, place: Location) -> LocationEntry | None:
        """As of the last finished import; one under another node than now is none."""
        entry = self.previous.locations.get(place.location_id)
        same = entry is not None and entry.node.fulfillment_node_id == place.fulfillment_node_id
        return entry if same else None

    def only_needed_rows(self, place: Location) -> bool:
        """Whether NewStore has taken off itself what has shipped of the location's rows.

        Not as long as some of its rows are still as another reading, or a full archive, left them.
        """
        immediate = self.reading is ReleaseReading.IMMEDIATE and not self.switched
        entry = self.entry(place) if immediate else None
        refreshed = entry is not None and entry.refreshed_at is not None
        return entry is not None and refreshed and entry.refresh_from is None

    @property
    def refresh_since(self) -> datetime | None:
        """When the full refresh began that the run is part of: with itself where it is a full one.

        One for some locations only is none.
        """
        whole = self.run.full and not self.run.only
        return self.run.planned_at if whole else self.previous.refresh_since

    def refresh_from(self, place: Location, *, room: bool) -> str | None:
        """The product from which on every row is sent; None where only what has changed is.

        Without `room` for rows that are only repeated, no location begins with it.
        """
        entry = self.entry(place)
        if entry is None:
            return ""
        if room and place.location_id in self.refresh:
            begins = self.run.full or self.switched or entry.refresh_from is None
            return "" if begins else entry.refresh_from
        return entry.refresh_from

    def check(self, place: Location | None) -> tuple[Hold, ...]:
        """What speaks against a location itself, be it that the map has no row for it."""
        if place is None:
            return check_location(None, None)
        location_id, node = place.location_id, place.fulfillment_node_id
        if others := self.others_at(node, location_id):
            return (node_shared(node, sorted((location_id, *others))),)
        entries = (self.previous.locations, self.unfinished.locations)
        told = next((e[location_id].node for e in entries if location_id in e), None)
        return check_location(place, self.listed.get(node), told)

    def others_at(self, node: str, location_id: str) -> frozenset[str]:
        """Other locations of the map that have this node."""
        return self.by_node.get(node, frozenset()) - {location_id}

    def _mastered(self, place: Location) -> bool:
        listed = self.listed.get(place.fulfillment_node_id)
        return listed is not None and listed.inventory_master

    def places(self) -> list[Location]:
        """Imported locations: those never imported first, then the longest waiting.

        One that was imported and is not any more stays, unless NewStore is its master: what
        a range releases there has to be taken off its last quantities all the same. An import
        that did not finish may have brought quantities there too.
        """

        def order(place: Location) -> tuple[bool, str, str]:
            entry = self.previous.locations.get(place.location_id)
            return (entry is not None, entry.as_of.isoformat() if entry else "", place.location_id)

        left = self.at_newstore
        return sorted(
            (
                place
                for place in self.locations.values()
                if (place.enabled or place.location_id in left) and not self._mastered(place)
            ),
            key=order,
        )


def load_context(
    run: ImportRun,
    head: ImportHead,
    *,
    settings: BuildSettings,
    event_log: EventLog,
    erp: ErpStock,
    newstore: NewStore,
    files: FileStore,
    location_store: RunLocations,
    unstored: UnstoredCompletions,
) -> ImportContext:
    """Read it; errors are the ports'."""
    first = Manifest(run_id="", cut_end=settings.first_logical_timestamp)
    finished = files.manifest(head.finished_run_id) if head.finished_run_id else first
    nothing = Manifest(run_id="", cut_end=0)
    unfinished = files.manifest(head.unfinished_run_id) if head.unfinished_run_id else nothing
    locations = location_store.locations()
    reading = head.release.in_force(settings.reading)
    told = (*finished.locations.values(), *unfinished.locations.values())
    nodes = {place.fulfillment_node_id for place in locations.values()}
    context = ImportContext(
        run=run,
        watermark=head.watermark,
        last_finished_at=head.last_finished_at,
        settings=settings,
        reading=reading,
        switched=head.switches_to(reading),
        recent_jobs=head.recent_jobs,
        locations=locations,
        by_node=_by_node(locations),
        listed=newstore.locations(nodes | {entry.node.fulfillment_node_id for entry in told}),
        resends=location_store.resends(),
        previous=finished.moved_back(head.watermark),
        unfinished=unfinished,
        refused_again=head.refused_again,
        open_events=_by_location(event_log),
        unstored=UnstoredUnits(
            (
                *_not_stored_since(unstored.unresolved(), event_log),
                *_unreadable(event_log, run.planned_at),
            ),
            settings.quarantine_blocks,
        ),
        erp=_terms(erp, settings),
        approvals=location_store.approvals(),
        operator_holds=location_store.operator_holds(),
        held_before=location_store.holds(),
    )
    return replace(context, refresh=_refresh(context))


def _refresh(context: ImportContext) -> frozenset[str]:
    """A run for some locations only refreshes those, where it is to send all their rows."""
    run = context.run
    if run.only and (run.full or context.switched):
        return frozenset(run.only)
    before = context.held_before.values()
    held = {one.location_id for one in before if not all(hold.product_id for hold in one.holds)}
    return choose_slice(
        context.previous,
        among=run.only or [i for i, place in context.locations.items() if place.enabled],
        held=context.operator_holds.keys() | held,
        since=context.refresh_since,
        planned_at=run.planned_at,
        room_bytes=int(context.settings.archive_bytes * (1 - CHANGES_SHARE)),
    )


def _by_node(locations: Mapping[str, Location]) -> Mapping[str, frozenset[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    for place in locations.values():
        found[place.fulfillment_node_id].add(place.location_id)
    return {node: frozenset(ids) for node, ids in found.items()}


def _by_location(event_log: EventLog) -> OpenEvents:
    found: dict[str, list[OpenEvent]] = defaultdict(list)
    for open_event in event_log.open_events():
        found[open_event.event.location_id].append(open_event)
    return dict(found)


def _not_stored_since(
    found: Iterable[QuarantinedCompletion], event_log: EventLog
) -> Iterator[QuarantinedCompletion]:
    """Without what repeats an event that is stored: it has its units."""
    for one in found:
        ref = one.completion.ref(one.received_at)
        if ref is None or not event_log.has(ref):
            yield one


def _unreadable(event_log: EventLog, now: datetime) -> Iterator[QuarantinedCompletion]:
    """Of the open events that were just read: their units are as unknown as an unstored body's."""
    for event in event_log.unreadable_events():
        if (completion := event.completion(now)) is not None:
            yield completion


def _terms(erp: ErpStock, settings: BuildSettings) -> ErpTerms:
    def rule(apply_lag: timedelta) -> AppliedRule:
        lag = settings.other_system_lag
        return AppliedRule(apply_lag, settings.other_channel_lags, settings.go_live_at, lag)

    try:
        capabilities = erp.capabilities()
    except (RetriableError, RejectedError, FatalError) as error:
        return ErpTerms(rule(_NEVER), failure=str(error))
    return ErpTerms(
        rule(capabilities.apply_lag),
        has_feed=capabilities.change_feed is not ChangeFeed.NONE,
        absent_means_zero=capabilities.absent_means_zero,
    )
