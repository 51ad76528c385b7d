"""`holds` and `approve`: locations whose figures an operator has to look at."""

from collections import Counter

import click

from cli.command import Operator, connected
from cli.output import refusal
from inventory_sync.domain.guards import APPROVABLE, HoldKind
from inventory_sync.domain.holds import Approval, LocationHold

KINDS = [kind.value for kind in HoldKind]


@click.group()
def holds() -> None:
    """Locations whose stock is not imported until somebody has looked at it."""


@holds.command("list")
@connected
def list_holds(operator: Operator) -> None:
    """Show what is held, since when and by which figures, and what is approved already.

    The kind `operator` is what an operator holds; the location `imports` stands for all of them.

    Example: inventory-sync holds list
    """
    approvals = operator.store.approvals()
    rows: list[dict[str, object]] = [
        {
            "location_id": location_id or "imports",
            "kind": HoldKind.OPERATOR.value,
            "since": held.at,
            "approved": None,
            "figures": f"{held.who}: {held.why}",
        }
        for location_id, held in sorted(operator.store.operator_holds().items())
    ]
    for location_id, held in sorted(operator.store.holds().items()):
        approval = approvals.get(location_id)
        rows += [
            {
                "location_id": location_id,
                "kind": hold.kind.value,
                "since": held.since,
                "approved": approval.who if approval and hold.kind in approval.kinds else None,
                "figures": hold.figures,
            }
            for hold in held.holds
            if hold.kind is not HoldKind.OPERATOR
        ]
    operator.out.table("holds", rows, "No location is held.")


@holds.command("mispicks")
@connected
def list_mispicks(operator: Operator) -> None:
    """Show rows of which a unit was not found, until an import has seen that it is over.

    Once it was found, `resend` the row by name; once the ERP was corrected the hold ends by itself.

    Example: inventory-sync holds mispicks
    """
    found = (e.event for e in operator.stack.event_log.open_events() if e.event.mispicked)
    rows = [
        {
            "location_id": event.location_id,
            "product_id": product_id,
            "units": units,
            "since": event.published_at,
            "fulfillment_request_id": event.fulfillment_request_id,
        }
        for event in sorted(found, key=lambda event: event.ref)
        for product_id, units in sorted(Counter(event.mispicked).items())
    ]
    operator.out.table("mispicks", rows, "No unit is missing.")


@click.command()
@click.argument("location")
@click.option(
    "--kind",
    "kinds",
    multiple=True,
    required=True,
    metavar="KIND",
    type=click.Choice(KINDS),
    help="As `holds list` shows it.",
)
@click.option("--who", required=True, help="Your name.")
@click.option("--why", required=True, help="How you know that the figures are right.")
@connected
def approve(operator: Operator, location: str, kinds: tuple[str, ...], who: str, why: str) -> None:
    """Let one import of LOCATION through the guards of these KINDs (--kind may be repeated).

    The approval counts for 24 hours and is used up by the first import that needs it and
    finishes. It lets through what the guard says then, so look at the figures first.

    \b
    Example: inventory-sync approve DC01 --kind units_fell --who "Ada" --why "counted today"
    """
    if not why.strip():
        raise refusal("--why must not be empty: it is what the record is for")
    check_kinds(location, kinds, operator.store.holds().get(location))
    approval = Approval(
        location_id=location,
        kinds=tuple(sorted(set(kinds))),
        who=who,
        why=why,
        at=operator.now,
    )
    operator.changes.approve(approval, operator.author("approve", who, why))
    operator.out.result(
        {"location_id": location, "approved": list(approval.kinds)},
        f"{location}: {', '.join(approval.kinds)} approved by {who} for the next import.",
    )


def check_kinds(location: str, kinds: tuple[str, ...], held: LocationHold | None) -> None:
    """RefusedError for what cannot be approved, and for what is not held."""
    stuck = sorted(set(kinds) - APPROVABLE)
    if stuck:
        possible = ", ".join(sorted(APPROVABLE))
        raise refusal(
            f"{', '.join(stuck)} cannot be approved: put it right where it comes from."
            f" What can be approved is {possible}"
        )
    current = {hold.kind.value for hold in held.holds} if held else set()
    missing = sorted(set(kinds) - current)
    if missing:
        now = ", ".join(sorted(current)) or "nothing"
        raise refusal(f"{location} is not held for {', '.join(missing)}; held is: {now}")
