"""What the documents name is there, and what the code has is documented."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

import pytest

from tests.template.test_template import FUNCTIONS, PARAMETERS, ROOT, TEMPLATE, WITH_RUNBOOK

PACKAGE = ROOT / "layers" / "inventory_sync" / "inventory_sync"
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("*/README.md")])
DECISIONS = sorted(ROOT.glob("docs/decisions/*.md"))
CODE = sorted([*PACKAGE.rglob("*.py"), *ROOT.glob("functions/*/*.py")])
README_LINES_MAX = 149
DECISION_LINES_MAX = 40


class Setting(NamedTuple):
    """One row of docs/settings.md; `allowed` only as far as it is of numbers or words."""

    parameter: str
    default: str
    allowed: str


def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def rows(path: str) -> Iterator[list[str]]:
    """Cells of all tables of a document, without the marks of code."""
    for line in text_of(ROOT / path).splitlines():
        if line.startswith("|") and not line.startswith("|--"):
            yield [cell.strip().replace("`", "") for cell in line.strip("|").split("|")]


def slugs(path: Path) -> set[str]:
    """Anchors of a document's headings, as Git hosts make them."""
    headings = re.findall(r"^#+ (.+)$", text_of(path), flags=re.MULTILINE)
    return {
        re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-") for heading in headings
    }


def calls(method: str, *owners: str) -> Iterator[tuple[str, list[ast.expr]]]:
    """(first argument, further arguments) of the calls of a method in the code."""
    for path in CODE:
        for node in ast.walk(ast.parse(text_of(path))):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
                continue
            if node.func.attr != method or ast.unparse(node.func.value) not in owners:
                continue
            if node.args and isinstance(node.args[0], ast.Constant):
                yield str(node.args[0].value), node.args[1:]


def value_of(node: ast.expr) -> Any:
    """Of an expression of constants, such as 10**9."""
    return eval(compile(ast.Expression(node), "config", "eval"), {})


def documented_settings() -> dict[str, Setting]:
    return {
        cells[0]: Setting(*cells[1:4])
        for cells in rows("docs/settings.md")
        if re.fullmatch(r"[A-Z][A-Z0-9_]+", cells[0])
    }


def variables_in_config() -> set[str]:
    return set(re.findall(r'"([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)"', text_of(PACKAGE / "config.py")))


def test_every_setting_is_documented_and_no_other() -> None:
    assert set(documented_settings()) == variables_in_config()


def test_bounds_and_defaults_are_those_of_the_code() -> None:
    documented = documented_settings()
    numbers = {name: map(value_of, nodes) for name, nodes in calls("number", "env")}
    words = {name: map(value_of, nodes) for name, nodes in calls("choice", "env")}

    assert numbers
    assert words
    for name, (default, lowest, highest) in numbers.items():
        assert documented[name].default == str(default)
        assert documented[name].allowed == f"{lowest} to {highest}"
    for name, (default, allowed) in words.items():
        assert documented[name].default == default
        assert documented[name].allowed == ", ".join(allowed)


def test_every_setting_names_the_parameter_that_sets_it() -> None:
    set_by = {
        name: parameter
        for function in FUNCTIONS.values()
        for name, value in function["Environment"]["Variables"].items()
        for parameter in re.findall(r"'Ref': '(\w+)'", str(value))
        if parameter in PARAMETERS
    }

    for name, setting in documented_settings().items():
        assert setting.parameter == set_by.get(name, "-"), name


def test_every_parameter_is_documented() -> None:
    named = {cell for cells in rows("docs/settings.md") for cell in cells[:2]}

    assert set(PARAMETERS) <= named


def test_every_metric_is_documented_with_its_unit_and_no_other() -> None:
    owners = (
        "observer",
        "self.observer",
        "self._observer",
        "self.deps.observer",
        "self.leased.observer",
        "door.observer",
    )
    counted = {name for name, _ in calls("count", *owners)}
    documented = {
        cells[0]: cells[1] for cells in rows("docs/metrics.md") if re.match("[A-Z]", cells[0])
    }

    assert set(documented) == counted
    for name, unit in documented.items():
        suffixes = {"Seconds": "seconds", "Percent": "percent"}
        found = next((word for suffix, word in suffixes.items() if name.endswith(suffix)), "count")
        assert unit == found


def test_every_log_line_that_is_documented_is_written() -> None:
    code = "".join(map(text_of, CODE))
    lines = [cells for cells in rows("docs/metrics.md") if re.match("[a-z]", cells[0])]
    messages = [cells[0] for cells in lines if cells[0] not in {"metric", "message"}]

    assert messages
    assert not [message for message in messages if f'"{message}"' not in code]


def test_every_invariant_of_the_code_is_in_the_design() -> None:
    stated = {cells[0] for cells in rows("docs/design.md")}
    in_code = {
        name
        for path in PACKAGE.rglob("*.py")
        for name in re.findall(r'\binvariant\(.*?"([a-z_]+)"', text_of(path), flags=re.DOTALL)
    }
    in_simulation = set(
        re.findall(
            r'Violation\(\s*"([a-z_]+)"', text_of(ROOT / "tests" / "simulation" / "invariants.py")
        )
    )

    assert in_code
    assert in_simulation
    assert in_code | in_simulation <= stated


@pytest.mark.parametrize("name", WITH_RUNBOOK)
def test_every_alarm_has_its_section_in_the_runbook(name: str) -> None:
    slug = WITH_RUNBOOK[name]["AlarmDescription"].partition("docs/runbook.md#")[2]
    section = text_of(ROOT / "docs" / "runbook.md").split("\n## ")

    found = [part for part in section if part.split("\n")[0].lower().replace(" ", "-") == slug]

    assert len(found) == 1
    assert re.findall(r"^\*\*(\w+)\.\*\*", found[0], flags=re.MULTILINE) == [
        "Meaning",
        "Check",
        "Act",
        "Not",
    ]


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_relative_link_leads_somewhere(path: Path) -> None:
    for link in re.findall(r"\]\(([^)\s]+)\)", text_of(path)):
        parts = urlsplit(link)
        if parts.scheme:
            continue
        target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
        assert target.exists(), link
        if parts.fragment:
            assert parts.fragment in slugs(target), link


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_make_target_that_is_named_exists(path: Path) -> None:
    targets = set(re.findall(r"^([a-z0-9-]+):", text_of(ROOT / "Makefile"), flags=re.MULTILINE))
    named = set(re.findall(r"(?:`|^ {4}|&& )make ([a-z0-9-]+)", text_of(path), flags=re.MULTILINE))

    assert named <= targets


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_file_that_is_named_exists(path: Path) -> None:
    named = re.findall(
        r"`((?:docs|events|functions|layers|local|requirements|tests|tools)/[\w./-]+)`",
        text_of(path),
    )

    for name in named:
        assert (ROOT / name).exists(), name


def test_the_readme_is_short() -> None:
    assert len(text_of(ROOT / "README.md").splitlines()) <= README_LINES_MAX


@pytest.mark.parametrize("change", ["A metric", "An alarm", "A connector", "A command"])
def test_contributing_says_in_five_lines_where_a_change_goes(change: str) -> None:
    text = text_of(ROOT / "CONTRIBUTING.md")
    steps = text.partition(f"\n{change}:\n\n")[2].partition("\n\n")[0].splitlines()

    assert [step[:3] for step in steps] == [f"{number}. " for number in range(1, 6)]


def test_contributing_goes_from_a_clone_to_a_green_check() -> None:
    first = text_of(ROOT / "CONTRIBUTING.md").partition("## From a clone")[2].partition("\n## ")[0]
    commands = re.findall(r"^ {4}make ([a-z ]+?)(?: +#.*)?$", first, flags=re.MULTILINE)

    assert commands[0] == "setup"
    assert commands[-1] == "check"


def test_security_says_how_to_report_and_what_is_supported() -> None:
    text = text_of(ROOT / "SECURITY.md")

    assert re.findall(r"^\*\*(\w+)\*\*", text, flags=re.MULTILINE)[:2] == ["Report", "Supported"]
    assert "*Report a vulnerability*" in text


@pytest.mark.parametrize("path", DECISIONS, ids=lambda path: path.name)
def test_a_decision_is_short_and_says_how_to_undo_it(path: Path) -> None:
    text = text_of(path)

    assert len(text.splitlines()) <= DECISION_LINES_MAX
    assert text.startswith(f"# {path.name[:4]}: ")
    for part in ("**Context.**", "**Options.**", "**Choice.**", "**Tested.**", "**Undo.**"):
        assert part in text


def test_no_two_decisions_have_one_number() -> None:
    numbers = [path.name[:4] for path in DECISIONS]
    assert len(numbers) == len(set(numbers))


def test_the_layer_ships_the_boto3_that_the_tests_run_with() -> None:
    pinned = {
        re.findall(r"^boto3==\S+", text_of(path), flags=re.MULTILINE)[0]
        for path in (
            ROOT / "layers" / "inventory_sync" / "requirements.txt",
            ROOT / "requirements" / "dev.txt",
            ROOT / "requirements" / "local.txt",
        )
    }

    assert len(pinned) == 1


def test_the_runbook_names_the_stacks_outputs_as_they_are() -> None:
    text = text_of(ROOT / "docs" / "runbook.md")
    named = set(re.findall(r"`(\w+(?:Table|Bucket|Queue|Function)Name)`", text))
    assert named
    assert named <= set(TEMPLATE["Outputs"])
    assert re.findall(r"\b[A-Z]+_(?:TABLE|BUCKET|QUEUE)\b", text) == []


@pytest.mark.parametrize("page", ["README.md", "docs/runbook.md"])
def test_a_newcomer_finds_where_to_practise(page: str) -> None:
    text = text_of(ROOT / page)
    assert "local-aws.md#practise-incidents" in text
    assert "make local" in text
