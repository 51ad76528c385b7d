"""applied_once: what the ERP was sent may be booked although its answer cannot be read."""

from typing import get_args

import pytest

from local.http_server import Garbling
from tests.integration.story import DC, LEASE_SECONDS, story


@pytest.mark.sweep(sample=1)
@pytest.mark.parametrize("dedupe", ["native", "lookup"])
@pytest.mark.parametrize("call", ["post_movements", "post_allocations", "get_capabilities"])
def test_an_unreadable_answer_books_nothing_twice(
    monkeypatch: pytest.MonkeyPatch, call: str, dedupe: str
) -> None:
    """Nor does it when the look-up that follows is answered no better."""
    with story(monkeypatch, erp={"dedupe": dedupe}, HTTP_ATTEMPTS_MAX="1") as told:
        for garbling in get_args(Garbling):
            told.start_cold()
            told.erp.faults.garble_next(garbling, call=call)
            told.erp.faults.garble_next(garbling, call="get_movement")
            told.post(told.ship(f"ff-{garbling}", DC, "SKU-1"))

            told.forward(told.new_records())

            assert told.erp.faults.injected["garble"]
            told.erp.faults.planned.clear()
            told.clock.sleep(LEASE_SECONDS)
            told.sweep()
            told.booked_once()
        told.go_on_until_finalized(2)
        told.holds_the_truth()
