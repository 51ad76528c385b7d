"""Delivers the event stream: at least once, in any order, with delay; interrupted where refused.

The rules are those of NewStore's webhook API and of its guide to event streams.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import count
from random import Random

from local.newstore.events import Event, event_bytes

Post = Callable[[bytes, Mapping[str, str]], int]
"""Posts body and headers, returns the status; NO_ANSWER when there was none."""

Note = Callable[[bytes, int, int], None]
"""Notes a post of the stream: body, status, and how often it will be repeated."""

NO_ANSWER = 599
ATTEMPTS_MAX = 10
FIRST_PAUSE_SECONDS = 2.4
"""Doubled after each attempt: ten attempts take twenty minutes."""
REJECTED_MAX = 30
KEPT = timedelta(days=30)


@dataclass(frozen=True)
class Attempt:
    """One POST and its answer."""

    at: datetime
    body: bytes
    status: int


@dataclass(frozen=True)
class Pending:
    """A body under way; `attempts` counts the posts since the stream was started last."""

    body: bytes
    happened_at: datetime
    attempts: int = 0


class Delivery:
    """NewStore's sender. Bodies are kept as bytes, so a redelivery is the same byte for byte.

    Anything but a 200 interrupts the stream: that body is sent again after growing pauses and
    nothing else meanwhile; after ATTEMPTS_MAX posts the stream stops. 400 sets the body aside as
    `rejected`, and the stream stops where there are more than REJECTED_MAX; 403 stops it at once.
    A stopped stream keeps what happens for KEPT, the body that stopped it included.
    """

    def __init__(self, post: Post, now: Callable[[], datetime], api_key: str | None = None) -> None:
        self._post, self._now = post, now
        self.api_key = api_key
        self.note: Note | None = None
        """NewStore's list of published events, where there is one."""
        self.first_pause_seconds = FIRST_PAUSE_SECONDS
        self.running = True
        self.attempts: list[Attempt] = []
        self.rejected: list[bytes] = []
        self.lost: list[bytes] = []
        """What happened longer ago than KEPT when the stream was started again."""
        self._queue: list[tuple[datetime, int, Pending]] = []
        self._interrupted_by: tuple[datetime, Pending] | None = None
        self._sequence = count()

    @property
    def pending(self) -> int:
        """Bodies queued, due or not."""
        return len(self._queue) + (self._interrupted_by is not None)

    @property
    def next_due(self) -> datetime | None:
        """When the next body is due."""
        if self._interrupted_by:
            return self._interrupted_by[0]
        return self._queue[0][0] if self._queue else None

    def start(self) -> None:
        """Let a stopped stream run again, from where it stopped."""
        now = self._now()
        if self._interrupted_by:
            self._push(replace(self._interrupted_by[1], attempts=0), 0)
            self._interrupted_by = None
        gone = [entry for entry in self._queue if entry[2].happened_at < now - KEPT]
        self.lost += [pending.body for _, _, pending in gone]
        self._queue = [entry for entry in self._queue if entry not in gone]
        heapq.heapify(self._queue)
        self.running = True

    def deliver_now(self, event: Event | bytes) -> int:
        """Post once, at once; returns the status, and retries nothing."""
        body = event if isinstance(event, bytes) else event_bytes(event)
        return self._attempt(body)

    def deliver(
        self,
        events: Sequence[Event | bytes],
        order: Sequence[int] | None = None,
        duplicates: Mapping[int, int] | None = None,
    ) -> list[int]:
        """Post now, in the given order of indexes (which may repeat), each with extra copies.

        `duplicates` maps an index to how many copies follow it at once. Returns the statuses.
        """
        statuses = []
        for index in range(len(events)) if order is None else order:
            for _ in range(1 + (duplicates or {}).get(index, 0)):
                statuses.append(self.deliver_now(events[index]))
        return statuses

    def enqueue(self, event: Event | bytes, delay_seconds: float = 0) -> None:
        """Queue for `deliver_due`; the same event queued twice is a duplicate."""
        body = event if isinstance(event, bytes) else event_bytes(event)
        self._push(Pending(body, self._now()), delay_seconds)

    def enqueue_at_random(
        self, event: Event | bytes, random: Random, delay_seconds_max: float, duplicate_rate: float
    ) -> int:
        """Queue with a drawn delay, and with a drawn chance again; returns the copies queued."""
        copies = 1
        while copies < 4 and random.random() < duplicate_rate:
            copies += 1
        for _ in range(copies):
            self.enqueue(event, random.uniform(0, delay_seconds_max))
        return copies

    def deliver_due(self) -> int:
        """Post everything due until now, by due time; returns how many posts were made."""
        posts = 0
        while self.running and (pending := self._take_due()):
            posts += 1
            self._answered(replace(pending, attempts=pending.attempts + 1))
        return posts

    def _take_due(self) -> Pending | None:
        due = self.next_due
        if due is None or due > self._now():
            return None
        if self._interrupted_by:
            (_, pending), self._interrupted_by = self._interrupted_by, None
            return pending
        return heapq.heappop(self._queue)[2]

    def _answered(self, pending: Pending) -> None:
        """Post it; what its answer does to the stream."""
        status = self._attempt(pending.body)
        if self.note is not None:
            self.note(pending.body, status, ATTEMPTS_MAX - pending.attempts)
        if status == 200:
            return
        if status == 400:
            self.rejected.append(pending.body)
            self.running = len(self.rejected) <= REJECTED_MAX
            return
        pause = self.first_pause_seconds * 2 ** (pending.attempts - 1)
        self._interrupted_by = (self._now() + timedelta(seconds=pause), pending)
        self.running = status != 403 and pending.attempts < ATTEMPTS_MAX

    def _push(self, pending: Pending, delay_seconds: float) -> None:
        due = self._now() + timedelta(seconds=delay_seconds)
        heapq.heappush(self._queue, (due, next(self._sequence), pending))

    def _attempt(self, body: bytes) -> int:
        headers = {"Content-Type": "application/json"}
        if self.api_key is not None:
            headers["Authorization"] = f"Bearer {self.api_key}"
        status = self._post(body, headers)
        self.attempts.append(Attempt(self._now(), body, status))
        return status


def post_over_http(url: str, timeout_seconds: float = 10, certificate: str = "") -> Post:
    """A Post to a real endpoint; a broken connection or a time-out is NO_ANSWER.

    `certificate` is the file to check the endpoint's by, where the system's do not tell.
    """
    import requests

    def post(body: bytes, headers: Mapping[str, str]) -> int:
        try:
            answer = requests.post(
                url,
                data=body,
                headers=dict(headers),
                timeout=timeout_seconds,
                verify=certificate or True,
            )
        except requests.RequestException:
            return NO_ANSWER
        return answer.status_code

    return post
