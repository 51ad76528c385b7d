"""`locations`: a whole file or nothing, and every change on record."""

import json
from collections.abc import Callable
from datetime import timedelta

import pytest
from click.testing import Result

from inventory_sync.adapters.codec import encode
from inventory_sync.adapters.newstore.event_body import parse_event
from inventory_sync.domain.events import FulfillmentEvent
from inventory_sync.domain.locations import Location
from local.newstore.events import event_bytes
from tests.event_bodies import TENANT, event_fields
from tests.unit.cli.conftest import NOW, Shell

LATER = NOW + timedelta(minutes=1)
"""When the second command is given."""
Load = Callable[..., Result]
HEADER = "location_id,fulfillment_node_id,store_id,erp_location,enabled,create"


def test_empty_cells_stand_for_the_same_id_on_all_sides(shell: Shell, load: Load) -> None:
    result = load("location_id,store_id", "DC01,", "NYC,NYC")

    assert result.exit_code == 0, result.output
    assert shell.store.locations() == {
        "DC01": Location(
            location_id="DC01", fulfillment_node_id="DC01", store_id="", erp_location="DC01"
        ),
        "NYC": Location(
            location_id="NYC", fulfillment_node_id="NYC", store_id="NYC", erp_location="NYC"
        ),
    }


@pytest.mark.parametrize("location_id", ["DC01 ", " DC01", "DC\u00a001", "Köln #1/a", "x" * 200])
def test_an_id_that_an_event_may_have_is_mapped_and_shown_as_it_stands(
    shell: Shell, load: Load, location_id: str
) -> None:
    body = event_bytes(event_fields(fulfillment_location_id=location_id))
    found = parse_event(body, TENANT)
    assert isinstance(found, FulfillmentEvent)

    result = load("location_id,enabled", f'"{found.location_id}",false', "DC01,true")

    assert result.exit_code == 0, result.output
    assert set(shell.store.locations()) == {location_id, "DC01"}
    listed = json.loads(shell.run("locations", "list", "--json").stdout)["locations"]
    assert location_id in [row["location_id"] for row in listed]
    held = shell.run("hold", location_id, "--why", "stray id", "--who", "ada")
    assert held.exit_code == 0, held.output
    assert set(shell.store.operator_holds()) == {location_id}


def test_an_id_that_no_event_may_have_is_not_mapped(load: Load) -> None:
    for location_id in ("DC\x0001", "DC\x8501", "x" * 201):
        assert load("location_id,enabled", f'"{location_id}",false').exit_code != 0


def test_every_column_is_read(shell: Shell, load: Load) -> None:
    load(HEADER, "1,NODE-1,STORE-1,W/1,no,Yes")

    assert shell.store.locations()["1"] == Location(
        location_id="1",
        fulfillment_node_id="NODE-1",
        store_id="STORE-1",
        erp_location="W/1",
        enabled=False,
        create=True,
    )


def test_a_load_says_what_became_of_each_row(shell: Shell, load: Load) -> None:
    load("location_id,erp_location", "A,", "B,", "C,")

    result = shell.run(
        "locations", "load", shell.file("location_id,erp_location", "A,", "B,W2", "D,"), "--json"
    )

    told = json.loads(result.stdout)
    assert (told["added"], told["changed"], told["unchanged"]) == (["D"], ["B"], ["A"])
    assert told["renamed"] == []
    assert set(shell.store.locations()) == {"A", "B", "C", "D"}


def test_a_repeated_load_changes_nothing_and_leaves_no_record(shell: Shell, load: Load) -> None:
    load("location_id", "A")

    result = load("location_id", "A")

    assert "0 added, 0 changed, 1 unchanged" in result.output
    assert len(shell.audit) == 1


def test_a_change_is_on_record_with_what_was_there_before(shell: Shell, load: Load) -> None:
    load("location_id", "A")
    path = shell.file("location_id,enabled", "A,false")

    shell.run("locations", "load", path, "--who", "ada", "--why", "closed")

    record = shell.audit[-1]
    (change,) = record.changes
    assert (record.author.who, record.author.why, record.author.at) == ("ada", "closed", LATER)
    assert change.before is not None
    assert change.after is not None
    assert json.loads(change.before)["enabled"] is True
    assert json.loads(change.after)["enabled"] is False


def test_more_rows_than_one_transaction_holds(shell: Shell, load: Load) -> None:
    load("location_id", *(f"L{number}" for number in range(250)))

    assert len(shell.store.locations()) == 250
    assert sorted(len(record.changes) for record in shell.audit) == [52, 99, 99]


def test_the_longest_rows_fit_their_records(shell: Shell, load: Load) -> None:
    rows = [
        f"{number:03d}{'é' * 197},{number:03d}{'ü' * 197},,W{number:03d}{'ö' * 196}"
        for number in range(150)
    ]

    for store in ("", "S"):
        result = load(
            "location_id,fulfillment_node_id,store_id,erp_location",
            *(row.replace(",,", f",{store},") for row in rows),
        )
        assert result.exit_code == 0, result.output

    assert sum(len(record.changes) for record in shell.audit) == 300


def test_a_new_node_is_pointed_out(load: Load) -> None:
    load("location_id,fulfillment_node_id", "A,N1")

    assert (
        "next import sends all rows there, and 0 for those under the former one: A"
        in load("location_id,fulfillment_node_id", "A,N2").output
    )


def test_every_bad_row_is_named_and_none_is_written(shell: Shell, load: Load) -> None:
    result = load(
        HEADER,
        "OK,,,,,",
        ",,,,,",
        ",NODE,,,,",
        "B,,,,maybe,",
        "D,,,,,",
        "E" * 201 + ",,,,,",
        '"F\x07",,,,,',
        "G,,,,,2",
    )

    assert result.exit_code == 1
    lines = result.output.splitlines()
    assert [line.split(": ")[0] for line in lines] == [
        "line 4, location_id",
        "line 5, enabled",
        "line 7, location_id",
        "line 8, location_id",
        "line 9, create",
        "Nothing was written.",
    ]
    assert not shell.store.locations()
    assert not shell.audit


@pytest.mark.parametrize(
    ("rows", "column"),
    [
        (["A,,", "A,B,B"], "location_id"),
        (["A,N,", "B,N,"], "fulfillment_node_id"),
        (["A,,W", "B,,W"], "erp_location"),
        (["A,B,", "B,,"], "fulfillment_node_id"),  # B's empty cell stands for B
    ],
)
def test_no_two_locations_share_an_id(load: Load, rows: list[str], column: str) -> None:
    result = load("location_id,fulfillment_node_id,erp_location", *rows)

    assert result.exit_code == 1
    assert f"line 3, {column}: " in result.output
    assert "line 2 already" in result.output


def test_no_location_takes_the_id_of_one_that_the_file_does_not_list(load: Load) -> None:
    load("location_id", "A")

    result = load("location_id,erp_location", "B,A")

    assert result.exit_code == 1
    assert "location A of the stored map" in result.output


def test_two_locations_may_swap_their_ids_in_one_file(shell: Shell, load: Load) -> None:
    load("location_id,erp_location", "A,1", "B,2")

    result = load("location_id,erp_location", "A,2", "B,1")

    assert result.exit_code == 0, result.output
    assert shell.store.locations()["A"].erp_location == "2"


@pytest.mark.parametrize(
    ("lines", "named"),
    [
        ([], "location_id"),
        (["store_id", "NYC"], "location_id"),
        (["location_id,colour", "A,red"], "colour"),
        (["location_id,store_id,store_id", "A,,"], "store_id"),
        (["location_id", "A,B"], "row"),
        (["location_id", '"A'], "file"),
    ],
)
def test_a_file_that_is_no_such_table_is_refused(load: Load, lines: list[str], named: str) -> None:
    result = load(*lines)

    assert result.exit_code == 1
    assert f", {named}: " in result.output


def test_a_file_from_a_spreadsheet_is_read(shell: Shell) -> None:
    path = shell.file("location_id,erp_location", "Köln,W 1", ",", "", encoding="utf-8-sig")

    assert shell.run("locations", "load", path).exit_code == 0
    assert list(shell.store.locations()) == ["Köln"]


def test_a_file_in_another_encoding_is_refused(shell: Shell) -> None:
    path = shell.file("location_id", "Köln", encoding="latin-1")

    result = shell.run("locations", "load", path)

    assert result.exit_code == 1
    assert "CSV UTF-8" in result.output


def test_a_check_of_a_file_writes_nothing(shell: Shell) -> None:
    path = shell.file("location_id,enabled", "A,", "B,false")

    result = shell.run("locations", "check", path, "--offline", "--json")

    found = json.loads(result.stdout)
    assert (found["enabled"], found["locations"], found["newstore"]) == (1, 2, None)
    assert not shell.store.locations()


def test_a_check_of_the_stored_map_finds_what_two_locations_share(shell: Shell) -> None:
    for location_id in ("A", "B"):
        location = Location(
            location_id=location_id,
            fulfillment_node_id=location_id,
            store_id="",
            erp_location="W",
        )
        shell.state.put("location", location_id, encode(location))

    result = shell.run("locations", "check")

    assert result.exit_code == 1
    assert "erp_location 'W' is that of A and of B" in result.output


def test_what_the_file_has_no_column_for_stays_as_it_is(shell: Shell, load: Load) -> None:
    load(HEADER, "1,NODE-1,STORE-1,W/1,no,Yes")

    load("location_id,enabled", "1,yes")

    assert shell.store.locations()["1"] == Location(
        location_id="1",
        fulfillment_node_id="NODE-1",
        store_id="STORE-1",
        erp_location="W/1",
        enabled=True,
        create=True,
    )


def test_an_empty_cell_of_a_known_location_stands_for_its_default(shell: Shell, load: Load) -> None:
    load(HEADER, "1,NODE-1,STORE-1,W/1,no,yes")

    load("location_id,store_id,erp_location", "1,,")

    place = shell.store.locations()["1"]
    assert (place.store_id, place.erp_location, place.enabled) == ("", "1", False)


def test_a_value_kept_from_the_stored_map_is_checked_against_the_file_s(load: Load) -> None:
    load("location_id,erp_location", "A,1", "B,2")

    result = load("location_id,erp_location", "B,1")

    assert result.exit_code == 1
    assert "'1' is that of location A of the stored map" in result.output


def test_a_load_shows_the_difference_before_it_writes(shell: Shell, load: Load) -> None:
    load("location_id,erp_location,store_id", "A,1,A", "B,2,B", "C,3,C")
    path = shell.file("location_id,erp_location,store_id", "A,9,A", "B,2,", "C,3,C", "D,4,D")

    checked = shell.run("locations", "check", path, "--offline").output.splitlines()
    loaded = shell.run("locations", "load", path).output.splitlines()

    assert loaded[:3] == checked[:3]
    assert loaded[:2] == ["~ A: erp_location 1 -> 9", "~ B: store_id B -> -"]
    assert loaded[2].startswith("+ D: ")
    assert loaded[3] == "locations: 1 added, 2 changed, 1 unchanged"


def test_the_difference_can_be_read_by_a_script(shell: Shell, load: Load) -> None:
    load("location_id,erp_location", "A,1")
    path = shell.file("location_id,erp_location", "A,9")

    told = json.loads(shell.run("locations", "load", path, "--json").stdout)

    assert told["differences"] == [
        {"location_id": "A", "column": "erp_location", "before": "1", "after": "9"}
    ]


def test_the_list_can_be_loaded_again(shell: Shell, load: Load) -> None:
    load(HEADER, "1,NODE-1,STORE-1,W/1,no,yes")

    listed = json.loads(shell.run("locations", "list", "--json").stdout)["locations"]
    again = load(",".join(listed[0]), ",".join(map(str, listed[0].values())))

    assert "1 unchanged" in again.output


def test_an_empty_map_says_how_to_fill_it(shell: Shell) -> None:
    assert "locations load --help" in shell.run("locations", "list").output
