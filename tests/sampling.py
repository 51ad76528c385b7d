"""A pytest plugin: of a sweep's cases `make test` runs a sample, `make check` (SWEEPS=full) all.

A sweep is a test marked `@pytest.mark.sweep`. Its sample shows each value of every parameter, in as
few cases as that takes; of `@pytest.mark.sweep(sample=n)` it is n cases, evenly spread. The sample
is always the same; a case that is named on the command line runs.
"""

import os
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pytest

Case = frozenset[tuple[str, str]]
"""Each parameter, and its value as text."""


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "sweep(sample): has cases that only `make check` runs")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if os.environ.get("SWEEPS") == "full":
        return
    left_out: set[pytest.Item] = set()
    for marker, swept in _sweeps(items):
        sample = sample_of([_case(item) for item in swept], marker.kwargs.get("sample"))
        left_out |= {item for number, item in enumerate(swept) if number not in sample}
    config.hook.pytest_deselected(items=[item for item in items if item in left_out])
    items[:] = [item for item in items if item not in left_out]


def sample_of(cases: Sequence[Case], size: int | None) -> set[int]:
    """Which of them, by their places."""
    if size is None:
        return covering(cases)
    return {number * len(cases) // size for number in range(size)}


def covering(cases: Sequence[Case]) -> set[int]:
    """The first that shows most of what was not seen yet, and so on until all was."""
    missing, chosen = Case().union(*cases), set[int]()
    while missing:
        best = max(range(len(cases)), key=lambda number: len(cases[number] & missing))
        chosen.add(best)
        missing -= cases[best]
    return chosen


def _sweeps(items: Iterable[pytest.Item]) -> Iterable[tuple[pytest.Mark, list[pytest.Item]]]:
    found: Mapping[str, list[Any]] = defaultdict(list)
    for item in items:
        if marker := item.get_closest_marker("sweep"):
            found[item.nodeid.partition("[")[0]].append((marker, item))
    return [(marked[0][0], [item for _, item in marked]) for marked in found.values()]


def _case(item: Any) -> Case:
    return frozenset((name, repr(value)) for name, value in item.callspec.params.items())
