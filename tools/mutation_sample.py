"""Mutation testing of a sample: changes drawn from the folders around the domain.

    python tools/mutation_sample.py [--mutants 60] [--seed 1] [--seconds 900] FOLDER ...
        [--suites unit/cli integration]

FOLDER is one of use_cases, adapters, bootstrap, functions, cli. tools/mutation.py tries every
change of the domain; this also takes away calls and last keyword arguments: around the domain a
mistake is mostly something left out. All tests run once, to know which of them run which line; a
change is tried with those that run its line, or, where it is made at import, with all that run its
module. With --suites only these tests are tried: what survives, others may still notice. Works on a
copy in .mutation/tree and writes reports beside it: under build/ a test would find made-up secrets.
Exits with 1 when a survivor is not named in docs/mutation.md.
"""

import argparse
import ast
import copy
import hashlib
import json
import os
import random
import shutil
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from difflib import SequenceMatcher
from pathlib import Path

from coverage import CoverageData

LAYER = Path("layers/inventory_sync/inventory_sync")
FOLDERS = {
    "use_cases": LAYER / "use_cases",
    "adapters": LAYER / "adapters",
    "bootstrap": LAYER / "bootstrap",
    "functions": Path("functions"),
    "cli": Path("cli"),
}
SUITES = (
    "unit",
    "property",
    "contract",
    "connector",
    "template",
    "integration",
    "simulation",
    "odoo",
)
EXPLANATIONS = Path("docs/mutation.md")
WORK = Path(".mutation")
TREE, RUN_BY = WORK / "tree", WORK / "run_by.json"
SECONDS_OF_TESTS_MAX = 90
"""Of the tests that run a line, the quickest that take so long together are tried."""
OVERHEAD_SECONDS = 90
AT_IMPORT = {"cli": "tests/unit/cli/test_interface.py"}
"""By folder, who looks at what its modules make at import."""
NOTHING_RAN = (4, 5)
OPPOSITES: dict[type[ast.AST], type[ast.AST]] = {
    ast.Lt: ast.GtE, ast.GtE: ast.Lt, ast.Gt: ast.LtE, ast.LtE: ast.Gt, ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq, ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.FloorDiv, ast.And: ast.Or, ast.Or: ast.And,
}  # fmt: skip


@dataclass(frozen=True)
class Mutant:
    """`was` and `became` are the changed lines as `ast.unparse` writes them, `lines` where."""

    module: Path
    lines: tuple[int, ...]
    was: str
    became: str
    source: str

    @property
    def text(self) -> str:
        """How docs/mutation.md names it."""
        return f"{self.module.stem}.py: `{self.was}` -> `{self.became}`"


@dataclass
class Tried:
    """Of a folder's mutants, how many were tried, and which survived."""

    mutants: int
    tried: int = 0
    survived: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class RunBy:
    """Which tests run which line of which module, and how long each test takes."""

    tests: dict[str, dict[str, list[str]]]
    seconds: dict[str, float]

    def of(self, mutant: Mutant) -> list[str]:
        """First those whose file names the module, then the quickest; as many as there is time."""
        lines = self.tests.get(str(mutant.module), {})
        found = {test for line in mutant.lines for test in lines.get(str(line), ())}
        if not found:
            found = {test for tests in lines.values() for test in tests}
            file = AT_IMPORT.get(mutant.module.parts[0], "none")
            found |= {test for test in self.seconds if test.startswith(f"{file}::")}
        files = defaultdict(list)
        for test in found:
            files[test.partition("::")[0]].append(test)
        chosen: list[str] = []
        left = float(SECONDS_OF_TESTS_MAX)
        for file in sorted(
            files, key=lambda f: (not names(f, mutant.module), self._mean(files[f]))
        ):
            for test in sorted(files[file], key=lambda t: self.seconds[t]):
                left -= self.seconds[test]
                if left > 0:
                    chosen.append(test)
        return chosen

    def _mean(self, tests: list[str]) -> float:
        return sum(self.seconds[test] for test in tests) / len(tests)


def main(arguments: list[str]) -> int:
    """Draw, try, report, judge."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folders", nargs="+", choices=FOLDERS)
    parser.add_argument("--mutants", type=int, default=60, help="of each folder (60)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=900, help="for each folder (900)")
    parser.add_argument(
        "--suites", nargs="+", default=SUITES, help="only tests of these folders or files of tests/"
    )
    parser.add_argument("--processes", type=int, default=1, help="of the first run of all tests")
    given = parser.parse_args(arguments)
    make_copy()
    run_by = see_what_runs(given.processes, given.suites)
    found = {f: try_folder(f, run_by, given) for f in given.folders}
    text = json.dumps({"seed": given.seed, **{f: asdict(t) for f, t in found.items()}}, indent=2)
    (WORK / f"{'-'.join(given.folders)}.json").write_text(text + "\n")
    explained = EXPLANATIONS.read_text()
    return int(any(text not in explained for tried in found.values() for text in tried.survived))


def make_copy() -> None:
    """What Git has or would take; the code as `ast.unparse` writes it, a statement on a line."""
    shutil.rmtree(TREE, ignore_errors=True)
    listed = ["git", "ls-files", "-co", "--exclude-standard", "-z"]
    output = subprocess.run(listed, check=True, capture_output=True, text=True).stdout  # noqa: S603
    for name in filter(None, output.split("\0")):
        if Path(name).is_file():
            (TREE / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(name, TREE / name)
    for folder in FOLDERS.values():
        for module in (TREE / folder).rglob("*.py"):
            module.write_text(plain(module))


def plain(module: Path) -> str:
    """Without comments and line breaks."""
    return ast.unparse(ast.parse(module.read_text("utf-8"))) + "\n"


def see_what_runs(processes: int, chosen: Sequence[str]) -> RunBy:
    """By running all tests, unless that was done over the same files."""
    digest = f"{digest_of(TREE)} {' '.join(chosen)}"
    if RUN_BY.is_file() and (kept := json.loads(RUN_BY.read_text()))["digest"] == digest:
        return RunBy(kept["tests"], kept["seconds"])
    times = TREE / "times.json"
    folders = [f"--cov={folder}" for folder in FOLDERS.values()]
    parallel = ["--numprocesses", str(processes)] if processes > 1 else []
    suites = [f"tests/{suite}" for suite in chosen]
    run_tests(
        ["--cov-context=test", "--cov-report=", *folders, *parallel, *suites],
        {"TIMES_TO": times.name},
        seconds=None,
    )
    seconds = json.loads(times.read_text())
    tests = run_lines(TREE / ".coverage", seconds.keys())
    RUN_BY.write_text(json.dumps({"digest": digest, "tests": tests, "seconds": seconds}))
    return RunBy(tests, seconds)


def digest_of(tree: Path) -> str:
    """Of all code and tests."""
    digest = hashlib.sha256()
    for file in sorted(tree.rglob("*.py")):
        digest.update(str(file).encode() + file.read_bytes())
    return digest.hexdigest()


def run_lines(data_file: Path, passed: Iterable[str]) -> dict[str, dict[str, list[str]]]:
    """The passed tests for each line of each module."""
    known, root = set(passed), str(TREE.absolute())
    data = CoverageData(str(data_file))
    data.read()
    return {
        str(Path(file).relative_to(root)): {
            str(line): tests
            for line, contexts in data.contexts_by_lineno(file).items()
            if (tests := sorted({c.rpartition("|")[0] for c in contexts} & known))
        }
        for file in data.measured_files()
    }


def try_folder(name: str, run_by: RunBy, given: argparse.Namespace) -> Tried:
    """Figures and survivors, of as many as there was time for."""
    modules = sorted(module.relative_to(TREE) for module in (TREE / FOLDERS[name]).rglob("*.py"))
    drawn = [place for module in modules for place in places_of(module)]
    random.Random(f"{given.seed} {name}").shuffle(drawn)  # noqa: S311  # repeatable, not secret
    end, found = time.monotonic() + given.seconds, Tried(len(drawn))
    for module, number in drawn[: given.mutants]:
        if time.monotonic() > end:
            break
        mutant = mutant_of(module, number)
        found.tried += 1
        if not killed(mutant, run_by.of(mutant)):
            found.survived.append(mutant.text)
            print(f"{name}: survived {mutant.module}: {mutant.text}", flush=True)
    left = len(found.survived)
    print(f"{name}: {found.tried} of {found.mutants} mutants, {left} survived", flush=True)
    return found


def places_of(module: Path) -> Iterator[tuple[Path, int]]:
    """Where a module can be changed, by the number of the node."""
    tree = ast.parse((TREE / module).read_text("utf-8"))
    said = {id(node) for node in says_nothing(tree)}
    for number, node in enumerate(ast.walk(tree)):
        if id(node) not in said and change(copy.copy(node)):
            yield module, number


def says_nothing(tree: ast.Module) -> Iterator[ast.AST]:
    """What no test should notice: decorators of classes; a limit of a module that is one more or
    less, which tests take by its name; that `zip` checks what is equally long; that an option has a
    help text.
    """
    for node in ast.walk(tree):
        match node:
            case ast.ClassDef(decorator_list=decorators):
                for decorator in decorators:
                    yield from ast.walk(decorator)
            case ast.Call(keywords=[*_, ast.keyword(arg="help")]):
                yield node
            case ast.Call(func=ast.Name(id="zip"), keywords=keywords):
                yield node
                yield from (keyword.value for keyword in keywords)
    for statement in tree.body:
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Constant()) if name.isupper():
                yield statement.value


def mutant_of(module: Path, number: int) -> Mutant:
    """One change of a module."""
    tree = ast.parse((TREE / module).read_text("utf-8"))
    before = ast.unparse(tree).splitlines()
    node = list(ast.walk(tree))[number]
    lines = tuple(range(node.lineno, node.end_lineno + 1))  # type: ignore[attr-defined]
    change(node)
    source = ast.unparse(ast.fix_missing_locations(tree))
    after = source.splitlines()
    was, became = changed(before, after), changed(after, before)
    return Mutant(module, lines, was, became, source)


def changed(these: list[str], others: list[str]) -> str:
    """The lines in which they differ from the others."""
    found = SequenceMatcher(None, these, others, autojunk=False).get_opcodes()
    lines = [line for tag, i, j, _, _ in found if tag != "equal" for line in these[i:j]]
    return " ".join(line.strip() for line in lines)


def change(node: ast.AST) -> bool:
    """Turn an operator round, move a number, or leave something out; False where nothing is."""
    match node:
        case ast.Compare(ops=[operator]) if type(operator) in OPPOSITES:
            node.ops = [OPPOSITES[type(operator)]()]  # type: ignore[list-item]
        case ast.BinOp(op=operator) | ast.BoolOp(op=operator) if type(operator) in OPPOSITES:
            node.op = OPPOSITES[type(operator)]()  # type: ignore[assignment]
        case ast.Constant(value=bool(value)):
            node.value = not value
        case ast.Constant(value=int(value)):
            node.value = value + 1
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            node.operand = ast.UnaryOp(ast.Not(), operand)
        case ast.Call(keywords=[*_, last]) if last.arg:
            node.keywords = node.keywords[:-1]
        case ast.Expr(value=ast.Call()):
            node.value = ast.Constant(...)
        case _:
            return False
    return True


def killed(mutant: Mutant, tests: list[str]) -> bool:
    """Whether a test notices; what takes too long has been noticed too."""
    if not tests:
        return False
    file, original = TREE / mutant.module, (TREE / mutant.module).read_text("utf-8")
    (TREE / "chosen").write_text("\n".join(tests))
    files = dict.fromkeys(test.partition("::")[0] for test in tests)
    file.write_text(mutant.source)
    try:
        seconds = SECONDS_OF_TESTS_MAX + OVERHEAD_SECONDS
        return run_tests(["-x", *files], {"CHOSEN": "chosen"}, seconds) not in (0, *NOTHING_RAN)
    finally:
        file.write_text(original)


def names(test: str, module: Path) -> bool:
    """Of a function, whether the test loads its app."""
    dotted = ".".join(module.with_suffix("").parts).removeprefix("layers.inventory_sync.")
    name = f'load_app("{module.parent.name}")' if module.parts[0] == "functions" else dotted
    return name in (TREE / test).read_text("utf-8")


def run_tests(arguments: list[str], settings: dict[str, str], seconds: float | None) -> int:
    """pytest's exit code in the copy."""
    command = [str(Path(".venv/bin/python").absolute()), "-m", "pytest", "-q"]
    environment = {"PYTHONDONTWRITEBYTECODE": "1", "HYPOTHESIS_PROFILE": "quick", **settings}
    try:
        done = subprocess.run(  # noqa: S603
            [*command, "-p", "no:cacheprovider", "-p", "tools.mutation_tests", *arguments],
            cwd=TREE, env=os.environ | environment, check=False, capture_output=True,
            timeout=seconds,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return 1
    return done.returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
