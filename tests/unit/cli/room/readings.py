"""Readings for the control room: a test names what matters to it."""

from __future__ import annotations

from typing import Any

from cli.room.reading import Promise, Reading, Truth
from cli.shadow_now import ShadowNow
from inventory_sync.domain.guards import Hold, HoldKind
from inventory_sync.domain.holds import LocationHold
from inventory_sync.domain.shadow import Look, PromiseRow, UnshownUnits
from inventory_sync.domain.stock import StockKey
from tests.builders import DC, MINUTE, NOW, SKU

KEY = StockKey(DC, SKU)


def promise(on_hand: int = 10, allocated: int = 0, unreleased: int = 0) -> Promise:
    """NewStore's figures of a row; the ATP follows from them."""
    return Promise(
        atp_units=on_hand - allocated - unreleased,
        on_hand_units=on_hand,
        open_allocations=allocated,
        completed_unreleased=unreleased,
    )


def truth(units: int = 10, **fields: Any) -> Truth:
    """So many units of the one product on the shelf."""
    return Truth(shelf_units={KEY: units}, **fields)


def reading(**fields: Any) -> Reading:
    """One row of ten units, exact in every system, and nothing on its way."""
    plain: dict[str, Any] = {
        "at": NOW,
        "promises": {KEY: promise()},
        "erp_units": {KEY: 10},
        "truth": truth(),
    }
    return Reading(**(plain | fields))


def held(location: str = DC, kind: HoldKind = HoldKind.ABSURD, figures: str = "-3") -> Any:
    """Holds by location, as a Reading has them."""
    hold = LocationHold(
        location_id=location, holds=(Hold(kind, figures),), since=NOW, run_id="run-1"
    )
    return {location: hold}


def shadow(atp: int = 10, *, rows: int = 1, unread: str = "") -> ShadowNow:
    """So many rows of nine units, of which another may not be booked yet, promised as `atp`."""
    gone = UnshownUnits(7, "ff1", NOW - MINUTE, 1)
    differing = tuple(
        PromiseRow(
            product_id=SKU if rows == 1 else f"{SKU}-{number}",
            on_hand=9,
            unshown=(gone,),
            allocations=0,
            shipped=0,
            reservations=0,
            safety_stock=0,
            atp=atp,
        )
        for number in range(rows)
    )
    look = Look(location_id=DC, at=NOW, as_of=NOW - MINUTE, rows=500, differing=differing)
    return ShadowNow({DC: look}, {"STORE": unread} if unread else {})
