"""The event source mapping: from a table's stream to a function, by Lambda's documented rules."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from local.template import Template

Records = list[dict[str, Any]]
READS_MAX = 1000


@dataclass(frozen=True)
class MappingLimits:
    """As in the template; `retries_max` counts what follows the first attempt."""

    batch_records: int
    retries_max: int


class EventStream:
    """The table's stream from its beginning (TRIM_HORIZON), without the time between retries.

    Only INSERT records reach the function, as the template filters them. A batch with
    failures is repeated from the lowest failed sequence number on; one that raised is halved, which
    costs no retry. What fails to the last retry is `discarded`, and the failure queue is told where
    it stands in the stream.
    """

    def __init__(
        self,
        client: Any,
        arn: str,
        invoke: Callable[[dict[str, Any]], Any],
        limits: MappingLimits,
    ) -> None:
        self._client, self._arn, self._invoke, self._limits = client, arn, invoke, limits
        self._iterator: str | None = None
        self.discarded: Records = []
        self.failure_queue: list[dict[str, Any]] = []

    def pump(self) -> Records:
        """Hand over everything that is new; returns what the function took."""
        taken: Records = []
        for _ in range(READS_MAX):
            records, read = self._read()
            for start in range(0, len(records), self._limits.batch_records):
                batch = records[start : start + self._limits.batch_records]
                taken += self._hand_over(batch, self._limits.retries_max)
            if not read:
                return taken
        raise RuntimeError(f"the stream does not end: {READS_MAX} reads")

    def _read(self) -> tuple[Records, int]:
        """INSERT records, and how many records were read in all."""
        if self._iterator is None:
            [shard] = self._client.describe_stream(StreamArn=self._arn)["StreamDescription"][
                "Shards"
            ]
            self._iterator = self._client.get_shard_iterator(
                StreamArn=self._arn, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
            )["ShardIterator"]
        answer = self._client.get_records(ShardIterator=self._iterator, Limit=1000)
        self._iterator = answer["NextShardIterator"]
        records = [lambda_record(record, self._arn) for record in answer["Records"]]
        return [r for r in records if r["eventName"] == "INSERT"], len(records)

    def _hand_over(self, batch: Records, retries: int) -> Records:
        if not batch:
            return []
        try:
            answer = self._invoke({"Records": batch})
            position = _first_failed(batch, answer)
        except Exception:  # noqa: BLE001  # whatever a function raises, Lambda repeats the batch
            position = 0
            if len(batch) > 1:
                middle = len(batch) // 2
                return self._hand_over(batch[:middle], retries) + self._hand_over(
                    batch[middle:], retries
                )
        if position < len(batch) and not retries:
            self._discard(batch[position:])
            return batch[:position]
        return batch[:position] + self._hand_over(batch[position:], retries - 1)

    def _discard(self, batch: Records) -> None:
        self.discarded += batch
        context = {"condition": "RetryAttemptsExhausted"}
        self.failure_queue.append(
            {"requestContext": context, "DDBStreamBatchInfo": _batch_info(batch)}
        )


def _batch_info(batch: Records) -> dict[str, Any]:
    """The part of the message that says what was lost."""
    numbers = [record["dynamodb"]["SequenceNumber"] for record in batch]
    return {
        "startSequenceNumber": numbers[0],
        "endSequenceNumber": numbers[-1],
        "batchSize": len(batch),
        "streamArn": batch[0]["eventSourceARN"],
    }


def _first_failed(batch: Records, answer: Any) -> int:
    """The position of the checkpoint; the batch's length where nothing failed.

    An identifier that is empty or not of this batch makes Lambda repeat the whole batch.
    """
    numbers = [record["dynamodb"]["SequenceNumber"] for record in batch]
    failures = (answer or {}).get("batchItemFailures") or []
    named = [failure.get("itemIdentifier") for failure in failures]
    if any(number not in numbers for number in named):
        return 0
    return min((numbers.index(number) for number in named), default=len(batch))


def mapping_limits(template: Template, function: str) -> MappingLimits:
    """What the template says of the function's stream."""
    events: Sequence[Mapping[str, Any]] = list(template.function(function)["Events"].values())
    [stream] = [event["Properties"] for event in events if event["Type"] == "DynamoDB"]
    return MappingLimits(stream["BatchSize"], stream["MaximumRetryAttempts"])


def lambda_record(record: Mapping[str, Any], arn: str) -> dict[str, Any]:
    """A record of the Streams API as Lambda passes it on."""
    return {
        "eventID": record["eventID"],
        "eventName": record["eventName"],
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": arn.split(":")[3],
        "dynamodb": _plain(record["dynamodb"]),
        "eventSourceARN": arn,
    }


def _plain(value: Any) -> Any:
    """Bytes in base64, instants as epoch seconds."""
    if isinstance(value, Mapping):
        return {key: _plain(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [_plain(entry) for entry in value]
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return int(value.timestamp()) if isinstance(value, datetime) else value
