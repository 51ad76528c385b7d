"""`python -m cli`, from the root of a checkout."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "layers" / "inventory_sync"))

from cli.main import main

main(prog_name="inventory-sync")
