"""Release reading: found out by what NewStore shows after imports, and gone by from then on."""

from dataclasses import replace
from typing import Any

import pytest

from inventory_sync.domain.reading import ReleaseReading
from inventory_sync.domain.release_evidence import VERDICT_ROWS, EvidenceKind, ReleaseFindings
from local.newstore.truth import Release
from tests.builders import DC, MINUTE
from tests.unit.use_cases.import_world import ImportWorld

RANGE, IMMEDIATE = ReleaseReading.RANGE, ReleaseReading.IMMEDIATE
FIND_OUT = ReleaseReading.FIND_OUT
PRODUCTS = [f"P{number:02}" for number in range(20)]


class Shop:
    """One location; NewStore counts as `release` says, and the adapter finds out."""

    def __init__(self, release: Release = "range", reading: ReleaseReading = FIND_OUT) -> None:
        self.world = world = ImportWorld(DC)
        self.timestamps = iter(range(1, 10_000))
        world.newstore_model.release = release
        world.build_settings = replace(world.build_settings, reading=reading)
        for number, product in enumerate(PRODUCTS):
            world.stock(20 + number, product)
        world.import_now()

    def ship(self, *products: str) -> None:
        for product in products:
            self.world.ship(next(self.timestamps), product)

    def hour(self, products: list[str] = PRODUCTS[:6]) -> None:
        """A unit that this import releases, and one of each product after its range."""
        self.ship(PRODUCTS[10])
        self.world.settle()
        self.ship(*products)
        self.world.forward()
        self.world.import_now()

    @property
    def found(self) -> ReleaseFindings:
        return self.world.runs.head().release

    def logged(self, message: str) -> list[dict[str, Any]]:
        return [figures for said, figures in self.world.observer.notes if said == message]


@pytest.mark.parametrize("listed", [True, False], ids=["listed", "not listed"])
@pytest.mark.parametrize("safety_stock", [0, 2])
@pytest.mark.parametrize("release", ["range", "immediate"])
def test_the_reading_is_found_out_after_a_few_imports(
    release: Release, safety_stock: int, listed: bool
) -> None:
    shop = Shop(release)
    shop.world.newstore_model.book.lists_shipped = listed
    for product in PRODUCTS:
        shop.world.newstore_model.safety_stock[DC, product] = safety_stock

    shop.hour()
    early = shop.found.verdict
    shop.hour()

    assert (early, shop.found.verdict) == (None, release)
    kinds = {found.kind for found in shop.found.observations}
    by_list = release == "range" and listed
    assert kinds == {EvidenceKind.ALLOCATION if by_list else EvidenceKind.ATP}
    [change] = shop.world.runs.verdicts
    assert (change.before, change.after) == (None, release)
    assert len(shop.logged("release observed")) == VERDICT_ROWS


def test_the_next_import_goes_by_the_verdict() -> None:
    shop = Shop()

    readings = []
    for _ in range(3):
        shop.hour()
        run = shop.world.runs.head().run
        assert run is not None
        readings.append(run.reading)

    assert readings == [FIND_OUT, FIND_OUT, RANGE]


def test_as_long_as_it_is_not_known_a_unit_after_the_range_is_missing_twice_and_none_too_many() -> (
    None
):
    shop = Shop()

    shop.hour(PRODUCTS[:1])

    assert shop.world.on_hand(PRODUCTS[0]) == 19
    assert shop.world.atp(PRODUCTS[0]) == 18
    shop.world.settle()
    shop.world.import_now()
    assert shop.world.atp(PRODUCTS[0]) == 19


def test_a_verdict_puts_back_what_was_missing_and_takes_no_unit_off_twice() -> None:
    shop = Shop()
    for _ in range(2):
        shop.hour()
    assert shop.found.verdict is RANGE

    shop.world.import_now()

    for product in PRODUCTS[:6]:
        assert shop.world.atp(product) == 20 + PRODUCTS.index(product) - 2


def test_evidence_against_a_verdict_alarms_and_falls_back() -> None:
    shop = Shop()
    for _ in range(2):
        shop.hour()
    shop.world.newstore_model.release = "immediate"
    shop.world.newstore_model.book.lists_shipped = False

    for _ in range(12):
        # Under `range` an import sends a row for another reason than a unit after its range.
        for product in PRODUCTS[:4]:
            shop.world.erp_model.receive((DC, product), 1)
        shop.hour(PRODUCTS[:4])
        if shop.found.verdict is None:
            break

    assert shop.found.verdict is None
    assert shop.world.observer.counts["ReleaseReadingContradicted"] == 1
    assert [change.after for change in shop.world.runs.verdicts] == [RANGE, None]


def test_evidence_against_a_reading_that_is_set_alarms_and_changes_nothing() -> None:
    shop = Shop("range", reading=IMMEDIATE)

    for _ in range(3):
        # Under `immediate` an import sends a row for another reason than a unit that has shipped.
        for product in (*PRODUCTS[:6], PRODUCTS[10]):
            shop.world.erp_model.receive((DC, product), 2)
        shop.hour()

    run = shop.world.runs.head().run
    assert run is not None
    assert run.reading is IMMEDIATE
    assert shop.world.observer.counts["ReleaseReadingContradicted"] >= 1


def test_a_unit_that_ships_while_the_import_is_under_way_is_no_evidence() -> None:
    shop = Shop("immediate")
    shop.world.erp.on_read = lambda location_id: shop.ship(PRODUCTS[0])

    shop.hour(PRODUCTS[:1])

    assert shop.found.observations == ()


def test_newstore_that_does_not_answer_holds_up_no_import() -> None:
    shop = Shop()
    shop.world.newstore.refuses.add("insights")

    shop.hour()

    run = shop.world.runs.head().run
    assert run is not None
    assert run.state == "FINALIZED"
    assert shop.found == ReleaseFindings()
    assert shop.logged("release not observed")


def test_units_from_before_go_live_are_no_evidence() -> None:
    shop = Shop()
    go_live_at = shop.world.clock.now() + 600 * MINUTE
    shop.world.build_settings = replace(shop.world.build_settings, go_live_at=go_live_at)

    shop.hour()

    assert shop.found.observations == ()


def test_an_import_without_a_job_is_no_evidence() -> None:
    shop = Shop()
    asked = len(shop.logged("release observed"))

    shop.world.import_now()

    assert len(shop.logged("release observed")) == asked
