"""What a check comes to: one line, and what mends it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from cli.findings import Findings
from inventory_sync.domain.errors import InventorySyncError


class State(StrEnum):
    """How a check ended."""

    PASSED = "passed"
    LOOK = "look"
    """A person decides whether it is right."""
    MEND = "mend"
    """It will not work as it is."""
    NOT_CHECKED = "not_checked"
    """Something before it has to be mended first."""


TOLD = {
    State.PASSED: "passed",
    State.LOOK: "look at this",
    State.MEND: "must be mended",
    State.NOT_CHECKED: "not checked",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """`remedy` is the command or the page that mends it; empty where nothing has to be."""

    name: str
    state: State
    found: str
    remedy: str = ""
    figures: Mapping[str, object] = field(default_factory=dict)


def passed(name: str, found: str, **figures: object) -> Check:
    """It is right."""
    return Check(name=name, state=State.PASSED, found=found, figures=figures)


def look(name: str, found: str, remedy: str, **figures: object) -> Check:
    """It may be right."""
    return Check(name=name, state=State.LOOK, found=found, remedy=remedy, figures=figures)


def mend(name: str, found: str, remedy: str, **figures: object) -> Check:
    """It is wrong."""
    return Check(name=name, state=State.MEND, found=found, remedy=remedy, figures=figures)


def not_checked(name: str, because: str) -> Check:
    """Another check says what to do first."""
    return Check(name=name, state=State.NOT_CHECKED, found=because)


def by_findings(
    name: str, ask: Callable[[Findings], None], remedy: str, state: State = State.MEND
) -> Check:
    """What `status` finds, as a check: a concern of it is the line."""
    found = Findings()
    ask(found)
    if found.concerns:
        return Check(name=name, state=state, found="; ".join(found.concerns), remedy=remedy)
    return passed(name, "; ".join(str(line["state"]) for line in found.lines))


def tried(name: str, make: Callable[[], Check], remedy: str, state: State = State.MEND) -> Check:
    """The check, or why it could not be made."""
    try:
        return make()
    except InventorySyncError as error:
        return Check(name=name, state=state, found=str(error), remedy=remedy)
