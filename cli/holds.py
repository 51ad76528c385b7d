"""`holds`: locations and rows whose figures an operator has to look at."""

from collections import Counter

import click

from cli.command import Operator, connected
from inventory_sync.domain.guards import HoldKind


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
            "product_id": None,
            "kind": HoldKind.OPERATOR.value,
            "since": held.at,
            "approved": None,
            "figures": f"{held.who}: {held.why}",
        }
        for location_id, held in sorted(operator.store.operator_holds().items())
    ]
    for location_id, held in sorted(operator.store.holds().items()):
        given = [a for a in approvals.get(location_id, ()) if a.in_force(operator.now)]
        rows += [
            {
                "location_id": location_id,
                "product_id": hold.product_id or None,
                "kind": hold.kind.value,
                "since": held.since,
                "approved": next((a.who for a in given if a.covers(hold)), None),
                "figures": hold.figures,
            }
            for hold in held.holds
            if hold.kind is not HoldKind.OPERATOR
        ]
    operator.out.table("holds", rows, "No location is held.")


@holds.command("approvals")
@connected
def list_approvals(operator: Operator) -> None:
    """Show the approvals that no import has used yet, and those that last.

    `units` is what they let through: no fewer where a location falls, no more where it rises.

    Example: inventory-sync holds approvals
    """
    rows: list[dict[str, object]] = [
        {
            "location_id": approval.location_id,
            "product_id": approval.product_id or None,
            "kind": approval.kind.value,
            "units": approval.bound_units,
            "ends_at": approval.ends_at,
            "lasts": approval.until is not None,
            "who": approval.who,
            "why": approval.why,
            "figures": approval.figures,
        }
        for _, given in sorted(operator.store.approvals().items())
        for approval in given
        if approval.in_force(operator.now)
    ]
    operator.out.table("approvals", rows, "No approval is pending.")


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
