"""Products that a snapshot leaves out where that does not mean that there are none.

Such a product keeps its last quantity, less what was completed since: it is rolled forward by
itself, while the products that the ERP lists are cut from the snapshot.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

from inventory_sync.domain.cut import AppliedRule, cut_snapshot
from inventory_sync.domain.events import OpenEvent
from inventory_sync.domain.stock import StockSnapshot, Units

Pairs = Collection[tuple[str, str]]
"""Events as (location id, event key)."""


def carry_forward_unlisted(
    snapshot: StockSnapshot,
    last_quantities: Mapping[str, Units],
    events: Iterable[OpenEvent],
    *,
    cut_end: int,
    rule: AppliedRule,
    counted: Pairs = (),
) -> StockSnapshot:
    """The snapshot with what the ERP would list of the others if only our events had moved them.

    `last_quantities` are what a run computed; `counted` are the events it had counted, where that
    run did not finish. `events` as for `cut_snapshot`, whose sum for an unlisted product is then
    its last quantity less the units that no run has counted. One without a last quantity has none.
    """
    completed = [e for e in events if e.event.completed]
    cut = cut_snapshot(snapshot, completed, cut_end=cut_end, watermark=None, rule=rule)
    taken: Counter[str] = Counter()
    for open_event in completed:
        event, ref = open_event.event, open_event.event.ref
        in_last = open_event.counted_by is not None or (ref.location_id, ref.event_key) in counted
        if event.logical_timestamp <= cut_end and not in_last:
            taken.update(event.units())
    moved = taken.keys() | cut.added_back.keys() | cut.subtracted.keys()
    implied = {
        product: last_quantities.get(product, 0)
        - taken[product]
        - cut.added_back.get(product, 0)
        + cut.subtracted.get(product, 0)
        for product in (last_quantities.keys() | moved) - snapshot.on_hand_units.keys()
    }
    return replace(snapshot, on_hand_units={**snapshot.on_hand_units, **implied})
