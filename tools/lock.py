"""Compile requirements/*.in into pinned, hashed files that install on every supported Python.

Without arguments the pins stay as they are where they still fit; --upgrade takes the newest.
"""

import subprocess
import sys
from pathlib import Path

_RUNTIME = "layers/inventory_sync/requirements.txt"
_OLDEST_PYTHON = "3.11"

# In this order: a later one takes over the pins of the one it is constrained by.
_LOCKS = (
    # source, target, oldest Python, constraint
    ("dev", "requirements/dev.txt", _OLDEST_PYTHON, None),
    ("local", "requirements/local.txt", _OLDEST_PYTHON, "requirements/dev.txt"),
    ("runtime", _RUNTIME, _OLDEST_PYTHON, "requirements/dev.txt"),
    ("browser", "requirements/browser.txt", _OLDEST_PYTHON, "requirements/dev.txt"),
    ("sam", "requirements/sam.txt", "3.13", None),
    ("e2e", "requirements/e2e.txt", "3.13", None),
    ("bench", "requirements/bench.txt", "3.13", "requirements/dev.txt"),
    ("security", "requirements/security.txt", _OLDEST_PYTHON, None),
    ("audit", "requirements/audit.txt", _OLDEST_PYTHON, None),
    ("mutation", "requirements/mutation.txt", _OLDEST_PYTHON, "requirements/dev.txt"),
    ("fuzz", "requirements/fuzz.txt", _OLDEST_PYTHON, None),
    ("odoo", "requirements/odoo.txt", "3.12", None),
    ("lock", "requirements/lock.txt", _OLDEST_PYTHON, None),
)


def main(arguments: list[str]) -> None:
    uv = str(Path(sys.executable).with_name("uv"))
    for source, target, python, constraint in _LOCKS:
        command = [uv, "pip", "compile", "--quiet", "--no-config", "--universal"]
        command += ["--python-version", python, "--generate-hashes", "--annotation-style=line"]
        command += ["--custom-compile-command=make lock", "--output-file", target]
        command += ["--constraint", constraint] if constraint else []
        subprocess.run([*command, *arguments, f"requirements/{source}.in"], check=True)  # noqa: S603


if __name__ == "__main__":
    main(sys.argv[1:])
