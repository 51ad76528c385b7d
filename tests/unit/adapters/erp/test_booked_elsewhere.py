"""In a shadow whatever would be posted to the ERP stops at once."""

import pytest

from inventory_sync.adapters.erp.booked_elsewhere import BookedElsewhere
from inventory_sync.domain.errors import InvariantError


def test_nothing_is_reserved_so_no_allocation_is_changed() -> None:
    assert not BookedElsewhere().capabilities().reservations


@pytest.mark.parametrize("call", ["post_movements", "look_up", "change_allocations"])
def test_whoever_would_post_is_stopped(call: str) -> None:
    with pytest.raises(InvariantError, match="shadow_posts_nothing"):
        getattr(BookedElsewhere(), call)([])
