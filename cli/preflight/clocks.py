"""The clocks of AWS, NewStore and the ERP against one another, by the header Date of an answer."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, timedelta
from email.utils import parsedate_to_datetime

from cli.preflight.check import Check, look, mend, passed
from inventory_sync.bootstrap.build_import import CLOCK_SKEW
from inventory_sync.domain.acknowledgements import ERP_CLOCK_SKEW
from inventory_sync.domain.errors import RetriableError
from inventory_sync.ports.observe import Clock

RESOLUTION = timedelta(seconds=1)
"""Of the header."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How far a clock is ahead of this machine's, and by how much that may be wrong."""

    ahead: timedelta
    off_by: timedelta


def read_clock(ask: Callable[[], str], clock: Clock) -> Reading:
    """This machine's own clock need not be right: it cancels out. RetriableError for no date."""
    before, began = clock.now(), clock.monotonic()
    header = ask()
    took = timedelta(seconds=clock.monotonic() - began)
    try:
        said = parsedate_to_datetime(header)
    except ValueError as error:
        raise RetriableError(f"its answer has no date that can be read: {header[:40]!r}") from error
    if said.tzinfo is None:
        said = said.replace(tzinfo=UTC)
    # The header leaves out the fraction of a second: on average half of one.
    ahead = said + RESOLUTION / 2 - (before + took / 2)
    return Reading(ahead=ahead, off_by=RESOLUTION / 2 + took / 2)


def clock_check(name: str, of: Reading, aws: Reading, allowed: timedelta) -> Check:
    """One side's clock against AWS's, which the functions go by."""
    ahead = of.ahead - aws.ahead
    seconds = round(ahead.total_seconds(), 1)
    surely = abs(ahead) - of.off_by - aws.off_by
    told = f"{abs(seconds):g} s {'ahead of' if seconds >= 0 else 'behind'} AWS's"
    title, figures = f"clock: {name}", {"ahead_seconds": seconds}
    if surely <= allowed:
        return passed(title, f"{told}; {allowed.total_seconds():g} s are allowed", **figures)
    if name == "ERP":
        return mend(
            title,
            f"{told}: its acknowledgements are not believed",
            "docs/connect-your-erp.md, The clock rule",
            **figures,
        )
    return look(
        title,
        f"{told}: an event might be released too early",
        "SettleWindowSeconds in docs/settings.md, longer by so much",
        **figures,
    )


def newstore_clock_check(of: Reading, aws: Reading) -> Check:
    """Events are released by NewStore's time and ours."""
    return clock_check("NewStore", of, aws, CLOCK_SKEW)


def erp_clock_check(of: Reading, aws: Reading) -> Check:
    """Acknowledgements are believed by the ERP's time and ours."""
    return clock_check("ERP", of, aws, ERP_CLOCK_SKEW)
