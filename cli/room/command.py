"""`room`: the control room over a deployed stack, on this machine, for a browser."""

import click

from cli.command import Operator, connected
from cli.progress import progress
from cli.room.history import History
from cli.room.operator_reader import OperatorReader
from cli.room.picture import picture
from cli.room.server import room_server
from inventory_sync.domain.errors import RetriableError

PORT_MAX = 65_535


@click.command()
@click.option(
    "--port",
    default=8080,
    show_default=True,
    type=click.IntRange(0, PORT_MAX),
    help="0 takes a free one.",
)
@click.option(
    "--every",
    default=30,
    show_default=True,
    type=click.IntRange(5, 3600),
    help="Seconds between two looks.",
)
@connected
def room(operator: Operator, port: int, every: int) -> None:
    """Serve a page on 127.0.0.1 that shows the stack at a glance; Ctrl-C ends it.

    Status, runs, holds, the last reconciliation, four figures with their goals, and any row by
    search with its sum and history. Reads with your credentials and changes nothing. No table is
    read whole: the sweep's metrics say how many events are open.

    Example: inventory-sync room --stack inventory-sync
    """
    history, reader = History(), OperatorReader(operator)
    with progress("reading the stack"):
        history.add(picture(reader.read()))
    server = room_server(history, f"Stack {operator.stack.name}", reader)
    try:
        server.start(port)
    except OSError as error:
        raise click.UsageError(f"port {port} cannot be used ({error}); name another") from error
    try:
        told = {"url": server.base_url}
        operator.out.result(told, f"Control room: {server.base_url} (Ctrl-C ends it)")
        while True:
            operator.stack.connect.sleep(every)
            _look(operator, reader, history)
    except KeyboardInterrupt:
        click.echo()
    finally:
        history.close()
        server.stop()


def _look(operator: Operator, reader: OperatorReader, history: History) -> None:
    """What passes is tried again: the page keeps what it has."""
    try:
        history.add(picture(reader.read()), repeat=False)
    except RetriableError as error:
        operator.out.failed(f"cannot read the stack, trying on: {error}")
