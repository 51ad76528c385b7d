"""Mutation testing of the domain: every small change to its code has to fail a test.

    python tools/mutation.py [MODULE ...]      e.g. cut guards; all of domain/ without arguments

Works on copies under build/mutation/, never on the checkout. Writes build/mutation.json, with the
seconds it took. Exits with 1 when the score of the whole is below 95 %, or a survivor is not
explained in docs/mutation.md.
"""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

DOMAIN = Path("layers/inventory_sync/inventory_sync/domain")
EXPLANATIONS = Path("docs/mutation.md")
REPORT = Path("build/mutation.json")
WORK = Path("build/mutation")
UNCHANGED = WORK / "unchanged"
SCORE_PERCENT_MIN = 95
SECONDS_PER_MUTANT_MAX = 120
WORKERS = 2
UNIT = "tests/unit/domain"
PROPERTIES = tuple(
    f"tests/property/test_{name}.py" for name in ("cut", "import_run", "row_selection")
)
COPIED = ("pyproject.toml", "tests/builders.py", "tests/property/conftest.py", *PROPERTIES)

# A change has survived when the module's own tests, the domain's and the properties have all run:
# the quickest go first, and catch nearly all. Left out are changes that are none in the domain:
# `|` only joins types there, `is` only compares with None and members of enums.
CONFIGURATION = """\
[cosmic-ray]
module-path = "{module}"
timeout = {seconds}
excluded-modules = []
test-command = "sh -c '{tests}'"

[cosmic-ray.distributor]
name = "local"

[cosmic-ray.filters.operators-filter]
exclude-operators = [
    "core/ReplaceBinaryOperator_BitOr_.*",
    "core/ReplaceComparisonOperator_Is_Eq",
    "core/ReplaceComparisonOperator_IsNot_NotEq",
]
"""


@dataclass(frozen=True)
class Mutant:
    """One change: `was` and `became` are the lines it took away and put there."""

    module: str
    operator: str
    was: str
    became: str
    killed: bool

    @property
    def text(self) -> str:
        """How docs/mutation.md names it."""
        return f"{self.module}: `{self.was}` -> `{self.became}`"


def main(names: list[str]) -> int:
    """Run, report, judge."""
    began = time.monotonic()
    modules = [path for path in sorted(DOMAIN.glob("*.py")) if path.stem != "__init__"]
    if names:
        modules = [path for path in modules if path.stem in names]
    make_unchanged()
    with ThreadPoolExecutor(WORKERS) as pool:
        mutants = [mutant for found in pool.map(mutate, modules) for mutant in found]
    explanations = EXPLANATIONS.read_text() if EXPLANATIONS.exists() else ""
    survivors = [mutant for mutant in mutants if not mutant.killed]
    unexplained = [mutant for mutant in survivors if mutant.text not in explanations]
    score = 100 * (1 - len(survivors) / max(1, len(mutants)))
    seconds = round(time.monotonic() - began)
    write_report(mutants, score, seconds)
    for mutant in survivors:
        print("survived" if mutant not in unexplained else "UNEXPLAINED", mutant.text)
    print(f"{len(mutants)} mutants, {len(survivors)} survived, score {score:.1f} %, {seconds} s")
    too_low = not names and score < SCORE_PERCENT_MIN
    return 1 if unexplained or too_low else 0


def write_report(mutants: list[Mutant], score: float, seconds: int) -> None:
    """Figures for each module, and the survivors."""
    by_module = {
        module: {
            "mutants": sum(m.module == module for m in mutants),
            "survived": [m.text for m in mutants if m.module == module and not m.killed],
        }
        for module in sorted({m.module for m in mutants})
    }
    REPORT.parent.mkdir(exist_ok=True)
    whole = {"score_percent": round(score, 2), "seconds": seconds}
    REPORT.write_text(json.dumps(whole | by_module, indent=2) + "\n")


def make_unchanged() -> None:
    """A tree of the domain and its tests, nothing else that is going on, compiled and passing."""
    shutil.rmtree(WORK, ignore_errors=True)
    ignore = shutil.ignore_patterns("__pycache__")
    package = DOMAIN.parent
    shutil.copytree(DOMAIN, UNCHANGED / DOMAIN, ignore=ignore)
    shutil.copy(package / "__init__.py", UNCHANGED / package)
    shutil.copytree(UNIT, UNCHANGED / UNIT, ignore=ignore)
    for name in COPIED:
        (UNCHANGED / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(name, UNCHANGED / name)
    for command in test_commands(DOMAIN / "cut.py"):
        run(UNCHANGED, *command.split()[1:], tool="python", PYTHONDONTWRITEBYTECODE="")


def make_copy(path: Path) -> Path:
    """The tree for one module's mutants; all but the module is compiled already."""
    copy = WORK / path.stem
    shutil.copytree(UNCHANGED, copy, ignore=shutil.ignore_patterns(f"{path.stem}.*.pyc"))
    tests = " && ".join(test_commands(path))
    configuration = CONFIGURATION.format(module=path, seconds=SECONDS_PER_MUTANT_MAX, tests=tests)
    (copy / "mutation.toml").write_text(configuration)
    return copy


def test_commands(path: Path) -> list[str]:
    """The module's own tests, all of the domain's, the properties."""
    pytest = f"{Path(sys.executable).absolute()} -m pytest -x -q -p no:cacheprovider"
    plain = f"{pytest} -p no:hypothesispytest"
    own = Path(UNIT) / f"test_{path.stem}.py"
    quickest = [f"{plain} {own}"] if own.exists() else []
    return [*quickest, f"{plain} {UNIT}", f"{pytest} {' '.join(PROPERTIES)}"]


def mutate(path: Path) -> list[Mutant]:
    """All mutants of one module, tried one after the other."""
    copy = make_copy(path)
    run(copy, "init", "mutation.toml", "mutation.sqlite", "--force")
    run(copy, "mutation.sqlite", "mutation.toml", tool="cr-filter-operators")
    run(copy, "exec", "mutation.toml", "mutation.sqlite")
    found = list(read(path.name, run(copy, "dump", "mutation.sqlite")))
    survived = sum(not mutant.killed for mutant in found)
    print(f"{path.name}: {len(found)} mutants, {survived} survived", flush=True)
    return found


def run(copy: Path, *arguments: str, tool: str = "cosmic-ray", **variables: str) -> str:
    """Without bytecode: a mutant of the same size in the same second would not be noticed."""
    command = [str(Path(sys.executable).absolute().with_name(tool)), *arguments]
    settings = {"PYTHONDONTWRITEBYTECODE": "1", "HYPOTHESIS_PROFILE": "quick"} | variables
    done = subprocess.run(  # noqa: S603
        command,
        cwd=copy,
        env=os.environ | settings,
        check=False,
        capture_output=True,
        text=True,
    )
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)} in {copy} failed:\n{done.stdout}{done.stderr}")
    return done.stdout


def read(module: str, dump: str) -> Iterator[Mutant]:
    """From cosmic-ray's dump: a line of JSON for each mutant, with its result."""
    for line in dump.splitlines():
        item, result = json.loads(line)
        if result is None:
            sys.exit(f"{module}: a mutant was not tried: {item}")
        if result["worker_outcome"] == "skipped":
            continue
        diff = (result["diff"] or "").splitlines()
        yield Mutant(
            module=module,
            operator=item["mutations"][0]["operator_name"],
            was=changed(diff, "-"),
            became=changed(diff, "+"),
            killed=result["test_outcome"] != "survived",
        )


def changed(diff: list[str], sign: str) -> str:
    """The changed lines as one, without indentation."""
    lines = [line[1:].strip() for line in diff if line.startswith(sign)]
    return " ".join(line for line in lines if not line.startswith((sign * 2, "a mutation")))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
