"""The house's import rule: functions -> use_cases -> domain, adapters plug into ports, and only
bootstrap/ knows everyone; flows do not import one another; and nothing happens at import.

Read from the source alone, so it also holds for imports inside functions. TYPE_CHECKING blocks
count as well: a type is knowledge too.
"""

import ast
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = "inventory_sync"

MAY_IMPORT = {
    "version": frozenset(),
    "domain": frozenset({"domain"}),
    "ports": frozenset({"domain"}),
    "use_cases": frozenset({"domain", "ports", "use_cases"}),
    "config": frozenset({"domain"}),
    "observability": frozenset({"domain", "ports"}),
    "adapters": frozenset({"domain", "ports", "adapters", "observability", "version"}),
    "bootstrap": frozenset(
        {
            "domain",
            "ports",
            "use_cases",
            "adapters",
            "config",
            "observability",
            "bootstrap",
            "version",
        }
    ),
    "functions": frozenset({"domain", "ports", "use_cases", "bootstrap", "observability"}),
}
"""Which layers of ours a layer may know."""

FLOWS = frozenset({"ingest", "forward", "import_stock", "reconcile", "stream"})
"""Folders of use cases. What two of them share stands above them, in use_cases/ itself."""

NO_PACKAGES = frozenset({"version", "domain", "ports", "use_cases", "functions", "config"})
"""Layers that import nothing from outside but the standard library."""

EXCEPTIONS = {
    ("functions/forward_events/app.py", "inventory_sync.adapters.dynamodb.event_log"): (
        "the stream's records are items of the events table; their form is the adapter's"
    ),
}
"""Allowed all the same, each for its reason."""

BESIDE = ("cli", "local", "tools", "examples")
"""What is not in the layer."""

AT_IMPORT = frozenset({"os.environ", "os.getenv", "os.putenv", "getenv", "environ", "open"})
CLIENT_MAKERS = frozenset({"boto3", "botocore", "requests", "socket", "urllib"})


@dataclass(frozen=True)
class Import:
    """One import, where it stands."""

    path: str
    line: int
    module: str


@dataclass(frozen=True)
class Tree:
    """A source tree of the house's form."""

    root: Path

    def files(self) -> Iterator[tuple[str, Path]]:
        """Layer and file."""
        package = self.root / "layers" / PACKAGE / PACKAGE
        for path in sorted(package.rglob("*.py")):
            layer = path.relative_to(package).parts[0].removesuffix(".py")
            if layer != "__init__":
                yield layer, path
        for path in sorted((self.root / "functions").rglob("*.py")):
            yield "functions", path

    def name(self, path: Path) -> str:
        return path.relative_to(self.root).as_posix()

    def broken(self) -> list[str]:
        """Every import that breaks the rule."""
        return [
            f"{found.path}:{found.line}: {layer} imports {found.module}"
            for layer, path in self.files()
            for found in self.imports(path)
            if not allowed(layer, found)
        ]

    def imports(self, path: Path) -> Iterator[Import]:
        """All of a file, wherever they stand."""
        name = self.name(path)
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    yield Import(name, node.lineno, alias.name)
            elif isinstance(node, ast.ImportFrom):
                base = "." * node.level + (node.module or "")
                if base == PACKAGE:
                    for alias in node.names:
                        yield Import(name, node.lineno, f"{base}.{alias.name}")
                else:
                    yield Import(name, node.lineno, base)

    def circles(self) -> list[str]:
        """Modules that cannot be understood one after the other: each imports the other in the end.

        What is not shipped counts too; so does what only types ask for.
        """
        package = self.root / "layers" / PACKAGE
        imports: dict[str, set[str]] = {}
        for base, folder in [(package, PACKAGE), *((self.root, name) for name in BESIDE)]:
            for path in (base / folder).rglob("*.py"):
                name = ".".join(path.relative_to(base).with_suffix("").parts)
                imports[name] = set(modules_of(ast.parse(path.read_text())))
        return sorted(name for name in imports if name in reached_from(name, imports))

    def eager(self) -> list[str]:
        """Everything that would touch the world while a module is imported."""
        return [
            f"{self.name(path)}:{line}: {what} at import"
            for _, path in self.files()
            for line, what in touches(ast.parse(path.read_text()))
        ]


def modules_of(tree: ast.Module) -> Iterator[str]:
    """What is imported, where a name might be a module as one."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def reached_from(start: str, imports: Mapping[str, set[str]]) -> set[str]:
    """All that importing a module ends up with."""
    reached: set[str] = set()
    waiting = [start]
    while waiting:
        new = imports.get(waiting.pop(), set()) - reached
        reached |= new
        waiting += new
    return reached


def allowed(layer: str, found: Import) -> bool:
    """Whether a layer may know a module; relative imports are not the house's way."""
    if (found.path, found.module) in EXCEPTIONS:
        return True
    top, _, rest = found.module.partition(".")
    if top == PACKAGE:
        return rest.partition(".")[0] in MAY_IMPORT[layer] and not between_flows(found)
    if not top or top in {"functions", "local", "tests", "tools", "cli"}:
        return False
    return layer not in NO_PACKAGES or top in sys.stdlib_module_names


def between_flows(found: Import) -> bool:
    """Whether a flow, or what stands above the flows, imports another flow."""
    path, module = found.path.split("/"), found.module.split(".")
    if "use_cases" not in path or module[1:2] != ["use_cases"]:
        return False
    own = path[path.index("use_cases") + 1]
    return module[2] in FLOWS and module[2] != own


def touches(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Expressions run at import: module and class bodies, decorators, defaults; not functions."""
    for node in run_at_import(tree.body):
        if isinstance(node, ast.Call) and dotted(node.func).split(".")[0] in CLIENT_MAKERS:
            yield node.lineno, f"{dotted(node.func)}()"
        elif isinstance(node, ast.Attribute | ast.Name) and dotted(node) in AT_IMPORT:
            yield node.lineno, dotted(node)


def run_at_import(nodes: list[ast.stmt]) -> Iterator[ast.AST]:
    """Every node but what is inside functions."""
    waiting: list[ast.AST] = list(nodes)
    while waiting:
        node = waiting.pop()
        yield node
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            arguments = node.args
            waiting += [*arguments.defaults, *filter(None, arguments.kw_defaults)]
            waiting += [] if isinstance(node, ast.Lambda) else node.decorator_list
        else:
            waiting += ast.iter_child_nodes(node)


def dotted(node: ast.AST) -> str:
    """`a.b.c` of a chain of names, else nothing."""
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


HOUSE = Tree(ROOT)


def test_every_layer_knows_only_those_it_may() -> None:
    assert HOUSE.broken() == []


def test_every_layer_of_the_house_has_its_rule() -> None:
    assert {layer for layer, _ in HOUSE.files()} == set(MAY_IMPORT)


def test_every_folder_of_use_cases_is_a_flow() -> None:
    folder = ROOT / "layers" / PACKAGE / PACKAGE / "use_cases"

    assert {path.name for path in folder.iterdir() if path.is_dir()} - {"__pycache__"} == FLOWS


def test_only_bootstrap_knows_adapters_and_use_cases_together() -> None:
    both = [layer for layer, known in MAY_IMPORT.items() if {"adapters", "use_cases"} <= known]

    assert both == ["bootstrap"]


def test_every_exception_is_still_needed() -> None:
    found = {
        (entry.path, entry.module) for _, path in HOUSE.files() for entry in HOUSE.imports(path)
    }

    assert set(EXCEPTIONS) <= found


def test_no_module_imports_one_that_imports_it() -> None:
    assert HOUSE.circles() == []


def test_nothing_happens_at_import() -> None:
    assert HOUSE.eager() == []


def test_every_module_can_be_imported_without_an_environment() -> None:
    modules = [
        ".".join(path.relative_to(ROOT / "layers" / PACKAGE).with_suffix("").parts)
        for layer, path in HOUSE.files()
        if layer != "functions"
    ]
    paths = [str(path) for layer, path in HOUSE.files() if layer == "functions"]
    code = (
        "import importlib, runpy, os\n"
        "os.environ.clear()\n"
        f"for name in {modules!r}: importlib.import_module(name.removesuffix('.__init__'))\n"
        f"for path in {paths!r}: runpy.run_path(path)\n"
        "import boto3\n"
        "assert boto3.DEFAULT_SESSION is None\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT / "layers" / PACKAGE), "PATH": os.defpath},
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


# The test itself can fail


def test_a_circle_is_found_however_long(tmp_path: Path) -> None:
    tree = tree_of(
        tmp_path,
        domain__a="from inventory_sync.domain import b",
        domain__b="import inventory_sync.domain.c",
        domain__c="def f():\n    from inventory_sync.domain.a import g",
        domain__d="import inventory_sync.domain.a",
    )

    assert tree.circles() == [f"inventory_sync.domain.{name}" for name in "abc"]


def tree_of(folder: Path, **sources: str) -> Tree:
    """A tree with these files, named by layer and file with a double underscore between."""
    for name, source in sources.items():
        base = (
            folder / "functions"
            if name.startswith("functions")
            else folder / "layers" / PACKAGE / PACKAGE
        )
        path = base / (name.removeprefix("functions__").replace("__", "/") + ".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source)
    (folder / "functions").mkdir(exist_ok=True)
    return Tree(folder)


@pytest.mark.parametrize(
    ("where", "source"),
    [
        ("domain__cut", "import boto3"),
        ("domain__cut", "import pydantic.fields"),
        ("domain__cut", "from inventory_sync.ports import Clock"),
        ("domain__cut", "from inventory_sync import config"),
        ("domain__cut", "from .stock import Units"),
        ("domain__cut", "def f():\n    from inventory_sync.use_cases import x"),
        ("ports", "from inventory_sync.adapters.http import JsonHttp"),
        ("ports", "import requests"),
        ("use_cases__build", "from inventory_sync.adapters import http"),
        ("use_cases__build", "import botocore.exceptions"),
        (
            "use_cases__build",
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import boto3",
        ),
        ("use_cases__stream__watch", "from inventory_sync.use_cases.forward.x import y"),
        ("use_cases__shared", "from inventory_sync.use_cases.forward.x import y"),
        ("adapters__http", "from inventory_sync.use_cases.build import Build"),
        ("adapters__http", "import inventory_sync.bootstrap.http"),
        ("adapters__http", "from functions.x import y"),
        ("observability", "from inventory_sync.use_cases import x"),
        ("functions__ingest__app", "from inventory_sync.adapters.http import JsonHttp"),
        ("functions__ingest__app", "import boto3"),
        ("functions__ingest__app", "from local.newstore import model"),
        ("bootstrap__forward", "import tests.fakes.clock"),
    ],
)
def test_an_import_against_the_rule_is_found(tmp_path: Path, where: str, source: str) -> None:
    assert len(tree_of(tmp_path, **{where: source}).broken()) == 1


def test_imports_within_the_rule_are_let_through(tmp_path: Path) -> None:
    tree = tree_of(
        tmp_path,
        domain__cut="import json\nfrom inventory_sync.domain.stock import Units",
        use_cases__build="from inventory_sync.ports import Clock\nfrom collections import abc",
        use_cases__stream__watch="from inventory_sync.use_cases.stream.x import y",
        adapters__http="import requests\nfrom inventory_sync.adapters import codec",
        bootstrap__x="import inventory_sync.use_cases.x\nfrom inventory_sync.adapters import y",
        functions__ingest__app="from inventory_sync.bootstrap.ingest import ingest",
    )

    assert tree.broken() == []


@pytest.mark.parametrize(
    "source",
    [
        "import boto3\nclient = boto3.client('s3')",
        "import os\nTABLE = os.environ['TABLE']",
        "import os\nTABLE = os.getenv('TABLE')",
        "from os import environ\nTABLE = environ['TABLE']",
        "import requests\nclass A:\n    session = requests.Session()",
        "import boto3\ndef f(client=boto3.client('s3')): ...",
        "import boto3\ndef f(*, client=boto3.client('s3')): ...",
        "import boto3\n@boto3.decorate()\ndef f(): ...",
        "if True:\n    file = open('x')",
    ],
)
def test_what_happens_at_import_is_found(tmp_path: Path, source: str) -> None:
    assert len(tree_of(tmp_path, adapters__x=source).eager()) == 1


def test_what_happens_when_called_is_let_through(tmp_path: Path) -> None:
    source = (
        "import os, boto3\n"
        "def f():\n    return boto3.client(os.environ['X'])\n"
        "g = lambda: open('x')"
    )

    assert tree_of(tmp_path, adapters__x=source).eager() == []
