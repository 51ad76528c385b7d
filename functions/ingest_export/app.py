"""Ingest an export file: called by a queue of S3's notifications, one message at a time."""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from inventory_sync.bootstrap.ingest_export import ingest_export
from inventory_sync.observability import PowertoolsObserver
from inventory_sync.ports.events import ExportQueue
from inventory_sync.use_cases.ingest.ingest_export import ExportProgress, IngestExport

RETRY_SECONDS = 60
"""After a store has failed in the middle of a file."""

Handler = Callable[[Mapping[str, Any], Any], dict[str, Any]]
Resources = tuple[IngestExport, ExportQueue, PowertoolsObserver]


def build_handler(make: Callable[[], Resources]) -> Handler:
    """The handler over whatever `make` gives; called once, at the first event.

    A message whose file cannot be read comes again, and after a few times is a dead letter.
    """
    resources = cache(make)

    def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
        ingest, queue, observer = resources()
        read = []
        try:
            for record in event["Records"]:
                file, offset = queue.read(record["body"])
                progress = ingest(
                    file, offset, lambda: context.get_remaining_time_in_millis() / 1000
                )
                if not progress.done:
                    delay = RETRY_SECONDS if progress.failure else 0
                    queue.put(file, progress.offset, delay)
                read.append(_answer(file.key, progress))
        except Exception as error:
            observer.failure(error)
            raise
        finally:
            observer.flush()
        return {"files": read}

    return handler


def _answer(key: str, progress: ExportProgress) -> dict[str, Any]:
    return {
        "key": key,
        "offset": progress.offset,
        "done": progress.done,
        "lines": progress.lines,
        **{result.value: count for result, count in progress.results.items()},
    }


lambda_handler = build_handler(ingest_export)
