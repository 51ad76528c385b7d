"""What a port promises is asked of an adapter somewhere, not of a fake alone."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PORTS = ROOT / "layers" / "inventory_sync" / "inventory_sync" / "ports"
SUITES = ("contract", "connector", "unit/adapters")
"""Where adapters are tested. Who names no adapter here tests a fake."""


def promised() -> list[str]:
    """Port and method."""
    return [
        f"{port.name}.{method.name}"
        for file in sorted(PORTS.glob("*.py"))
        for port in ast.parse(file.read_text("utf-8")).body
        if isinstance(port, ast.ClassDef)
        for method in port.body
        if isinstance(method, ast.FunctionDef) and not method.name.startswith("_")
    ]


def asked() -> set[str]:
    """Attributes that are named in test files which import an adapter or the bench of one."""
    found: set[str] = set()
    for suite in SUITES:
        for file in (ROOT / "tests" / suite).rglob("*.py"):
            text = file.read_text("utf-8")
            if "inventory_sync.adapters" in text or "connector.bench" in text:
                nodes = ast.walk(ast.parse(text))
                found |= {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    return found


ASKED = asked()


@pytest.mark.parametrize("method", promised())
def test_an_adapter_is_asked_for_what_its_port_promises(method: str) -> None:
    assert method.rpartition(".")[2] in ASKED
