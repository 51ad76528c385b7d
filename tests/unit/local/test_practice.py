"""What `make local` offers to practise incidents with, and what docs/local-aws.md says of it."""

import re

import pytest

from inventory_sync.domain.guards import HoldKind
from inventory_sync.domain.snapshot_guards import GuardLimits, check_snapshot
from inventory_sync.domain.stock import StockSnapshot
from local.erp import control as erp_control
from local.erp.model import ErpModel
from local.newstore import control as newstore_control
from local.template import ROOT
from local.up import STOCK
from tests.builders import NOW
from tests.unit.local.clock import Clock
from tests.unit.local.newstore_builder import Newstore


def listed(system: str) -> set[str]:
    """The actions in the page's table for one system."""
    page = (ROOT / "docs" / "local-aws.md").read_text("utf-8")
    _, _, table = page.partition(f"| action at {system} |")
    cells = re.findall(r"^\| (`.*?`) \|", table.partition("\n\n")[0], flags=re.MULTILINE)
    return {name for cell in cells for name in re.findall(r"`(\w+)`", cell)}


def test_every_control_of_the_simulators_is_described() -> None:
    assert listed("the ERP") == set(erp_control.actions_of(ErpModel(Clock())))
    assert listed("NewStore") == set(newstore_control.actions_of(Newstore().model))


@pytest.mark.parametrize("place", ["DC01", "NYC"])
def test_each_location_has_enough_stock_to_be_held_where_it_reads_zero(place: str) -> None:
    last = {product: units for (where, product), units in STOCK.items() if where == place}
    gone = StockSnapshot(location_id=place, as_of=NOW, on_hand_units=dict.fromkeys(last, 0))

    (hold,) = check_snapshot(gone, last, GuardLimits()).all

    assert hold.kind is HoldKind.UNITS_FELL
