"""`python -m cli`, from the root of a checkout."""

import signal
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "layers" / "inventory_sync"))

from cli.main import main

# A shell without job control starts what runs in the background deaf to Ctrl-C.
signal.signal(signal.SIGINT, signal.default_int_handler)

main(prog_name="inventory-sync")
