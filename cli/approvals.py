"""`approve` and `revoke`: what operators let past a guard."""

from collections.abc import Iterable
from datetime import UTC, datetime

import click

from cli.command import Operator, connected
from cli.output import refusal
from cli.text import INSTANT, instant
from inventory_sync.domain.guards import APPROVABLE, FALLS, RISES, Hold, HoldKind
from inventory_sync.domain.holds import Approval, LocationHold, bound_of

_PRODUCT = click.option("--product", default="", help="The row that is held, where it is one.")
_UNITS = click.IntRange(min=0)
_ROW_RISES = RISES - {HoldKind.UNITS_ROSE}


_KINDS = click.option(
    "--kind",
    "kinds",
    multiple=True,
    metavar="KIND",
    type=click.Choice([kind.value for kind in HoldKind]),
    help="As `holds list` shows it.",
)


@click.command()
@click.argument("location")
@_KINDS
@_PRODUCT
@click.option("--may-fall-to", type=_UNITS, help="With --until: units of the location.")
@click.option("--may-rise-to", type=_UNITS, help="With --until: units of the location, or row.")
@click.option("--until", type=INSTANT, help="Let it last so long (UTC).")
@click.option("--who", required=True, help="Your name.")
@click.option("--why", required=True, help="How you know that the figures are right.")
@connected
def approve(
    operator: Operator,
    location: str,
    kinds: tuple[str, ...],
    product: str,
    may_fall_to: int | None,
    may_rise_to: int | None,
    until: datetime | None,
    who: str,
    why: str,
) -> None:
    """Let LOCATION, or a row of it, past the guards of these KINDs (--kind may be repeated).

    The approval is for one import, and for the figures that `holds list` shows: something worse is
    held again. It ends when a finished import has used it, when the hold clears, or after 24 hours.
    With --may-fall-to or --may-rise-to and --until it lasts, within that limit, until then.

    \b
    Example: inventory-sync approve DC01 --kind units_fell --who "Ada" --why "counted today"
    Example: inventory-sync approve S7 --may-fall-to 0 --until 2026-03-05T06:00:00 --who "Ada"
             --why "the shop closes"
    """
    if not why.strip():
        raise refusal("--why must not be empty: it is what the record is for")
    limits = _limits(product, may_fall_to, may_rise_to)
    if bool(kinds) == bool(limits) or (until is not None) != bool(limits):
        raise refusal(
            "name --kind for one import, or --may-fall-to or --may-rise-to with --until to last"
        )
    if limits:
        operator.require_location(location)
        if until is not None and until <= operator.now:
            raise refusal(f"--until {instant(until)} is over")
    else:
        limits = _bounds(location, kinds, product, operator.store.holds().get(location))
    given = [
        Approval(
            location_id=location,
            kind=hold.kind,
            product_id=product,
            figures=hold.figures,
            bound_units=bound,
            who=who,
            why=why,
            at=operator.now,
            until=until,
        )
        for hold, bound in limits
    ]
    operator.changes.approve(given, operator.author("approve", who, why))
    lasts = f"until {instant(until)}" if until else "for the next import"
    named = f"{location} {product}".strip()
    operator.out.result(
        {
            "location_id": location,
            "product_id": product or None,
            "approved": [approval.kind.value for approval in given],
            "until": until.astimezone(UTC).isoformat() if until else None,
        },
        f"{named}: {', '.join(a.kind for a in given)} approved by {who} {lasts}.",
    )


@click.command()
@click.argument("location")
@_KINDS
@_PRODUCT
@click.option("--who", required=True, help="Your name.")
@click.option("--why", required=True, help="For the audit record.")
@connected
def revoke(
    operator: Operator, location: str, kinds: tuple[str, ...], product: str, who: str, why: str
) -> None:
    """Take back the approvals of LOCATION that `holds approvals` lists; all, or those named.

    \b
    Example: inventory-sync revoke DC01 --who "Ada" --why "the ERP was wrong after all"
    """
    if not why.strip():
        raise refusal("--why must not be empty: it is what the record is for")
    found = [
        approval
        for approval in operator.store.approvals().get(location, ())
        if (not kinds or approval.kind in kinds) and product in ("", approval.product_id)
    ]
    if not found:
        raise refusal(f"{location} has no such approval; see `holds approvals`")
    operator.changes.revoke(found, operator.author("revoke", who, why))
    revoked = [approval.kind.value for approval in found]
    operator.out.result(
        {"location_id": location, "revoked": revoked},
        f"{location}: {', '.join(revoked)} revoked; guards hold it again from the next import on.",
    )


def _limits(product: str, fall: int | None, rise: int | None) -> list[tuple[Hold, int]]:
    """What an operator says beforehand; a single row that falls is not held."""
    if product and fall is not None:
        raise refusal("a row that falls is not held: --may-fall-to is for a location")
    found = []
    if fall is not None:
        figures = f"may fall to {fall}"
        found += [(Hold(kind, figures), fall) for kind in sorted(FALLS)]
    if rise is not None:
        kinds: Iterable[HoldKind] = _ROW_RISES if product else {HoldKind.UNITS_ROSE}
        found += [(Hold(kind, f"may rise to {rise}"), rise) for kind in sorted(kinds)]
    return found


def _bounds(
    location: str, kinds: tuple[str, ...], product: str, held: LocationHold | None
) -> list[tuple[Hold, int]]:
    """RefusedError for what cannot be approved, and for what is not held."""
    stuck = sorted(set(kinds) - APPROVABLE)
    if stuck:
        possible = ", ".join(sorted(APPROVABLE))
        raise refusal(
            f"{', '.join(stuck)} cannot be approved: put it right where it comes from."
            f" What can be approved is {possible}"
        )
    holds = held.holds if held else ()
    current = {hold.kind.value: hold for hold in holds if hold.product_id == product}
    missing = sorted(set(kinds) - current.keys())
    if missing:
        now = ", ".join(sorted(current)) or "nothing"
        if rows := sorted({hold.product_id for hold in holds} - {product, ""}):
            now += f"; rows: {', '.join(rows[:5])} (--product)"
        named = f"{location} {product}".strip()
        raise refusal(f"{named} is not held for {', '.join(missing)}; held is: {now}")
    return [(current[kind], bound_of(current[kind])) for kind in sorted(set(kinds))]
