"""Whether a stack is live or a shadow, by what it is deployed with; and what keeps it from going
live after a shadow."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from cli.command import Operator
from cli.stack import IMPORT_FUNCTION
from cli.text import instant
from inventory_sync.bootstrap.mode_checks import applied_rule
from inventory_sync.config import Environment, ErpSettings
from inventory_sync.domain.errors import FatalError, InventorySyncError
from inventory_sync.domain.mode import Mode
from inventory_sync.domain.shadow_time import refuse_gap

CUT_OVER = "docs/deploy.md, Cut over"


@dataclass(frozen=True, slots=True, kw_only=True)
class StackMode:
    """`shadow_until` is up to when it has left to another system what shipped, if ever.

    `waits` says what the stack waits for, or why its functions refuse to work; empty where neither.
    """

    mode: Mode
    shadow_until: datetime | None = None
    waits: str = ""

    @property
    def is_shadow(self) -> bool:
        """Another system books and imports."""
        return self.mode is Mode.SHADOW

    @property
    def in_words(self) -> str:
        """In a line."""
        if self.is_shadow:
            return "shadow: another system books and imports, see `shadow report`"
        return "live" + (
            f", a shadow until {instant(self.shadow_until)}" if self.shadow_until else ""
        )


def mode_of(operator: Operator) -> StackMode:
    """By the import function's settings; those that cannot be read are another look's matter."""
    until = operator.stack.shadow_until()
    try:
        variables = operator.stack.variables(IMPORT_FUNCTION)
    except InventorySyncError as error:
        told = f"whether this stack is live or a shadow is not known: {error}"
        return StackMode(mode=Mode.LIVE, shadow_until=until, waits=told)
    try:
        settings = ErpSettings.read(Environment(variables))
    except FatalError:
        named = variables.get("SYNC_MODE", "") == Mode.SHADOW.value
        return StackMode(mode=Mode.SHADOW if named else Mode.LIVE, shadow_until=until)
    return stack_mode(settings, until, operator.now)


def stack_mode(settings: ErpSettings, until: datetime | None, now: datetime) -> StackMode:
    """What settings and a shadow's notes come to."""
    return StackMode(mode=settings.mode, shadow_until=until, waits=_waits(settings, until, now))


def _waits(settings: ErpSettings, until: datetime | None, now: datetime) -> str:
    if settings.mode is Mode.SHADOW:
        at = settings.go_live_at
        if at is None or at > now:
            return ""
        return (
            f"GoLiveAt, {instant(at)}, has passed: nobody books what ships since, until Mode is"
            f" live; see {CUT_OVER}"
        )
    try:
        if until is not None:
            refuse_gap(until, applied_rule(settings, settings.apply_lag))
    except FatalError as error:
        return f"nothing is booked or imported: {error}"
    return ""
