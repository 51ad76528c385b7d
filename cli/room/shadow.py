"""What the page shows of a shadow: tiles, and any row that is not promised as it should be."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from cli.room.reading import Tile, oldest_stock_tile
from cli.shadow_now import ShadowNow
from cli.shadow_story import story_of
from cli.text import instant
from inventory_sync.domain.errors import RejectedError
from inventory_sync.domain.shadow import Look, PromiseRow, Promises, RowStory


def shadow_tiles(now: datetime, shadow: ShadowNow) -> Iterator[Tile]:
    """Of the latest looks; what is promised wrongly, another system promises."""
    units = shadow.units if shadow.at else {}
    since = "by the other system, at the latest looks"
    for key, name in (
        ("too_many", "Promised too many"),
        ("certain", "Of them for certain"),
        ("too_few", "Promised too few"),
    ):
        yield Tile(name=name, value=units.get(key), unit="units", goal=0, since=since)
    since = "since the ERP was read, at the latest looks"
    yield oldest_stock_tile(now, shadow.oldest_stock, since)


def shadow_row(shadow: ShadowNow, location_id: str, product_id: str) -> dict[str, Any]:
    """As a row of a live stack; RejectedError where no look has kept it, since it was right."""
    look = shadow.looks.get(location_id)
    if look is None:
        why = shadow.unread.get(location_id, "nobody has looked at it in the last hour")
        raise RejectedError(f"nothing is known of {location_id}: {why}")
    row = next((row for row in look.differing if row.product_id == product_id), None)
    if row is None:
        raise RejectedError(
            f"{product_id} at {location_id} was promised as it should be, or neither side has it:"
            f" of the look at {instant(look.at)} only rows that differ are kept"
        )
    return _told(look, row)


def _told(look: Look, row: PromiseRow) -> dict[str, Any]:
    story = RowStory(
        location_id=look.location_id,
        product_id=row.product_id,
        promises=Promises(),
        at=look.at,
        as_of=look.as_of,
        worst=row,
    )
    terms = [
        {"logical_timestamp": one.logical_timestamp, "units": -one.units, "part": "subtracted"}
        for one in row.unshown
    ]
    moments = [
        *((one.gone_at, "event", f"event {one.logical_timestamp} left") for one in row.unshown),
        *([(look.as_of, "read", f"the ERP had {row.on_hand}")] if look.as_of else []),
        (look.at, "look", f"NewStore promised {row.atp}, and should have promised {row.should_be}"),
    ]
    of_row = f"{row.product_id} at {look.location_id}"
    return {
        "headline": f"{of_row}: {row.would_send} would have been sent",
        "base": row.on_hand,
        "terms": terms,
        "quantity": row.would_send,
        "total": "would be sent",
        "lines": story_of(story),
        "timeline": [
            {"at": at.isoformat(), "kind": kind, "what": what}
            for at, kind, what in sorted(moments, key=lambda one: one[0])
        ],
    }
