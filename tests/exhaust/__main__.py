"""`python -m tests.exhaust [SIZE]`: search every order of a few steps and say how many there are.

Each plan is searched in a process of its own, as many at once as there are processors. Exits with 1
where an invariant does not hold in some state, with the story that led to it.
"""

import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from functools import partial

from tests.exhaust.plans import plans
from tests.exhaust.search import Found, Search

DEPTH_MAX = 20_000


def main(size: int = 1) -> int:
    """A line for each plan."""
    names = [plan.name for plan in plans(size)]
    states = paths = 0
    with ProcessPoolExecutor(max_workers=os.cpu_count()) as pool:
        searches = pool.map(partial(_searched, size), range(len(names)))
        for name, (found, seconds) in zip(names, searches, strict=True):
            states, paths = states + found.states, paths + found.paths
            if found.violation:
                _tell(name, found)
                pool.shutdown(cancel_futures=True)
                return 1
            print(
                f"{name}: {found.states:,} states, {found.steps:,} steps, {found.paths:,} orders,"
                f" {found.ends:,} ends, {seconds:.1f} s",
                flush=True,
            )
    print(f"every invariant holds in all of {states:,} states, after each of {paths:,} orders")
    return 0


def _searched(size: int, number: int) -> tuple[Found, float]:
    """The plan of that number, and the seconds that it took the processor."""
    sys.setrecursionlimit(DEPTH_MAX)
    begun = time.process_time()
    found = Search(plans(size)[number])()
    return found, time.process_time() - begun


def _tell(name: str, found: Found) -> None:
    print(f"{name}: {found.violation}: {found.figures}")
    print("\n".join(found.story))


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:2])))
