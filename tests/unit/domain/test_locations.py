"""The location map, and what NewStore says of its locations."""

import pytest

from inventory_sync.domain.locations import LocationType, NewStoreLocation, Node
from tests.builders import location


def test_a_location_is_imported_and_creates_nothing_unless_the_map_says_so() -> None:
    assert (location().enabled, location().create) == (True, False)


def test_the_map_takes_what_has_a_store_for_a_store() -> None:
    assert location(store_id="S1").type is LocationType.STORE
    assert location(store_id="").type is LocationType.DC


@pytest.mark.parametrize(
    ("mapped", "kind", "store_id", "named"),
    [
        ("S1", LocationType.STORE, "S1", "S1"),
        ("S1", LocationType.STORE, "S2", "S2"),
        ("S1", LocationType.STORE, "", "S1"),
        ("S1", LocationType.DC, "", ""),
        ("", LocationType.DC, "", ""),
        ("", LocationType.STORE, "S2", "S2"),
        ("S1", LocationType.OTHER, "S2", ""),
    ],
)
def test_an_import_names_a_location_as_newstore_has_it(
    mapped: str, kind: LocationType, store_id: str, named: str
) -> None:
    listed = NewStoreLocation(location_id="N", type=kind, store_id=store_id)

    assert location(fulfillment_node_id="N", store_id=mapped).node(listed) == Node("N", named)


def test_an_import_names_a_location_that_it_creates_as_the_map_has_it() -> None:
    assert location("N", store_id="S1").node(None) == Node("N", "S1")
