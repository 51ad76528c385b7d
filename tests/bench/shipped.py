"""The layer as it was built, in the template's Python."""

import os
from collections.abc import Mapping

from local.runtime_files import BUILD, NotBuiltError, built_template
from local.template import ROOT
from tests.bench.measuring import in_a_process

PYTHON = ROOT / ".venv-bench" / "bin" / "python"
LAYER = BUILD / "InventorySyncLayer" / "python"


def build_once(way: str, rows: int) -> Mapping[str, float]:
    """What `tests.bench.builds` prints; NotBuiltError without `make bench`'s preparations."""
    built_template()
    if not PYTHON.exists():
        raise NotBuiltError(f"{PYTHON} is missing: run `make bench`")
    environment = {
        "PATH": os.defpath,
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONPATH": os.pathsep.join(map(str, (LAYER, ROOT))),
    }
    return in_a_process(
        "tests.bench.builds", way, rows, python=(str(PYTHON),), environment=environment
    )
