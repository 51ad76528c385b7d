"""Call the simulated ERP in every way its contract allows, and in some that it does not."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from local.erp.model import ErpModel
from local.erp.server import erp_server

ROOT = Path(__file__).parents[2]
SCHEMATHESIS = ROOT / ".venv-fuzz" / "bin" / "schemathesis"
CONFIG = Path(__file__).with_name("schemathesis.toml")
TOKEN = "erp-token"
EXAMPLES = ("--max-examples", "25", "--seed", "1")
"""The seed: what CI says of a commit does not change from one run to the next."""


def main(arguments: Sequence[str]) -> int:
    """The exit status of schemathesis, which prints what it found."""
    notes = ROOT / "build" / "fuzz"
    notes.mkdir(parents=True, exist_ok=True)
    model = ErpModel(lambda: datetime.now(UTC), change_feed="sequence")
    for number in range(20):
        model.set_stock(("DC01", f"SKU-{number}"), number)
    with erp_server(model, TOKEN) as server:
        command = [SCHEMATHESIS, "--config-file", CONFIG, "run", ROOT / "docs" / "erp-openapi.yaml"]
        address = ["--url", server.base_url, "--header", f"Authorization: Bearer {TOKEN}"]
        phases = ["--phases", "examples,coverage,fuzzing"]
        told = [str(part) for part in (*command, *address, *phases, *EXAMPLES, *arguments)]
        done = subprocess.run(told, cwd=notes, check=False)
    return done.returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
