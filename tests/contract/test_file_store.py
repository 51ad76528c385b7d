"""FileStore: whole files or none, the same bytes for the same input, NewStore's limits."""

import io
import json
import zipfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from random import Random
from typing import TYPE_CHECKING

import pytest

from inventory_sync.adapters.s3.file_delivery import s3_uri
from inventory_sync.adapters.s3.file_store import (
    LEDGERS_TRIED_MAX,
    S3FileStore,
    archive_key,
)
from inventory_sync.adapters.unreadable import LeftOut, LeftOutError
from inventory_sync.domain.availabilities import (
    ARCHIVE_BYTES_MAX,
    FILES_PER_ARCHIVE_MAX,
    FileHead,
    RowBlock,
    encode_rows,
)
from inventory_sync.domain.cut import LogicalRange
from inventory_sync.domain.errors import FatalError, InvariantError
from inventory_sync.domain.events import EndedMispick
from inventory_sync.domain.locations import Location, Node
from inventory_sync.domain.manifest import (
    Basis,
    Finalization,
    KeptLedger,
    Ledger,
    LocationEntry,
    Manifest,
)
from inventory_sync.domain.repeats import Repeats
from inventory_sync.domain.units import UnitId
from inventory_sync.ports.files import FileStore
from tests.aws import local_bucket
from tests.contract.builders import NOON
from tests.fakes.import_state import FakeFileStore

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

BUCKET = "imports"
DC = Location(location_id="DC01", fulfillment_node_id="DC01", store_id="", erp_location="100")
HEAD = FileHead((DC,), LogicalRange(10, 12))
ROWS = [encode_rows("DC01", {f"SKU-{n}": n for n in range(100)})]
A_ROW = [encode_rows("DC01", {"SKU-1": 1})]
MANIFEST = Manifest(
    run_id="run-1",
    cut_end=10**18,
    locations={
        "Köln/1": LocationEntry(
            basis=Basis.ROLLED_FORWARD,
            as_of=NOON,
            ledger_run_id="run-0",
            rows=2,
            units=7,
            node=Node("Köln/1", "store ü"),
            repeats=Repeats("0f", NOON, 3),
        )
    },
)
LEDGER = Ledger(
    location_id="DC01",
    run_id="run-1",
    quantities={"SKU-1": 3, "SKU-2": -4, "ü #/": Decimal("1.5"), "SKU-4": Decimal("-0.25"), "0": 0},
    sent=frozenset({"SKU-1", "ü #/"}),
)
SETTLEMENT = Finalization(counted=(("DC01", "1#a"), ("Köln", "2#b")), closed=(("DC01", "1#a"),))


@dataclass(frozen=True)
class Store:
    """The port, and what NewStore gets: None where there is no archive."""

    files: FileStore
    fetch: Callable[[str], bytes | None]

    def archived(self, run_id: str, *files: Iterable[RowBlock]) -> bytes:
        with self.files.archive(run_id) as archive:
            for number, rows in enumerate(files, 1):
                archive.add_file(number, HEAD, rows)
        data = self.fetch(run_id)
        assert data is not None
        return data


def block(text: str) -> RowBlock:
    """One row of that text."""
    return RowBlock("DC01", f'"{text}"'.encode())


@pytest.fixture
def s3() -> Iterator["S3Client"]:
    with local_bucket(BUCKET) as client:
        yield client


@pytest.fixture(params=["fake", "moto"])
def store(request: pytest.FixtureRequest) -> Iterator[Store]:
    if request.param == "fake":
        fake = FakeFileStore(BUCKET)
        yield Store(fake, lambda run_id: fake.archives.get(fake.archive_uri(run_id)))
        return
    with local_bucket(BUCKET) as client:

        def fetch(run_id: str) -> bytes | None:
            try:
                return client.get_object(Bucket=BUCKET, Key=archive_key(run_id))["Body"].read()
            except client.exceptions.NoSuchKey:
                return None

        yield Store(S3FileStore(client, BUCKET, lambda key: s3_uri(BUCKET, key)), fetch)


def test_an_archive_holds_its_files_by_number(store: Store) -> None:
    data = store.archived("run-1", ROWS, [])

    with zipfile.ZipFile(io.BytesIO(data)) as zipped:
        assert zipped.testzip() is None
        assert zipped.namelist() == ["availabilities-0001.json", "availabilities-0002.json"]
        first, second = (json.loads(zipped.read(name)) for name in zipped.namelist())
    assert [row["quantity"] for row in first["items"]] == list(range(100))
    assert second["items"] == []


def test_the_same_input_gives_the_same_bytes(store: Store) -> None:
    assert store.archived("run-1", ROWS, ROWS) == store.archived("run-2", ROWS, ROWS)
    assert store.archived("run-3", ROWS) != store.archived("run-1", ROWS, ROWS)
    with zipfile.ZipFile(io.BytesIO(store.archived("run-1", ROWS))) as zipped:
        [info] = zipped.infolist()
    assert info.date_time == (1980, 1, 1, 0, 0, 0), "the hour would be part of the bytes"


def test_an_archive_written_again_replaces_the_first(store: Store) -> None:
    store.archived("run-1", ROWS)

    assert store.archived("run-1", A_ROW) == store.archived("run-2", A_ROW)


def test_an_archive_beyond_what_is_kept_in_memory_is_whole(store: Store) -> None:
    noise = [block(Random(n).randbytes(500_000).hex()) for n in range(17)]

    data = store.archived("run-1", noise)

    assert len(data) > 8_000_000
    with zipfile.ZipFile(io.BytesIO(data)) as zipped:
        assert len(json.loads(zipped.read("availabilities-0001.json"))["items"]) == len(noise)


class ErpFailedError(Exception):
    """Whatever goes wrong while rows are read."""


def rows_that_fail() -> Iterator[RowBlock]:
    yield ROWS[0]
    raise ErpFailedError


def test_an_archive_that_was_not_finished_is_not_there(store: Store) -> None:
    with pytest.raises(ErpFailedError):
        store.archived("run-1", ROWS, rows_that_fail())

    assert store.fetch("run-1") is None


def test_an_unfinished_archive_leaves_the_one_that_is_there(store: Store) -> None:
    before = store.archived("run-1", ROWS)

    with pytest.raises(ErpFailedError):
        store.archived("run-1", rows_that_fail())

    assert store.fetch("run-1") == before


def test_an_archive_beyond_newstores_limit_is_refused(store: Store) -> None:
    megabytes = ARCHIVE_BYTES_MAX // 1_000_000

    with pytest.raises(InvariantError, match="archive_limits"):
        store.archived("run-1", *[[block("x" * 1_000_000)]] * megabytes)

    assert store.fetch("run-1") is None


def test_more_files_than_newstore_takes_are_refused(store: Store) -> None:
    with pytest.raises(InvariantError, match="archive_limits"):
        store.archived("run-1", *[A_ROW] * (FILES_PER_ARCHIVE_MAX + 1))

    assert store.fetch("run-1") is None
    assert store.archived("run-1", *[A_ROW] * FILES_PER_ARCHIVE_MAX)


def test_the_uri_names_the_run(store: Store) -> None:
    assert store.files.archive_uri("run-1") == "s3://imports/imports/run-1/availabilities.zip"


def test_a_manifest_reads_back_equal(store: Store) -> None:
    store.files.save_manifest(MANIFEST)

    assert store.files.manifest("run-1") == MANIFEST


def test_a_settlement_reads_back_equal(store: Store) -> None:
    store.files.save_finalization("run-1", SETTLEMENT)
    store.files.save_finalization("run-2", Finalization(counted=(), closed=()))

    assert store.files.finalization("run-1") == SETTLEMENT
    assert store.files.finalization("run-2") == Finalization(counted=(), closed=())


def test_a_ledger_reads_back_equal(store: Store) -> None:
    """Negative and fractional quantities too: they are what was computed."""
    store.files.save_ledger(LEDGER)

    assert store.files.ledger("DC01", "run-1") == LEDGER


def test_a_ledger_names_the_mispicks_that_are_over(store: Store) -> None:
    ledger = replace(LEDGER, mispicks_over=frozenset({EndedMispick("1#a", "SKU-1")}))
    store.files.save_ledger(ledger)

    assert store.files.ledger("DC01", "run-1") == ledger


def test_a_ledger_names_the_units_that_it_lacks(store: Store) -> None:
    again = UnitId("ff ü", "1#b")
    ledger = replace(
        LEDGER, lacking=frozenset({UnitId("ff", "1"), again}), unowned={again: "SKU-1"}
    )
    store.files.save_ledger(ledger)

    assert store.files.ledger("DC01", "run-1") == ledger


@pytest.mark.parametrize("location_id", ["a/b", "..", "%2F", "Köln #1?", "🧦"])
def test_ledgers_of_locations_of_any_name_are_kept_apart(store: Store, location_id: str) -> None:
    odd = Ledger(location_id=location_id, run_id="run-1", quantities={"A": 1}, sent=frozenset())
    store.files.save_ledger(odd)
    store.files.save_ledger(LEDGER)

    assert store.files.ledger(location_id, "run-1") == odd
    assert store.files.ledger("a%2Fb", "run-1") is None
    assert store.files.ledger("a", "b/run-1") is None


def test_a_run_without_a_ledger_for_a_location_has_none(store: Store) -> None:
    store.files.save_ledger(LEDGER)

    assert store.files.ledger("DC01", "run-2") is None
    assert store.files.ledger("NYC", "run-1") is None


def test_a_missing_manifest_is_fatal(store: Store) -> None:
    """Without it the next run would not know what NewStore has: never to be taken for empty."""
    with pytest.raises(FatalError, match="run-9"):
        store.files.manifest("run-9")


def test_a_missing_finalization_marks_nothing(store: Store) -> None:
    assert store.files.finalization("run-9") == Finalization(counted=(), closed=())


@pytest.mark.parametrize("more", [frozenset(), frozenset({"gone"})])
def test_a_ledger_remembers_that_all_rows_were_sent_and_which_others(
    store: Store, more: frozenset[str]
) -> None:
    ledger = replace(LEDGER, sent=LEDGER.quantities.keys() | more)

    store.files.save_ledger(ledger)

    found = store.files.ledger("DC01", "run-1")
    assert found is not None
    assert found.sent == {*LEDGER.quantities, *more}


# What only a store can get wrong


def test_the_same_ledger_gives_the_same_bytes(s3: "S3Client") -> None:
    files = S3FileStore(s3, BUCKET, str)

    def saved(ledger: Ledger) -> bytes:
        files.save_ledger(ledger)
        key = "ledger/DC01/run-1.json.gz"
        return s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()

    other = Ledger(
        location_id="DC01",
        run_id="run-1",
        quantities=dict(LEDGER.quantities),
        sent=frozenset({"ü #/", "SKU-1"}),
    )
    assert other == LEDGER
    assert saved(LEDGER) == saved(other)


@pytest.mark.parametrize(
    ("stored", "named"),
    [
        (b"{", "JSON"),
        (b'{"run_id": "run-1"}', "cut_end"),
        (b'{"run_id": "run-1", "cut_end": 1, "colour": 1}', "colour"),
        (b'{"run_id": "run-1", "cut_end": 1, "locations": {"A": {"rows": 1}}}', "locations.A"),
    ],
)
def test_a_broken_manifest_is_named_with_its_field(
    s3: "S3Client", stored: bytes, named: str
) -> None:
    s3.put_object(Bucket=BUCKET, Key="runs/run-1/manifest.json", Body=stored)

    with pytest.raises(FatalError) as raised:
        S3FileStore(s3, BUCKET, str).manifest("run-1")

    assert "runs/run-1/manifest.json" in str(raised.value)
    assert named in str(raised.value)
    assert "restore its earlier version" in str(raised.value)


@pytest.mark.parametrize("stored", [None, b"", b"{", b"[]", b'{"counted": [], "colour": []}'])
def test_what_cannot_be_read_is_named_once_and_a_finalization_marks_nothing(
    s3: "S3Client", stored: bytes | None
) -> None:
    files = S3FileStore(s3, BUCKET, str)
    if stored is not None:
        for kind in ("manifest", "finalization"):
            s3.put_object(Bucket=BUCKET, Key=f"runs/run-1/{kind}.json", Body=stored)

    told: list[LeftOutError] = []
    with LeftOut(told.append) as left_out:
        assert files.finalization("run-1") == Finalization(counted=(), closed=())
        with pytest.raises(FatalError):
            files.manifest("run-1")

    named = [record.split(".json")[0] for record in left_out.records]
    assert named == ["runs/run-1/finalization", "runs/run-1/manifest"]
    assert len(told) == len(named)


def test_a_damaged_ledger_is_named_and_counts_as_none(
    s3: "S3Client", caplog: pytest.LogCaptureFixture
) -> None:
    files = S3FileStore(s3, BUCKET, str)
    files.save_ledger(LEDGER)
    key = "ledger/DC01/run-1.json.gz"
    whole = s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()

    header, middle = 10, len(whole) // 2
    no_such_block = whole[:header] + b"\xff" + whole[header + 1 :]
    for damaged in (b"", whole[:middle], b"not gzip", no_such_block, whole[:-8] + bytes(8)):
        s3.put_object(Bucket=BUCKET, Key=key, Body=damaged)
        assert files.ledger("DC01", "run-1") is None
        assert files.latest_ledger("DC01") == KeptLedger(lost=True)
        assert "ledger/DC01" in caplog.text
        caplog.clear()


def test_the_newest_ledger_that_can_be_read_is_told_with_what_is_lost(s3: "S3Client") -> None:
    files = S3FileStore(s3, BUCKET, str)
    assert files.latest_ledger("DC01") == KeptLedger()
    files.save_ledger(LEDGER)
    files.save_ledger(replace(LEDGER, run_id="run-2"))
    assert files.latest_ledger("DC01") == KeptLedger(replace(LEDGER, run_id="run-2"))

    s3.put_object(Bucket=BUCKET, Key="ledger/DC01/run-2.json.gz", Body=b"")

    assert files.latest_ledger("DC01") == KeptLedger(LEDGER, lost=True)


def test_of_many_ledgers_that_cannot_be_read_only_the_newest_are_tried(s3: "S3Client") -> None:
    files = S3FileStore(s3, BUCKET, str)
    files.save_ledger(LEDGER)
    for number in range(LEDGERS_TRIED_MAX):
        s3.put_object(Bucket=BUCKET, Key=f"ledger/DC01/run-2{number:02}.json.gz", Body=b"")

    assert files.latest_ledger("DC01") == KeptLedger(lost=True)
