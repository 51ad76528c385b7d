"""What a person may do to the simulated ERP over HTTP: POST /_control/<action> with a JSON body."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from local.erp.model import ErpModel
from local.http_server import CallRefusedError

STOCK_ACTIONS = ("set_stock", "receive", "correct", "sell_at_counter")
"""Body: location, product, units."""


def run_control(model: ErpModel, action: str, body: Mapping[str, Any]) -> None:
    """CallRefusedError 404 for an unknown action, 400 for arguments that are not its own."""
    actions = actions_of(model)
    if action not in actions:
        raise CallRefusedError(404, f"unknown action; known: {sorted(actions)}")
    try:
        actions[action](**body)
    except TypeError as error:
        raise CallRefusedError(400, f"wrong arguments: {error}") from error


def actions_of(model: ErpModel) -> dict[str, Callable[..., None]]:
    """By their names; docs/local-aws.md lists them."""

    def stock_action(name: str) -> Callable[..., None]:
        def act(location: str, product: str, units: int) -> None:
            getattr(model, name)((location, product), units)

        return act

    def reject_product(product: str, reason: str) -> None:
        model.rejected_products[product] = reason

    def accept_product(product: str) -> None:
        model.rejected_products.pop(product, None)

    return {
        **{name: stock_action(name) for name in STOCK_ACTIONS},
        "add_location": model.add_location,
        "reject_product": reject_product,
        "accept_product": accept_product,
        "truncate_next_snapshot": model.truncate_next_snapshot,
        "empty_next_snapshot": model.empty_next_snapshot,
        "forget_changes": model.changes.forget,
        "repeat_next_cursor": model.repeat_next_cursor,
        "down_for": model.faults.down_for,
        "refuse_next": model.faults.refuse_next,
        "lose_next_answer": model.faults.lose_next_answer,
        "garble_next": model.faults.garble_next,
        "slow_next": model.faults.slow_next,
    }
