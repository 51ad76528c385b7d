"""The small worlds that are searched; each has its own view of what is done step by step."""

from dataclasses import replace
from itertools import product
from typing import get_args

from inventory_sync.domain.reading import ReleaseReading
from local.newstore.truth import RangeScope
from tests.exhaust.search import Budget, Plan
from tests.exhaust.small_world import Rules

FORWARD, IMPORT = frozenset({"forward"}), frozenset({"import"})
EVERY_RANGE = tuple(
    Rules(range_scope=scope, range_start_released=released)
    for scope, released in product(get_args(RangeScope), (True, False))
)


OTHER_READINGS = (
    Rules(reading=ReleaseReading.FIND_OUT),
    Rules(release="immediate", reading=ReleaseReading.IMMEDIATE),
)


def plans(size: int) -> list[Plan]:
    """Size 1 is what every change has to pass; each size more allows more of every kind of step."""
    more = size - 1
    found = [
        Plan(
            "two forwarders at once",
            Budget(forwards=2 + more, crashes=1, lost_answers=1),
            FORWARD,
            shipped_first=True,
            forwarders_at_once=2,
        ),
        Plan(
            "two forwarders at once, an ERP that is looked up",
            Budget(forwards=2 + more, waits=1, crashes=1, lost_answers=more),
            FORWARD,
            shipped_first=True,
            forwarders_at_once=2,
            rules=Rules(dedupe="lookup"),
        ),
        Plan(
            "an import beside a forwarder",
            Budget(forwards=1 + more, ticks=1 + more, waits=more),
            FORWARD | IMPORT,
            shipped_first=True,
        ),
        Plan(
            "an import that crashes",
            Budget(forwards=more, ticks=2, waits=1, crashes=1),
            IMPORT,
            shipped_first=True,
        ),
        Plan(
            "an import whose answers are lost",
            Budget(forwards=more, ticks=2, waits=1, lost_answers=1),
            IMPORT,
            shipped_first=True,
        ),
        Plan(
            "units shipped and delivered while an import runs",
            Budget(forwards=1 + more, ticks=1 + more, waits=1 + more),
            IMPORT,
        ),
    ]
    late = Plan(
        "deliveries late, repeated and replayed, whole imports between them",
        Budget(forwards=1 + more, ticks=2 + more, waits=1, repeats=more, replays=1),
        frozenset(),
    )
    under_way = found[-1]
    for rules in OTHER_READINGS:
        for plan in (late, under_way) if size > 1 else (late,):
            name = f"{plan.name}; {rules.release} at NewStore, set to {rules.reading}"
            found.append(replace(plan, name=name, rules=rules))
    for rules in EVERY_RANGE:
        name = f"{late.name}; range of {rules.range_scope}"
        start = "with" if rules.range_start_released else "without"
        found.append(replace(late, name=f"{name} {start} its start", rules=rules))
    return found
