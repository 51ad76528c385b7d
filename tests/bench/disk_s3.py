"""As much of an S3 client as the file store uses, over a folder: memory then shows the adapter."""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any


class DiskS3:
    """Keys are paths."""

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
        return {"Body": io.BytesIO(path.read_bytes()), "ETag": "1"}

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
