"""As much of an S3 client as the file store uses, over a folder: memory then shows the adapter."""

import io
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any


class DiskS3:
    """Keys are paths; `calls` counts requests by operation."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.calls = Counter[str]()

    def _path(self, key: str) -> Path:
        path = self._folder / key
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def put_object(self, *, Bucket: str, Key: str, Body: bytes) -> None:  # noqa: N803
        self.calls["put"] += 1
        self._path(Key).write_bytes(Body)

    def get_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:  # noqa: N803
        from botocore.exceptions import ClientError

        self.calls["get"] += 1
        path = self._path(Key)
        if not path.exists():
            raise ClientError({"Error": {"Code": "NoSuchKey"}}, "GetObject")
        return {"Body": io.BytesIO(path.read_bytes()), "ETag": _etag(path)}

    def get_paginator(self, operation: str) -> "DiskS3":
        if operation != "list_objects_v2":
            raise NotImplementedError(operation)
        return self

    def paginate(self, *, Bucket: str, Prefix: str) -> Iterator[dict[str, Any]]:  # noqa: N803
        self.calls["list"] += 1
        folder = self._folder / Prefix
        found = sorted(folder.iterdir()) if folder.is_dir() else []
        yield {
            "Contents": [
                {
                    "Key": str(path.relative_to(self._folder)),
                    "ETag": _etag(path),
                    "LastModified": datetime.fromtimestamp(path.stat().st_mtime, UTC),
                }
                for path in found
            ]
        }

    def upload_fileobj(self, file: Any, bucket: str, key: str) -> None:
        self.calls["put"] += 1
        with self._path(key).open("wb") as target:
            while piece := file.read(1_000_000):
                target.write(piece)


def _etag(path: Path) -> str:
    """Another one for each content, as far as that matters here."""
    return str(path.stat().st_mtime_ns)
