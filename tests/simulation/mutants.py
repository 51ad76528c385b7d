"""Remove each safety in turn and show that the simulation notices.

`python -m tests.simulation.mutants [SEEDS_MAX]` prints for each mutant the invariant that broke
and the number of seeds it took; it exits with 1 when one survived.
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
from inventory_sync.domain.cut import LocationCut, LogicalRange
from inventory_sync.domain.events import FulfillmentEvent, logical_timestamp
from inventory_sync.domain.inbound import AppendResult, ClaimResult
from inventory_sync.use_cases.forward import forward_events
from inventory_sync.use_cases.import_stock import import_stock
from inventory_sync.use_cases.import_stock.build import build_import, file_packer
from inventory_sync.use_cases.import_stock.build.last_known import LastKnown
from inventory_sync.use_cases.import_stock.build.release_plan import ReleasePlan
from inventory_sync.use_cases.import_stock.build.stock_source import StockSource
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

    return patch.object(build_import, "cut_snapshot", mutated)


def _plus(cut: LocationCut, units: Mapping[str, int], sign: int) -> LocationCut:
    quantities = {p: q + sign * units.get(p, 0) for p, q in cut.quantities.items()}
    return replace(cut, quantities=quantities)


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
        return replace(found, quantities=dict(last), touched=frozenset())

    return patch.object(build_import, "roll_forward", stay_behind)


def _range_from_lowest_event() -> AbstractContextManager[Any]:
    honest = ReleasePlan.range

    def lowest(plan: ReleasePlan, cut: LocationCut) -> LogicalRange:
        found = honest(plan, cut)
        return LogicalRange(min(map(logical_timestamp, cut.counted), default=found.end), found.end)

    return patch.object(ReleasePlan, "range", lowest)


def _watermark_before_finish() -> AbstractContextManager[Any]:
    honest = import_stock._Session._save

    def save(session: Any, run: Any, **changes: Any) -> None:
        if "unfinished_run_id" in changes and changes["unfinished_run_id"] is not None:
            changes["watermark"] = run.cut_end
        honest(session, run, **changes)

    return patch.object(import_stock._Session, "_save", save)


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
    def save(head: Any, *, lease: Any, now: Any) -> Any:
        world.runs._head = replace(head, version=head.version + 1)
        return world.runs._head

    world.runs.save = save  # type: ignore[method-assign]
    world.leases.renew = lambda lease, **_: lease  # type: ignore[method-assign]


@contextmanager
def _no_look_up() -> Iterator[None]:
    honest = forward_events.ForwardEvents._claim

    def claim(forward: Any, open_event: Any, to_post: Any, ready: Any, result: Any) -> None:
        now = forward.clock.now()
        ref = open_event.event.ref
        found = forward.event_log.claim(ref, now=now, until=now + forward.claim)
        if found is not ClaimResult.TAKEN:
            to_post.append(open_event)

    with patch.object(forward_events.ForwardEvents, "_claim", claim):
        assert honest is not claim
        yield


@contextmanager
def _events_before_snapshot() -> Iterator[None]:
    honest_gather, honest_add = build_import._Attempt._gather, build_import._Attempt._add
    early: dict[str, Any] = {}

    def gather(attempt: Any, place: Any) -> Any:
        early[place.location_id] = attempt.deps.event_log.open_events_of(place.location_id)
        return honest_gather(attempt, place)

    def add(attempt: Any, place: Any, *args: Any) -> bool:
        log = attempt.deps.event_log

        class Stale:
            def open_events_of(self, location_id: str) -> Any:
                return early[location_id]

            def __getattr__(self, name: str) -> Any:
                return getattr(log, name)

        deps = attempt.deps
        attempt.deps = replace(deps, event_log=Stale())
        try:
            return honest_add(attempt, place, *args)
        finally:
            attempt.deps = deps

    with (
        patch.object(build_import._Attempt, "_gather", gather),
        patch.object(build_import._Attempt, "_add", add),
    ):
        yield


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
    honest = ReleasePlan.range

    def forward_only(plan: ReleasePlan, cut: LocationCut) -> LogicalRange:
        return honest(plan, replace(cut, late=()))

    return patch.object(ReleasePlan, "range", forward_only)


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
    for mutant in MUTANTS:
        seeds, violation = seeds_to_catch(mutant, seeds_max)
        verdict = f"caught by {violation} after {seeds} seeds" if seeds else "SURVIVED"
        survivors += not seeds
        print(f"{mutant.name:45} {verdict}", flush=True)
    print(f"mutants: {len(MUTANTS) - survivors} caught, {survivors} survived")
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main())
