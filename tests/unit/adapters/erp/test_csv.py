"""CSV on S3: what files say, and what makes them no snapshot."""

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from inventory_sync.adapters.erp.csv.bucket import CsvBucket, Found
from inventory_sync.adapters.erp.csv.connector import CsvErp
from inventory_sync.adapters.erp.csv.format import read_format
from inventory_sync.adapters.erp.csv.parts import PartedFile
from inventory_sync.adapters.erp.ids import IdMap
from inventory_sync.adapters.parts import Parts
from inventory_sync.domain.errors import (
    FatalError,
    RejectedError,
    RetriableError,
    SnapshotIncompleteError,
)
from inventory_sync.domain.stock import (
    Acknowledgement,
    Conflict,
    MovementLine,
    Rejection,
    StockMovement,
    StockSnapshot,
    TryLater,
    Unknown,
)
from inventory_sync.domain.units import UnitId
from tests.connector.bench import movement
from tests.unit.adapters.erp.csv_files import AS_OF, NAME, Files

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


def test_newest_file_by_its_name_is_read(files: Files) -> None:
    files.drop("product,on_hand\nA,1\n", "stock/DC01/stock_20260302T120000")
    files.drop("product,on_hand\nA,5\nB,-2\n\n")
    snapshot = files.snapshot()
    assert snapshot.on_hand_units == {"A": 1}
    assert snapshot.as_of == datetime(2026, 3, 2, 12, tzinfo=UTC)


def test_of_files_of_one_moment_the_last_uploaded_counts_and_the_others_are_named(
    files: Files,
) -> None:
    """A correction, whatever its name; a second part of one export would replace the first."""
    files.drop("product,on_hand\nA,99\n")
    time.sleep(1.1)  # S3 dates uploads by the second
    files.drop("product,on_hand\nA,9\n", f"{NAME}-corrected")
    assert files.snapshot().on_hand_units == {"A": 9}
    assert files.passed_over() == [
        f"{NAME}.csv has the as-of of {NAME}-corrected.csv, the last uploaded: that one alone"
        " counts, so put all rows into one file"
    ]


def test_file_whose_rows_are_dated_ahead_waits_as_one_whose_name_is(files: Files) -> None:
    columns = {"as_of": "at"}
    ahead = "product,on_hand,at\nA,9,20260302T124500\n"
    files.drop(ahead, "stock/DC01/second")
    with pytest.raises(SnapshotIncompleteError, match=r"second\.csv is dated 2026-03-02 12:45"):
        files.snapshot(columns=columns)
    files.client.delete_object(Bucket="erp", Key="stock/DC01/second.csv")
    files.drop("product,on_hand,at\nA,5,20260302T113000\n", "stock/DC01/first")
    time.sleep(1.1)  # S3 dates uploads by the second
    files.drop(ahead, "stock/DC01/second")

    assert files.snapshot(columns=columns).on_hand_units == {"A": 5}

    files.clock.advance(3600)
    assert files.snapshot(columns=columns).on_hand_units == {"A": 9}


def test_sku_that_the_map_has_given_up_is_of_no_product(files: Files) -> None:
    files.drop("product,on_hand\nA,1\nA-2,9\nB,2\n")
    files.ids = IdMap(skus={"A": "A-2"})
    found = files.snapshot()
    assert (found.on_hand_units, list(found.unknown)) == ({"A": 9, "B": 2}, ["sku A"])


def test_file_without_its_marker_is_still_being_uploaded(files: Files) -> None:
    files.drop("product,on_hand\nA,5\n")
    files.put("stock/DC01/stock_20260302T120000.csv", "product,on_hand\nA,")
    assert files.snapshot().as_of == AS_OF


@pytest.mark.parametrize(
    ("time_zone", "stamp"),
    [
        ("Europe/Berlin", "00010101T000000"),
        ("America/New_York", "99991231T235959"),
        ("UTC", "19700101T000000"),
    ],
)
def test_file_named_after_a_placeholder_is_passed_over(
    files: Files, time_zone: str, stamp: str
) -> None:
    files.clock.advance(6 * 3600)
    files.drop("product,on_hand\nA,99\n", f"stock/DC01/stock_{stamp}")
    with pytest.raises(SnapshotIncompleteError, match="has no time in its name"):
        files.snapshot(time_zone=time_zone)
    files.drop("product,on_hand\nA,5\n")
    assert files.snapshot(time_zone=time_zone).on_hand_units == {"A": 5}


@pytest.mark.parametrize("stamp", ["00010101T000000", "99991231T235959"])
def test_file_of_which_no_row_has_more_than_a_placeholder_as_its_as_of_is_no_snapshot(
    files: Files, stamp: str
) -> None:
    files.drop(f"product,on_hand,at\nA,5,{stamp}\n")
    with pytest.raises(SnapshotIncompleteError, match=r"line 2 .*2000 to 2999"):
        files.snapshot(columns={"as_of": "at"}, time_zone="America/New_York")


def test_marker_may_be_switched_off(files: Files) -> None:
    files.put(f"{NAME}.csv", "product,on_hand\nA,5\n")
    with pytest.raises(SnapshotIncompleteError, match="complete"):
        files.snapshot()
    files.clock.advance(61)
    assert files.snapshot(done_suffix="").on_hand_units == {"A": 5}


def test_marker_with_another_count_of_rows_is_no_snapshot(files: Files) -> None:
    files.drop("product,on_hand\nA,5\n", marker="2\n")
    with pytest.raises(SnapshotIncompleteError, match="marker says '2'"):
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


@pytest.mark.parametrize(
    "figure",
    [
        "1.5",
        "1.2345",
        "12.34",
        "",
        "many",
        "1e3",
        "NaN",
        "1,2,3",
        "9" * 5000,
    ],
)
def test_figure_that_is_written_otherwise_is_refused_not_guessed(files: Files, figure: str) -> None:
    files.drop(f"product;on_hand\nA;{figure}\nB;7\n")
    found = files.snapshot(delimiter=";", decimal=",", thousands=".")
    assert (found.on_hand_units, list(found.unreadable)) == ({"B": 7}, ["A"])
    assert "line 2" in found.unreadable["A"]


@pytest.mark.parametrize("bins", [("5", "x"), ("x", "5"), ("5", "x", "6")])
def test_one_bin_that_cannot_be_read_spoils_its_product(
    files: Files, bins: tuple[str, ...]
) -> None:
    files.drop("product,on_hand\n" + "".join(f"A,{units}\n" for units in bins) + "B,7\n")
    found = files.snapshot(duplicates="sum")
    assert (found.on_hand_units, list(found.unreadable)) == ({"B": 7}, ["A"])


def test_one_row_whose_moment_cannot_be_read_is_left_out_by_name(files: Files) -> None:
    files.drop("product,on_hand,at\nA,1,yesterday\nB,1,2026-03-02 12:30 +0200\n", "stock/DC01/x")
    found = files.snapshot(columns={"as_of": "at"}, time="%Y-%m-%d %H:%M %z")
    assert (found.on_hand_units, list(found.unreadable)) == ({"B": 1}, ["A"])
    assert found.as_of == datetime(2026, 3, 2, 10, 30, tzinfo=UTC)


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
        list(bucket.lines(stale, "utf-8"))


def test_location_without_files_is_rejected(files: Files) -> None:
    with pytest.raises(RejectedError, match="stock/DC01/"):
        files.snapshot()


@pytest.mark.parametrize(
    ("form", "names"),
    [
        ('{"delimeter": ";"}', "delimeter"),
        ('{"delimiter": ";;"}', "delimiter"),
        ('{"delimiter": ""}', "delimiter"),
        ('{"decimal": ",", "thousands": ","}', "same sign"),
        ('{"encoding": "klingon"}', "klingon"),
        ('{"as_of_in_name": "(["}', "connector.json"),
        ('{"as_of_in_name": "x"}', "as_of"),
        ('{"time_zone": "Europe/Atlantis"}', "Europe/Atlantis"),
        ('{"acknowledged": false}', "set apply_lag_seconds to the longest time"),
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


HEAD = "movement_id,status,applied_at,document_id,reason\n"


@pytest.mark.parametrize("files_of", [("rejected", "applied"), ("applied", "rejected")])
def test_applied_stands_whatever_else_is_said_before_or_after(
    files: Files, files_of: tuple[str, str]
) -> None:
    erp, wanted = files.erp(), movement(1, {"A": 2}, at="DC01")
    for number, status in enumerate(files_of):
        row = f"{wanted.movement_id},{status},20260302T110000,D1,period closed\n"
        files.put(f"acknowledgements/{number}.csv", HEAD + row)
    booked = Acknowledgement(datetime(2026, 3, 2, 11, tzinfo=UTC), "D1")
    assert erp.post_movements([wanted]) == [booked]
    assert erp.look_up(wanted.movement_id) == booked


def test_later_words_of_one_file_stand_and_what_says_nothing_changes_nothing(files: Files) -> None:
    erp = files.erp()
    refused, booked = (movement(number, {"A": 2}, at="DC01") for number in (1, 2))
    files.put(
        "acknowledgements/1.csv",
        HEAD
        + f"{refused.movement_id},rejected,,,locked period\n"
        + f"{refused.movement_id},rejected,,,unknown article\n"
        + f"{refused.movement_id},maybe,,,\n"
        + f"{booked.movement_id},applied,20260302T100000,D1,\n"
        + f"{booked.movement_id},applied,20260302T110000,D2,\n",
    )
    assert erp.post_movements([refused, booked]) == [
        Rejection("unknown article"),
        Acknowledgement(datetime(2026, 3, 2, 11, tzinfo=UTC), "D2"),
    ]


@pytest.mark.parametrize(
    "stamp", ["00010101T000000", "99991231T235959", "19700101T000000", "yesterday"]
)
def test_instant_that_cannot_be_is_no_word_on_its_movement_and_holds_up_no_other(
    files: Files, stamp: str
) -> None:
    erp = files.erp(time_zone="America/New_York")
    bad, good = (movement(number, {"A": 2}, at="DC01") for number in (1, 2))
    files.put(
        "acknowledgements/1.csv",
        HEAD
        + f"{bad.movement_id},applied,{stamp},D1,\n"
        + f"{good.movement_id},applied,20260302T110000,D2,\n",
    )
    outcomes = erp.post_movements([bad, good])
    assert isinstance(outcomes[0], Unknown)
    assert stamp in outcomes[0].reason
    assert isinstance(erp.look_up(bad.movement_id), Unknown)
    assert outcomes[1] == Acknowledgement(datetime(2026, 3, 2, 16, tzinfo=UTC), "D2")


def test_acknowledgements_that_cannot_be_read_hold_nobody_up(files: Files) -> None:
    erp, wanted = files.erp(), movement(1, {"A": 2}, at="DC01")
    files.put("acknowledgements/1.csv", "nothing of the kind\n")
    files.put(
        "acknowledgements/2.csv",
        "movement_id,status,applied_at,document_id,reason\n"
        f"{wanted.movement_id},applied,20260302T110000,D1,\n",
    )
    assert isinstance(erp.post_movements([wanted])[0], Acknowledgement)


def test_movement_file_has_one_row_for_each_unit_and_names_it(files: Files) -> None:
    erp = files.erp(acknowledged=False, apply_lag_seconds=60)
    erp.post_movements([movement(7, {"A": 2, "B": 1}, at="DC01", request="ff/1")])
    [entry] = files.client.list_objects_v2(Bucket="erp", Prefix="movements/")["Contents"]
    body = files.client.get_object(Bucket="erp", Key=entry["Key"])["Body"].read().decode()
    fixed = "DC01:7:ff/1,DC01,2026-01-15T10:30:00+00:00,order-1,ff/1,7"
    assert body.splitlines()[1:] == [
        f"{fixed},7/0,A,1",
        f"{fixed},7/1,A,1",
        f"{fixed},7/2,B,1",
    ]


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("SlowDown", RetriableError),
        ("AccessDenied", FatalError),
        ("NoSuchKey", SnapshotIncompleteError),
    ],
)
def test_file_that_cannot_be_read_is_an_error_of_its_kind(code: str, error: Any) -> None:
    bucket: Any = CsvBucket(FailingClient(code), "erp")  # type: ignore[arg-type]
    with pytest.raises(error):
        list(bucket.lines(Found("k", "e", AS_OF), "utf-8"))


class FailingClient:
    """An S3 client whose every read fails with that code."""

    def __init__(self, code: str) -> None:
        self._code = code

    def get_object(self, **_: Any) -> Any:
        raise ClientError({"Error": {"Code": self._code}}, "GetObject")


def test_prefix_stands_before_every_key(files: Files) -> None:
    files.put("erp/connector.json", '{"acknowledged": false, "apply_lag_seconds": 60}')
    files.put("erp/stock/DC01/20260302T115900.csv", "product,on_hand\nA,5\n")
    files.put("erp/stock/DC01/20260302T115900.csv.done", "")
    bucket = CsvBucket(files.client, "erp", "erp/")
    erp = CsvErp(bucket, files.clock, files.observer, apply_lag=timedelta(0), ids=IdMap())
    assert erp.snapshot("DC01").on_hand_units == {"A": 5}
    [outcome] = erp.post_movements([movement(1, {"A": 2}, at="DC01")])
    assert isinstance(outcome, Acknowledgement)
    listed = files.client.list_objects_v2(Bucket="erp")["Contents"]
    assert all(entry["Key"].startswith("erp/") for entry in listed)


def test_missing_bucket_is_for_a_person(files: Files) -> None:
    erp = CsvErp(
        CsvBucket(files.client, "nowhere"),
        files.clock,
        files.observer,
        apply_lag=timedelta(0),
        ids=IdMap(),
    )
    with pytest.raises(FatalError, match="NoSuchBucket"):
        erp.snapshot("DC01")


# Times


def test_time_without_an_offset_is_in_the_zone_of_the_erp(files: Files) -> None:
    files.drop("product,on_hand\nA,5\n")
    assert files.snapshot(time_zone="Europe/Berlin").as_of == AS_OF - timedelta(hours=1)


def test_hour_that_comes_twice_errs_low_both_ways(files: Files) -> None:
    """02:30 on the last Sunday of October: as of the first, applied at the second."""
    files.clock.advance(300 * 86_400)
    erp = files.erp(time_zone="Europe/Berlin", acknowledgement_time="%d.%m.%Y %H:%M")
    files.drop("product,on_hand\nA,5\n", "stock/DC01/20261025T023000")
    wanted = movement(1, {"A": 2}, at="DC01")
    head = "movement_id,status,applied_at,document_id,reason\n"
    files.put(
        "acknowledgements/1.csv", f"{head}{wanted.movement_id},applied,25.10.2026 02:30,D1,\n"
    )
    assert erp.snapshot("DC01").as_of == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert erp.post_movements([wanted]) == [
        Acknowledgement(datetime(2026, 10, 25, 1, 30, tzinfo=UTC), "D1")
    ]


def test_nightly_batch_has_a_lag_and_the_longer_one_counts(files: Files) -> None:
    erp = files.erp(apply_lag_seconds=86_400)
    assert erp.capabilities().apply_lag == timedelta(days=1)
    bucket = CsvBucket(files.client, "erp")
    longer = CsvErp(bucket, files.clock, files.observer, apply_lag=timedelta(days=2), ids=IdMap())
    assert longer.capabilities().apply_lag == timedelta(days=2)


# Movements and what the ERP does with them


def test_file_that_the_erp_took_away_is_not_written_again(files: Files) -> None:
    erp, wanted = files.erp(), movement(1, {"A": 2}, at="DC01")
    erp.post_movements([wanted])
    [key] = movement_files(files)
    files.client.delete_object(Bucket="erp", Key=key)
    head = "movement_id,status,applied_at,document_id,reason\n"
    files.put("acknowledgements/1.csv", f"{head}{wanted.movement_id},applied,20260302T110000,D1,\n")

    assert isinstance(erp.post_movements([wanted])[0], Acknowledgement)
    assert movement_files(files) == []


def test_repeat_under_another_delimiter_is_the_same_movement(files: Files) -> None:
    wanted = movement(1, {"A": 2}, at="DC01")
    files.erp(acknowledged=False, apply_lag_seconds=60).post_movements([wanted])
    again = files.erp(acknowledged=False, apply_lag_seconds=60, delimiter=";").post_movements(
        [wanted]
    )
    assert isinstance(again[0], Acknowledgement)


@pytest.mark.parametrize("said", [True, False])
def test_movement_whose_product_and_location_have_other_names_since_is_found_by_its_id(
    files: Files, said: bool
) -> None:
    wanted = movement(1, {"A": 2}, at="DC01")
    files.ids = IdMap({"DC01": "WH-1"}, {"A": "OLD"})
    files.erp().post_movements([wanted])
    head = "movement_id,status,applied_at,document_id,reason\n"
    body = f"{head}{wanted.movement_id},applied,20260302T110000,D1,\n"
    files.put("acknowledgements/1.csv", body if said else head)
    files.ids = IdMap({"DC01": "WH-9"}, {"A": "NEW"})

    [outcome] = files.erp().post_movements([wanted])

    assert isinstance(outcome, Conflict)
    found = files.erp().look_up(wanted.movement_id)
    assert isinstance(found, Acknowledgement if said else TryLater)
    assert len(movement_files(files)) == 1


def test_other_content_under_an_id_that_is_there_is_refused(files: Files) -> None:
    erp = files.erp(acknowledged=False, apply_lag_seconds=60)
    erp.post_movements([movement(1, {"A": 2}, at="DC01")])
    [outcome] = erp.post_movements([movement(1, {"A": 3}, at="DC01")])
    assert isinstance(outcome, Rejection)


def test_other_units_under_an_id_that_is_there_are_refused(files: Files) -> None:
    erp = files.erp(acknowledged=False, apply_lag_seconds=60)
    erp.post_movements([movement(1, {"A": 2}, at="DC01")])
    [outcome] = erp.post_movements([movement(1, {"A": 2}, at="DC01", item="other")])
    assert isinstance(outcome, Rejection)


@pytest.mark.parametrize("acknowledged", [True, False])
@pytest.mark.parametrize(
    "content", ["", "nothing of the kind\n", "movement_id,location\nDC01:2:ff1,DC01\n"]
)
def test_file_that_does_not_name_the_movement_is_no_answer(
    files: Files, content: str, acknowledged: bool
) -> None:
    wanted = movement(1, {"A": 2}, at="DC01")
    erp = files.erp(acknowledged=acknowledged, apply_lag_seconds=60)
    assert erp.look_up(wanted.movement_id) is None
    erp.post_movements([wanted])
    [key] = movement_files(files)
    files.put(key, content)
    assert isinstance(erp.look_up(wanted.movement_id), Unknown)


def test_of_two_writers_at_once_the_first_stands(files: Files) -> None:
    """The other finds nothing there and its write is refused; it looks again later."""
    erp, wanted = (
        files.erp(acknowledged=False, apply_lag_seconds=60),
        movement(1, {"A": 2}, at="DC01"),
    )
    blind: Any = BlindClient(files.client)
    racing = files.erp(blind, acknowledged=False, apply_lag_seconds=60)
    erp.post_movements([wanted])
    assert isinstance(racing.post_movements([wanted])[0], TryLater)
    assert len(movement_files(files)) == 1


class BlindClient:
    """Finds no movement file: another writer's is not there yet when it looks."""

    def __init__(self, client: "S3Client") -> None:
        self._client = client

    def get_object(self, **arguments: Any) -> Any:
        if arguments["Key"].startswith("movements/"):
            raise ClientError({"Error": {"Code": "NoSuchKey"}}, "GetObject")
        return self._client.get_object(**arguments)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)


def test_acknowledgements_from_before_the_movement_are_not_read(files: Files) -> None:
    wanted = replace(
        movement(1, {"A": 2}, at="DC01"), occurred_at=datetime.now(UTC) + timedelta(hours=2)
    )
    head = "movement_id,status,applied_at,document_id,reason\n"
    files.put("acknowledgements/1.csv", f"{head}{wanted.movement_id},applied,20260302T110000,D1,\n")
    assert isinstance(files.erp().post_movements([wanted])[0], TryLater)


def movement_files(files: Files) -> list[str]:
    found = files.client.list_objects_v2(Bucket="erp", Prefix="movements/")
    return [entry["Key"] for entry in found.get("Contents", [])]


# A file of all locations

ALL = "stock/all_20260302T115900"
BY_LOCATION = {"columns": {"location": "place"}}


class CountingClient:
    """Notes which objects are read."""

    def __init__(self, client: "S3Client") -> None:
        self._client = client
        self.read: list[str] = []

    def get_object(self, **arguments: Any) -> Any:
        self.read.append(arguments["Key"])
        return self._client.get_object(**arguments)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)


def test_file_of_all_locations_is_read_once_for_all(files: Files) -> None:
    files.drop("place,product,on_hand\nDC01,A,5\nNYC,A,7\nDC01,B,1\n", ALL, "3")
    client: Any = CountingClient(files.client)
    erp = files.erp(client, **BY_LOCATION)
    assert erp.snapshot("DC01") == StockSnapshot("DC01", AS_OF, {"A": 5, "B": 1})
    assert erp.snapshot("NYC").on_hand_units == {"A": 7}
    assert client.read.count(f"{ALL}.csv") == 1


def test_newer_file_of_all_locations_is_read_anew(files: Files) -> None:
    erp = files.erp(**BY_LOCATION)
    files.drop("place,product,on_hand\nDC01,A,5\n", ALL)
    assert erp.snapshot("DC01").on_hand_units == {"A": 5}
    files.drop("place,product,on_hand\nDC01,A,4\n", "stock/all_20260302T120000")
    assert erp.snapshot("DC01").on_hand_units == {"A": 4}


@pytest.mark.parametrize(
    ("body", "marker", "says"),
    [
        ("place,product,on_hand\nDC01,A,5\nNYC,A,7\nNYC,A,7\n", "", "line 4: product A again"),
        ("place,product,on_hand\nDC01,A,5\n", "9", "1 row, its marker says '9'"),
        ("place,product,on_hand\nNYC,A,5\n ,B,5\n", "", r"\.csv line 3: column place is empty"),
        ("product,on_hand\nA,5\n", "", "no column place"),
    ],
)
def test_what_is_wrong_in_a_file_of_all_locations_names_its_row(
    files: Files, body: str, marker: str, says: str
) -> None:
    files.drop(body, ALL, marker)
    with pytest.raises(SnapshotIncompleteError, match=says):
        files.erp(**BY_LOCATION).snapshot("NYC")


def test_bad_row_of_one_location_holds_no_other(files: Files) -> None:
    files.drop("place,product,on_hand\nDC01,A,5\nNYC,A,x\n", ALL)
    assert files.snapshot(**BY_LOCATION).on_hand_units == {"A": 5}


def test_location_that_no_row_names_is_rejected_with_the_remedy(files: Files) -> None:
    files.drop("place,product,on_hand\nNYC,A,7\n", ALL)
    with pytest.raises(RejectedError, match="listed with a product at 0"):
        files.snapshot(**BY_LOCATION)


def test_disk_that_is_too_small_is_no_snapshot_and_says_so() -> None:
    def rows() -> Iterator[list[str]]:
        yield ["DC01", "A", "5"]
        raise OSError(28, "No space left on device")

    with pytest.raises(SnapshotIncompleteError, match="ephemeral storage"):
        PartedFile().parts(("file", "etag"), rows())


def test_parts_leave_nothing_behind() -> None:
    parts = Parts([["DC01", "A", "5"]], "test-")
    folder = parts.folder
    assert folder.exists()
    del parts
    assert not folder.exists()


# The sample files

SAMPLES = Path(__file__).parents[4] / "examples" / "csv"
SHIPPED = StockMovement(
    movement_id="DC01:10:5f0c7f64:8f14e45fceea",
    location_id="DC01",
    occurred_at=datetime(2026, 3, 2, 11, 57, 55, tzinfo=UTC),
    order_id="order-1",
    fulfillment_request_id="5f0c7f64",
    logical_timestamp=10,
    lines=(
        MovementLine(UnitId("5f0c7f64", "4c1d2a9e"), "SKU-1"),
        MovementLine(UnitId("5f0c7f64", "7d0f6b52"), "SKU-2"),
        MovementLine(UnitId("5f0c7f64", "e81a9c04"), "SKU-2"),
    ),
)


def test_samples_are_read_as_they_stand_there(files: Files) -> None:
    samples = {path.relative_to(SAMPLES).as_posix(): path for path in SAMPLES.rglob("*.*")}
    for key, path in samples.items():
        if not key.startswith("movements/"):
            files.put(key, path.read_bytes())
    erp = CsvErp(
        CsvBucket(files.client, "erp"),
        files.clock,
        files.observer,
        apply_lag=timedelta(0),
        ids=IdMap(),
    )

    assert erp.snapshot("DC01") == StockSnapshot(
        "DC01", datetime(2026, 3, 2, 12, tzinfo=UTC), {"SKU-1": 17, "SKU-2": 1204, "SKU-3": -1}
    )
    assert erp.look_up(SHIPPED.movement_id) == Acknowledgement(
        datetime(2026, 3, 2, 11, 58, 10, tzinfo=UTC), "WA-000815"
    )
    assert erp.look_up("DC01:11:9b1d2c55:c9f0f895fb98") == Rejection("unbekannter Artikel")


def test_sample_of_a_movement_is_what_is_written(files: Files) -> None:
    files.erp(delimiter=";").post_movements([SHIPPED])
    [key] = movement_files(files)
    body = files.client.get_object(Bucket="erp", Key=key)["Body"].read()
    assert (SAMPLES / key).read_bytes() == body


def test_a_file_is_written_once_and_another_error_is_not_taken_for_its_being_there(
    files: Files,
) -> None:
    bucket = CsvBucket(files.client, "erp")

    assert bucket.create("movements/1.csv", b"one")
    assert not bucket.create("movements/1.csv", b"other")
    assert bucket.read("movements/1.csv") == b"one"
    with pytest.raises(FatalError):
        CsvBucket(files.client, "no-such-bucket").create("movements/1.csv", b"one")


def test_a_movement_of_one_unit_that_was_written_is_found_by_its_name(files: Files) -> None:
    erp = files.erp()
    wanted = movement(1, {"A": 1}, at="DC01")
    erp.post_movements([wanted])

    assert isinstance(erp.look_up(wanted.movement_id), TryLater)
