"""Moments are numbered, kept up to a limit, and waited for."""

import json
import threading

from cli.room.history import History
from cli.room.picture import picture
from tests.builders import MINUTE, NOW
from tests.unit.cli.room.readings import reading, truth


def numbers(history: History, after: int = 0) -> list[int]:
    return [moment.number for moment in history.moments(after)]


def test_moments_are_numbered_from_one_and_carry_their_number() -> None:
    history = History()
    history.add(picture(reading(), "one"))
    history.add(picture(reading(), "two"))

    assert numbers(history) == [1, 2]
    assert numbers(history, after=1) == [2]
    assert [json.loads(m.text)["told"] for m in history.moments()] == ["one", "two"]


def test_only_the_latest_are_kept_and_their_numbers_stay() -> None:
    history = History(moments_max=3)
    for _ in range(5):
        history.add(picture(reading()))

    assert numbers(history) == [3, 4, 5]


def test_without_repeats_a_later_look_at_the_same_adds_nothing() -> None:
    history = History()
    history.add(picture(reading()), repeat=False)
    history.add(picture(reading(at=NOW + MINUTE)), repeat=False)
    history.add(picture(reading(truth=truth(11))), repeat=False)

    assert numbers(history) == [1, 2]


def test_whoever_waits_gets_the_moment_once_it_is_there() -> None:
    history = History()
    found: list[int] = []
    waiting = threading.Thread(
        target=lambda: found.extend(m.number for m in history.wait(0, seconds=10))
    )
    waiting.start()
    history.add(picture(reading()))
    waiting.join(timeout=10)

    assert found == [1]


def test_waiting_ends_without_a_moment_when_the_time_is_up_or_all_is_over() -> None:
    history = History()

    assert history.wait(0, seconds=0.01) == []
    history.close()
    assert history.wait(0, seconds=60) == []
