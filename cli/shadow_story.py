"""The story of a row that was promised wrongly, in lines as `explain` has them."""

from cli.text import instant
from inventory_sync.domain.shadow import Amount, RowStory
from inventory_sync.domain.wording import counted


def hours(amount: Amount) -> str:
    """Unit hours in words."""
    return f"{amount.unit_hours:.2f} unit hours"


def story_of(story: RowStory) -> list[str]:
    """How the row was when it was worst; the terms add up to what should have been promised."""
    row = story.worst
    lines = [
        f"{instant(story.at)}: NewStore promised {row.atp}, and should have promised"
        f" {row.should_be}: {_verdict(story)}",
        f"{row.on_hand:>6}  on hand in the ERP's figure as of {instant(story.as_of)}",
        *(
            f"{-event.units:>+6}  event {event.logical_timestamp}, request"
            f" {event.fulfillment_request_id}: {counted(event.units, 'unit')} gone at"
            f" {instant(event.gone_at)}, counted as not booked yet"
            for event in row.unshown
        ),
    ]
    if row.allocations:
        shipped = f"; {row.shipped} of them have shipped, and are not taken off"
        lines.append(
            f"{row.shipped - row.allocations:>+6}  {counted(row.allocations, 'allocation')} at"
            f" NewStore{shipped if row.shipped else ''}"
        )
    if row.reservations:
        lines.append(f"{-row.reservations:>+6}  reserved")
    if row.safety_stock:
        lines.append(f"{-row.safety_stock:>+6}  safety stock")
    lines.append(f"{row.should_be:>6}  should have been promised")
    lines.append(f"        The adapter would have sent {row.would_send}.")
    return lines


def _verdict(story: RowStory) -> str:
    row = story.worst
    if row.too_little:
        return f"{row.too_little} too little"
    if row.certain == row.too_much:
        return f"{row.too_much} too much, for certain"
    return f"{row.too_much} too much, {row.certain} of them for certain"
