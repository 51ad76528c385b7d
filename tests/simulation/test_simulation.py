"""The slice of the simulation that every change has to pass; `make simulate` runs more."""

import json
from pathlib import Path

import pytest

from tests.simulation.faults import RATES
from tests.simulation.mutants import MUTANTS, Mutant, seeds_to_catch
from tests.simulation.runner import run_seed

REGRESSIONS = sorted((Path(__file__).parent / "regressions").glob("*.json"))
CHUNKS, SEEDS_PER_CHUNK = 12, 25
QUICKLY_CAUGHT = {"no settle window", "no subtraction", "watermark moved before finish"}


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_no_fault_breaks_an_invariant(chunk: int) -> None:
    for seed in range(chunk * SEEDS_PER_CHUNK, (chunk + 1) * SEEDS_PER_CHUNK):
        outcome = run_seed(seed)
        assert not outcome.violation, f"seed {seed}: {outcome.violation}: {outcome.figures}"


@pytest.mark.parametrize("path", REGRESSIONS, ids=lambda path: path.stem)
def test_what_once_broke_holds(path: Path) -> None:
    case = json.loads(path.read_text())
    outcome = run_seed(case["seed"], steps=case["steps"], only=frozenset(case["faults"]))
    assert not outcome.violation, f"{outcome.violation}: {outcome.figures}"


def test_same_seed_tells_the_same_story() -> None:
    assert run_seed(11).trace == run_seed(11).trace
    assert run_seed(11).digest != run_seed(12).digest


def test_faults_strike_in_a_few_seeds_already() -> None:
    injected = set().union(*(run_seed(seed).injected for seed in range(12)))
    assert len(injected) > len(RATES) * 0.7


@pytest.mark.parametrize(
    "mutant", [m for m in MUTANTS if m.name in QUICKLY_CAUGHT], ids=lambda mutant: mutant.name
)
def test_a_safety_taken_away_is_noticed(mutant: Mutant) -> None:
    seeds, violation = seeds_to_catch(mutant, 20)
    assert seeds, "the simulation did not notice"
    assert violation in {"never_oversell", "converges", "watermark_monotonic"}
