"""What tells two states apart: everything that decides what may still happen."""

import hashlib
import re
from typing import Any

from tests.exhaust.small_world import SmallWorld

_INSTANT = re.compile(r"datetime\.datetime\((\d+(?:, \d+){4})((?:, \d+){0,2}), tzinfo")


def world_text(world: SmallWorld) -> str:
    """All of its stores, and of the truth."""
    erp, newstore, ledger = world.erp_model, world.newstore_model, world.erp_model.ledger
    stores: list[Any] = [
        world.now,
        sorted(world.event_log_store._records.items()),
        sorted(world.unit_owners.owners.items()),
        [(entry.reason, entry.ref) for entry in world.quarantine.entries],
        vars(world.leases),
        world.runs._head,
        sorted(world.files.manifests.items()),
        sorted(world.files.ledgers.items()),
        sorted(world.files.finalizations.items()),
        [(uri, hash(content)) for uri, content in sorted(world.files.archives.items())],
        world.location_store.holds(),
        ledger.booked,
        ledger._shown,
        sorted((due, key, units) for due, _, key, units in ledger._due),
        sorted(erp.movements.items()),
        newstore.imported,
        [list(request.items.values()) for request in newstore.book.requests.values()],
        list(newstore.jobs.by_id.values()),
        list(world.completed.values()),
        sorted(world.unsettled),
        sorted(world.acknowledged),
        world.errors,
        world.stream,
        (world.watermark, world.cut_end),
    ]
    return repr(stores)


def digest(*texts: str) -> bytes:
    """Of instants only their order counts within one second: clocks draw each once."""
    text = "\n".join(texts)
    found = {match.group(0): match.groups() for match in _INSTANT.finditer(text)}
    by_second: dict[tuple[str, int], list[int]] = {}
    parts = {}
    for whole, (minute, rest) in found.items():
        numbers = [int(number) for number in rest.split(", ")[1:]] + [0, 0]
        parts[whole] = (minute, numbers[0]), numbers[1]
    for second, fraction in sorted(set(parts.values())):
        by_second.setdefault(second, []).append(fraction)

    def ranked(match: re.Match[str]) -> str:
        second, fraction = parts[match.group(0)]
        return f"{second}+{by_second[second].index(fraction)}"

    return hashlib.blake2b(_INSTANT.sub(ranked, text).encode(), digest_size=16).digest()
