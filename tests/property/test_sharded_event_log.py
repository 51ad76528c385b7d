"""A location over several partitions (docs/scale.md) reads as one that has a single partition."""

from hypothesis import given
from hypothesis import strategies as st

from inventory_sync.domain.events import EventName, FulfillmentEvent
from inventory_sync.domain.inbound import AppendResult
from tests.contract.builders import NOON, event
from tests.contract.sharded import ShardedEventLog
from tests.fakes.event_log import FakeEventLog

PLACES = ("DC01", "NYC", "a~1")
events = st.lists(
    st.builds(
        event,
        st.integers(0, 30),
        location_id=st.sampled_from(PLACES),
        fulfillment_request_id=st.sampled_from(("ff1", "ff2", "ff#3", "ff4", "ff5")),
        name=st.sampled_from(EventName),
    ),
    max_size=30,
)


@given(events, st.integers(1, 5), st.data())
def test_open_events_of_a_location_are_the_merge_of_its_shards(
    delivered: list[FulfillmentEvent], shards: int, data: st.DataObject
) -> None:
    whole, sharded = FakeEventLog(), ShardedEventLog(FakeEventLog(), shards)
    for one in delivered:
        assert sharded.append(one, b"{}", NOON) == whole.append(one, b"{}", NOON)
    if delivered:
        for one in data.draw(st.lists(st.sampled_from(delivered), max_size=5)):
            assert sharded.append(one, b"{}", NOON) is AppendResult.ALREADY_STORED
            sharded.close(one.ref)
            whole.close(one.ref)

    for place in PLACES:
        assert sharded.open_events_of(place) == whole.open_events_of(place)
    key = str
    assert sorted(sharded.open_events(), key=key) == sorted(whole.open_events(), key=key)


@given(events, st.integers(2, 5))
def test_all_events_of_a_request_are_in_one_shard(
    delivered: list[FulfillmentEvent], shards: int
) -> None:
    log = ShardedEventLog(FakeEventLog(), shards)
    where: dict[tuple[str, str], set[str]] = {}
    for one in delivered:
        request = (one.location_id, one.fulfillment_request_id)
        where.setdefault(request, set()).add(log.shard(one.ref).location_id)

    assert all(len(found) == 1 for found in where.values())
