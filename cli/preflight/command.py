"""`preflight`: whether everything is set up; the first thing after a deployment."""

from collections import Counter

import click

from cli.command import Operator, connected
from cli.preflight.check import TOLD, Check, State
from cli.preflight.session import Session
from cli.progress import progress

NAME_CHARACTERS = 28
STATE_CHARACTERS = max(map(len, TOLD.values()))


@click.command()
@click.option("--url", help="The webhook, where it is not the stack's own address.")
@click.option(
    "--locations",
    "size",
    default=10,
    show_default=True,
    type=click.IntRange(1, 10_000),
    help="Of which the ERP's stock is read.",
)
@connected
def preflight(operator: Operator, url: str | None, size: int) -> None:
    """Check that everything is set up: both sides' credentials, stream, webhook, clocks, map, ERP.

    It changes nothing: it reads, and calls the webhook with what is stored nowhere. One line for
    each check, with the command or the page that mends what is wrong. A sample of the ERP's stock
    is read, to say how long an import takes and how large the first one is.

    Exit code 0 where all passed, else 4.

    Example: inventory-sync preflight --stack inventory-sync-staging
    """
    with progress("preflight") as line:
        checks = list(Session(operator, url, size, line).checks())
    counts = Counter(check.state for check in checks)
    operator.out.report(
        {
            **{state.value: counts[state] for state in State},
            "checks": [
                {
                    "check": check.name,
                    "state": check.state.value,
                    "found": check.found,
                    "remedy": check.remedy or None,
                    "figures": dict(check.figures),
                }
                for check in checks
            ],
        },
        *map(_line, checks),
        "",
        ", ".join(f"{counts[state]} {TOLD[state]}" for state in State if counts[state]) + ".",
    )
    if counts[State.PASSED] < len(checks):
        operator.out.found()


def _line(check: Check) -> str:
    remedy = f" -> {check.remedy}" if check.remedy else ""
    state = TOLD[check.state].ljust(STATE_CHARACTERS)
    return f"{state}  {check.name.ljust(NAME_CHARACTERS)}  {check.found}{remedy}"
