"""`bytecode.py FOLDER ROOT`, run by Lambda's Python: prints each module whose bytecode is amiss.

Right is what that Python takes without a look at the source, and what names the source as it is
called in Lambda, below ROOT. One JSON line each: the module's path and what is wrong.
"""

import json
import marshal
import sys
from collections.abc import Iterator
from importlib.util import MAGIC_NUMBER, cache_from_source, source_hash
from pathlib import Path

UNCHECKED_HASH = (0b01).to_bytes(4, "little")
HEADER_BYTES = 16


def faults(folder: Path, root: Path) -> Iterator[tuple[str, str]]:
    """Of all modules below the folder."""
    for path in sorted(folder.rglob("*.py")):
        relative = path.relative_to(folder)
        cached = Path(cache_from_source(str(path)))
        data = cached.read_bytes() if cached.is_file() else b""
        expected = MAGIC_NUMBER + UNCHECKED_HASH + source_hash(path.read_bytes())
        if data[:HEADER_BYTES] != expected:
            yield str(relative), "no valid bytecode"
        elif marshal.loads(data[HEADER_BYTES:]).co_filename != str(root / relative):
            yield str(relative), "names another file"


if __name__ == "__main__":
    for fault in faults(Path(sys.argv[1]), Path(sys.argv[2])):
        print(json.dumps(fault))
