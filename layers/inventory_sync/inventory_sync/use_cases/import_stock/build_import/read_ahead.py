"""Read several things at a time and take them in order."""

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

K = TypeVar("K")
T = TypeVar("T")


def read_ahead(
    read: Callable[[K], T], keys: Iterable[K], at_once: int
) -> Generator[tuple[K, Callable[[], T]]]:
    """Each key, in order, with a call that gives its result or raises its error.

    While one is taken, up to `at_once` others are under way in threads of their own; so many
    results are in memory. With 1 nothing is read before it is asked for, and no thread is made.
    Close the iterator where it is left early: what was not begun is then given up.
    """
    if at_once == 1:
        for key in keys:
            yield key, partial(read, key)
        return
    pool = ThreadPoolExecutor(at_once, thread_name_prefix="read_ahead")
    waiting: deque[tuple[K, Callable[[], T]]] = deque()
    try:
        for key in keys:
            waiting.append((key, pool.submit(read, key).result))
            if len(waiting) > at_once:
                yield waiting.popleft()
        while waiting:
            yield waiting.popleft()
    finally:
        pool.shutdown(cancel_futures=True)
