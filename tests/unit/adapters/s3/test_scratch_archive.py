"""An archive of a dry run: the bytes NewStore would be sent, described."""

import zipfile
from hashlib import sha256
from pathlib import Path

import pytest

from inventory_sync.adapters.s3.scratch_archive import ZipOnDisk
from inventory_sync.domain.availabilities import FileHead, encode_rows
from inventory_sync.domain.cut import LogicalRange
from inventory_sync.domain.locations import Location

DC = Location(location_id="DC01", fulfillment_node_id="DC01", store_id="", erp_location="100")
RANGES = [LogicalRange(0, 4), LogicalRange(5, 9)]


def write(archive: ZipOnDisk) -> None:
    with archive.archive() as writer:
        for number, released in enumerate(RANGES, start=1):
            rows = [encode_rows("DC01", {"SKU-1": number})]
            writer.add_file(number, FileHead((DC,), released), rows)


def test_it_describes_each_file_as_it_is_in_the_archive(tmp_path: Path) -> None:
    path = tmp_path / "dry.zip"
    archive = ZipOnDisk(path)
    write(archive)
    write(archive)

    size, files = archive.packed()

    with zipfile.ZipFile(path) as zipped:
        contents = [zipped.read(name) for name in zipped.namelist()]
    assert size == path.stat().st_size
    assert [file.released for file in files] == RANGES
    assert [file.content_bytes for file in files] == [len(content) for content in contents]
    assert [file.sha256 for file in files] == [sha256(content).hexdigest() for content in contents]


def test_an_archive_that_was_not_finished_is_gone(tmp_path: Path) -> None:
    archive = ZipOnDisk(tmp_path / "dry.zip")

    with pytest.raises(ZeroDivisionError), archive.archive():
        raise ZeroDivisionError

    assert list(tmp_path.iterdir()) == []
    assert archive.packed() == (0, ())
