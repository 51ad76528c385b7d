"""`hold`, `pause` and `resume`: what an operator keeps out of imports, until they resume it."""

import click

from cli.command import Operator, connected, signed
from cli.output import refusal
from inventory_sync.domain.holds import ALL_IMPORTS, OperatorHold

_WHY = "--why must not be empty: whoever is called at night has to know"


@click.command()
@click.argument("location")
@signed
@connected
def hold(operator: Operator, location: str, who: str, why: str) -> None:
    """Keep the stock of LOCATION out of imports until it is resumed.

    The ERP is not asked for it. What is shipped there is taken off the last quantities, so that
    nothing oversells; receipts wait. The other locations go on.

    \b
    Example: inventory-sync hold DC01 --why "stock-take until noon"
    """
    _hold(operator, location, who, why, "hold")


@click.command()
@click.argument("location", required=False)
@click.option("--all", "everything", is_flag=True, help="All imports.")
@signed
@connected
def pause(operator: Operator, location: str | None, everything: bool, who: str, why: str) -> None:
    """Stop all imports until they are resumed; with a LOCATION, the same as `hold`.

    No run is begun, and no job created or started at NewStore. What NewStore has started is
    followed to its end, since the books have to say what it did. Events go on to the ERP.

    \b
    Example: inventory-sync pause --all --why "the ERP shows figures of another year"
    """
    _hold(operator, _target(location, everything), who, why, "pause")


@click.command()
@click.argument("location", required=False)
@click.option("--all", "everything", is_flag=True, help="All imports.")
@signed
@connected
def resume(operator: Operator, location: str | None, everything: bool, who: str, why: str) -> None:
    """End the hold of LOCATION, or the pause of all imports.

    The next run reads the location again, and guards judge its figures. A pause and the holds of
    locations are resumed each by itself.

    \b
    Example: inventory-sync resume DC01 --why "counted"
    """
    target = _target(location, everything)
    if not operator.changes.resume(target, operator.author("resume", who, why)):
        raise refusal(f"no operator holds {_named(target)}; see `holds list`")
    operator.out.result(
        {"location_id": target, "resumed": True},
        f"{_named(target)}: resumed; the next tick continues the import.",
    )


def _hold(operator: Operator, target: str, who: str, why: str, command: str) -> None:
    if not why.strip():
        raise refusal(_WHY)
    if target != ALL_IMPORTS:
        operator.require_location(target)
    author = operator.author(command, who, why)
    operator.changes.hold(
        OperatorHold(location_id=target, who=who, why=why, at=operator.now), author
    )
    again = "--all" if target == ALL_IMPORTS else target
    operator.out.result(
        {"location_id": target, "held": True, "who": who, "why": why},
        f"{_named(target)}: held from the next step on, until `resume {again}`.",
    )


def _target(location: str | None, everything: bool) -> str:
    if everything == (location is not None):
        raise refusal("name a LOCATION, or --all for all imports, and not both")
    return location or ALL_IMPORTS


def _named(target: str) -> str:
    return "imports" if target == ALL_IMPORTS else target
