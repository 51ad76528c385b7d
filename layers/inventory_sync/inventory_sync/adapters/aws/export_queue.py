"""The queue of export files to read: S3's notifications, and the rest of files half read."""

import json
from collections.abc import Mapping
from typing import Any

from inventory_sync.adapters.aws.errors import translated
from inventory_sync.domain.errors import RejectedError
from inventory_sync.domain.inbound import ExportFile

ROUNDS_MAX = 500
"""Of four minutes each. Lambda would end a function that feeds its own queue after sixteen, so the
template tells it not to; this bound is in its place."""


class SqsExportQueue:
    """Of one bucket: what a message says of another is not followed."""

    def __init__(self, client: Any, url: str, bucket: str) -> None:
        self._client = client
        self._url = url
        self._bucket = bucket

    def put(self, file: ExportFile, offset: int, delay_seconds: int) -> None:
        """In the form that `read` reads; one round more."""
        rounds = file.rounds + 1
        body = {"key": file.key, "etag": file.etag, "offset": offset, "rounds": rounds}
        with translated("export queue"):
            self._client.send_message(
                QueueUrl=self._url,
                MessageBody=json.dumps(body, sort_keys=True),
                DelaySeconds=delay_seconds,
            )

    def read(self, message: str) -> tuple[ExportFile, int]:
        """Of EventBridge's event or of our own; keys stand in both as they are, not encoded."""
        try:
            body: Any = json.loads(message)
            found: Mapping[str, Any] = body["detail"]["object"] if "detail" in body else body
            file = ExportFile(
                bucket=self._bucket,
                key=str(found["key"]),
                etag=str(found.get("etag", "")),
                rounds=int(body.get("rounds", 0)),
            )
            offset = int(body.get("offset", 0))
        except (KeyError, TypeError, ValueError, OverflowError, AttributeError) as error:
            raise RejectedError(
                f"export queue: a message is neither of S3 nor of ours ({error}); delete it"
            ) from error
        if file.rounds > ROUNDS_MAX:
            raise RejectedError(
                f"{file.uri}: not read to its end in {ROUNDS_MAX} rounds; it is read up to byte"
                f" {offset}: split the rest into files of its own"
            )
        return file, offset
