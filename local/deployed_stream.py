"""The event source mapping of a deployed stack, as a story looks at it: wait, and see what is left.

The local AWS wakes the forwarder by itself, once for each record: what the forwarder reports as
failed is not repeated there (docs/local-aws.md), so it is left to the sweep at once.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

from local.deployed_logs import log_lines, metrics
from local.ministack import LocalAws

WAIT_SECONDS_MAX = 60
POLL_SECONDS = 0.25


@dataclass
class DeployedStream:
    """`discarded` has the keys of events that were tried in vain."""

    aws: LocalAws
    events_table: str
    forwarder: str
    discarded: list[Any] = field(default_factory=list)
    _failures: float = 0

    def pump(self) -> None:
        """Wait until every stored event is forwarded, rejected or tried in vain."""
        deadline = time.monotonic() + WAIT_SECONDS_MAX
        while time.monotonic() < deadline:
            failures = self._failures_so_far()
            waiting = [key for key in self._unforwarded() if key not in self.discarded]
            if not waiting:
                return
            if failures > self._failures:
                self._failures = failures
                self.discarded += waiting
                return
            time.sleep(POLL_SECONDS)
        raise TimeoutError(f"after {WAIT_SECONDS_MAX} s not forwarded: {waiting}")

    def _unforwarded(self) -> list[tuple[str, str]]:
        pages = (
            self.aws.client("dynamodb")
            .get_paginator("scan")
            .paginate(
                TableName=self.events_table,
                ConsistentRead=True,
                FilterExpression="attribute_not_exists(forwarded_at)"
                " AND attribute_not_exists(rejected_reason)",
            )
        )
        return [
            (item["location_id"]["S"], item["event_key"]["S"])
            for page in pages
            for item in page["Items"]
        ]

    def _failures_so_far(self) -> float:
        lines = log_lines(self.aws, self.forwarder)
        failed = sum('"level":"ERROR"' in line for line in lines)
        retried = sum(value for name, _, value in metrics(lines) if name == "EventsToRetry")
        return failed + retried
