"""`stream rejected`: events that NewStore keeps because our webhook answered 400 to them."""

import json

import click

from cli.command import Operator, connected, note_change, signed
from cli.output import refusal
from inventory_sync.domain.errors import RetriableError
from inventory_sync.domain.wording import counted

KIND = "rejected_event"


@click.group()
def rejected() -> None:
    """Events that our webhook rejected: NewStore keeps 30 of them, then it stops the stream."""


@rejected.command(name="list")
@connected
def list_rejected(operator: Operator) -> None:
    """List them, the oldest first. Exit code 4 where there are any.

    The stream check has those sent again that the webhook would take now.

    Example: inventory-sync stream rejected list
    """
    desk = operator.stack.stream_admin
    found = desk.records.rejected_events(desk.stream_id)
    rows = [{"id": one.rejected_id, "rejected_at": one.rejected_at} for one in found]
    operator.out.table("rejected_events", rows, "None.")
    if found:
        operator.out.found()


@rejected.command()
@click.argument("rejected_id", metavar="ID")
@connected
def show(operator: Operator, rejected_id: str) -> None:
    """Show the event behind an ID of the list.

    Example: inventory-sync stream rejected show 1a8a5052-8741-4daf-982e-e0a12990335a
    """
    body = json.loads(_body(operator, rejected_id))
    operator.out.report(
        {"id": rejected_id, "event": body}, *json.dumps(body, indent=2).splitlines()
    )


@rejected.command()
@click.argument("rejected_ids", metavar="[ID]...", nargs=-1)
@click.option("--all", "every", is_flag=True, help="All of the list.")
@signed
@connected
def retry(
    operator: Operator, rejected_ids: tuple[str, ...], every: bool, who: str, why: str
) -> None:
    """Have NewStore send events once more. Those that the webhook takes leave the list.

    Exit code 4 where some are left: what our webhook answered is in the ingest function's log.

    Example: inventory-sync stream rejected retry --all --why "webhook mended"
    """
    author = operator.author("stream rejected retry", who, why)
    if bool(rejected_ids) == every:
        raise refusal("name the events to retry, or say --all")
    desk = operator.stack.stream_admin
    if every:
        listed = desk.records.rejected_events(desk.stream_id)
        rejected_ids = tuple(one.rejected_id for one in listed)
    left = {}
    for rejected_id in rejected_ids:
        note_change(operator, KIND, rejected_id, {"asked": "retry"}, author)
        try:
            desk.records.retry_rejected(desk.stream_id, rejected_id)
        except RetriableError as error:
            left[rejected_id] = str(error)
    taken = len(rejected_ids) - len(left)
    operator.out.result(
        {"taken": taken, "left": left},
        f"taken: {counted(taken, 'event')}, left: {len(left)}.",
        *(f"! {rejected_id}: {reason}" for rejected_id, reason in left.items()),
    )
    if left:
        operator.out.found()


@rejected.command()
@click.argument("rejected_id", metavar="ID")
@signed
@connected
def delete(operator: Operator, rejected_id: str, who: str, why: str) -> None:
    """Have NewStore forget an event. It is kept nowhere else: look at it first, or retry it.

    Example: inventory-sync stream rejected delete 1a8a5052-8741-4daf-982e-e0a12990335a --why "test"
    """
    author = operator.author("stream rejected delete", who, why)
    body = json.loads(_body(operator, rejected_id))
    figures = {
        "asked": "delete",
        "event": body.get("name"),
        "published_at": body.get("published_at"),
    }
    note_change(operator, KIND, rejected_id, figures, author)
    desk = operator.stack.stream_admin
    desk.records.delete_rejected(desk.stream_id, rejected_id)
    operator.out.result({**figures, "id": rejected_id}, f"{rejected_id} is deleted.")


def _body(operator: Operator, rejected_id: str) -> bytes:
    desk = operator.stack.stream_admin
    body = desk.records.rejected_event(desk.stream_id, rejected_id)
    if body is None:
        raise refusal(f"NewStore keeps no rejected event {rejected_id}; see `stream rejected list`")
    return body
