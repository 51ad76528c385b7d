"""`make connector-test` runs the suite against code that is not in this checkout."""

import os
import subprocess
import sys
from pathlib import Path

from tests.template.test_template import ROOT

THEIRS = '''
from tests.connector.rest_bench import rest


def bench():
    """Anything that gives a bench will do."""
    return rest(reservations=False)
'''


def run(folder: Path, connector: str, chosen: str) -> subprocess.CompletedProcess[str]:
    """As the recipe does it, without a second `make` in this one's environment."""
    recipe = next(
        line
        for line in (ROOT / "Makefile").read_text().splitlines()
        if "CONNECTOR=$(CONNECTOR)" in line
    )
    command = recipe.strip().replace("$(CONNECTOR)", connector).replace("$$", "$")
    command = command.replace("$(ARGS)", f"-k {chosen} -p no:cacheprovider -q")
    command = command.replace(".venv/bin/python", sys.executable)
    return subprocess.run(
        ["sh", "-c", command],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_module_on_the_path_is_found_wherever_it_is(tmp_path: Path) -> None:
    (tmp_path / "their_erp.py").write_text(THEIRS)

    done = run(tmp_path, "their_erp:bench", "capabilities")

    assert done.returncode == 0, done.stdout
    assert "1 passed" in done.stdout


def test_connector_that_is_not_there_fails(tmp_path: Path) -> None:
    assert run(tmp_path, "nowhere:bench", "capabilities").returncode != 0
