"""One S3 bucket: whole objects by key."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import IO, TYPE_CHECKING, NamedTuple

from botocore.exceptions import ClientError

from inventory_sync.adapters.aws.errors import translated
from inventory_sync.adapters.aws.objects import is_missing

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

WHAT = "import bucket"
_MEMORY_BYTES_MAX = 1_000_000


class Listed(NamedTuple):
    """An object by its key; `etag` changes with its content."""

    key: str
    etag: str
    modified_at: datetime


class Bucket:
    """Methods raise RetriableError or, for a missing permission or bucket, FatalError."""

    def __init__(self, client: "S3Client", name: str) -> None:
        self.client = client
        self.name = name

    def get(self, key: str) -> bytes | None:
        """None where there is no such object."""
        found = self.get_tagged(key)
        return None if found is None else found[0]

    def get_tagged(self, key: str) -> tuple[bytes, str] | None:
        """An object with its etag; None where there is no such object."""
        with translated(WHAT):
            try:
                found = self.client.get_object(Bucket=self.name, Key=key)
                return found["Body"].read(), found["ETag"]
            except ClientError as error:
                if is_missing(self.client, self.name, key, error):
                    return None
                raise

    def put(self, key: str, data: bytes) -> None:
        """Write an object whatever stands there."""
        with translated(WHAT):
            self.client.put_object(Bucket=self.name, Key=key, Body=data)

    @contextmanager
    def upload(self, key: str) -> Iterator[IO[bytes]]:
        """Collected on disk past a megabyte; uploaded when the block ends without an error."""
        with tempfile.SpooledTemporaryFile(max_size=_MEMORY_BYTES_MAX) as file:
            yield file
            file.seek(0)
            with translated(WHAT):
                self.client.upload_fileobj(file, self.name, key)

    def keys(self, prefix: str) -> Iterator[str]:
        """All that begin with it, in order."""
        return (found.key for found in self.listed(prefix))

    def listed(self, prefix: str) -> Iterator[Listed]:
        """All whose key begins with it, in order."""
        with translated(WHAT):
            pages = self.client.get_paginator("list_objects_v2").paginate(
                Bucket=self.name, Prefix=prefix
            )
            for page in pages:
                for found in page.get("Contents", ()):
                    yield Listed(found["Key"], found["ETag"], found["LastModified"])
