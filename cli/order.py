"""`order`: what became of each item of an order, by NewStore's own word."""

from dataclasses import asdict

import click

from cli.command import Operator, connected
from cli.output import columns
from inventory_sync.domain.atp import RequestedItem


@click.command()
@click.argument("order_uuid", metavar="ORDER")
@connected
def order(operator: Operator, order_uuid: str) -> None:
    """Show an order's fulfillment requests at NewStore and the status of each item.

    The last word on a unit that events and books disagree about. ORDER is NewStore's id of the
    order, the `order_id` of its events. Exit code 4 where NewStore has no request for it.

    Example: inventory-sync order 5ca1548c-d228-4f98-a54e-c54bbba0a204
    """
    items = operator.stack.stock.requested_items(order_uuid)
    operator.out.report(
        {"order_id": order_uuid, "items": [asdict(item) for item in items]},
        columns([_row(item) for item in items])
        if items
        else "NewStore has no fulfillment request for it: it is not routed, or not known.",
    )
    if not items:
        operator.out.found()


def _row(item: RequestedItem) -> dict[str, str]:
    return {
        "fulfillment_request_id": item.fulfillment_request_id,
        "fulfillment_node_id": item.fulfillment_node_id,
        "item_id": item.item_id,
        "product_id": item.product_id,
        "status": item.status,
    }
