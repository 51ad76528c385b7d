"""Run one seed: a few hours of shops and faults, then quiet, then everything has to add up."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from local.newstore.job import JobFaults
from tests.builders import OPERATOR
from tests.simulation.figures import Figures
from tests.simulation.invariants import Invariants, Violation
from tests.simulation.world import World

STEPS = 70
QUIET_ROUNDS_MAX = 12
IMPORT_TICKS_MAX = 60

Adapt = Callable[[World], None]


@dataclass
class Outcome:
    """What came of one seed."""

    seed: int
    digest: str = ""
    steps: int = 0
    looks: int = 0
    figures_of_time: Figures = field(default_factory=Figures)
    injected: Counter[str] = field(default_factory=Counter)
    violation: str = ""
    figures: str = ""
    trace: list[str] = field(default_factory=list)


def run_seed(
    seed: int,
    *,
    steps: int = STEPS,
    only: frozenset[str] | None = None,
    adapt: Adapt | None = None,
) -> Outcome:
    """Deterministic: the same arguments always give the same outcome and the same story."""
    world = World(seed, only=only, adapt=adapt)
    invariants = Invariants(world)
    world.after_each_step = invariants.check
    outcome = Outcome(seed)
    try:
        for _ in range(steps):
            outcome.steps += 1
            _step(world)
            invariants.nothing_lost()
            invariants.applied_once(all_applied=False)
        _calm_down(world, invariants)
    except Violation as violation:
        outcome.violation, outcome.figures = violation.name, violation.figures
        world.say("VIOLATION", violation)
    except Exception as error:  # noqa: BLE001 - whatever it is, it breaks the run
        # Nobody expects it, so nobody goes on from it: it has its seed and its story like the rest.
        outcome.violation, outcome.figures = "resumable", f"{type(error).__name__}: {error}"
        world.say("ERROR", outcome.figures)
    outcome.digest = world.digest()
    outcome.looks = invariants.looks
    outcome.figures_of_time = invariants.meter.figures
    outcome.injected = world.faults.injected
    outcome.trace = world.trace
    return outcome


def _step(world: World) -> None:
    rng, strike = world.rng, world.faults.strike
    world.pass_time(rng.choice((1, 5, 20, 60, 120)))
    for _ in range(rng.randint(0, 3)):
        world.live()
    if strike("erp_rejects"):
        product = rng.choice(world.products)
        world.erp_model.rejected_products[product] = "unknown article"
        world.say("the ERP refuses", product)
    if strike("erp_lag_changes"):
        world.change_lag()
    if world.malformed and world.bodies_rng.random() < 0.15:
        world.mend()
    _lose_and_count(world)
    _change_map(world)
    if strike("row_altered_at_newstore"):
        world.alter_row()
    if strike("record_expired_and_replayed"):
        world.replay_expired()
    if rng.random() < 0.7:
        world.forward_tick()
    if rng.random() < 0.1:
        world.sweep_tick()
    if rng.random() < 0.35 and not strike("tick_skipped"):
        world.import_tick(full=rng.random() < 0.05)
    _read_on(world)
    if rng.random() < 0.05:
        world.operate()
    if rng.random() < 0.02:
        world.pass_time(rng.choice((1800, 7200, 30_000)))


def _read_on(world: World) -> None:
    """The state machine is at some batches."""
    while world.fan_out and world.reads_rng.random() < 0.6:
        world.read_tick()


def _lose_and_count(world: World) -> None:
    if world.faults.strike("mispick"):
        world.lose_unit()
    if world.faults.strike("stock_counted"):
        world.count_stock()


def _change_map(world: World) -> None:
    if world.faults.strike("location_disabled"):
        world.switch_location()
    if world.faults.strike("node_mistyped"):
        world.mistype_node()


def _calm_down(world: World, invariants: Invariants) -> None:
    """No more faults and no more trade: within a few rounds everything is exact and at rest."""
    world.say("quiet")
    world.faults.quiet = True
    world.count_stock()
    world.erp_model.snapshots.planned.clear()
    world.newstore_model.jobs.next_jobs.clear()
    _end_stuck_jobs(world)
    places = world.location_store.locations().values()
    right = [replace(p, enabled=True, fulfillment_node_id=p.location_id) for p in places]
    world.location_store.put_locations(right, OPERATOR)
    last: Violation | None = None
    for _ in range(QUIET_ROUNDS_MAX):
        world.pass_time(3600)
        world.forward_tick()
        world.sweep_tick()
        world.operate()
        world.mend(all_but_whole=True)
        for _ in range(6):
            world.import_tick(full=bool(world.untold))
            world.pass_time(310)
        run = world.runs.head().run
        if run is not None and not run.ended:
            world.import_tick()
            world.pass_time(310)
        try:
            _everything(invariants)
        except Violation as violation:
            last = violation
            continue
        if world.in_flight:
            continue  # a repeat with a lower timestamp errs low until the forwarder has seen it
        _exact_before_settled(world, invariants)
        _exact_while_forwarding(world, invariants)
        return
    if last is not None:
        raise last


def _exact_before_settled(world: World, invariants: Invariants) -> None:
    """What the ERP has applied but no cut end has passed is added back: ATP is exact at once."""
    for _ in range(6):
        world.trade_on()
    world.pass_time(330 if world.fan_out else 60)
    world.forward_tick()
    world.import_tick()
    invariants.converges(at_rest=False)


def _exact_while_forwarding(world: World, invariants: Invariants) -> None:
    """What the ERP applies just before a location is read is in the sum and in its figure."""
    for _ in range(6):
        world.trade_on()
    world.pass_time(330)
    world.before_reading = lambda: world.forward_tick(events_max=1)
    for _ in range(IMPORT_TICKS_MAX):
        world.import_tick()
        run = world.runs.head().run
        if run is not None and run.ended:
            break
        world.pass_time(60)
    world.before_reading = lambda: None
    invariants.converges(at_rest=False)


def _everything(invariants: Invariants) -> None:
    invariants.nothing_lost()
    invariants.applied_once(all_applied=True)
    invariants.converges()
    invariants.at_rest()


def _end_stuck_jobs(world: World) -> None:
    """A job that hangs inside NewStore is ended there; nobody else can."""
    for job in world.newstore_model.jobs.by_id.values():
        if job.faults.stuck_in == "processing":
            job.faults = JobFaults()
            if job.state == "processing":
                job.state = "failed"


def shrink(seed: int, outcome: Outcome, adapt: Adapt | None = None) -> tuple[int, frozenset[str]]:
    """Fewest steps and faults with which the same invariant still breaks."""
    kept = frozenset(outcome.injected)
    for name in sorted(kept):
        tried = kept - {name}
        found = run_seed(seed, steps=outcome.steps, only=tried, adapt=adapt)
        if found.violation == outcome.violation:
            kept = tried
    steps = outcome.steps
    while steps > 1:
        tried_outcome = run_seed(seed, steps=steps - 1, only=kept, adapt=adapt)
        if tried_outcome.violation != outcome.violation:
            break
        steps = min(steps - 1, tried_outcome.steps)
    return steps, kept
