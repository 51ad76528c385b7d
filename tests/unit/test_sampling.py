"""`make test` runs a sample of each sweep, `make check` all of it; see tests/sampling.py."""

import os
import subprocess
import sys
from itertools import product
from pathlib import Path

import pytest

from tests.apps import ROOT
from tests.sampling import sample_of

SWEEPS = """
import pytest

@pytest.mark.sweep
@pytest.mark.parametrize("a", "ABC")
@pytest.mark.parametrize("b", "DE")
def test_matrix(a, b): ...

@pytest.mark.sweep(sample=2)
@pytest.mark.parametrize("n", range(10))
def test_row(n): ...

@pytest.mark.parametrize("n", range(3))
def test_other(n): ...
"""


def collected(folder: Path, *arguments: str, **environment: str) -> list[str]:
    (folder / "test_some.py").write_text(SWEEPS)
    words = ["-m", "pytest", "-p", "tests.sampling", "--collect-only", "-q", *arguments]
    done = subprocess.run(
        [sys.executable, *words],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    return [line.partition("::")[2] for line in done.stdout.splitlines() if "::" in line]


def test_a_sample_of_each_sweep_is_run_and_all_of_every_other_test(tmp_path: Path) -> None:
    assert collected(tmp_path) == [
        "test_matrix[D-A]", "test_matrix[D-C]", "test_matrix[E-B]", "test_row[0]", "test_row[5]",
        "test_other[0]", "test_other[1]", "test_other[2]",
    ]  # fmt: skip


def test_all_of_it_is_run_where_that_is_asked_for(tmp_path: Path) -> None:
    assert len(collected(tmp_path, SWEEPS="full")) == 6 + 10 + 3


def test_a_case_that_is_named_is_run(tmp_path: Path) -> None:
    assert collected(tmp_path, "test_some.py::test_row[7]") == ["test_row[7]"]


@pytest.mark.parametrize("sizes", [(2, 3), (5, 7), (4, 4), (1, 6)])
def test_the_sample_of_a_matrix_shows_each_value_in_as_few_cases_as_that_takes(
    sizes: tuple[int, int],
) -> None:
    rows, columns = sizes
    pairs = list(product(range(rows), range(columns)))

    cases = [frozenset({("row", str(row)), ("column", str(column))}) for row, column in pairs]
    sample = sample_of(cases, None)

    chosen = [pairs[number] for number in sample]
    assert {row for row, _ in chosen} == set(range(rows))
    assert {column for _, column in chosen} == set(range(columns))
    assert len(chosen) == max(sizes)
