"""The location map beside the locations that NewStore has."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local.newstore.locations import StockLocation, dc, store
from tests.integration.operator import DC, Operated, operated

HEADER = "location_id,fulfillment_node_id,store_id,erp_location,enabled,create"


@pytest.fixture(scope="module")
def world() -> Iterator[Operated]:
    with operated() as shop:
        yield shop


@pytest.fixture
def shop(world: Operated) -> Operated:
    """NewStore has the one location that is mapped."""
    world.stack.newstore.locations.by_id = {DC: dc(DC)}
    return world


def check(shop: Operated, folder: Path, *rows: str, code: int = 4) -> tuple[Any, str]:
    """What a check of these rows finds, and what it says."""
    path = folder / "map.csv"
    path.write_text("\n".join([HEADER, *rows, ""]))
    found = shop.json("locations", "check", str(path), code=code)["newstore"]
    return found, shop.run("locations", "check", str(path), code=code).output


def test_a_map_that_says_what_newstore_says_is_right(shop: Operated, tmp_path: Path) -> None:
    found, said = check(shop, tmp_path, code=0)

    assert "lists the same locations" in said
    assert found["proposed"] == []
    assert shop.json("locations", "check", "--offline")["newstore"] is None


@pytest.mark.parametrize(
    ("at_newstore", "row", "kind", "proposed"),
    [
        (store("NYC"), "NYC,NYC,,W1,true,false", "wrong_type", "NYC,NYC,NYC,W1,true,false"),
        (dc("NYC"), "NYC,NYC,NYC,W1,true,false", "wrong_type", "NYC,NYC,,W1,true,false"),
        (
            dc("NYC", is_inventory_master=True),
            "NYC,NYC,,W1,true,false",
            "inventory_master",
            "NYC,NYC,,W1,false,false",
        ),
        (
            store("NYC", store_id="S1"),
            "NYC,NCY,,W1,true,false",
            "unknown_location",
            "NYC,NYC,S1,W1,true,false",
        ),
        (
            store("NYC-01"),
            "17,NYC-O1,,W1,true,false",
            "unknown_location",
            "17,NYC-01,NYC-01,W1,true,false",
        ),
    ],
)
def test_a_row_that_a_guard_would_hold_is_named_with_the_right_one(
    shop: Operated,
    tmp_path: Path,
    at_newstore: StockLocation,
    row: str,
    kind: str,
    proposed: str,
) -> None:
    shop.stack.newstore.locations.add(at_newstore)

    found, said = check(shop, tmp_path, row)

    assert found[kind] == [row.split(",")[0]]
    (cells,) = found["proposed"]
    assert ",".join(str(cells[name]) for name in HEADER.split(",")).lower() == proposed.lower()
    assert said.rstrip().endswith(f"{HEADER}\n{proposed}")


def test_a_location_that_nobody_has_mapped_gets_a_row(shop: Operated, tmp_path: Path) -> None:
    shop.stack.newstore.locations.add(store("BER", store_id="S1"))
    shop.stack.newstore.locations.add(dc("POP", is_inventory_master=True))

    found, said = check(shop, tmp_path)

    assert found["not_mapped"] == ["BER", "POP"]
    assert "BER,BER,S1,BER,true,false\nPOP,POP,,POP,false,false" in said


def test_what_the_first_import_creates_and_what_is_off_is_told(
    shop: Operated, tmp_path: Path
) -> None:
    shop.stack.newstore.locations.add(store("OFF", is_enabled=False))

    found, said = check(
        shop, tmp_path, "NEW,NEW,,W1,true,true", "OFF,OFF,OFF,W2,true,false", code=0
    )

    assert (found["to_create"], found["off"]) == (["NEW"], ["OFF"])
    assert "creates them at NewStore, for ever: NEW" in said


def test_a_location_without_any_like_it_is_held_without_a_proposal(
    shop: Operated, tmp_path: Path
) -> None:
    found, said = check(shop, tmp_path, "XYZ,XYZ,,W1,true,false")

    assert (found["unknown_location"], found["proposed"]) == (["XYZ"], [])
    assert "set `create`" in said


def test_what_is_not_enabled_is_nobodys_concern(shop: Operated, tmp_path: Path) -> None:
    found, _ = check(shop, tmp_path, "XYZ,XYZ,,W1,false,false", code=0)

    assert found["unknown_location"] == []


def test_a_map_is_written_from_newstores_locations_and_can_be_loaded(
    shop: Operated, tmp_path: Path
) -> None:
    path = tmp_path / "init.csv"
    shop.stack.newstore.locations.add(store("BER", store_id="S1"))
    shop.stack.newstore.locations.add(store("POP", is_inventory_master=True))

    written = shop.json("locations", "init", str(path))
    again = shop.run("locations", "init", str(path), code=1).output

    assert written == {"locations": 3, "enabled": 2, "list_full": False}
    assert path.read_text().splitlines() == [
        HEADER,
        "BER,BER,S1,BER,true,false",
        f"{DC},{DC},,{DC},true,false",
        "POP,POP,POP,POP,false,false",
    ]
    assert "is there already" in again
    assert shop.json("locations", "check", str(path))["locations"] == 3


def test_a_full_list_is_said_to_be_one(shop: Operated, tmp_path: Path) -> None:
    for number in range(2000):
        shop.stack.newstore.locations.add(dc(f"L{number:04d}"))

    written = shop.run("locations", "init", str(tmp_path / "many.csv")).output

    assert "NewStore lists no more than 2000 locations" in written
