"""Ways to make an import's archive from the same rows; each runs in a process of its own.

`python -m tests.bench.builds WAY ROWS` prints CPU seconds, peak memory and sizes as JSON.
"""

import io
import json
import resource
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

ROWS_PER_LOCATION = 10_000
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def locations(rows: int) -> list[str]:
    """As many as it takes at 10,000 products each."""
    return [f"STORE-{n:05d}" for n in range(max(1, rows // ROWS_PER_LOCATION))]


def on_hand(location_number: int, changed: int = 0) -> dict[str, int]:
    """A location's stock; the first `changed` products differ from the base."""
    stock = {f"SKU-{n:08d}": (n * 7 + location_number) % 90 + 1 for n in range(ROWS_PER_LOCATION)}
    for n in range(changed):
        stock[f"SKU-{n:08d}"] += 1
    return stock


def usual_way(rows: int) -> int:
    """All rows in a list, one json.dumps, one zip: what integrations usually do."""
    items = [
        {"fulfillment_node_id": place, "product_id": product, "quantity": quantity}
        for number, place in enumerate(locations(rows))
        for product, quantity in on_hand(number).items()
    ]
    text = json.dumps({"head": {}, "items": items})
    with (
        tempfile.TemporaryFile() as file,
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as zipped,
    ):
        zipped.writestr("availabilities.json", text)
    return len(items)


def floor(rows: int) -> int:
    """The same rows through the fastest encoder and the deflate that the adapter uses."""
    import orjson

    from inventory_sync.adapters.file_store import DEFLATE_LEVEL

    count = 0
    with (
        tempfile.TemporaryFile() as file,
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=DEFLATE_LEVEL) as zipped,
        zipped.open("availabilities.json", "w") as entry,
    ):
        for number, place in enumerate(locations(rows)):
            items = [
                {"fulfillment_node_id": place, "product_id": product, "quantity": quantity}
                for product, quantity in on_hand(number).items()
            ]
            entry.write(orjson.dumps(items))
            count += len(items)
    return count


class DiskFiles:
    """ports.FileStore over a folder, so that memory shows the adapter and nothing else."""

    def __init__(self, folder: Path) -> None:
        from inventory_sync.adapters.file_store import S3FileStore

        self._client = DiskS3(folder)
        self.store = S3FileStore(self._client, "bucket", lambda key: f"s3://bucket/{key}")  # type: ignore[arg-type]


class DiskS3:
    """As much of an S3 client as the file store uses."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def _path(self, key: str) -> Path:
        path = self._folder / key
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def put_object(self, *, Bucket: str, Key: str, Body: bytes) -> None:  # noqa: N803
        self._path(Key).write_bytes(Body)

    def get_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:  # noqa: N803
        from botocore.exceptions import ClientError

        path = self._path(Key)
        if not path.exists():
            raise ClientError({"Error": {"Code": "NoSuchKey"}}, "GetObject")
        return {"Body": io.BytesIO(path.read_bytes())}

    def get_paginator(self, operation: str) -> "DiskS3":
        if operation != "list_objects_v2":
            raise NotImplementedError(operation)
        return self

    def paginate(self, *, Bucket: str, Prefix: str) -> Iterator[dict[str, Any]]:  # noqa: N803
        folder = self._folder / Prefix
        found = sorted(folder.iterdir()) if folder.is_dir() else []
        yield {"Contents": [{"Key": str(path.relative_to(self._folder))} for path in found]}

    def upload_fileobj(self, file: Any, bucket: str, key: str) -> None:
        with self._path(key).open("wb") as target:
            while piece := file.read(1_000_000):
                target.write(piece)


class GeneratedErp:
    """ports.Erp that makes each location's rows when asked."""

    def __init__(self, places: list[str], changed: int) -> None:
        self._numbers = {place: number for number, place in enumerate(places)}
        self.changed = changed

    def capabilities(self) -> Any:
        from inventory_sync.ports import Dedupe, ErpCapabilities

        return ErpCapabilities(
            dedupe=Dedupe.NATIVE, bulk_max=100, reservations=True, apply_lag=timedelta(0)
        )

    def snapshot(self, location_id: str) -> Any:
        from inventory_sync.domain.stock import StockSnapshot

        number = self._numbers[location_id]
        spread = self.changed // len(self._numbers) + (number < self.changed % len(self._numbers))
        return StockSnapshot(location_id, NOW, on_hand(number, spread))


class NothingKnown:
    """NewStore and observer, as far as a build asks them."""

    def __init__(self, places: list[str]) -> None:
        self._places = places

    def known_nodes(self) -> frozenset[str]:
        return frozenset(self._places)

    def count(self, name: str, value: float = 1, **dimensions: str) -> None: ...

    def note(self, message: str, **figures: object) -> None: ...

    def now(self) -> datetime:
        return NOW


@contextmanager
def adapter(rows: int) -> Iterator[Any]:
    """A build over generated stock: call it with (run id, head, full) and the changed rows."""
    from inventory_sync.domain.guards import GuardLimits
    from inventory_sync.domain.import_run import ImportRun, RunState
    from inventory_sync.domain.locations import Location
    from inventory_sync.ports import ImportHead
    from inventory_sync.use_cases.build_import import BuildImport, BuildSettings
    from tests.fakes.event_log import FakeEventLog
    from tests.fakes.import_state import FakeLocationStore
    from tests.fakes.run_records import FakeRunRecords

    places = locations(rows)
    mapped = [
        Location(location_id=p, fulfillment_node_id=p, store_id=p, erp_location=p) for p in places
    ]
    with tempfile.TemporaryDirectory() as folder:
        nobody: Any = NothingKnown(places)
        files = DiskFiles(Path(folder)).store

        def build(run_id: str, changed: int, finished: str | None) -> ImportRun:
            run = ImportRun(
                run_id=run_id,
                state=RunState.PLANNED,
                planned_at=NOW,
                full=finished is None,
                cut_end=0,
            )
            erp: Any = GeneratedErp(places, changed)
            importer = BuildImport(
                event_log=FakeEventLog(),
                erp=erp,
                newstore=nobody,
                files=files,
                records=FakeRunRecords(),
                location_store=FakeLocationStore(*mapped),
                clock=nobody,
                observer=nobody,
                settings=BuildSettings(
                    tenant_scope=True,
                    first_logical_timestamp=0,
                    settle=timedelta(minutes=15),
                    other_channel_lags={},
                    guards=GuardLimits(),
                ),
            )
            head = ImportHead(finished_run_id=finished)
            return importer(run, head, lambda: None, lambda: 900.0)

        yield build


def peak_bytes() -> float:
    """Of this process's own memory: getrusage's figure is at least what its parent had."""
    status = Path("/proc/self/status")
    if status.exists():
        [line] = (line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return float(line.split()[1]) * 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return float(peak if sys.platform == "darwin" else peak * 1024)


def main() -> None:
    """Run one way once."""
    way, rows = sys.argv[1], int(sys.argv[2])
    result: dict[str, float] = {}
    if way in {"usual", "floor"}:
        started = time.process_time()
        result["rows"] = (usual_way if way == "usual" else floor)(rows)
        result["cpu_seconds"] = time.process_time() - started
    else:
        with adapter(rows) as build:
            if way == "delta":
                build("base", 0, None)
            started = time.process_time()
            run = build("run", 1000 if way == "delta" else 0, "base" if way == "delta" else None)
            result["cpu_seconds"] = time.process_time() - started
            result["rows"] = run.rows
    result["peak_bytes"] = peak_bytes()
    sys.stdout.write(json.dumps(result) + "\n")


if __name__ == "__main__":
    main()
