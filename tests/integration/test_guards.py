"""A guard holds its location, with the figures in the state table; the others are imported.

An operator's approval lets one import through, and is kept under the run that used it.
"""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from inventory_sync.domain.guards import HoldKind
from inventory_sync.domain.locations import Location
from tests.builders import OPERATOR, approval
from tests.integration.story import DC, LEASE_SECONDS, NYC, Story, story

BULK = (DC, "SKU-1")
OTHER = (NYC, "SKU-2")
LAB = Location(location_id="LAB", fulfillment_node_id="LAB", store_id="LAB", erp_location="LAB-ERP")


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Iterator[Story]:
    """After a first import of plenty."""
    with story(monkeypatch) as told:
        told.receive(BULK, 200)
        assert tick(told) == {}
        told.receive(OTHER, 1)
        yield told


def tick(told: Story) -> dict[str, str]:
    """What the run left out, and why."""
    told.clock.sleep(LEASE_SECONDS + 1)
    answer = told.tick()
    assert answer["outcome"] == "ended"
    left_out: dict[str, str] = answer["run"]["left_out"]
    return left_out


def lose(told: Story, units: int) -> None:
    told.physical[BULK] -= units
    told.erp.correct(BULK, -units)


def held(told: Story) -> dict[str, list[tuple[HoldKind, str]]]:
    return {
        location: [(found.kind, found.figures) for found in hold.holds]
        for location, hold in told.map.holds().items()
    }


def approve(told: Story, location: str, kind: HoldKind) -> None:
    given = approval(kind, location_id=location, who="Olga", at=told.clock.now())
    told.changes.approve([given], OPERATOR)


def used_approvals(told: Story) -> list[str]:
    items = told.items("StateTable")
    return [item["id"]["S"] for item in items if item["kind"]["S"] == "approval_used"]


def other_is_imported(told: Story) -> bool:
    return told.newstore.atp(OTHER) == told.sellable(OTHER)


def test_units_that_fell_are_held_until_an_approval_that_counts_once(told: Story) -> None:
    before = told.newstore.atp(BULK)
    lose(told, 150)

    assert "units_fell" in tick(told)[DC]
    figures = "73 of 223 units of the last import are left; allowed fall 50%"
    assert held(told) == {DC: [(HoldKind.UNITS_FELL, figures)]}
    assert told.newstore.atp(BULK) == before
    assert other_is_imported(told)

    approve(told, DC, HoldKind.UNITS_FELL)
    assert tick(told) == {}
    assert (held(told), told.map.approvals()) == ({}, {})
    run = told.head().run
    assert run is not None
    assert run.approvals == {DC: "Olga"}
    assert used_approvals(told) == [f'{run.run_id} ["{DC}", "units_fell", ""]']
    assert told.newstore.atp(BULK) == told.sellable(BULK)

    lose(told, 50)
    assert "units_fell" in tick(told)[DC]


def test_an_approval_outlives_an_import_that_newstore_failed(told: Story) -> None:
    lose(told, 150)
    approve(told, DC, HoldKind.UNITS_FELL)
    told.newstore.jobs.fail_next_job()

    tick(told)
    assert set(told.map.approvals()) == {DC}

    assert tick(told) == {}
    assert told.map.approvals() == {}
    assert told.newstore.atp(BULK) == told.sellable(BULK)


def test_a_truncated_snapshot_is_held_whatever_an_operator_says(told: Story) -> None:
    told.receive(BULK, 1)
    told.erp.truncate_next_snapshot(location=DC)

    assert "snapshot_incomplete" in tick(told)[DC]
    figures = f"ERP location {DC}: the rows are not as many as row_count (2 rows, row_count [3])"
    assert held(told) == {DC: [(HoldKind.SNAPSHOT_INCOMPLETE, figures)]}
    assert other_is_imported(told)

    approve(told, DC, HoldKind.SNAPSHOT_INCOMPLETE)
    told.erp.truncate_next_snapshot(location=DC)
    assert "snapshot_incomplete" in tick(told)[DC]

    assert tick(told) == {}
    assert held(told) == {}
    assert told.newstore.atp(BULK) == told.sellable(BULK)


def test_a_location_that_newstore_does_not_list_is_held_until_the_map_says_create(
    told: Story,
) -> None:
    told.changes.put_locations([LAB], OPERATOR)
    told.erp.add_location(LAB.erp_location)
    told.erp.receive((LAB.erp_location, "SKU-1"), 7)
    told.clock.sleep(60)  # for so long the functions go by the map they have read

    assert "unknown_location" in tick(told)["LAB"]
    [(kind, figures)] = held(told)["LAB"]
    assert kind is HoldKind.UNKNOWN_LOCATION
    assert "NewStore does not list 'LAB'" in figures
    assert told.newstore.created_locations == []
    assert other_is_imported(told)

    told.changes.put_locations([replace(LAB, create=True)], OPERATOR)
    told.clock.sleep(60)
    assert tick(told) == {}
    assert told.newstore.created_locations == ["LAB"]
    assert told.newstore.atp(("LAB", "SKU-1")) == 7
    assert used_approvals(told) == []
