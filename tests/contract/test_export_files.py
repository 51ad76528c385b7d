"""ExportFiles: S3's and this machine's give the same, plain and packed, from any byte on."""

import gzip
import io
import tracemalloc
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from inventory_sync.adapters.s3.export_files import CHUNK_BYTES, LocalExportFiles, S3ExportFiles
from inventory_sync.domain.errors import RejectedError
from inventory_sync.domain.inbound import ExportFile
from inventory_sync.ports.events import ExportFiles
from tests.aws import local_bucket

BUCKET = "imports-of-this-test"
CONTENT = b"".join(b"%07d\n" % number for number in range(40_000))


def zip_of(**files: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return packed.getvalue()


def stored_zip(content: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("a", content)
    return packed.getvalue()


def encrypted(zipped: bytes) -> bytes:
    """By the flag in its table of contents."""
    at = zipped.index(b"PK\x01\x02") + 8
    return zipped[:at] + b"\x01" + zipped[at + 1 :]


@dataclass(frozen=True)
class Shelf:
    """The port, and `put`, which names a file with this content."""

    files: ExportFiles
    put: Callable[[str, bytes], ExportFile]

    def read(self, file: ExportFile, offset: int = 0) -> bytes:
        with self.files.chunks(file, offset) as chunks:
            return b"".join(chunks)


@pytest.fixture(params=["S3", "local"])
def shelf(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Shelf]:
    if request.param == "local":

        def write(name: str, content: bytes) -> ExportFile:
            (tmp_path / name).write_bytes(content)
            return ExportFile(bucket="", key=str(tmp_path / name))

        yield Shelf(LocalExportFiles(), write)
        return
    with local_bucket(BUCKET) as client:

        def upload(name: str, content: bytes) -> ExportFile:
            client.put_object(Bucket=BUCKET, Key=name, Body=content)
            return ExportFile(bucket=BUCKET, key=name)

        yield Shelf(S3ExportFiles(client), upload)


@pytest.mark.parametrize("offset", [0, 8, CHUNK_BYTES, len(CONTENT) - 1, len(CONTENT)])
def test_a_file_is_read_from_a_byte_on_plain_or_packed(shelf: Shelf, offset: int) -> None:
    plain = shelf.put("a.export", CONTENT)
    packed = shelf.put("a.export.gz", gzip.compress(CONTENT))
    unsaid = shelf.put("b.export", gzip.compress(CONTENT))
    zipped = shelf.put("c.export", zip_of(a=CONTENT))

    assert shelf.read(plain, offset) == CONTENT[offset:]
    assert shelf.read(packed, offset) == CONTENT[offset:]
    assert shelf.read(unsaid, offset) == CONTENT[offset:]
    assert shelf.read(zipped, offset) == (CONTENT + b"\n")[offset:]


def test_the_files_of_a_zip_file_are_read_one_after_the_other(shelf: Shelf) -> None:
    files = {"a/": b"", "a/1": b"one", "__MACOSX/a/1": b"no data", "a/2": b"two\n"}

    assert shelf.read(shelf.put("a.export", zip_of(**files))) == b"one\ntwo\n\n"


def test_a_file_that_is_not_packed_is_read_whatever_its_name_says(shelf: Shelf) -> None:
    assert shelf.read(shelf.put("a.export.gz", CONTENT)) == CONTENT


def test_a_packed_file_may_have_several_parts(shelf: Shelf) -> None:
    parts = gzip.compress(b"one\n") + gzip.compress(b"two\n")

    assert shelf.read(shelf.put("a.export.gz", parts)) == b"one\ntwo\n"


def test_empty_files_have_nothing(shelf: Shelf) -> None:
    assert shelf.read(shelf.put("a.export", b"")) == b""
    assert shelf.read(shelf.put("a.export.gz", gzip.compress(b""))) == b""


@pytest.mark.parametrize(
    "content",
    [
        gzip.compress(CONTENT)[:-100],
        gzip.compress(b"x") + b"trailing",
        b"\x1f\x8b no gzip",
        zip_of(a=CONTENT)[:-100],
        stored_zip(b"xxx").replace(b"xxx", b"yyy"),
        encrypted(zip_of(a=CONTENT)),
    ],
    ids=["cut off", "something after it", "no gzip", "cut zip", "wrong sum", "encrypted"],
)
def test_what_cannot_be_unpacked_is_named(shelf: Shelf, content: bytes) -> None:
    file = shelf.put("a.export.gz", content)

    with pytest.raises(RejectedError, match=r"a\.export\.gz"):
        shelf.read(file)


def test_a_file_that_is_gone_is_named(shelf: Shelf) -> None:
    there = shelf.put("a.export", b"x")
    gone = ExportFile(bucket=there.bucket, key=there.key.replace("a.export", "b.export"))

    with pytest.raises(RejectedError, match=r"b\.export"):
        shelf.read(gone)


def test_a_file_that_was_replaced_meanwhile_is_not_read_on() -> None:
    with local_bucket(BUCKET) as client:
        etag = client.put_object(Bucket=BUCKET, Key="a.export", Body=b"old\n")["ETag"]
        files = S3ExportFiles(client)
        file = ExportFile(bucket=BUCKET, key="a.export", etag=etag.strip('"'))
        with files.chunks(file, 2) as chunks:
            assert b"".join(chunks) == b"d\n"
        client.put_object(Bucket=BUCKET, Key="a.export", Body=b"new\n")

        with pytest.raises(RejectedError, match="replaced"), files.chunks(file, 2):
            pass


def test_a_file_that_unpacks_to_very_much_is_read_in_little_memory(tmp_path: Path) -> None:
    path = tmp_path / "a.export.gz"
    size = 64_000_000
    path.write_bytes(gzip.compress(b"\0" * size, compresslevel=1))
    total = 0
    tracemalloc.start()
    with LocalExportFiles().chunks(ExportFile(bucket="", key=str(path)), 0) as chunks:
        for chunk in chunks:
            total += len(chunk)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert total == size
    assert peak < 2_000_000
