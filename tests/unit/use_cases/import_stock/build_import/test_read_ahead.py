"""Reading several things at a time, in order."""

from contextlib import closing
from threading import Barrier, Event, Lock, current_thread, main_thread

import pytest

from inventory_sync.use_cases.import_stock.build_import.read_ahead import read_ahead

TIMEOUT_SECONDS = 30


@pytest.mark.parametrize("at_once", [1, 2, 4, 9])
def test_results_come_in_order_each_with_its_key(at_once: int) -> None:
    found = [(key, result()) for key, result in read_ahead(lambda n: n * n, range(7), at_once)]

    assert found == [(n, n * n) for n in range(7)]


def test_one_at_a_time_nothing_is_read_before_it_is_asked_for_nor_elsewhere() -> None:
    read: list[int] = []

    def note(key: int) -> None:
        assert current_thread() is main_thread()
        read.append(key)

    for key, result in read_ahead(note, range(3), 1):
        assert read == list(range(key))
        result()

    assert read == [0, 1, 2]


def test_as_many_are_read_at_once_as_may_be() -> None:
    together = Barrier(3)

    found = read_ahead(lambda _: together.wait(TIMEOUT_SECONDS), range(6), 3)

    assert sorted(result() for _, result in found) == [0, 0, 1, 1, 2, 2]


def test_never_more_than_may_be_are_read_at_once() -> None:
    lock, under_way, most = Lock(), [0], [0]

    def read(_: int) -> None:
        with lock:
            under_way[0] += 1
            most[0] = max(most[0], under_way[0])
        with lock:
            under_way[0] -= 1

    for _, result in read_ahead(read, range(50), 2):
        result()

    assert most[0] <= 2


def test_what_is_read_ahead_is_bounded_though_nobody_takes_it() -> None:
    read: list[int] = []
    found = read_ahead(read.append, range(100), 4)

    with closing(found):
        next(found)[1]()

    assert len(read) <= 5


@pytest.mark.parametrize("at_once", [1, 3])
def test_an_error_concerns_its_own_key(at_once: int) -> None:
    def read(key: int) -> int:
        return 12 // key

    for key, result in read_ahead(read, [3, 0, 4], at_once):
        if key == 0:
            with pytest.raises(ZeroDivisionError):
                result()
        else:
            assert result() == 12 // key


def test_what_was_not_begun_is_given_up_and_what_was_is_waited_for() -> None:
    begun, go_on, done = Event(), Event(), list[int]()

    def read(key: int) -> None:
        if key == 1:
            begun.set()
            go_on.wait(TIMEOUT_SECONDS)
        done.append(key)

    found = read_ahead(read, range(9), 2)
    next(found)[1]()
    assert begun.wait(TIMEOUT_SECONDS)
    go_on.set()
    found.close()

    assert set(done) >= {0, 1}
    assert not set(done) & set(range(3, 9))
