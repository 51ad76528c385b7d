"""`python -m tests.exhaust [SIZE]`: search every order of a few steps and say how many there are.

Exits with 1 at the first state in which an invariant does not hold, with the story that led to it.
"""

import sys
import time

from tests.exhaust.plans import plans
from tests.exhaust.search import Found, Plan, Search

DEPTH_MAX = 20_000


def main(size: int = 1) -> int:
    """A line for each plan."""
    sys.setrecursionlimit(DEPTH_MAX)
    states = paths = 0
    for plan in plans(size):
        begun = time.process_time()
        found = Search(plan)()
        states, paths = states + found.states, paths + found.paths
        if found.violation:
            _tell(plan, found)
            return 1
        print(
            f"{plan.name}: {found.states:,} states, {found.steps:,} steps, {found.paths:,} orders,"
            f" {found.ends:,} ends, {time.process_time() - begun:.1f} s",
            flush=True,
        )
    print(f"every invariant holds in all of {states:,} states, after each of {paths:,} orders")
    return 0


def _tell(plan: Plan, found: Found) -> None:
    print(f"{plan.name}: {found.violation}: {found.figures}")
    print("\n".join(found.story))


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:2])))
