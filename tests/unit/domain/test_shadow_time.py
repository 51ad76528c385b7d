"""What a shadow leaves to the other system, nobody may count as ours."""

from datetime import datetime

import pytest

from inventory_sync.domain.cut import AppliedRule
from inventory_sync.domain.errors import FatalError
from inventory_sync.domain.shadow_time import left_to_other_system, refuse_gap
from tests.builders import HOUR, MINUTE, NOW


def test_a_shadow_leaves_all_until_now_and_a_minute_more_or_until_go_live() -> None:
    assert left_to_other_system(NOW, None) == NOW + MINUTE
    assert left_to_other_system(NOW, NOW + HOUR) == NOW + MINUTE
    assert left_to_other_system(NOW, NOW - HOUR) == NOW - HOUR


@pytest.mark.parametrize("go_live_at", [NOW, NOW + HOUR])
def test_what_ships_from_then_on_may_be_ours(go_live_at: datetime) -> None:
    refuse_gap(NOW, AppliedRule(go_live_at=go_live_at, other_system_lag=HOUR))


@pytest.mark.parametrize(
    "rule",
    [
        AppliedRule(),
        AppliedRule(other_system_lag=HOUR),
        AppliedRule(go_live_at=NOW - MINUTE, other_system_lag=HOUR),
        AppliedRule(go_live_at=NOW + HOUR),
    ],
)
def test_a_gap_is_refused_with_what_mends_it(rule: AppliedRule) -> None:
    said = rf"a shadow until {NOW:%Y-%m-%dT%H:%M:%SZ}.*GoLiveAt.*OtherSystemLagSeconds"

    with pytest.raises(FatalError, match=said):
        refuse_gap(NOW, rule)
