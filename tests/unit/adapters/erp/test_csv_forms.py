"""CSV as spreadsheets, Windows shells and SAP write it, and what is said of the rest."""

import codecs
import gzip
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from inventory_sync.adapters.erp.csv.format import read_format
from inventory_sync.domain.acknowledgements import ERP_CLOCK_SKEW
from inventory_sync.domain.errors import RejectedError, SnapshotIncompleteError
from inventory_sync.domain.stock import (
    Acknowledgement,
    MovementOutcome,
    Rejection,
    TryLater,
    Unknown,
)
from tests.connector.bench import movement
from tests.unit.adapters.erp.csv_files import NAME, Files

TEXT = "product,on_hand\nÄ,5\n"
ACK = "acknowledgements/1.csv"
HEAD = "movement_id,status,applied_at,document_id,reason\n"
AT = "20260302T110000"
ONE, TWO, THREE = (movement(number, {"A": 1}, at="DC01") for number in (1, 2, 3))


# Stock


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
@pytest.mark.parametrize("agreed", ["utf-8", "utf-8-sig", "cp1252"])
def test_byte_order_mark_says_the_encoding_whatever_was_agreed(
    files: Files, encoding: str, agreed: str
) -> None:
    files.drop(TEXT.encode(encoding))
    assert files.snapshot(encoding=agreed).on_hand_units == {"Ä": 5}


@pytest.mark.parametrize("marker", ["1\r\n".encode("utf-16"), codecs.BOM_UTF8 + b"1\r\n", b""])
def test_marker_that_a_windows_shell_wrote_is_read(files: Files, marker: bytes) -> None:
    files.drop(TEXT)
    files.put(f"{NAME}.csv.done", marker)
    assert files.snapshot().on_hand_units == {"Ä": 5}


def test_marker_that_is_no_number_is_named(files: Files) -> None:
    files.drop(TEXT, marker="finished")
    with pytest.raises(SnapshotIncompleteError, match=r"'finished': expected is nothing, or the"):
        files.snapshot()


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_connector_json_may_have_a_byte_order_mark(encoding: str) -> None:
    assert read_format('{"delimiter": ";"}'.encode(encoding)).delimiter == ";"


@pytest.mark.parametrize("line", ["sep=;", '"sep=;"', "SEP=;", "sep=;;;", "sep=; "])
def test_sep_line_gives_the_delimiter_and_is_no_header(files: Files, line: str) -> None:
    files.drop(f"{line}\r\nproduct;on_hand\r\nA;5\r\n", marker="1")
    assert files.snapshot().on_hand_units == {"A": 5}


def test_lines_are_counted_as_an_editor_counts_them(files: Files) -> None:
    files.drop("sep=;\nproduct;on_hand\n\nA;many\n")
    assert "line 4 'many' is no figure" in files.snapshot().unreadable["A"]


@pytest.mark.parametrize("header", ["Product,ON_HAND", " product ,\u00a0on_hand\u202f"])
def test_headers_are_found_whatever_their_case_and_blanks(files: Files, header: str) -> None:
    files.drop(f"{header}\nA,5\n")
    assert files.snapshot().on_hand_units == {"A": 5}


@pytest.mark.parametrize("header", ["product,on_hand,on_hand", "product,on_hand,On_Hand "])
def test_column_that_stands_there_twice_is_refused_by_name(files: Files, header: str) -> None:
    files.drop(f"{header}\nA,5,50\n")
    with pytest.raises(SnapshotIncompleteError, match="column on_hand stands there more than once"):
        files.snapshot()


def test_columns_that_nobody_asked_for_may_stand_there_twice(files: Files) -> None:
    files.drop("product,note,on_hand,note,,\nA,x,5,y,,\n")
    assert files.snapshot().on_hand_units == {"A": 5}


def test_wrong_delimiter_is_said_with_what_was_expected_and_found(files: Files) -> None:
    files.drop("product;on_hand\nA;5\n")
    with pytest.raises(SnapshotIncompleteError) as raised:
        files.snapshot()
    assert str(raised.value) == (
        f"{NAME}.csv: no column product, on_hand: expected product, on_hand with ',' between,"
        " found 'product;on_hand'; is ';' the delimiter?"
    )


@pytest.mark.parametrize(
    ("figure", "units"),
    [
        ("1 234", 1234),
        ("1\u00a0234,5", Decimal("1234.5")),
        ("1\u202f234\u202f567", 1_234_567),
        ("-1\u2009234", -1234),
        ("3-", -3),
        ("1\u00a0234,5 -", Decimal("-1234.5")),
        ("\u22123", -3),
        ("\u00a05\u00a0", 5),
    ],
)
def test_blanks_between_thousands_and_a_minus_at_the_end(
    files: Files, figure: str, units: Any
) -> None:
    files.drop(f"product;on_hand\nA;{figure}\n")
    form = {"delimiter": ";", "decimal": ",", "thousands": " "}
    assert files.snapshot(**form).on_hand_units == {"A": units}


@pytest.mark.parametrize("figure", ["3--", "-3-", "-", "12\u00a034", "1\u00a0234", "(3)", "3-5"])
def test_other_figures_are_not_guessed(files: Files, figure: str) -> None:
    files.drop(f"product,on_hand\nA,{figure}\n")
    assert "no figure with decimal" in files.snapshot().unreadable["A"]


def test_apostrophe_of_a_swiss_spreadsheet_parts_thousands(files: Files) -> None:
    files.drop("product,on_hand\nA,1\u2019234\n")
    assert files.snapshot(thousands="'").on_hand_units == {"A": 1234}


@pytest.mark.parametrize("name", ["X_20260302T115900.CSV", "x_20260302T115900.csv.gz"])
@pytest.mark.parametrize("marker", [".done", ".DONE"])
@pytest.mark.parametrize("packed", [True, False])
def test_name_in_capitals_and_packed_file(
    files: Files, name: str, marker: str, packed: bool
) -> None:
    """Whether a file is packed is seen by how it begins."""
    body = TEXT.encode()
    files.put(f"stock/DC01/{name}", gzip.compress(body) if packed else body)
    files.put(f"stock/DC01/{name}{marker}", "1")
    assert files.snapshot().on_hand_units == {"Ä": 5}


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (gzip.compress(TEXT.encode(), mtime=0)[:-9], "ends in the middle"),
        (b"\x1f\x8bnothing", "no gzip file"),
        (b"PK\x03\x04", "zip archive or a workbook"),
        ("product,on_hand\nÄ,5\n".encode("cp1252"), "not all in utf-8-sig"),
    ],
)
def test_file_that_is_no_text_says_what_it_is(files: Files, body: bytes, says: str) -> None:
    files.drop(body)
    with pytest.raises(SnapshotIncompleteError, match=says):
        files.snapshot()


def test_what_is_passed_over_is_said_once_with_the_reason(files: Files) -> None:
    files.drop(TEXT)
    files.put("stock/DC01/s_20260302T120000.csv", TEXT)
    files.put("stock/DC01/notes.txt", "x")
    files.drop(TEXT, "stock/DC01/undated")
    files.drop(TEXT, "stock/DC01/s_99991399T250000")
    erp = files.erp()
    for _ in range(2):
        assert erp.snapshot("DC01").on_hand_units == {"Ä": 5}
    no_time = "has no time in its name that as_of_in_name"
    says = ["is neither .csv nor .csv.gz", "is not complete", no_time, no_time]
    found = files.passed_over()
    assert len(found) == len(says)
    assert all(text in line for text, line in zip(says, found, strict=True))
    assert files.observer.counts["ErpFilesPassedOver"] == len(says)


def test_folder_without_a_file_that_counts_says_which_names_count(files: Files) -> None:
    with pytest.raises(RejectedError, match=r"\.csv or \.csv\.gz"):
        files.snapshot()
    files.put("stock/DC01/stock.xlsx", "PK")
    with pytest.raises(SnapshotIncompleteError, match=r"stock\.xlsx is neither"):
        files.snapshot()


WIDE = "product,name,on_hand"


@pytest.mark.parametrize("row", ["B,blue, large,7", "B", "B,7", "B,7,,,", "B,1,000,7"])
def test_row_with_another_number_of_fields_is_held_alone_where_its_product_comes_first(
    files: Files, row: str
) -> None:
    files.drop(f"{WIDE}\nA,red,5\n{row}\nC,green,9\n")

    found = files.snapshot()

    assert found.on_hand_units == {"A": 5, "C": 9}
    assert list(found.unreadable) == ["B"]
    assert "_20260302T115900.csv line 3 cannot be told: " in found.unreadable["B"]
    assert found.unreadable["B"].endswith("under 3 headers ('product', 'name', 'on_hand')")


def test_in_a_file_of_all_locations_such_a_row_holds_its_own_row_at_its_own_location(
    files: Files,
) -> None:
    name = "stock/stock_20260302T115900"
    files.drop("site,product,on_hand\nDC01,A,5\nDC01,B\nDC02,B,3\nDC02,A,4\n", name)
    erp = files.erp(columns={"location": "site"})

    first, second = erp.snapshot("DC01"), erp.snapshot("DC02")

    assert (first.on_hand_units, list(first.unreadable)) == ({"A": 5}, ["B"])
    assert (second.on_hand_units, second.unreadable) == ({"B": 3, "A": 4}, {})


@pytest.mark.parametrize(
    ("why", "body"),
    [
        ("the file may have been cut off there", f"{WIDE}\nA,red,5\nB,blu\n"),
        ("which product it is of cannot be told", "name,product,on_hand\nx,y,B,7\nred,A,5\n"),
        ("it names no product", f"{WIDE}\n,blue\nA,red,5\n"),
    ],
)
def test_such_a_row_holds_the_location_where_its_product_or_the_rest_cannot_be_told(
    files: Files, why: str, body: str
) -> None:
    files.drop(body)
    with pytest.raises(SnapshotIncompleteError, match=r"line \d: \d fields under 3 headers"):
        files.snapshot()


@pytest.mark.parametrize("blank", [",", ", ,", "   ", "\x1a", '"",""', "\u00a0,"])
@pytest.mark.parametrize("where", ["end", "middle"])
def test_row_of_nothing_is_none(files: Files, blank: str, where: str) -> None:
    rows = ["A,5", "B,7"]
    rows.insert(2 if where == "end" else 1, blank)
    files.drop("product,on_hand\n" + "\n".join(rows) + "\n", marker="2")
    assert files.snapshot().on_hand_units == {"A": 5, "B": 7}


# One name that is written again and again


def modified(files: Files, key: str) -> datetime:
    moment: datetime = files.client.head_object(Bucket="erp", Key=key)["LastModified"]
    return moment


def test_one_name_written_again_counts_as_of_its_upload_less_the_export(files: Files) -> None:
    files.drop(TEXT, "stock/DC01/stock")
    snapshot = files.snapshot(export_seconds_max=600)
    uploaded = modified(files, "stock/DC01/stock.csv")
    assert snapshot.as_of == uploaded - timedelta(seconds=600)


def test_one_name_written_again_is_read_anew(files: Files) -> None:
    erp = files.erp(export_seconds_max=600)
    for units in (5, 4):
        files.drop(f"product,on_hand\nA,{units}\n", "stock/DC01/stock")
        assert erp.snapshot("DC01").on_hand_units == {"A": units}


def test_marker_of_the_version_before_makes_no_file_whole(files: Files) -> None:
    key = "stock/DC01/stock.csv"
    files.drop(TEXT, "stock/DC01/stock")
    written = modified(files, key)
    files.client = Late(files.client, key, written + timedelta(seconds=1))  # type: ignore[assignment]
    with pytest.raises(SnapshotIncompleteError, match="written after its marker"):
        files.snapshot(export_seconds_max=600)


class Late:
    """An S3 client that lists one object as changed at that moment."""

    def __init__(self, client: Any, key: str, moment: datetime) -> None:
        self._client, self._key, self._moment = client, key, moment

    def get_paginator(self, name: str) -> Any:
        pages = self._client.get_paginator(name)
        return Pages(pages, self._key, self._moment)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)


class Pages:
    def __init__(self, pages: Any, key: str, moment: datetime) -> None:
        self._pages, self._key, self._moment = pages, key, moment

    def paginate(self, **arguments: Any) -> Any:
        for page in self._pages.paginate(**arguments):
            for entry in page.get("Contents", []):
                if entry["Key"] == self._key:
                    entry["LastModified"] = self._moment
            yield page


def test_one_name_without_a_setting_says_which_to_set(files: Files) -> None:
    files.drop(TEXT, "stock/DC01/stock")
    with pytest.raises(SnapshotIncompleteError, match=r"set export_seconds_max or columns\.as_of"):
        files.snapshot()


# Acknowledgements


def words(files: Files, *files_of_rows: str | bytes) -> list[MovementOutcome]:
    """What the connector makes of such files of the movements ONE, TWO, THREE."""
    erp = files.erp()
    for number, body in enumerate(files_of_rows, start=1):
        files.put(f"acknowledgements/{number}.csv", body)
    return erp.post_movements([ONE, TWO, THREE])


def booked(document_id: str = "D") -> Acknowledgement:
    return Acknowledgement(datetime(2026, 3, 2, 11, tzinfo=UTC), document_id)


def test_optional_columns_may_be_missing(files: Files) -> None:
    rows = f"movement_id,status,applied_at\n{ONE.movement_id},applied,{AT}\n"
    assert words(files, rows)[0] == booked("")


def test_without_any_applied_at_the_upload_counts_and_what_clocks_may_differ(
    files: Files,
) -> None:
    """Stock is dated by the ERP's clock, and the upload by S3's."""
    outcome = words(files, f"Movement_ID,Status\n{ONE.movement_id},Applied\n")[0]
    assert outcome == Acknowledgement(modified(files, ACK) + ERP_CLOCK_SKEW, "")


def test_bad_row_holds_only_itself_and_is_named(files: Files) -> None:
    bad, good, open_quote = (found.movement_id for found in (ONE, TWO, THREE))
    outcomes = words(
        files,
        f'{HEAD}{bad},applied,27.11.2026 18:00,D,\n,applied,{AT},D,\n"{open_quote},applied\n'
        f"{good},applied,{AT},D,\n",
    )
    assert outcomes[1] == booked()
    assert isinstance(outcomes[0], Unknown)
    assert "line 2: applied_at '27.11.2026 18:00': " in outcomes[0].reason
    assert [line.split(":")[0] for line in files.passed_over()] == [
        f"{ACK} {ACK} line {line}" for line in (2, 3, 4)
    ]


def test_reason_of_several_lines_is_one_row(files: Files) -> None:
    outcomes = words(
        files,
        f'{HEAD}{ONE.movement_id},rejected,,,"locked\nperiod"\n{TWO.movement_id},applied,{AT},D,\n',
    )
    assert outcomes[:2] == [Rejection("locked\nperiod"), booked()]


@pytest.mark.parametrize(
    "body", ["", "\n", "nothing of the kind\n", b"\xff\xfe\x00", b"PK\x03\x04", "movement_id\nx\n"]
)
def test_file_that_cannot_be_read_silences_no_other_and_is_named(
    files: Files, body: str | bytes
) -> None:
    assert words(files, body, f"{HEAD}{ONE.movement_id},applied,{AT},D,\n")[0] == booked()
    assert [line.split()[0] for line in files.passed_over()] == [ACK]


@pytest.mark.parametrize("status", ["", "maybe"])
def test_row_with_another_status_gives_way_to_one_that_can_be_read(
    files: Files, status: str
) -> None:
    bad = f"{HEAD}{ONE.movement_id},{status},{AT},D,\n"
    assert isinstance(words(files, bad)[0], TryLater)
    assert words(files, bad, f"{HEAD}{ONE.movement_id},applied,{AT},D,\n")[0] == booked()


def test_booked_after_all_counts_whatever_was_said_first(files: Files) -> None:
    refused = f"{HEAD}{ONE.movement_id},rejected,,,period closed\n"
    assert words(files, refused)[0] == Rejection("period closed")
    assert words(files, refused, f"{HEAD}{ONE.movement_id},applied,{AT},D,\n")[0] == booked()


def test_acknowledgements_come_in_the_same_forms_as_stock(files: Files) -> None:
    body = f"sep=;\nMOVEMENT_ID;status;applied_at\n{ONE.movement_id};applied;{AT}\n"
    files.put("acknowledgements/1.CSV.GZ", gzip.compress(body.encode("utf-16")))
    files.put("acknowledgements/1.txt", body)
    assert files.erp().post_movements([ONE])[0] == booked("")
    assert files.passed_over() == ["acknowledgements/1.txt is neither .csv nor .csv.gz"]
