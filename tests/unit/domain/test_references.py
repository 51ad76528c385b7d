"""References: as they are where there is room, else short, stable and apart."""

import pytest

from inventory_sync.domain.references import LENGTH_MIN, reference_of

LONG = "DC01:12:5f0c7f64-8f5e-4d0a-9f0e-0a8e3c1c9a11"


def test_id_that_fits_stays_as_it_is() -> None:
    assert reference_of(LONG, len(LONG)) == LONG
    assert reference_of(LONG, len(LONG) + 1) == LONG
    assert reference_of("x" * 1_000, int("1000")) == "x" * 1_000


def test_erps_with_room_for_16_signs_are_served_and_32_are_enough() -> None:
    assert LENGTH_MIN == 16
    assert [len(reference_of(LONG, room)) for room in (16, 31, 32, 33, 40)] == [16, 31, 32, 32, 32]


@pytest.mark.parametrize("length_max", [LENGTH_MIN, 20, 40])
def test_long_id_becomes_one_that_fits_of_signs_every_erp_keeps(length_max: int) -> None:
    reference = reference_of(LONG, length_max)
    assert LENGTH_MIN <= len(reference) <= length_max
    assert reference.isascii()
    assert reference.isalnum()
    assert reference == reference.upper()


def test_reference_never_changes() -> None:
    assert reference_of(LONG, 16) == "ULBSTZ57M5NRACBB"


def test_ids_that_differ_in_one_sign_have_references_apart() -> None:
    references = {reference_of(f"{'x' * 40}:{number}", 16) for number in range(20_000)}
    assert len(references) == 20_000
