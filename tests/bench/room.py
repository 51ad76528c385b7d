"""The control room over 10,000 locations of made data: to open it, and to find a row.

Over moto in this process, whose own work is in the time; the number of calls is what counts
elsewhere.
"""

import time
from collections.abc import Iterator
from dataclasses import replace
from io import StringIO

from cli.room.history import History
from cli.room.picture import picture
from cli.room.server import room_server
from cli.stack import Stack
from inventory_sync.adapters.codec import encode
from inventory_sync.domain.guards import Hold, HoldKind
from inventory_sync.domain.holds import LocationHold
from inventory_sync.domain.locations import Location
from tests.bench.measuring import Figure
from tests.integration.operator import DC, SKU, WHO, operated
from tests.integration.operator_room import Calls, reader_of

LOCATIONS = 10_000
HELD = 25
OPEN_SECONDS_MAX = 15.0
ROW_SECONDS_MAX = 2.0


def figures() -> Iterator[Figure]:
    """The first look, a later one, and a row by search."""
    import requests

    with operated(StringIO()) as shop:
        shop.run("stream", "register", *WHO)
        calls = Calls()
        reader = reader_of(shop, calls)
        _chain(reader.operator.stack)
        calls.taken()

        def timed(what: str, begin: float, goal: float) -> Iterator[Figure]:
            seconds = time.perf_counter() - begin
            name = f"control room of {LOCATIONS:,} locations, {what}"
            yield Figure(name=name, value=seconds, unit="s", goal=goal)
            yield Figure(name=f"{name}: calls of AWS", value=calls.taken(), unit="calls")

        begin, history = time.perf_counter(), History()
        history.add(picture(reader.read()))
        with room_server(history, "bench", reader) as server:
            requests.get(server.base_url, timeout=10).raise_for_status()
            yield from timed("opened", begin, OPEN_SECONDS_MAX)
            begin = time.perf_counter()
            history.add(picture(reader.read()))
            yield from timed("a later look", begin, OPEN_SECONDS_MAX)
            begin = time.perf_counter()
            requests.get(f"{server.base_url}/locations?find=L0999", timeout=10).raise_for_status()
            asked = {"location": DC, "product": SKU}
            answer = requests.get(f"{server.base_url}/row", params=asked, timeout=10).json()
            assert answer["sent"] == 20, answer
            yield from timed("a row found", begin, ROW_SECONDS_MAX)
            history.close()


def _chain(stack: Stack) -> None:
    """The one location's import, as if it had been of thousands, and some of them held."""
    now, head = stack.connect.now(), stack.head.head()
    assert head.finished_run_id is not None
    ids = [f"L{number:05}" for number in range(LOCATIONS - 1)]
    for one in ids:
        place = Location(location_id=one, fulfillment_node_id=one, store_id="", erp_location=one)
        stack.state.put("location", one, encode(place))
    manifest = stack.files.manifest(head.finished_run_id)
    entry = manifest.locations[DC]
    stack.files.save_manifest(replace(manifest, locations={**dict.fromkeys(ids, entry), DC: entry}))
    fell = (Hold(HoldKind.UNITS_FELL, "3 now, 9 before"),)
    for one in ids[:HELD]:
        held = LocationHold(location_id=one, holds=fell, since=now, run_id=head.finished_run_id)
        stack.locations.set_hold(held)
