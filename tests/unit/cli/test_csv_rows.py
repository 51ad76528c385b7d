"""CSV files of the command line, in the forms that spreadsheets write."""

from pathlib import Path

import pytest

from cli.csv_rows import read_rows
from cli.output import RefusedError


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("sep=;\nlocation_id;erp_location\nDC01;W 1\n", "utf-8"),
        ("location_id;erp_location\nDC01;W 1\n", "utf-8-sig"),
        ("Location_ID\tERP_location \nDC01\tW 1\n", "utf-16"),
        ("LOCATION_ID,\u00a0erp_location\nDC01,W 1\n", "utf-8"),
    ],
)
def test_file_as_a_spreadsheet_writes_it_is_read(tmp_path: Path, text: str, encoding: str) -> None:
    path = tmp_path / "locations.csv"
    path.write_bytes(text.encode(encoding))
    [row] = read_rows(path, required=["location_id"], optional=["erp_location"])
    assert (row["location_id"], row["erp_location"]) == ("DC01", "W 1")


def test_missing_column_says_what_was_found(tmp_path: Path) -> None:
    path = tmp_path / "locations.csv"
    path.write_text("sep=,\nplace,LOCATION_ID,location_id\n")
    with pytest.raises(RefusedError) as raised:
        read_rows(path, required=["location_id", "sku"], optional=[])
    said = [problem.text for problem in raised.value.problems]
    assert "it names 'place', 'location_id', 'location_id'" in said[0]
    assert "the column stands there twice; remove one" in said
