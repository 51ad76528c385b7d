"""`inventory-sync room`: a deployed stack at a glance, read with an operator's rights alone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from io import StringIO
from typing import Any

import pytest
import requests

from cli.room.history import History
from cli.room.picture import Picture, picture
from cli.room.server import room_server
from inventory_sync.domain.errors import RejectedError
from tests.integration.operator import DC, SKU, WHO, Operated, operated
from tests.integration.operator_room import READS, Calls, EndsAfter, reader_of, serve

SECONDS = 10


@pytest.fixture
def calls() -> Calls:
    return Calls()


@pytest.fixture
def shop() -> Iterator[Operated]:
    with operated(StringIO()) as found:
        found.run("stream", "register", *WHO)
        yield found


def shown(shop: Operated, calls: Calls) -> Picture:
    return picture(reader_of(shop, calls).read())


def test_nothing_is_changed_and_no_table_is_read_whole(shop: Operated, calls: Calls) -> None:
    shop.ship("ff1", at=10)
    shop.run("hold", DC, *WHO)
    shop.run("reconcile")
    shop.stack.newstore.asked.clear()
    shop.stack.erp.asked.clear()
    reader = reader_of(shop, calls)

    reader.read()
    reader.row(DC, SKU)
    reader.suggestions("d")
    reader.read()

    assert calls.by_name.keys() <= READS
    token = "POST /auth/realms/acme/protocol/openid-connect/token"
    assert {one for one in shop.stack.newstore.asked if not one.startswith("GET ")} == {token}
    assert not shop.stack.erp.asked
    assert calls.taken() > 0


def test_a_look_asks_nothing_twice_and_a_later_one_for_no_file_again(
    shop: Operated, calls: Calls
) -> None:
    shop.run("hold", DC, *WHO)
    shop.run("reconcile", *WHO)
    reader = reader_of(shop, calls)

    reader.read()

    assert [asked for asked, times in calls.word_for_word.items() if times > 1] == []
    calls.taken()
    reader.read()
    files = [asked for asked in calls.word_for_word if asked.startswith("GetObject")]
    assert [asked for asked in files if "/manifest" in asked or "drift.csv" in asked] == []


def test_all_is_well_where_it_is(shop: Operated, calls: Calls) -> None:
    shop.ship("ff1", at=10)
    shop.wait(16)
    shop.tick()

    found = shown(shop, calls)

    assert (found.status.level, found.by_search, found.rows) == ("flowing", True, ())
    assert found.runs[0].state == "FINALIZED"
    assert found.watermark == 10


def test_what_needs_a_person_is_said_as_status_says_it(shop: Operated, calls: Calls) -> None:
    shop.run("hold", DC, *WHO)
    shop.stack.erp.faults.down_for(3600)
    shop.tick()

    found = shown(shop, calls)

    assert found.status.level == "stuck"
    said = set(shop.json("status", "--offline", code=4)["concerns"])
    assert said & set(found.status.reasons)
    assert [hold.location for hold in found.holds] == [DC]


def test_a_row_that_is_promised_wrongly_is_listed_with_its_causes(
    shop: Operated, calls: Calls
) -> None:
    shop.stack.erp.set_stock((DC, "SKU-0"), 1)
    shop.stack.erp.set_stock((DC, SKU), 15)
    shop.run("reconcile", *WHO)

    found = shown(shop, calls)

    drift, *others = found.drifts
    assert [other.drift_units for other in others] == [-1]
    assert (drift.location, drift.product, drift.drift_units) == (DC, SKU, 5)
    assert drift.causes == ("erp correction",)
    assert found.status.level == "wrong"


def test_any_row_is_found_with_its_sum_and_its_history(shop: Operated, calls: Calls) -> None:
    shop.ship("ff1", at=10)
    shop.wait(16)
    shop.tick()
    shop.ship("ff2", at=11)
    reader = reader_of(shop, calls)

    row = reader.row(DC, SKU)

    assert row["headline"] == f"{SKU} at {DC}: NewStore was told 19"
    assert row["base"] + sum(term["units"] for term in row["terms"]) == row["quantity"] == 19
    moments = [moment["kind"] for moment in row["timeline"]]
    assert {"read", "import", "event"} <= set(moments)
    assert [moment["at"] for moment in row["timeline"]] == sorted(
        moment["at"] for moment in row["timeline"]
    )
    [open_event] = picture(reader.read()).events
    assert (open_event.location, open_event.logical_timestamp) == (DC, 11)


def test_a_row_that_nobody_has_sent_says_so(shop: Operated, calls: Calls) -> None:
    with pytest.raises(RejectedError, match="SKU-404"):
        reader_of(shop, calls).row(DC, "SKU-404")


def test_locations_are_suggested_by_what_they_begin_with(shop: Operated, calls: Calls) -> None:
    reader = reader_of(shop, calls)

    assert reader.suggestions("dc") == [DC]
    assert reader.suggestions("01") == [DC]
    assert reader.suggestions("x") == []


def test_the_figures_with_a_goal_are_there(shop: Operated, calls: Calls) -> None:
    shop.ship("ff1", at=10)
    shop.wait(16)
    shop.tick()
    shop.run("reconcile", *WHO)
    shop.wait(180)

    found = shown(shop, calls)

    tiles = {tile.name: tile.value for tile in found.tiles}
    assert tiles["Oldest stock"] == pytest.approx(10_800, abs=900)
    assert tiles["Shipment to ERP"] is not None
    assert tiles["Shipment to NewStore"] == pytest.approx(22 * 60, abs=120)
    missed = [tile.name for tile, over in zip(found.tiles, found.missed, strict=True) if over]
    assert missed == ["Oldest stock"]


def test_a_look_that_differs_by_its_time_alone_is_no_moment(shop: Operated, calls: Calls) -> None:
    reader, history = reader_of(shop, calls), History()
    shop.wait(1)
    history.add(picture(reader.read()))
    for _ in range(3):
        shop.wait(0.5)
        history.add(picture(reader.read()), repeat=False)

    assert len(history.moments()) == 1


def test_rows_are_served_beside_the_page_and_refused_with_a_reason(
    shop: Operated, calls: Calls
) -> None:
    with room_server(History(), "Stack local", reader_of(shop, calls)) as server:

        def ask(path: str) -> tuple[int, Any]:
            answer = requests.get(f"{server.base_url}{path}", timeout=SECONDS)
            return answer.status_code, answer.json()

        assert ask("/locations?find=d") == (200, [DC])
        status, row = ask(f"/row?location={DC}&product={SKU}")
        assert (status, row["sent"]) == (200, 20)
        assert ask("/row?location=DC01")[0] == 400
        status, refused = ask("/row?location=DC01&product=nothing")
        assert status == 200
        assert "nothing" in refused["error"]


def test_a_page_without_rows_has_none_to_ask_for() -> None:
    with room_server(History(), "A story") as server:
        answer = requests.get(f"{server.base_url}/row?location=a&product=b", timeout=SECONDS)
    assert answer.status_code == 404


def test_the_command_serves_until_it_is_ended(shop: Operated) -> None:
    ended = serve(shop, EndsAfter(shop, 2), "--json")

    assert ended.exit_code == 0
    assert json.loads(ended.stdout.strip())["url"].startswith("http://127.0.0.1:")
    assert ended.stderr.strip() == ""


def test_a_port_that_is_taken_is_refused_with_what_to_do(shop: Operated) -> None:
    with room_server(History(), "another") as other:
        port = other.base_url.rpartition(":")[2]
        refused = serve(shop, EndsAfter(shop, 1), "--port", port)

    assert refused.exit_code == 2
    assert "name another" in refused.output
