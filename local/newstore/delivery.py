"""Delivers the event stream: at least once, in any order, with delay, repeated while refused."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from random import Random

from local.newstore.events import Event, event_bytes

Post = Callable[[bytes, Mapping[str, str]], int]
"""Posts body and headers, returns the status; NO_ANSWER when there was none."""

NO_ANSWER = 599


@dataclass(frozen=True)
class Attempt:
    """One POST and its answer."""

    at: datetime
    body: bytes
    status: int


@dataclass(frozen=True)
class Pending:
    """A body under way; `attempts` counts the posts so far."""

    body: bytes
    attempts: int = 0


class Delivery:
    """NewStore's sender. Bodies are kept as bytes, so a redelivery is the same byte for byte.

    An answer of 5xx is retried after `retry_seconds`, `attempts_max` times in all, then it is one
    of the `failed` publications. What a 4xx does is not documented: it is given up, and
    with `stops_on_4xx` the whole stream stops until `start()`.
    """

    def __init__(self, post: Post, now: Callable[[], datetime], api_key: str | None = None) -> None:
        self._post, self._now = post, now
        self.api_key = api_key
        self.retry_seconds: float = 10
        self.attempts_max = 20
        self.stops_on_4xx = False
        self.running = True
        self.attempts: list[Attempt] = []
        self.failed: list[bytes] = []
        self._queue: list[tuple[datetime, int, Pending]] = []
        self._sequence = count()

    @property
    def pending(self) -> int:
        """Bodies queued, due or not."""
        return len(self._queue)

    @property
    def next_due(self) -> datetime | None:
        """When the next queued body is due."""
        return self._queue[0][0] if self._queue else None

    def start(self) -> None:
        """Let the stream run again; what was queued meanwhile is delivered."""
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
        self._push(Pending(body), delay_seconds)

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
        now = self._now()
        while self.running and self._queue and self._queue[0][0] <= now:
            _, _, pending = heapq.heappop(self._queue)
            posts += 1
            tried = Pending(pending.body, pending.attempts + 1)
            if self._attempt(pending.body) < 500:
                continue
            if tried.attempts < self.attempts_max:
                self._push(tried, max(self.retry_seconds, 0.001))
            else:
                self.failed.append(pending.body)
        return posts

    def retry_failed(self) -> None:
        """Queue the failed publications again, as the publications API can."""
        bodies, self.failed = self.failed, []
        for body in bodies:
            self.enqueue(body)

    def _push(self, pending: Pending, delay_seconds: float) -> None:
        due = self._now() + timedelta(seconds=delay_seconds)
        heapq.heappush(self._queue, (due, next(self._sequence), pending))

    def _attempt(self, body: bytes) -> int:
        headers = {"Content-Type": "application/json"}
        if self.api_key is not None:
            headers["Authorization"] = f"Bearer {self.api_key}"
        status = self._post(body, headers)
        self.attempts.append(Attempt(self._now(), body, status))
        if 400 <= status < 500 and self.stops_on_4xx:
            self.running = False
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
