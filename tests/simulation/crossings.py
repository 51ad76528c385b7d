"""Units that crossed a job: what NewStore at `immediate` is bound to get wrong until the next one.

NewStore takes a shipped unit off at once, and a row of a job that is under way, or was built before
the unit's event came in, overwrites that.
"""

from datetime import UTC, datetime, timedelta

from inventory_sync.domain.import_run import JOB_NAME_PREFIX
from inventory_sync.domain.manifest import Ledger
from inventory_sync.domain.units import UnitId
from tests.simulation.world import CLOCK_SKEW, Key, World

Left = dict[UnitId, tuple[datetime, datetime | None]]
"""When each unit left, and when the first event that lists it was stored."""


def units_that_crossed(world: World, key: Key) -> int:
    """Units of the row that a job may have brought back, and no later one has put right."""
    crossed: set[UnitId] = set()
    left = _left(world, key)
    for job in sorted(world.newstore_model.jobs.by_id.values(), key=lambda job: job.name):
        ledger = world.files.ledger(key[0], job.name.removeprefix(JOB_NAME_PREFIX))
        if ledger is None or key[1] not in ledger.sent:
            continue
        unknown = _unknown(left, ledger, job.name)
        if job.state == "finished":
            crossed &= unknown
        ended_at = job.ended_at or world.now
        crossed |= {unit for unit in unknown if left[unit][0] <= ended_at}
    return len(crossed)


def _left(world: World, key: Key) -> Left:
    found: Left = {}
    for completed in world.completed.values():
        event, stored_at = completed.event, completed.stored_at
        for item in event.items:
            if (event.location_id, item.product_id) != key:
                continue
            unit = UnitId(event.fulfillment_request_id, item.item_id)
            left_at, known = found.get(unit, (event.published_at, stored_at))
            times = [at for at in (known, stored_at) if at is not None]
            found[unit] = min(left_at, event.published_at), min(times, default=None)
    return found


def _unknown(left: Left, ledger: Ledger, job_name: str) -> set[UnitId]:
    """Units that a job's quantity still has, since no event said otherwise as it was built."""
    planned_at = _planned_at(job_name) - CLOCK_SKEW
    return {
        unit
        for unit, (_, stored_at) in left.items()
        if unit not in ledger.lacking and (stored_at is None or stored_at > planned_at)
    }


def _planned_at(job_name: str) -> datetime:
    """As the run's id says it, to the second."""
    text = job_name.removeprefix(JOB_NAME_PREFIX).partition("-")[0]
    return datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC) - timedelta(seconds=1)
