"""The functions' modules, all of which are named app."""

import importlib.util
from functools import cache
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parents[1]


@cache
def load_app(verb: str) -> ModuleType:
    """functions/<verb>/app.py as a module of its own."""
    path = ROOT / "functions" / verb / "app.py"
    spec = importlib.util.spec_from_file_location(f"functions.{verb}.app", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
