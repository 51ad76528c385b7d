"""Whether a real Odoo can be started without fetching anything: `python -m tests.odoo.at_hand`."""

from __future__ import annotations

import sys

from tests.odoo import packages, postgres, server


def missing() -> str:
    """What is not at hand, or nothing."""
    needed = {
        "Odoo's package": packages.unpacked_server(),
        "the Python with what it imports": packages.environment() / ".installed",
        "the database to start from": server.template_folder(),
    }
    for what, path in needed.items():
        if not path.exists():
            return f"{what} is not in {packages.cache()}; `make test-odoo` fetches and makes it"
    try:
        postgres.programs()
    except packages.NotAtHandError as error:
        return str(error)
    return ""


if __name__ == "__main__":
    if reason := missing():
        sys.exit(f"No test against a real Odoo: {reason}")
