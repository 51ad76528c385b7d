"""Remove each safety in turn and show that the simulation notices.

`python -m tests.simulation.mutants [SEEDS_MAX [NAME]]` prints for each mutant the invariant that
broke and the number of seeds it took; it exits with 1 when one survived.
"""

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from unittest.mock import patch

from inventory_sync.domain import cut as cut_module
from inventory_sync.domain import import_run
from inventory_sync.domain import units as units_module
from inventory_sync.domain.cut import LocationCut, LogicalRange
from inventory_sync.domain.events import FulfillmentEvent, logical_timestamp
from inventory_sync.domain.inbound import AppendResult, ClaimResult
from inventory_sync.domain.reading import ReleaseReading
from inventory_sync.domain.stock import totals_of
from inventory_sync.domain.units import Ownership
from inventory_sync.domain.unstored import UnstoredUnits
from inventory_sync.use_cases.forward import forward_events
from inventory_sync.use_cases.import_stock import import_stock, leased_head
from inventory_sync.use_cases.import_stock.build_import import (
    choose_cut,
    file_packer,
    state_location,
)
from inventory_sync.use_cases.import_stock.build_import.gather import LocationSource
from inventory_sync.use_cases.import_stock.build_import.last_known import LastKnown
from inventory_sync.use_cases.import_stock.build_import.stock_source import StockSource
from tests.simulation.runner import Adapt, run_seed
from tests.simulation.world import World

SEEDS_MAX = 400


@dataclass(frozen=True)
class Mutant:
    """`adapt` changes a world as it is made, `patched` the code while seeds run."""

    name: str
    adapt: Adapt = lambda world: None
    patched: Callable[[], AbstractContextManager[Any]] = nullcontext


def _no_settle_window(world: World) -> None:
    world.settle = timedelta(0)


def _changed_cut(change: Callable[[LocationCut], LocationCut]) -> AbstractContextManager[Any]:
    def mutated(*args: Any, **kwargs: Any) -> LocationCut:
        return change(cut_module.cut_snapshot(*args, **kwargs))

    return patch.object(state_location, "cut_snapshot", mutated)


def _plus(cut: LocationCut, units: Mapping[str, int], sign: int) -> LocationCut:
    quantities = {p: q + sign * units.get(p, 0) for p, q in cut.quantities.items()}
    return replace(cut, quantities=quantities, totals=totals_of(quantities))


def _no_add_back() -> AbstractContextManager[Any]:
    return _changed_cut(lambda cut: _plus(cut, cut.added_back, -1))


def _no_subtraction() -> AbstractContextManager[Any]:
    return _changed_cut(lambda cut: _plus(cut, cut.subtracted, 1))


def _range_in_every_file() -> AbstractContextManager[Any]:
    honest = file_packer.FilePacker._write

    def write(packer: Any, number: int, rows: Any, released: LogicalRange | None) -> None:
        honest(packer, number, rows, released or packer._released)

    return patch.object(file_packer.FilePacker, "_write", write)


def _no_roll_forward() -> AbstractContextManager[Any]:
    honest = cut_module.roll_forward

    def stay_behind(location_id: str, last: Any, events: Any, **kwargs: Any) -> LocationCut:
        found = honest(location_id, last, events, **kwargs)
        quantities = dict(last.quantities)
        return replace(
            found, quantities=quantities, totals=totals_of(quantities), touched=frozenset()
        )

    return patch.object(state_location, "roll_forward", stay_behind)


def _range_from_lowest_event() -> AbstractContextManager[Any]:
    honest = choose_cut.released_range

    def lowest(context: Any, cut: LocationCut, *, anew: bool) -> LogicalRange:
        found = honest(context, cut, anew=anew)
        return LogicalRange(min(map(logical_timestamp, cut.counted), default=found.end), found.end)

    return patch.object(state_location, "released_range", lowest)


def _watermark_before_finish() -> AbstractContextManager[Any]:
    honest = leased_head.LeasedHead.save

    def save(leased: Any, run: Any, **changes: Any) -> None:
        if "unfinished_run_id" in changes and changes["unfinished_run_id"] is not None:
            changes["watermark"] = run.cut_end
        honest(leased, run, **changes)

    return patch.object(leased_head.LeasedHead, "save", save)


def _read_then_write_dedupe(world: World) -> None:
    store = world.event_log_store
    honest = store.append

    def append(event: FulfillmentEvent, body: bytes, received_at: Any) -> AppendResult:
        if store.body_of(event.ref) is not None:
            return honest(event, body, received_at)
        world.pass_time(1)
        store._records.pop(event.ref, None)
        return honest(event, body, received_at)

    store.append = append


def _no_fencing(world: World) -> None:
    def save(head: Any, **_: Any) -> Any:
        world.runs._head = replace(head, version=head.version + 1)
        return world.runs._head

    world.runs.save = save  # type: ignore[method-assign]
    world.leases.renew = lambda lease, **_: lease  # type: ignore[method-assign]


@contextmanager
def _no_look_up() -> Iterator[None]:
    def claim(forward: Any, due: Any, to_post: Any, ready: Any, result: Any) -> None:
        now = forward.clock.now()
        found = forward.event_log.claim(due.event.ref, now=now, until=now + forward.claim)
        if found is not ClaimResult.TAKEN:
            to_post.append(due)

    with patch.object(forward_events.ForwardEvents, "_claim", claim):
        yield


@contextmanager
def _events_before_snapshot() -> Iterator[None]:
    honest_gather, honest_inputs = LocationSource.gather, LocationSource.inputs
    early: dict[str, Any] = {}

    def gather(source: Any, place: Any, **kwargs: Any) -> Any:
        early[place.location_id] = source.event_log.open_events_of(place.location_id)
        return honest_gather(source, place, **kwargs)

    def inputs(source: Any, place: Any, *args: Any, **kwargs: Any) -> Any:
        found = honest_inputs(source, place, *args, **kwargs)
        return replace(found, events=early[place.location_id])

    with (
        patch.object(LocationSource, "gather", gather),
        patch.object(LocationSource, "inputs", inputs),
    ):
        yield


def _every_event_s_items_counted() -> AbstractContextManager[Any]:
    """As if each event listed units of its own."""
    honest = units_module.completed_units

    def whole(found: Any) -> Any:
        every = frozenset(item.item_id for item in found.event.items)
        return replace(found, owned=None if found.owned is None else every)

    def counted(events: Any) -> Any:
        return tuple(unit for e in events for unit in honest([whole(e)]))

    return patch.object(cut_module, "completed_units", counted)


def _every_event_s_items_booked(world: World) -> None:
    """Cumulative events taken for what has just shipped."""

    def own(event: FulfillmentEvent, now: Any) -> Ownership:
        return Ownership(frozenset(item.item_id for item in event.items), lowers=False)

    world.unit_owners.own = own  # type: ignore[method-assign]


def _owned_by_read_then_write(world: World) -> None:
    owners = world.unit_owners
    honest = owners.own

    def own(event: FulfillmentEvent, now: Any) -> Ownership:
        before = dict(owners.owners)
        world.pass_time(1)
        world.interrupt("unit_owners.own", "within")
        owners.owners = before
        return honest(event, now)

    owners.own = own  # type: ignore[method-assign]


def _closed_one_by_one() -> AbstractContextManager[Any]:
    """An event closes though an open event shares a unit with it."""
    honest = units_module.closable

    def alone(events: Any, unfinished: Any, *, cut_end: int) -> Any:
        return tuple(ref for e in events for ref in honest([e], unfinished, cut_end=cut_end))

    return patch.object(cut_module, "closable", alone)


def _parts_out_of_order(world: World) -> None:
    """What it takes to notice: a request in parts, of which an earlier event comes later."""
    world.faults.rates["delayed_within_settle"] = 0.5
    world.newstore_model.cumulative_events = world.large_requests = True


def _closed_though_it_lowers(world: World) -> None:
    """Nobody says that an event lists a unit at a lower timestamp than the one that owns it."""
    _parts_out_of_order(world)
    honest = world.unit_owners.own

    def own(event: FulfillmentEvent, now: Any) -> Ownership:
        return replace(honest(event, now), lowers=False)

    world.unit_owners.own = own  # type: ignore[method-assign]


def _newstore_at_once(world: World) -> None:
    world.newstore_model.release = "immediate"
    world.reading = ReleaseReading.IMMEDIATE


def _added_back_as_if_it_waited() -> AbstractContextManager[Any]:
    def lacks(reading: ReleaseReading, logical_timestamp: int, cut_end: int) -> bool:
        return logical_timestamp <= cut_end

    return patch.object(ReleaseReading, "quantity_lacks", lacks)


def _crossings_forgotten() -> AbstractContextManager[Any]:
    return patch.object(LocationSource, "_crossed", lambda *_: frozenset())


def _trust_in_the_feed() -> AbstractContextManager[Any]:
    return patch.object(StockSource, "_in_open_events", lambda *_: frozenset())


def _replays_taken_for_new() -> AbstractContextManager[Any]:
    return patch.object(forward_events, "_may_be_replayed", lambda _: False)


def _any_leap_believed() -> AbstractContextManager[Any]:
    return patch.object(cut_module, "outlier_timestamp", lambda *_: None)


def _late_where_a_range_is_its_files(world: World) -> None:
    """The mutant needs an event that came late at a location whose rows no file had meanwhile."""
    world.faults.rates["late_beyond_settle"] = 0.4
    world.newstore_model.range_scope = "file_locations"


def _range_forgets_late_events() -> AbstractContextManager[Any]:
    honest = choose_cut.released_range

    def forward_only(context: Any, cut: LocationCut, *, anew: bool) -> LogicalRange:
        return honest(context, replace(cut, late=()), anew=anew)

    return patch.object(state_location, "released_range", forward_only)


def _unfinished_imports_forgotten() -> AbstractContextManager[Any]:
    return patch.object(LastKnown, "_unfinished_rows", lambda *_: frozenset())


def _unknown_job_given_up() -> AbstractContextManager[Any]:
    honest = import_run.next_step

    def hasty(run: Any, facts: Any, limits: Any) -> Any:
        under_way = run.state in {import_run.RunState.CREATED, import_run.RunState.STARTED}
        if under_way and facts.job is None:
            return import_run.GiveUp("unknown")
        return honest(run, facts, limits)

    return patch.object(import_stock, "next_step", hasty)


def _resend_forgotten() -> AbstractContextManager[Any]:
    return patch.object(LastKnown, "_asked", lambda *_: frozenset())


def _sweeps_in_full_batches() -> AbstractContextManager[Any]:
    """Whatever waits is sent to the ERP in one batch, and marked when all of it is through."""

    def sweep(forward: Any, remaining_seconds: Any) -> Any:
        waiting = forward.left_behind()
        return forward(waiting)

    return patch.object(forward_events.ForwardEvents, "sweep", sweep)


def _unstored_completions_passed() -> AbstractContextManager[Any]:
    return patch.object(UnstoredUnits, "ceilings", lambda *_, **__: [])


def _many_bodies_malformed(world: World) -> None:
    """The mutant needs one that nobody mends."""
    world.faults.rates["completed_body_malformed"] = 0.3


def _unstored_units_kept() -> AbstractContextManager[Any]:
    return patch.object(UnstoredUnits, "events", lambda *_: [])


MUTANTS = (
    Mutant("no settle window", adapt=_no_settle_window),
    Mutant("no add-back", patched=_no_add_back),
    Mutant("no subtraction", patched=_no_subtraction),
    Mutant("range in every file", patched=_range_in_every_file),
    Mutant("no roll-forward of locations left out", patched=_no_roll_forward),
    Mutant("range started at the lowest event held", patched=_range_from_lowest_event),
    Mutant("watermark moved before finish", patched=_watermark_before_finish),
    Mutant("read-then-write dedupe", adapt=_read_then_write_dedupe),
    Mutant("no fencing", adapt=_no_fencing),
    Mutant("no lookup after an unknown outcome", patched=_no_look_up),
    Mutant("events read before the snapshot", patched=_events_before_snapshot),
    Mutant("products of open events read only if the feed names them", patched=_trust_in_the_feed),
    Mutant("no look-up of what may be replayed", patched=_replays_taken_for_new),
    Mutant("any leap of the counter believed", patched=_any_leap_believed),
    Mutant(
        "range does not reach back over late events",
        adapt=_late_where_a_range_is_its_files,
        patched=_range_forgets_late_events,
    ),
    Mutant("rows of an unfinished import not sent again", patched=_unfinished_imports_forgotten),
    Mutant("a job NewStore does not know given up at once", patched=_unknown_job_given_up),
    Mutant("rows asked for not sent", patched=_resend_forgotten),
    Mutant("every event's items counted", patched=_every_event_s_items_counted),
    Mutant("every event's items booked", adapt=_every_event_s_items_booked),
    Mutant("units owned by read-then-write", adapt=_owned_by_read_then_write),
    Mutant("events closed one by one", patched=_closed_one_by_one),
    Mutant("an event that lowers a timestamp closed at once", adapt=_closed_though_it_lowers),
    Mutant(
        "add back under immediate", adapt=_newstore_at_once, patched=_added_back_as_if_it_waited
    ),
    Mutant(
        "units that crossed a job forgotten", adapt=_newstore_at_once, patched=_crossings_forgotten
    ),
    Mutant("E passes an unstored completed body", patched=_unstored_completions_passed),
    Mutant(
        "units of an unstored body not taken off",
        adapt=_many_bodies_malformed,
        patched=_unstored_units_kept,
    ),
    Mutant("a sweep in one batch", patched=_sweeps_in_full_batches),
)


def seeds_to_catch(mutant: Mutant, seeds_max: int) -> tuple[int, str]:
    """Seeds it took and what broke; (0, "") for a survivor."""
    with mutant.patched():
        for seed in range(seeds_max):
            outcome = run_seed(seed, adapt=mutant.adapt)
            if outcome.violation:
                return seed + 1, outcome.violation
    return 0, ""


def main() -> int:
    """A line for each mutant."""
    seeds_max = int(sys.argv[1]) if len(sys.argv) > 1 else SEEDS_MAX
    survivors = 0
    named = sys.argv[2] if len(sys.argv) > 2 else ""
    chosen = [mutant for mutant in MUTANTS if named in mutant.name]
    for mutant in chosen:
        seeds, violation = seeds_to_catch(mutant, seeds_max)
        verdict = f"caught by {violation} after {seeds} seeds" if seeds else "SURVIVED"
        survivors += not seeds
        print(f"{mutant.name:45} {verdict}", flush=True)
    print(f"mutants: {len(chosen) - survivors} caught, {survivors} survived")
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main())
