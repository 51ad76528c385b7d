"""300 seeds in `make check`, a sample of them in `make test`; `make simulate` runs more."""

import json
from pathlib import Path
from random import Random

import pytest

from inventory_sync.domain.manifest import Finalization
from tests.simulation.__main__ import main
from tests.simulation.faults import RATES
from tests.simulation.mutants import MUTANTS, Mutant, seeds_to_catch
from tests.simulation.runner import STEPS, run_seed
from tests.simulation.world import World

REGRESSIONS = sorted((Path(__file__).parent / "regressions").glob("*.json"))
CHUNKS, SEEDS_PER_CHUNK = 20, 15
QUICKLY_CAUGHT = {"no settle window", "no subtraction", "watermark moved before finish"}


@pytest.mark.sweep(sample=2)
@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_no_fault_breaks_an_invariant(chunk: int) -> None:
    for seed in range(chunk * SEEDS_PER_CHUNK, (chunk + 1) * SEEDS_PER_CHUNK):
        outcome = run_seed(seed)
        assert not outcome.violation, f"seed {seed}: {outcome.violation}: {outcome.figures}"


@pytest.mark.sweep(sample=2)
@pytest.mark.parametrize("seed", range(20))
def test_finalizations_that_cannot_be_read_break_no_invariant(seed: int) -> None:
    def half_of_them(world: World) -> None:
        whole, rng = world.files.finalization, Random(seed)

        def read(run_id: str) -> Finalization:
            lost = rng.random() < 0.5 and not world.faults.quiet
            return Finalization(counted=(), closed=()) if lost else whole(run_id)

        world.files.finalization = read  # type: ignore[method-assign]

    outcome = run_seed(seed, adapt=half_of_them)

    assert not outcome.violation, f"{outcome.violation}: {outcome.figures}"


@pytest.mark.parametrize("path", REGRESSIONS, ids=lambda path: path.stem)
def test_what_once_broke_holds(path: Path) -> None:
    case = json.loads(path.read_text())
    outcome = run_seed(case["seed"], steps=case["steps"], only=frozenset(case["faults"]))
    assert not outcome.violation, f"{outcome.violation}: {outcome.figures}"


def test_same_seed_tells_the_same_story() -> None:
    assert run_seed(11).trace == run_seed(11).trace
    assert run_seed(11).digest != run_seed(12).digest


def test_what_breaks_is_told_with_its_seed_and_shrunk_story_and_kept(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A bug is planted: the import does not wait for the settle window."""
    report = tmp_path / "simulation.json"
    [planted] = [mutant.adapt for mutant in MUTANTS if mutant.name == "no settle window"]
    seeds, invariant = seeds_to_catch(Mutant("planted", adapt=planted), 20)
    seed = seeds - 1

    words = ["--seeds", "1", "--seed", str(seed)]
    assert main(words, adapt=planted, kept_in=tmp_path, report_to=report) == 1

    told = capsys.readouterr().out
    assert f"seed {seed}: {invariant}: " in told
    assert f"VIOLATION {invariant}" in told
    assert json.loads(report.read_text())["violations"] == {invariant: 1}
    case = json.loads((tmp_path / f"{invariant}-{seed}.json").read_text())
    assert f"shrunk to {case['steps']} steps with {case['faults']}" in told
    again = run_seed(seed, steps=case["steps"], only=frozenset(case["faults"]), adapt=planted)
    assert again.violation == case["invariant"] == invariant
    assert not run_seed(seed, steps=case["steps"], only=frozenset(case["faults"])).violation


def test_the_report_counts_every_fault_by_name_and_the_time_oversold(tmp_path: Path) -> None:
    report = tmp_path / "simulation.json"

    assert main(["--seed", "23", "--seeds", "2"], report_to=report) == 0

    found = json.loads(report.read_text())
    assert (found["seeds"], found["violations"]) == (2, {})
    assert set(found["faults_injected"]) == set(RATES)
    assert found["mean_units_undersold"] > 0
    shares = found["share_of_time_oversold"]
    assert 0 < shares["gone_elsewhere"] < 1
    assert all(0 <= share < 1 for share in shares.values())
    assert found["steps"] == 2 * STEPS


def test_the_readings_table_has_a_row_for_each_and_sees_units_cross_only_at_immediate(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["--readings", "--seed", "2", "--seeds", "1", "--processes", "1"]) == 0

    names, _, *rows = (
        [cell.strip() for cell in line.split("|")[1:-1]]
        for line in capsys.readouterr().out.splitlines()
    )
    crossed = {tuple(row[:2]): row[names.index("release immediate")] for row in rows}
    assert len(crossed) == 6
    assert {share for (release, _), share in crossed.items() if release == "`range`"} == {"0.00%"}


def test_an_error_that_nobody_expects_is_a_finding_too() -> None:
    def broken(world: World) -> None:
        world.operate = lambda: 1 // 0  # type: ignore[assignment, method-assign]

    outcome = run_seed(0, adapt=broken)

    assert (outcome.violation, outcome.figures) == (
        "resumable",
        "ZeroDivisionError: integer division or modulo by zero",
    )


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
