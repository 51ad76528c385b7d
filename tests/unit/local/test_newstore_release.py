"""What an import's range releases, and when."""

from __future__ import annotations

import pytest

from local.newstore.locations import StockLocation, dc, store
from tests.unit.local.newstore_builder import DC, KEY, OTHER_KEY, Newstore, file_of


@pytest.mark.parametrize(
    ("logical_range", "left"), [((10, 12), 0), ((10, 11), 1), ((11, 11), 2), ((13, 20), 3)]
)
def test_a_range_is_inclusive_at_both_ends(logical_range: tuple[int, int], left: int) -> None:
    newstore = Newstore()
    for logical_timestamp in (10, 11, 12):
        newstore.ship(logical_timestamp)
    newstore.import_files(file_of({KEY: 0}, logical_range))
    assert newstore.model.completed_unreleased(KEY) == left


def test_releasing_twice_is_harmless() -> None:
    newstore = Newstore()
    newstore.ship(10)
    newstore.import_files(file_of({KEY: 4}, (10, 10)))
    newstore.import_files(file_of({KEY: 4}, (10, 10)))
    assert newstore.model.atp(KEY) == 4


def test_an_open_allocation_inside_the_range_is_not_released() -> None:
    newstore = Newstore()
    newstore.assign(logical_timestamp=10)
    newstore.import_files(file_of({KEY: 4}, (0, 100)))
    assert newstore.model.open_allocations(KEY) == 1


def test_what_completes_after_the_import_waits_for_the_next_one_however_low_it_is() -> None:
    newstore = Newstore()
    newstore.import_files(file_of({KEY: 4}, (0, 100)))
    newstore.ship(50)
    assert newstore.model.atp(KEY) == 3


@pytest.mark.parametrize(("range_scope", "left"), [("tenant", 0), ("file_locations", 1)])
def test_a_range_acts_on_the_tenant_or_on_the_files_locations(range_scope: str, left: int) -> None:
    newstore = Newstore(range_scope=range_scope)
    newstore.ship(10, key=KEY)
    newstore.ship(11, key=OTHER_KEY)
    newstore.import_files(file_of({KEY: 0}, (10, 11), nodes=[DC]))
    assert newstore.model.completed_unreleased(KEY) == 0
    assert newstore.model.completed_unreleased(OTHER_KEY) == left


def test_a_range_releases_rows_that_are_not_in_its_file() -> None:
    newstore = Newstore()
    newstore.ship(10)
    newstore.import_files(file_of({(DC, "SKU-2"): 1}, (10, 10)))
    assert newstore.model.completed_unreleased(KEY) == 0


def test_a_partial_import_deletes_nothing() -> None:
    newstore = Newstore()
    newstore.model.set_imported(KEY, 10)
    newstore.import_files(file_of({(DC, "SKU-2"): 3}))
    assert newstore.model.on_hand(KEY) == 10


@pytest.mark.parametrize(
    ("mode", "on_hand", "atp"), [("on_hand", 17, 15), (None, 17, 15), ("atp", 19, 17)]
)
def test_the_quantity_is_stock_on_hand_or_already_lacks_the_open_allocations(
    mode: str | None, on_hand: int, atp: int
) -> None:
    newstore = Newstore()
    newstore.assign(units=2)
    newstore.import_files(file_of({KEY: 17}, mode=mode))
    assert (newstore.model.on_hand(KEY), newstore.model.atp(KEY)) == (on_hand, atp)


def test_files_are_applied_one_by_one_with_their_delay() -> None:
    newstore = Newstore(job_seconds=60, seconds_between_files=30)
    import_id = newstore.import_files(file_of({KEY: 1}), file_of({KEY: 2}), file_of({KEY: 3}))
    seen = []
    for seconds in (59, 1, 30, 29, 1):
        newstore.clock.sleep(seconds)
        seen.append((newstore.model.on_hand(KEY), newstore.state(import_id)))
    assert seen == [
        (0, "processing"),
        (1, "processing"),
        (2, "processing"),
        (2, "processing"),
        (3, "finished"),
    ]


def test_events_between_two_files_see_the_state_between_them() -> None:
    newstore = Newstore(seconds_between_files=30)
    newstore.import_files(file_of({}, (0, 10)), file_of({}, (10, 20)))
    newstore.ship(5)
    newstore.ship(15)
    newstore.clock.sleep(30)
    assert newstore.model.completed_unreleased(KEY) == 1


def test_a_simulation_can_step_to_every_moment_at_which_a_job_changes_something() -> None:
    newstore = Newstore(job_seconds=60, seconds_between_files=30)
    newstore.import_files(file_of({KEY: 1}), file_of({KEY: 2}))
    seen = []
    while (due := newstore.model.jobs.next_due()) is not None:
        newstore.clock.instant = due
        if (on_hand := newstore.model.on_hand(KEY)) not in seen:
            seen.append(on_hand)
    assert seen == [0, 1, 2]


def test_the_order_of_the_files_in_a_zip_can_be_reversed() -> None:
    newstore = Newstore()
    newstore.model.jobs.file_order = lambda names: sorted(names, reverse=True)
    newstore.import_files(file_of({KEY: 1}), file_of({KEY: 2}))
    assert newstore.model.on_hand(KEY) == 1


def test_a_finished_job_can_show_later() -> None:
    newstore = Newstore()
    newstore.model.jobs.visible_after_seconds = 300
    import_id = newstore.import_files(file_of({KEY: 7}))
    assert (newstore.state(import_id), newstore.model.on_hand(KEY)) == ("finished", 0)
    newstore.clock.sleep(300)
    assert newstore.model.on_hand(KEY) == 7


def test_an_unknown_location_is_created_by_an_import_and_recorded() -> None:
    newstore = Newstore(locations=[dc(DC)])
    newstore.import_files(file_of({OTHER_KEY: 1}, nodes=[DC, "NYC"]))
    assert newstore.model.created_locations == ["NYC"]
    assert [location["id"] for location in newstore.model.calls.list_locations()] == [DC, "NYC"]


def test_an_import_into_a_location_that_newstore_masters_is_recorded() -> None:
    newstore = Newstore(locations=[dc(DC), dc("NYC", is_inventory_master=True)])
    newstore.import_files(file_of({KEY: 1}))
    assert newstore.model.imports_into_master == []
    newstore.import_files(file_of({OTHER_KEY: 1}, nodes=["NYC"]))
    assert newstore.model.imports_into_master == ["NYC"]


@pytest.mark.parametrize(
    ("location", "declared"),
    [(store(DC), None), (store(DC), "BER"), (dc(DC), DC), (store(DC, store_id="S1"), DC)],
)
def test_a_location_that_is_declared_as_what_it_is_not_fails_the_whole_job(
    location: StockLocation, declared: str | None
) -> None:
    newstore = Newstore(locations=[location, dc("NYC")])
    file = file_of({OTHER_KEY: 1, KEY: 1}, nodes=["NYC", DC])
    file["head"]["store_mapping"][1]["store_id"] = declared
    import_id = newstore.import_files(file)
    assert newstore.state(import_id) == "failed"
    assert f"{DC} is declared as" in newstore.reason(import_id)
    assert newstore.model.on_hand(OTHER_KEY) == 0


def test_a_location_that_is_off_promises_nothing() -> None:
    newstore = Newstore(locations=[dc(DC, is_enabled=False)])
    newstore.import_files(file_of({KEY: 7}))
    assert (newstore.model.on_hand(KEY), newstore.model.atp(KEY)) == (7, 0)


def test_no_more_than_2000_locations_are_listed_and_each_can_be_asked_for() -> None:
    newstore = Newstore(locations=[dc(f"L{number}") for number in range(2001)])
    listed = newstore.model.calls.list_locations()
    assert (len(listed), listed[-1]["id"]) == (2000, "L1999")
    assert newstore.model.calls.get_location("L2000")["id"] == "L2000"
