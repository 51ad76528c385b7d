"""What is asked before anything is done, by the mode."""

from datetime import timedelta

from inventory_sync.adapters.dynamodb.shadow_times import DynamoShadowTimes
from inventory_sync.adapters.dynamodb.state_table import StateTable
from inventory_sync.config import ErpSettings
from inventory_sync.domain.cut import AppliedRule
from inventory_sync.domain.mode import Mode
from inventory_sync.ports.mode import ModeCheck
from inventory_sync.ports.observe import Clock
from inventory_sync.use_cases.mode_checks import NoteShadow, RefuseGap


def applied_rule(settings: ErpSettings, apply_lag: timedelta) -> AppliedRule:
    """When a unit counts as shown; the ERP may say a longer `apply_lag` than the setting."""
    return AppliedRule(
        apply_lag, settings.other_channel_lags, settings.go_live_at, settings.other_system_lag
    )


def mode_check(settings: ErpSettings, table: StateTable, function: str, clock: Clock) -> ModeCheck:
    """A shadow's function notes its time under its name."""
    times = DynamoShadowTimes(table, function)
    rule = applied_rule(settings, settings.apply_lag)
    if settings.mode is Mode.SHADOW:
        return NoteShadow(times=times, rule=rule, clock=clock)
    return RefuseGap(times=times, rule=rule)
