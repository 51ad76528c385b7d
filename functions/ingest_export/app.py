"""Ingest an export file: called by a queue of S3's notifications, one message at a time."""

from inventory_sync.bootstrap.handler import (
    Answer,
    Event,
    Handler,
    Make,
    SecondsLeft,
    handler_of,
)
from inventory_sync.bootstrap.ingest_export import ingest_export
from inventory_sync.bootstrap.runtime import in_lambda
from inventory_sync.observability import PowertoolsObserver
from inventory_sync.ports.events import ExportQueue
from inventory_sync.use_cases.ingest.ingest_export import ExportProgress, IngestExport

RETRY_SECONDS = 60
"""After a store has failed in the middle of a file."""


def build_handler(make: Make[tuple[IngestExport, ExportQueue]]) -> Handler:
    """The handler over whatever `make` gives.

    A message whose file cannot be read comes again, and after a few times is a dead letter.
    """
    return handler_of(make, _read)


def _read(
    made: tuple[IngestExport, ExportQueue],
    observer: PowertoolsObserver,
    event: Event,
    seconds_left: SecondsLeft,
) -> Answer:
    ingest, queue = made
    read = []
    for record in event["Records"]:
        file, offset = queue.read(record["body"])
        progress = ingest(file, offset, seconds_left)
        if not progress.done:
            delay = RETRY_SECONDS if progress.failure else 0
            queue.put(file, progress.offset, delay)
        read.append(_answer(file.key, progress))
    return {"files": read}


def _answer(key: str, progress: ExportProgress) -> Answer:
    return {
        "key": key,
        "offset": progress.offset,
        "done": progress.done,
        "lines": progress.lines,
        **{result.value: count for result, count in progress.results.items()},
    }


lambda_handler = build_handler(in_lambda(ingest_export))
