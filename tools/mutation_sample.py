"""Mutation testing of a sample: changes drawn from the folders around the domain.

    python tools/mutation_sample.py [--mutants 60] [--seed 1] [--seconds 900] FOLDER ...

FOLDER is one of use_cases, adapters, bootstrap, functions, cli. tools/mutation.py tries every
change of the domain; this also takes away calls and last keyword arguments: around the domain a
mistake is mostly something left out. A change is tried with the tests that name its module, then
with the folder's. Works on copies under build/mutation-sample/, and writes a report beside them.
Exits with 1 when a survivor is not named in docs/mutation.md.
"""

import argparse
import ast
import copy
import json
import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

LAYER = Path("layers/inventory_sync/inventory_sync")
FOLDERS = {
    "use_cases": (LAYER / "use_cases", ("tests/unit/use_cases",)),
    "adapters": (LAYER / "adapters", ("tests/unit/adapters", "tests/contract")),
    "bootstrap": (LAYER / "bootstrap", ("tests/unit/bootstrap",)),
    "functions": (Path("functions"), ("tests/unit/bootstrap",)),
    "cli": (Path("cli"), ("tests/unit/cli",)),
}
TESTS = ("tests/unit", "tests/contract", "tests/connector", "tests/integration")
EXPLANATIONS = Path("docs/mutation.md")
WORK = Path("build/mutation-sample")
SECONDS_PER_MUTANT_MAX = 600
NOTHING_RAN = (4, 5)
OPPOSITES: dict[type[ast.AST], type[ast.AST]] = {
    ast.Lt: ast.GtE, ast.GtE: ast.Lt, ast.Gt: ast.LtE, ast.LtE: ast.Gt, ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq, ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.FloorDiv, ast.And: ast.Or, ast.Or: ast.And,
}  # fmt: skip


@dataclass(frozen=True)
class Mutant:
    """`was` and `became` are the changed lines as `ast.unparse` writes them."""

    module: Path
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


def main(arguments: list[str]) -> int:
    """Draw, try, report, judge."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folders", nargs="+", choices=FOLDERS)
    parser.add_argument("--mutants", type=int, default=60, help="of each folder (60)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=900, help="for each folder (900)")
    given = parser.parse_args(arguments)
    report = {f: try_folder(f, given.mutants, given.seed, given.seconds) for f in given.folders}
    figures = {folder: asdict(found) for folder, found in report.items()}
    text = json.dumps({"seed": given.seed, **figures}, indent=2) + "\n"
    (WORK / f"{'-'.join(given.folders)}.json").write_text(text)
    explained = EXPLANATIONS.read_text()
    return int(any(text not in explained for found in report.values() for text in found.survived))


def make_copy(folder: str) -> Path:
    """What Git has or would take."""
    tree = WORK / folder
    shutil.rmtree(tree, ignore_errors=True)
    listed = ["git", "ls-files", "-co", "--exclude-standard", "-z"]
    names = subprocess.run(listed, check=True, capture_output=True, text=True).stdout  # noqa: S603
    for name in filter(None, names.split("\0")):
        if Path(name).is_file():
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(name, tree / name)
    return tree


def try_folder(name: str, count: int, seed: int, seconds: float) -> Tried:
    """Figures and survivors, of as many as there was time for."""
    folder, suites = FOLDERS[name]
    tree = make_copy(name)
    drawn = [place for module in sorted(folder.rglob("*.py")) for place in places_of(module)]
    random.Random(f"{seed} {name}").shuffle(drawn)  # noqa: S311  # to be repeatable, not secret
    end, found = time.monotonic() + seconds, Tried(len(drawn))
    for module, number in drawn[:count]:
        if time.monotonic() > end:
            break
        mutant = mutant_of(module, number)
        found.tried += 1
        if not killed(mutant, tree, suites):
            found.survived.append(mutant.text)
            print(f"{name}: survived {mutant.text}", flush=True)
    left = len(found.survived)
    print(f"{name}: {found.tried} of {found.mutants} mutants, {left} survived", flush=True)
    return found


def places_of(module: Path) -> Iterator[tuple[Path, int]]:
    """Where a module can be changed, by the number of the node; decorators say nothing."""
    tree = ast.parse(module.read_text("utf-8"))
    decorators = {id(d) for n in ast.walk(tree) if isinstance(n, ast.ClassDef) for d in inside(n)}
    for number, node in enumerate(ast.walk(tree)):
        if id(node) not in decorators and change(copy.copy(node)):
            yield module, number


def inside(definition: ast.ClassDef) -> Iterator[ast.AST]:
    """All nodes of a class's decorators."""
    for decorator in definition.decorator_list:
        yield from ast.walk(decorator)


def mutant_of(module: Path, number: int) -> Mutant:
    """One change of a module."""
    tree = ast.parse(module.read_text("utf-8"))
    before = ast.unparse(tree).splitlines()
    change(list(ast.walk(tree))[number])
    source = ast.unparse(ast.fix_missing_locations(tree))
    after = source.splitlines()
    was = [line.strip() for line in before if line not in after]
    became = [line.strip() for line in after if line not in before]
    return Mutant(module, " ".join(was), " ".join(became), source)


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


def killed(mutant: Mutant, tree: Path, suites: tuple[str, ...]) -> bool:
    """By the tests that name its module, else by the folder's."""
    file = tree / mutant.module
    original = file.read_text("utf-8")
    file.write_text(mutant.source)
    try:
        named = tests_naming(tree, mutant.module)
        return bool(named and fails(tree, named)) or fails(tree, suites)
    finally:
        file.write_text(original)


def tests_naming(tree: Path, module: Path) -> tuple[str, ...]:
    """Quickest suites first; of a function, the tests that load its app."""
    dotted = ".".join(module.with_suffix("").parts).removeprefix("layers.inventory_sync.")
    name = f'load_app("{module.parent.name}")' if module.parts[0] == "functions" else dotted
    return tuple(
        str(test.relative_to(tree))
        for folder in TESTS
        for test in sorted((tree / folder).rglob("test_*.py"))
        if name in test.read_text("utf-8")
    )


def fails(tree: Path, tests: tuple[str, ...]) -> bool:
    """Whether a test notices; what takes too long has been noticed too."""
    command = [str(Path(".venv/bin/python").absolute()), "-m", "pytest", "-x", "-q"]
    settings = {"PYTHONDONTWRITEBYTECODE": "1", "HYPOTHESIS_PROFILE": "quick"}
    try:
        done = subprocess.run(  # noqa: S603
            [*command, "-p", "no:cacheprovider", *tests],
            cwd=tree, env=os.environ | settings, check=False, capture_output=True,
            timeout=SECONDS_PER_MUTANT_MAX,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return True
    return done.returncode not in (0, *NOTHING_RAN)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
