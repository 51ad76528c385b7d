"""Stories for a stack on which time is real: a minute lasts 0.6 seconds."""

from typing import Any

from local.scenario import Scenario

TIMES = 100
PARAMETERS = {
    "SettleWindowSeconds": "4",  # 900 by default; five seconds for the clocks are added
    "ImportSchedule": "rate(1 day)",  # the story says when
}
ONE_ATTEMPT = {"HTTP_ATTEMPTS_MAX": "1"}
"""A repeat would wait for longer than an outage lasts."""


def hurried(scenario: Scenario) -> Scenario:
    """The same story, with shorter waits."""
    steps = [
        step.model_copy(update={"minutes": step.minutes / TIMES})
        if hasattr(step, "minutes")
        else step
        for step in scenario.steps
    ]
    update: dict[str, Any] = {
        "steps": steps,
        "parameters": {**PARAMETERS, **scenario.parameters},
        "settings": {**ONE_ATTEMPT, **scenario.settings},
    }
    return scenario.model_copy(update=update)
