"""What a person may let happen at the simulated NewStore: POST /_control/<action>, a JSON body."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from local.http_server import CallRefusedError
from local.newstore.events import Event
from local.newstore.model import NewStoreModel


def run_control(model: NewStoreModel, action: str, body: Mapping[str, Any]) -> Event:
    """The event that NewStore publishes; empty where it publishes none.

    CallRefusedError 404 for an unknown action, 400 for arguments that are not its own, 409 for
    what cannot happen.
    """
    actions = actions_of(model)
    if action not in actions:
        raise CallRefusedError(404, f"unknown action; known: {sorted(actions)}")
    try:
        return actions[action](**body)
    except TypeError as error:
        raise CallRefusedError(400, f"wrong arguments: {error}") from error
    except (KeyError, ValueError) as error:
        raise CallRefusedError(409, f"cannot happen: {error}") from error


def actions_of(model: NewStoreModel) -> dict[str, Callable[..., Event]]:
    """By their names; docs/local-aws.md lists them."""

    def order(
        request: str, location: str, product: str, units: int = 1, order: str = "order-1"
    ) -> Event:
        items = [(f"{request}-{number}", product) for number in range(1, units + 1)]
        return model.assign(request, order, location, items)

    def ship(request: str) -> Event:
        return model.complete(request)

    def fail(request: str) -> Event:
        return model.fail(request)

    def fail_next_job(reason: str = "internal error") -> Event:
        model.jobs.fail_next_job(reason=reason)
        return {}

    def set_imported(location: str, product: str, units: int) -> Event:
        model.set_imported((location, product), units)
        return {}

    return {
        "order": order,
        "ship": ship,
        "fail": fail,
        "fail_next_job": fail_next_job,
        "set_imported": set_imported,
    }
