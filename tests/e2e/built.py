"""What `make build` leaves, for the tests that need it."""

import os

import pytest

from local.runtime_files import BUILD, NotBuiltError, built_template
from local.stack import FORWARD, IMPORT, INGEST
from local.template import ROOT

LAYER = BUILD / "InventorySyncLayer" / "python"
SOURCES = {
    ROOT / "layers" / "inventory_sync" / "inventory_sync": LAYER / "inventory_sync",
    ROOT / "functions" / "ingest_event": BUILD / INGEST,
    ROOT / "functions" / "forward_events": BUILD / FORWARD,
    ROOT / "functions" / "import_stock": BUILD / IMPORT,
}
REQUIRED = "BUILD_REQUIRED"
"""Set by `make check`, where a build that is missing or old is a failure."""


def why_not() -> str:
    """Why the built functions cannot be tested; empty where they can."""
    try:
        built_template()
    except NotBuiltError as error:
        return str(error)
    for source, built in SOURCES.items():
        for path in source.rglob("*.py"):
            copy = built / path.relative_to(source)
            if not copy.is_file() or copy.read_bytes() != path.read_bytes():
                return f"{path.relative_to(ROOT)} was not built as it is: run `make build`"
    return ""


OBSTACLE = why_not()
BUILT = [
    pytest.mark.built,
    pytest.mark.slow,
    pytest.mark.skipif(bool(OBSTACLE) and not os.environ.get(REQUIRED), reason=OBSTACLE),
]
"""The marks of a test that needs them: skipped where nothing is built, or not of this source."""
