"""Which locations the adapter imports."""

import pytest

from inventory_sync.domain.locations import InventoryMaster
from tests.builders import location


@pytest.mark.parametrize(
    ("enabled", "master", "imported"),
    [
        (True, InventoryMaster.ERP, True),
        (False, InventoryMaster.ERP, False),
        (True, InventoryMaster.NEWSTORE, False),
        (False, InventoryMaster.NEWSTORE, False),
    ],
)
def test_only_enabled_locations_mastered_by_the_erp_are_imported(
    enabled: bool, master: InventoryMaster, imported: bool
) -> None:
    assert location(enabled=enabled, inventory_master=master).imported is imported


def test_a_location_is_imported_and_not_vouched_for_unless_the_map_says_so() -> None:
    assert location().imported
    assert not location().confirmed
