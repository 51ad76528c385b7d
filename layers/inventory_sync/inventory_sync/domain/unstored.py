"""Shipments in quarantine that no stored event reports, and what they mean for an import."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from inventory_sync.domain.cut import AppliedRule
from inventory_sync.domain.events import OpenEvent
from inventory_sync.domain.inbound import QuarantinedCompletion, short_entry_id
from inventory_sync.domain.reading import ReleaseReading


@dataclass(frozen=True, slots=True)
class UnstoredUnits:
    """All that nobody has resolved: units that left, which the ERP learns of from no event.

    For so many hours, `blocks_for`, none is released; after that what can be read is taken off.
    """

    found: tuple[QuarantinedCompletion, ...] = ()
    blocks_for: timedelta = timedelta(hours=24)

    def ceilings(self, now: datetime, *, floor: int, imported: frozenset[str]) -> list[int]:
        """The logical timestamps that a cut end stays below now; those up to `floor` are released.

        Where the location cannot be read it may be any of the imported ones.
        """
        blocking = (
            one.completion
            for one in self.found
            if now < one.received_at + self.blocks_for
            and (not one.completion.location_id or one.completion.location_id in imported)
        )
        ends = (floor + 1 if (at := one.logical_timestamp) is None else at for one in blocking)
        return [end for end in ends if end > floor]

    def events(self, location_id: str, rule: AppliedRule) -> list[OpenEvent]:
        """The units of one location that can be read, as if their events were stored.

        They own theirs where the ERP learns of them through another channel: nobody else will.
        """

        def as_open(one: QuarantinedCompletion) -> OpenEvent:
            event = one.completion.event(one.received_at)
            owned = frozenset(i.item_id for i in event.items) if rule.other_channel(event) else None
            return OpenEvent(event=event, received_at=one.received_at, owned=owned)

        here = (one for one in self.found if one.completion.location_id == location_id)
        return [as_open(one) for one in here if one.completion.items]

    def products(self, location_id: str) -> frozenset[str]:
        """Of the units of one location that can be read."""
        return frozenset(
            item.product_id
            for one in self.found
            if one.completion.location_id == location_id
            for item in one.completion.items
        )

    def unknown_at(
        self, cut_end: int, reading: ReleaseReading
    ) -> dict[str, tuple[QuarantinedCompletion, ...]]:
        """By location, those that an import's quantities would have to be without, and cannot be.

        Until the cut end passes them NewStore itself deducts them, unless it deducts nothing that
        an import has overwritten.
        """
        unknown: dict[str, tuple[QuarantinedCompletion, ...]] = {}
        for one in self.found:
            completion = one.completion
            passed = (completion.logical_timestamp or 0) <= cut_end
            overwritten = reading is ReleaseReading.IMMEDIATE
            if completion.location_id and not completion.whole and (passed or overwritten):
                before = unknown.get(completion.location_id, ())
                unknown[completion.location_id] = (*before, one)
        return unknown


def entry_names(found: Iterable[QuarantinedCompletion]) -> str:
    """For people: ids as commands take them."""
    return ", ".join(short_entry_id(one.entry_id) for one in found)
