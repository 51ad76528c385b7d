"""Mispicks: a unit that was not on the shelf, though the books have it.

NewStore promises none of such a product at the location until its row's next stock update. So where
little is left the row is held: it is left out of imports, and where it has to be sent it is sent as
0. Where more is left only the failed units are taken off.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from inventory_sync.domain.cut import LocationCut
from inventory_sync.domain.events import EndedMispick, EventRef, OpenEvent
from inventory_sync.domain.row_selection import Selection, sendable
from inventory_sync.domain.stock import LastQuantities, Units


@dataclass(frozen=True, slots=True)
class MispickRule:
    """How long a mispick counts, and up to how many units left its row is held."""

    hold: timedelta = timedelta(hours=24)
    units_max: int = 5

    def sent(self, quantity: Units, failed: int) -> int:
        """What is sent of a row of which so many units were not found."""
        left = quantity - failed
        return 0 if left <= self.units_max else sendable(left)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mispicks:
    """One location's, by product: failed units in force.

    `forced` rows have to be sent: those that no finished import has seen, since one that was under
    way may have raised the row again, and those whose mispick has ended now. `seen` and `closed`
    are the events that a finished run marks as counted, and closes. `over` are those of other
    events that have ended: the next run has to know.
    """

    rule: MispickRule
    failed: Mapping[str, int] = field(default_factory=dict)
    forced: frozenset[str] = frozenset()
    seen: tuple[EventRef, ...] = ()
    closed: tuple[EventRef, ...] = ()
    over: frozenset[EndedMispick] = frozenset()

    def applied(self, selection: Selection, cut: LocationCut, sent: frozenset[str]) -> Selection:
        """The rows with what NewStore is to have of them; held ones only if touched or `sent`."""
        if not self.failed:
            return selection

        def rows(plain: Mapping[str, int], *, needed: bool) -> Mapping[str, int]:
            if self.failed.keys().isdisjoint(plain):
                return plain
            found = {p: self._units(p, cut) if p in self.failed else n for p, n in plain.items()}
            return {
                p: n for p, n in found.items() if needed or n or p in sent or p not in self.failed
            }

        return replace(
            selection,
            touched=rows(selection.touched, needed=True),
            changed=rows(selection.changed, needed=False),
            refreshed=rows(selection.refreshed, needed=False),
        )

    def _units(self, product_id: str, cut: LocationCut) -> int:
        return self.rule.sent(cut.quantities.get(product_id, 0), self.failed[product_id])


def find_mispicks(
    cut: LocationCut,
    events: Iterable[OpenEvent],
    last: LastQuantities | None,
    *,
    from_snapshot: bool,
    found_at: Mapping[str, datetime],
    now: datetime,
    rule: MispickRule,
    over_before: frozenset[EndedMispick] = frozenset(),
) -> Mispicks:
    """From the open events of the location, and the quantities of the last finished import.

    `found_at` says when an operator said of a product that it was found. A mispick ends by that,
    after the rule's time, or when the ERP's figure falls by more than the units that we know: it
    was counted; a receipt is no count. The figure is compared from the first import that saw it.
    `over_before` are those that had ended when the last import finished.
    """
    mispicks = [e for e in events if e.event.mispicked]
    if not mispicks:
        return Mispicks(rule=rule)
    by_product: dict[str, list[OpenEvent]] = defaultdict(list)
    for open_event in mispicks:
        for _, product_id in sorted(_named(open_event) - over_before):
            by_product[product_id].append(open_event)
    fell = _fallen(cut, last, by_product) if from_snapshot and last is not None else frozenset()

    def ended(product_id: str) -> bool:
        group = by_product[product_id]
        seen = all(e.counted_by is not None for e in group)
        found = found_at.get(product_id)
        return (
            (product_id in fell and seen)
            or (found is not None and found >= max(e.received_at for e in group))
            or now - max(e.event.published_at for e in group) >= rule.hold
        )

    over = frozenset(product_id for product_id in by_product if ended(product_id))
    unseen = {p for p, group in by_product.items() if any(e.counted_by is None for e in group)}
    ended_now = {m for e in mispicks for m in _named(e) if m.product_id in over}
    all_over = over_before | ended_now
    done = [e for e in mispicks if _named(e) <= all_over]
    closed = tuple(e.event.ref for e in done if e.forwarded_at is not None)
    return Mispicks(
        rule=rule,
        failed={
            product_id: sum(e.event.mispicked.count(product_id) for e in group)
            for product_id, group in by_product.items()
            if product_id not in over
        },
        forced=over | unseen,
        seen=tuple(e.event.ref for e in mispicks if from_snapshot and e not in done),
        closed=closed,
        over=frozenset(
            m for e in mispicks if e.event.ref not in closed for m in _named(e) & all_over
        ),
    )


def _named(open_event: OpenEvent) -> frozenset[EndedMispick]:
    event = open_event.event
    return frozenset(EndedMispick(event.ref.event_key, p) for p in event.mispicked)


def _fallen(cut: LocationCut, last: LastQuantities, product_ids: Iterable[str]) -> frozenset[str]:
    """Products whose quantity is below the last one less the units that it is without since."""
    since = cut.left_since(last)
    return frozenset(
        p for p in product_ids if cut.quantities.get(p, 0) < last.quantities.get(p, 0) - since[p]
    )
