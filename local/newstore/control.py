"""What a person may let happen at the simulated NewStore: POST /_control/<action>, a JSON body."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from local.http_server import CallRefusedError
from local.newstore.events import Event
from local.newstore.model import NewStoreModel


def run_control(model: NewStoreModel, action: str, body: Mapping[str, Any]) -> Event:
    """The event that NewStore publishes.

    CallRefusedError 404 for an unknown action, 400 for arguments that are not its own, 409 for
    what cannot happen.
    """
    actions = _actions(model)
    if action not in actions:
        raise CallRefusedError(404, f"unknown action; known: {sorted(actions)}")
    try:
        return actions[action](**body)
    except TypeError as error:
        raise CallRefusedError(400, f"wrong arguments: {error}") from error
    except (KeyError, ValueError) as error:
        raise CallRefusedError(409, f"cannot happen: {error}") from error


def _actions(model: NewStoreModel) -> dict[str, Callable[..., Event]]:
    def order(
        request: str, location: str, product: str, units: int = 1, order: str = "order-1"
    ) -> Event:
        items = [(f"{request}-{number}", product) for number in range(1, units + 1)]
        return model.assign(request, order, location, items)

    def ship(request: str) -> Event:
        return model.complete(request)

    def fail(request: str) -> Event:
        return model.fail(request)

    return {"order": order, "ship": ship, "fail": fail}
