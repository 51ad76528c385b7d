"""`watermark`: up to where NewStore has released events, and how to release some once more."""

import click

from cli.command import Operator, connected, signed
from cli.output import refusal

CONSEQUENCES = """\
What it means to move the watermark back to {value}:
  - The next import's range starts there: what was completed since is released once more. That is
    harmless; it mends allocations that NewStore did not release.
  - Events that come later with a logical timestamp up to {was} are no longer late.
  - No quantity changes. Nothing that NewStore has released becomes allocated again.
It is not needed after a failed import: the next one covers its range by itself."""


@click.group()
def watermark() -> None:
    """The logical timestamp up to which finished imports have released events."""


@watermark.command()
@connected
def show(operator: Operator) -> None:
    """Show it, and how far back it could be set now.

    Example: inventory-sync watermark show
    """
    mark = operator.stack.watermark(None).show()
    if mark is None:
        operator.out.result({"watermark": None}, "No import has finished yet.")
        return
    because = f"event {mark.lowest} of {mark.because.location_id} is open" if mark.because else ""
    operator.out.result(
        {"watermark": mark.value, "lowest": mark.lowest, "because": because or None},
        f"The watermark stands at {mark.value}; it can be moved back to {mark.lowest}"
        + (f", because {because}." if because else "."),
    )


@watermark.command("set")
@click.argument("value", type=click.IntRange(0))
@click.option("--force", is_flag=True, help="Move it behind what NewStore has finished.")
@click.option("--yes", is_flag=True, help="Answer both questions, for scripts.")
@signed
@connected
def set_value(operator: Operator, value: int, force: bool, yes: bool, who: str, why: str) -> None:
    """Move the watermark back to VALUE, so that the next import releases from there once more.

    It is refused where an event is open that NewStore may have released above VALUE: such a unit
    would be promised twice. Imports alone move the watermark forward. Asks twice.

    \b
    Example: inventory-sync watermark set 6728000 --force --why "NewStore lost a release"
    """
    if not why.strip():
        raise refusal("--why must not be empty: it is what the record is for")
    author = operator.author("watermark set", who, why)
    setter = operator.stack.watermark(author)
    shown = setter.show()
    was = shown.value if shown else None
    if not force and was is not None and value < was:
        told = CONSEQUENCES.format(value=value, was=was).splitlines()
        raise refusal(f"NewStore has finished imports up to {was}.", *told, "Use --force then")
    if not (yes or _asked_twice(value, was)):
        raise refusal("you did not say yes")
    before = setter(value)
    operator.out.result(
        {"before": before.value, "after": value},
        f"The watermark stood at {before.value} and stands at {value};"
        f" the next import's range starts there.",
    )


def _asked_twice(value: int, was: int | None) -> bool:
    click.echo(CONSEQUENCES.format(value=value, was=was), err=True)
    if not click.confirm(f"Move the watermark from {was} back to {value}?", err=True):
        return False
    again = click.prompt("Type the new value once more", err=True, default="", show_default=False)
    return str(again).strip() == str(value)
