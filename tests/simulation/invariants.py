"""The invariants of docs/design.md by name, and the checker that looks at all of them."""

from collections import Counter
from datetime import datetime

from inventory_sync.domain.import_run import JOB_NAME_PREFIX, RunState
from inventory_sync.domain.reading import ReleaseReading
from inventory_sync.domain.units import completed_units, owner_mark, owner_of
from tests.simulation.crossings import units_that_crossed
from tests.simulation.figures import Meter
from tests.simulation.world import QUARANTINE_BLOCKS, SETTLE_WINDOW, Completed, Key, World


class Violation(Exception):  # noqa: N818 - a finding, not an error of ours
    """The first invariant that did not hold."""

    def __init__(self, name: str, figures: str) -> None:
        super().__init__(f"{name}: {figures}")
        self.name, self.figures = name, figures


class Invariants:
    """Looked at after every step; keeps what it has to remember from one look to the next."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.watermark: int | None = None
        self.cut_end = 0
        self.looks = 0
        self.meter = Meter(world.now)

    def check(self) -> None:
        """Raises Violation."""
        self.looks += 1
        self.never_oversell()
        self.watermark_monotonic()
        self.one_import()
        self.none_created()
        self.no_error()
        self.sweep_progresses()

    def never_oversell(self) -> None:
        """ATP is at most physical stock less open allocations."""
        over, undersold = self._gaps()
        late = self.late_keys()
        causes = self._causes(over, late) if over else frozenset()
        if not self.world.faults.quiet:
            self.meter.look(self.world.now, causes, undersold)

    def _gaps(self) -> tuple[dict[Key, tuple[int, int]], int]:
        """(ATP, truth) of the rows that promise too much, and the units undersold of all others."""
        world, newstore = self.world, self.world.newstore_model
        imported, opened = newstore.imported, newstore.book.open
        unreleased = newstore.book.completed_unreleased
        over, undersold = {}, 0
        for key, physical in world.physical.items():
            truth = physical - opened[key]
            atp = imported.get(key, 0) - unreleased[key] - opened[key]
            atp = min(0, atp) if key in newstore.mispicked else atp
            if atp > truth:
                over[key] = atp, truth
            elif key in imported:
                undersold += truth - atp
        return over, undersold

    def _causes(self, over: dict[Key, tuple[int, int]], late: set[Key]) -> frozenset[str]:
        """Why that may be; raises Violation where it may not."""
        world = self.world
        unknown = world.skipped_rows | world.altered_rows.keys()
        allowed, held = self._gone_elsewhere(), world.held_by_mispick()
        for key, units in world.lost.items():
            allowed[key] += 0 if key in held else units
        causes: set[str] = set()
        for key, (atp, truth) in over.items():
            at_once = world.newstore_model.release == "immediate"
            if atp <= 0 and key in held:
                continue
            if key in late:
                causes |= {"all_told", "late_events"}
            elif key in unknown:
                causes |= {"all_told", "refused_or_changed_at_newstore"}
            elif atp <= truth + allowed[key]:
                causes |= {"gone_elsewhere"}
            elif at_once and self._may_err(key, atp - truth - allowed[key]):
                causes |= {"all_told", "release_immediate"}
            else:
                figures = (
                    f"{key} atp {atp}, truth {truth} (physical {world.physical[key]}),"
                    f" gone elsewhere and not yet to be known {allowed[key]}"
                )
                raise Violation("never_oversell", figures)
        return frozenset(causes)

    def _may_err(self, key: Key, units: int) -> bool:
        """Where NewStore takes shipped units off itself.

        An adapter that does not know yet is off by what no range has released, too; one that knows
        is by the units that crossed a job, and nothing else.
        """
        reading = self.world.runs.head().finished_reading
        return reading is not ReleaseReading.IMMEDIATE or units <= units_that_crossed(
            self.world, key
        )

    def late_keys(self) -> set[Key]:
        """Keys of events that broke the delivery promise, until a finished import counts them."""
        found: set[Key] = set()
        for ref, completed in list(self.world.unsettled.items()):
            promised = completed.event.published_at + SETTLE_WINDOW
            if completed.stored_at is not None and self._over(completed, promised):
                del self.world.unsettled[ref]
            elif self.world.now > promised:
                location_id = completed.event.location_id
                found.update((location_id, item.product_id) for item in completed.event.items)
        return found

    def _over(self, completed: Completed, promised: datetime) -> bool:
        """Stored in time, or late and counted."""
        assert completed.stored_at is not None
        if completed.stored_at <= promised:
            return True
        store = self.world.event_log_store
        return (
            not store.is_open(completed.event.ref)
            or store.state_of(completed.event.ref).counted_by is not None
        )

    def _gone_elsewhere(self) -> Counter[Key]:
        allowed: Counter[Key] = Counter()
        for decrement in self.world.decrements:
            allowed[decrement.key] += decrement.units
        return allowed

    def watermark_monotonic(self) -> None:
        """It never moves back, and never past an import that NewStore did not finish."""
        world = self.world
        head = world.runs.head()
        self._not_past_the_unstored(head.watermark or 0)
        if self.watermark is not None and (head.watermark or 0) < self.watermark:
            figures = f"{head.watermark} after {self.watermark}"
            raise Violation("watermark_monotonic", figures)
        if head.finished_run_id is not None:
            cut_end = world.files.manifest(head.finished_run_id).cut_end
            if cut_end < self.cut_end:
                raise Violation("watermark_monotonic", f"cut at {cut_end} after {self.cut_end}")
            self.cut_end = cut_end
        if head.watermark is not None and head.watermark > (self.watermark or 0):
            name = f"{JOB_NAME_PREFIX}{head.finished_run_id}"
            states = [j.state for j in world.newstore_model.jobs.by_id.values() if j.name == name]
            if "finished" not in states:
                raise Violation("watermark_monotonic", f"moved by {name}, whose jobs are {states}")
        self.watermark = head.watermark

    def _not_past_the_unstored(self, watermark: int) -> None:
        """For its hours, nothing from a shipment on that stands in quarantine is released."""
        places = self.world.location_store.locations()
        for found in self.world.malformed.values():
            event, at = found.completed.event, found.received_at
            if at is None or not found.blocks or found.passed:
                continue
            if self.world.event_log_store.has(event.ref):
                continue  # mended, by an invocation that did not live to answer
            if self.world.now < at + QUARANTINE_BLOCKS and watermark >= event.logical_timestamp:
                if places[event.location_id].enabled:
                    figures = f"{watermark}, and {event.ref} is in quarantine since {at}"
                    raise Violation("watermark_monotonic", figures)
                found.passed = True

    def one_import(self) -> None:
        """At most one of our jobs is under way at NewStore."""
        jobs = self.world.newstore_model.jobs.by_id.values()
        active = [job.name for job in jobs if job.state in {"waiting", "processing"}]
        if len(active) > 1:
            raise Violation("one_import", f"under way together: {active}")

    def none_created(self) -> None:
        """No import creates a location that nobody asked for."""
        created = self.world.newstore_model.created_locations
        if created:
            raise Violation("one_import", f"created {created}")

    def no_error(self) -> None:
        """Whatever breaks, the adapter meets it with an error it knows how to go on from."""
        if self.world.errors:
            raise Violation("resumable", self.world.errors[0])

    def sweep_progresses(self) -> None:
        """However slow the ERP is, a sweep marks at least one of the events that wait."""
        if self.world.idle_sweeps:
            raise Violation("sweep_progresses", self.world.idle_sweeps[0])

    def nothing_lost(self) -> None:
        """What was answered with a 200 can be found again, byte for byte."""
        world = self.world
        for ref, body in world.acknowledged.items():
            stored = world.event_log_store.body_of(ref)
            if stored is None or body not in (stored, None):
                raise Violation("nothing_lost", f"{ref}")
        kept = {entry.body for entry in world.quarantine.entries}
        for body in world.acknowledged_elsewhere:
            if body not in kept:
                raise Violation("nothing_lost", f"{body!r} is not in quarantine")

    def applied_once(self, *, all_applied: bool) -> None:
        """The ERP's books hold each unit once; at the end also each that it did not refuse."""
        world = self.world
        if world.erp_model.double_bookings:
            raise Violation("applied_once", f"{world.erp_model.double_bookings} booked twice")
        booked = Counter(
            line.item_id
            for bookings in world.erp_model.movements.values()
            for one in bookings
            for line in one.movement.lines
        )
        twice = sorted(item_id for item_id, times in booked.items() if times > 1)
        if twice:
            raise Violation("applied_once", f"units booked more than once: {twice[:3]}")
        refused = self._refused_requests() if all_applied else set()
        for completed in world.completed.values():
            event = completed.event
            for item in event.items:
                if completed.other_channel and booked[item.item_id]:
                    raise Violation("applied_once", f"{item.item_id} came by another way too")
                stored = completed.stored_at is not None
                due = all_applied and stored and not completed.other_channel
                if due and not booked[item.item_id] and event.fulfillment_request_id not in refused:
                    raise Violation("applied_once", f"{item.item_id} was never booked")

    def _refused_requests(self) -> set[str]:
        """Requests with a product that the ERP refuses: it refuses whole movements."""
        rejected = self.world.erp_model.rejected_products
        return {
            completed.event.fulfillment_request_id
            for completed in self.world.completed.values()
            if any(item.product_id in rejected for item in completed.event.items)
        }

    def converges(self, *, at_rest: bool = True) -> None:
        """With everything through, ATP is the truth.

        As long as the reading is not known, what no range has released may be missing twice, and
        what is not forwarded yet once more. A unit is missing once more where an event that owns
        it is closed and another one, not forwarded yet, lists it too (docs/design.md, "A unit
        leaves once"), or stands in a body that nobody has mended (decision 0059).
        """
        world = self.world
        forgotten = Counter(
            (found.completed.event.location_id, item.product_id)
            for found in world.malformed.values()
            for item in found.completed.event.items
        )
        again = Counter[Key]() if at_rest else self._listed_again()
        open_yet = world.reading is ReleaseReading.FIND_OUT
        unreleased = world.newstore_model.book.completed_unreleased
        for location in world.locations:
            for product in world.products:
                key = (location, product)
                truth = world.physical[key] - world.newstore_model.book.open[key]
                atp = world.newstore_model.atp(key)
                missing = (unreleased[key] if open_yet else 0) + forgotten[key] + again[key]
                low = open_yet and not at_rest
                if atp > truth + self._crossed(key, at_rest) or (atp < truth - missing and not low):
                    raise Violation("converges", f"{key} atp {atp}, truth {truth}")

    def _listed_again(self) -> Counter[Key]:
        """Units of events that are not forwarded yet, whose owners are closed."""
        opened = [e for e in self.world.event_log_store.open_events() if e.event.completed]
        waiting = {"", *(owner_of(owner_mark(e.event, "")) for e in opened)}
        owners = self.world.unit_owners.owners
        return Counter(
            (unit.first.event.location_id, unit.product_id)
            for unit in completed_units(opened)
            if owner_of(owners.get(unit.unit, "")) not in waiting
        )

    def _crossed(self, key: Key, at_rest: bool) -> int:
        """Units that a job may have brought back, as long as no import has come after it."""
        immediate = self.world.newstore_model.release == "immediate"
        return units_that_crossed(self.world, key) if immediate and not at_rest else 0

    def at_rest(self) -> None:
        """After the end: no run open, no job of ours left, no event open that should be closed."""
        world = self.world
        run = world.runs.head().run
        # What leapt is added back for ever, so its location is never empty for the guards.
        held = run is not None and run.state is RunState.HELD and world.leapt is not None
        if run is None or (run.state is not RunState.FINALIZED and not held):
            raise Violation("resumable", f"the last run is {run.state if run else None}")
        jobs = world.newstore_model.jobs.by_id.values()
        jobs_left = [job.name for job in jobs if job.state in {"received", "waiting", "processing"}]
        if jobs_left:
            raise Violation("one_import", f"left behind: {jobs_left}")
        still_open = list(world.event_log_store.open_events())
        # What was refused, or leapt, waits for a person, and with it what shares a unit with it.
        waiting = {
            e.event.fulfillment_request_id
            for e in still_open
            if e.rejected_reason is not None or e.event.ref == world.leapt
        }
        waiting |= {f.completed.event.fulfillment_request_id for f in world.malformed.values()}
        left = [e.event.ref for e in still_open if e.event.fulfillment_request_id not in waiting]
        if left:
            raise Violation("resumable", f"still open: {left[:3]}")
