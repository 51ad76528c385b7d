"""A replay is waited for as long as was said, whatever the clock does meanwhile."""

from datetime import timedelta

from inventory_sync.use_cases.stream.replay_window import Replay, ReplayWindow
from tests.contract.builders import NOON
from tests.fakes.clock import FakeClock
from tests.fakes.event_log import FakeEventLog
from tests.fakes.event_streams import ModelStreamRecords, ModelStreams
from tests.fakes.run_history import FakeEventHistory
from tests.unit.use_cases.stream.test_register_stream import STREAM, WANTED, Desk

WAIT_SECONDS = 60.0


class SetBack(FakeClock):
    """Somebody sets it back an hour at each sleep; after a hundred a test would never end."""

    slept = 0

    def sleep(self, seconds: float) -> None:
        super().sleep(seconds)
        self.step(timedelta(hours=-1))
        self.slept += 1
        assert self.slept < 100


def test_a_clock_that_is_set_back_prolongs_no_wait() -> None:
    desk, clock = Desk(), SetBack(NOON)
    desk.register(WANTED)
    records = ModelStreamRecords(desk.model)
    window = ReplayWindow(
        ModelStreams(desk.model), records, FakeEventHistory(FakeEventLog()), clock
    )
    replay = Replay(replay_id=STREAM, since=NOON, until=NOON, asked_at=NOON)

    report = window.report(replay, WAIT_SECONDS)

    assert not report.ended
    assert clock.monotonic() == WAIT_SECONDS
