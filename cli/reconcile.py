"""`reconcile`: compare NewStore with the books; `resend`: have rows imported again."""

from collections import defaultdict
from collections.abc import Mapping

import click

from cli.command import Operator, connected, signed
from cli.output import columns
from cli.progress import progress
from inventory_sync.domain.drift import Cause, RowDrift
from inventory_sync.domain.holds import Resend
from inventory_sync.domain.wording import counted
from inventory_sync.use_cases.reconcile.reconcile_stock import Reconciled

_REPAIRABLE = frozenset({Cause.UNEXPLAINED, Cause.WAITING_FOR_IMPORT})
_FOR_A_PERSON = (Cause.UNEXPLAINED, Cause.LEAKED_ALLOCATION, Cause.LATE)
_MINUTES_MAX = 60
"""How long it may take from a shell; Lambda's schedule has fifteen minutes."""


@click.command()
@click.option("--location", "locations", multiple=True, help="Only here; may be repeated.")
@click.option("--no-erp", is_flag=True, help="Compare with the last import only.")
@click.option("--repair", is_flag=True, help="Queue unexplained rows for the next import.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(0, 5000))
@signed
@connected
def reconcile(
    operator: Operator,
    locations: tuple[str, ...],
    no_erp: bool,
    repair: bool,
    limit: int,
    who: str,
    why: str,
) -> None:
    """Compare NewStore's promises with the ledger and the ERP, and say why they differ.

    Reads everything now, from here. With --repair rows that nothing explains are sent again by the
    next import; no figure is ever changed any other way. Exit code 4 where a person is needed: rows
    are unexplained, leaked or late, the ERP could not be read, or rows were left unread.

    Example: inventory-sync reconcile --location DC01 --repair --why "count of 2 March"
    """
    author = operator.author("reconcile --repair", who, why) if repair else None
    with progress("comparing locations") as line:
        found = operator.stack.reconciler(
            lambda: 60.0 * _MINUTES_MAX,
            only=frozenset(locations),
            read_erp=not no_erp,
            progress=line.done,
        )
    queued = 0
    if author is not None:
        wanted: dict[str, list[str]] = defaultdict(list)
        for drift in found.drifts:
            if _REPAIRABLE & drift.parts.keys():
                wanted[drift.figures.location_id].append(drift.figures.product_id)
        for location_id, products in sorted(wanted.items()):
            resend = Resend(location_id=location_id, products=tuple(products), at=operator.now)
            operator.changes.request_resend(resend, author)
            queued += len(products)
    _report(operator, found, queued, limit)
    rows = found.totals.rows_by_cause
    if found.unread or found.totals.unchecked or found.without or any(map(rows.get, _FOR_A_PERSON)):
        operator.out.found()


def _report(operator: Operator, found: Reconciled, queued: int, limit: int) -> None:
    totals = found.totals
    causes = [
        {
            "cause": cause.value,
            "rows": totals.rows_by_cause[cause],
            "units": totals.units_by_cause[cause],
        }
        for cause in Cause
        if totals.rows_by_cause[cause]
    ]
    rows = [_row(drift) for drift in found.drifts[:limit]]
    told = [_told(row, drift) for row, drift in zip(rows, found.drifts, strict=False)]
    unread = [f"Not compared with the ERP at {key}: {why}" for key, why in found.unread.items()]
    left = f", {totals.unchecked} not for lack of time" if totals.unchecked else ""
    operator.out.report(
        {
            "report": found.folder,
            "rows": totals.rows,
            "agreeing": totals.agreeing,
            "oversold_units": totals.oversold_units,
            "undersold_units": totals.undersold_units,
            "unchecked": totals.unchecked,
            "queued": queued,
            "rows_by_cause": {c.value: totals.rows_by_cause[c] for c in Cause},
            "units_by_cause": {c.value: totals.units_by_cause[c] for c in Cause},
            "drifts": rows,
            "erp_not_read": dict(found.unread),
            "locations_off": list(found.off),
            "without": list(found.without),
        },
        f"{counted(totals.rows, 'row')} compared{left}, {totals.agreeing} agree."
        f" Oversold: {counted(totals.oversold_units, 'unit')}."
        f" Undersold: {counted(totals.undersold_units, 'unit')}.",
        *([columns(causes)] if causes else []),
        *([columns(told, right=["erp", "drift"])] if told else []),
        *unread,
        *([f"Off at NewStore, so not compared: {', '.join(found.off)}"] if found.off else []),
        *[f"NewStore's {what} could not be read." for what in found.without],
        *([f"{counted(queued, 'row')} queued for the next import."] if queued else []),
        f"Report: {found.folder}",
    )


def _row(drift: RowDrift) -> dict[str, object]:
    figures = drift.figures
    return {
        "location_id": figures.location_id,
        "product_id": figures.product_id,
        "atp": figures.atp,
        "sent": figures.sent,
        "erp": figures.erp,
        "allocated": figures.allocations,
        "reserved": figures.reservations,
        "drift": drift.units,
        "because": {cause.value: units for cause, units in drift.parts.items()},
    }


def _told(row: Mapping[str, object], drift: RowDrift) -> dict[str, object]:
    """With the signs of what differs."""
    because = ", ".join(f"{units:+d} {cause.value}" for cause, units in drift.parts.items())
    return {**row, "drift": f"{drift.units:+d}", "because": because}


@click.command()
@click.argument("location")
@click.argument("products", nargs=-1)
@signed
@connected
def resend(
    operator: Operator, location: str, products: tuple[str, ...], who: str, why: str
) -> None:
    """Have the next import send rows of LOCATION whatever they were: PRODUCTS, or all of them.

    Example: inventory-sync resend DC01 SKU-1 SKU-2 --why "restored from a copy"
    """
    operator.require_location(location)
    author = operator.author("resend", who, why)
    asked = Resend(location_id=location, products=tuple(sorted(products)), at=operator.now)
    wanted = operator.changes.request_resend(asked, author)
    rows = counted(len(wanted.products), "row") if wanted.products else "all rows"
    operator.out.result(
        {"location_id": location, "products": list(wanted.products)},
        f"{location}: the next import sends {rows} again.",
    )
