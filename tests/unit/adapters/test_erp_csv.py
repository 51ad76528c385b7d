"""CSV on S3: what files say, and what makes them no snapshot."""

import json
import tracemalloc
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from moto import mock_aws

from inventory_sync.adapters.erp.csv_bucket import CsvBucket, Found
from inventory_sync.adapters.erp.csv_format import CsvFormat, read_format
from inventory_sync.adapters.erp.csv_s3 import CsvErp
from inventory_sync.adapters.erp.ids import IdMap
from inventory_sync.domain.errors import FatalError, RejectedError, SnapshotIncompleteError
from inventory_sync.domain.stock import Acknowledgement, Rejection, StockSnapshot, TryLater
from tests.connector.bench import movement
from tests.unit.adapters.http_support import StandingClock

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

NAME = "stock/DC01/stock_20260302T115900"
AS_OF = datetime(2026, 3, 2, 11, 59, tzinfo=UTC)


class Files:
    """The ERP's bucket, and a connector to it."""

    def __init__(self, client: "S3Client") -> None:
        self.client = client
        self.clock = StandingClock()

    def put(self, key: str, body: str | bytes) -> None:
        content = body if isinstance(body, bytes) else body.encode()
        self.client.put_object(Bucket="erp", Key=key, Body=content)

    def drop(self, body: str | bytes, name: str = NAME, marker: str = "") -> None:
        """A whole stock file."""
        self.put(f"{name}.csv", body)
        self.put(f"{name}.csv.done", marker)

    def erp(self, **form: Any) -> CsvErp:
        self.put("connector.json", json.dumps(form))
        return CsvErp(
            CsvBucket(self.client, "erp"), self.clock, apply_lag=timedelta(0), ids=IdMap()
        )

    def snapshot(self, **form: Any) -> StockSnapshot:
        return self.erp(**form).snapshot("DC01")


@pytest.fixture
def files() -> Iterator[Files]:
    with mock_aws():
        client = boto3.client(
            "s3", region_name="us-east-1", aws_access_key_id="local", aws_secret_access_key="local"
        )
        client.create_bucket(Bucket="erp")
        yield Files(client)


def test_newest_file_by_its_name_is_read(files: Files) -> None:
    files.drop("product,on_hand\nA,1\n", "stock/DC01/stock_20260302T120000")
    files.drop("product,on_hand\nA,5\nB,-2\n\n")
    snapshot = files.snapshot()
    assert snapshot.on_hand_units == {"A": 1}
    assert snapshot.as_of == datetime(2026, 3, 2, 12, tzinfo=UTC)


def test_file_without_its_marker_is_still_being_uploaded(files: Files) -> None:
    files.drop("product,on_hand\nA,5\n")
    files.put("stock/DC01/stock_20260302T120000.csv", "product,on_hand\nA,")
    assert files.snapshot().as_of == AS_OF


def test_marker_may_be_switched_off(files: Files) -> None:
    files.put(f"{NAME}.csv", "product,on_hand\nA,5\n")
    with pytest.raises(SnapshotIncompleteError, match="complete"):
        files.snapshot()
    files.clock.advance(61)
    assert files.snapshot(done_suffix="").on_hand_units == {"A": 5}


def test_marker_with_another_count_of_rows_is_no_snapshot(files: Files) -> None:
    files.drop("product,on_hand\nA,5\n", marker="2\n")
    with pytest.raises(SnapshotIncompleteError, match="marker says 2"):
        files.snapshot()


def test_headers_encoding_delimiter_and_figures_are_the_erps(files: Files) -> None:
    text = 'Größe;Artikel;Bestand\r\nM;"Hemd; blau";1.234,0\r\nL;Hose;-3\r\nS;Schal;0,5\r\n'
    files.drop(text.encode("cp1252"))
    snapshot = files.snapshot(
        encoding="cp1252",
        delimiter=";",
        decimal=",",
        thousands=".",
        columns={"product": "Artikel", "on_hand": "Bestand"},
    )
    assert snapshot.on_hand_units == {"Hemd; blau": 1234, "Hose": -3, "Schal": Decimal("0.5")}


@pytest.mark.parametrize("figure", ["1.5", "1.2345", "12.34", "", "many", "1e3", "NaN", "1,2,3"])
def test_figure_that_is_written_otherwise_is_refused_not_guessed(files: Files, figure: str) -> None:
    files.drop(f"product;on_hand\nA;{figure}\n")
    with pytest.raises(SnapshotIncompleteError, match="row 2"):
        files.snapshot(delimiter=";", decimal=",", thousands=".")


def test_as_of_may_stand_in_a_column_and_the_earliest_counts(files: Files) -> None:
    files.drop(
        "product,on_hand,at\nA,1,2026-03-02 13:00 +0200\nB,1,2026-03-02 12:30 +0200\n",
        "stock/DC01/x",
    )
    snapshot = files.snapshot(columns={"as_of": "at"}, time="%Y-%m-%d %H:%M %z")
    assert snapshot.as_of == datetime(2026, 3, 2, 10, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("product,on_hand\nA,5\nA,6\n", "again"),
        ("product,on_hand\nA,5,6\n", "fields"),
        ("product,on_hand\n,5\n", "no product"),
        ("product,units\nA,5\n", "no column on_hand"),
        ("", "no column"),
        ('product,on_hand\n"A,5\n', "unexpected end"),
        (b"product,on_hand\n\xff,5\n", "decode"),
    ],
)
def test_file_that_is_not_of_the_form_is_no_snapshot(
    files: Files, body: str | bytes, says: str
) -> None:
    files.drop(body)
    with pytest.raises(SnapshotIncompleteError, match=says):
        files.snapshot()


def test_rows_of_bins_are_summed_where_the_format_says_so(files: Files) -> None:
    files.drop("product,on_hand\nA,5\nA,6\n")
    assert files.snapshot(duplicates="sum").on_hand_units == {"A": 11}


def test_file_replaced_while_it_is_read_is_no_snapshot(files: Files) -> None:
    files.drop("product,on_hand\nA,5\n")
    bucket = CsvBucket(files.client, "erp")
    stale = Found(f"{NAME}.csv", '"another"', AS_OF)
    with pytest.raises(SnapshotIncompleteError, match="replaced"):
        list(bucket.rows(stale, CsvFormat(), ["product"]))


def test_location_without_files_is_rejected(files: Files) -> None:
    with pytest.raises(RejectedError, match="stock/DC01/"):
        files.snapshot()


@pytest.mark.parametrize(
    ("form", "names"),
    [
        ('{"delimeter": ";"}', "delimeter"),
        ('{"decimal": ",", "thousands": ","}', "same sign"),
        ('{"encoding": "klingon"}', "klingon"),
        ('{"as_of_in_name": "(["}', "connector.json"),
        ('{"as_of_in_name": "x"}', "as_of"),
        ("not json", "connector.json"),
    ],
)
def test_wrong_format_names_its_field(form: str, names: str) -> None:
    with pytest.raises(FatalError, match=names):
        read_format(form.encode())


def test_wrong_format_posts_nothing(files: Files) -> None:
    erp = files.erp(delimeter=";")
    [outcome] = erp.post_movements([movement(1, {"A": 1}, at="DC01")])
    assert isinstance(outcome, TryLater)
    assert "delimeter" in outcome.reason
    assert not files.client.list_objects_v2(Bucket="erp", Prefix="movements/").get("Contents")


def test_movement_waits_for_the_erps_word_and_takes_the_first(files: Files) -> None:
    erp, wanted = files.erp(), movement(1, {"A": 2}, at="DC01")
    [before] = erp.post_movements([wanted])
    assert isinstance(before, TryLater)
    assert isinstance(erp.look_up(wanted.movement_id), TryLater)
    head = "movement_id,status,applied_at,document_id,reason\n"
    files.put("acknowledgements/1.csv", f"{head}{wanted.movement_id},applied,20260302T110000,D1,\n")
    assert erp.post_movements([wanted]) == [
        Acknowledgement(datetime(2026, 3, 2, 11, tzinfo=UTC), "D1")
    ]


def test_rejection_and_a_word_that_is_not_agreed(files: Files) -> None:
    erp = files.erp()
    refused, odd = (movement(number, {"A": 2}, at="DC01") for number in (1, 2))
    files.put(
        "acknowledgements/1.csv",
        "movement_id,status,applied_at,document_id,reason\n"
        f"{refused.movement_id},rejected,,,locked period\n{odd.movement_id},maybe,,,\n",
    )
    outcomes = erp.post_movements([refused, odd])
    assert outcomes[0] == Rejection("locked period")
    assert isinstance(outcomes[1], TryLater)


def test_acknowledgements_that_cannot_be_read_hold_nobody_up(files: Files) -> None:
    erp, wanted = files.erp(), movement(1, {"A": 2}, at="DC01")
    files.put("acknowledgements/1.csv", "nothing of the kind\n")
    files.put(
        "acknowledgements/2.csv",
        "movement_id,status,applied_at,document_id,reason\n"
        f"{wanted.movement_id},applied,20260302T110000,D1,\n",
    )
    assert isinstance(erp.post_movements([wanted])[0], Acknowledgement)


def test_movement_file_has_one_row_for_each_line(files: Files) -> None:
    erp = files.erp(acknowledged=False)
    erp.post_movements([movement(7, {"A": 2, "B": 1}, at="DC01", request="ff/1")])
    [entry] = files.client.list_objects_v2(Bucket="erp", Prefix="movements/")["Contents"]
    body = files.client.get_object(Bucket="erp", Key=entry["Key"])["Body"].read().decode()
    fixed = "DC01:7:ff/1,DC01,2026-01-15T10:30:00+00:00,order-1,ff/1,7"
    assert body.splitlines()[1:] == [f"{fixed},A,2", f"{fixed},B,1"]


def test_missing_bucket_is_for_a_person(files: Files) -> None:
    erp = CsvErp(
        CsvBucket(files.client, "nowhere"), files.clock, apply_lag=timedelta(0), ids=IdMap()
    )
    with pytest.raises(FatalError, match="NoSuchBucket"):
        erp.snapshot("DC01")


class LongBody:
    """What S3 gives of a file of many rows, made as it is read."""

    def iter_chunks(self, size: int) -> Iterator[bytes]:
        yield b"product,on_hand\n"
        for start in range(0, 40_000, 1_000):
            yield b"".join(b"%0400d,%d\n" % (n, n % 9) for n in range(start, start + 1_000))


class OneFile:
    """An S3 client with that file only."""

    def get_object(self, **_: Any) -> dict[str, Any]:
        return {"Body": LongBody()}


def test_memory_does_not_grow_with_the_file() -> None:
    client: Any = OneFile()
    rows = CsvBucket(client, "erp").rows(Found("k", "e", AS_OF), CsvFormat(), ["on_hand"])
    tracemalloc.start()
    total = sum(int(units) for (units,) in rows)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert total == sum(n % 9 for n in range(40_000))
    assert peak < 5_000_000
