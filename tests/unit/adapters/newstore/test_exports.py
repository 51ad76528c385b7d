"""NewStoreExports: files as NewStore may write them, and files that are not whole."""

import io
import json
import tracemalloc
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from inventory_sync.adapters.http.authorized import AuthorizedHttp, SecretBearer
from inventory_sync.adapters.newstore.exports import BAD_ROWS_MAX, NewStoreExports
from inventory_sync.domain.atp import AtpExport, ExportState
from inventory_sync.domain.errors import InventorySyncError, RejectedError, RetriableError
from tests.unit.adapters.http_support import (
    BLOCKING,
    LIMITS,
    LocalServer,
    Reply,
    SecretsAccount,
    StandingClock,
    json_http,
    replying,
    secrets_account,
)

NODES = frozenset({"DC01", "NYC"})
NAME = "availabilty.json"


def row(product: str, units: int = 5, node: str = "DC01", **more: Any) -> dict[str, Any]:
    return {"product_id": product, "fulfillment_node_id": node, "atp": units, **more}


ROWS = [
    row("SKU-1", present_atp=5, future_atp=0, revision=1, external_identifiers=[{"x": [1, "]"]}]),
    row("SKU-2", 0),
    row("SKU-1", 7, "NYC"),
    row("SKU-1", 9, "elsewhere"),
]
FOUND = {"DC01": {"SKU-1": 5, "SKU-2": 0}, "NYC": {"SKU-1": 7}}


def packed(text: str | bytes, name: str = NAME, **others: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for other, content in others.items():
            archive.writestr(other, content)
        archive.writestr(name, text)
    return buffer.getvalue()


@pytest.fixture(scope="module")
def account() -> Iterator[SecretsAccount]:
    with secrets_account({"token": "good-token"}) as account:
        yield account


@contextmanager
def exports_of(server: LocalServer, account: SecretsAccount) -> Iterator[NewStoreExports]:
    clock = StandingClock()
    with server, json_http(clock, BLOCKING) as http, json_http(clock, LIMITS) as plain:
        authorized = AuthorizedHttp(http, SecretBearer(account.secrets(clock), account.arn))
        yield NewStoreExports(authorized, plain, base_url=server.url)


def fetched(content: bytes, account: SecretsAccount) -> dict[str, dict[str, int]]:
    server = replying(Reply(content, headers={"Content-Type": "application/zip"}))
    with exports_of(server, account) as exports:
        rows = exports.fetch(finished(f"{server.url}/file.zip?s=x"), NODES, lambda: True)
        assert server.calls[0].bearer == ""
        return {node: rows.of(node) for node in sorted(NODES)}


def finished(link: str) -> AtpExport:
    return AtpExport(export_id="e", state=ExportState.FINISHED, cursor=9, link=link)


@pytest.mark.parametrize(
    "content",
    [
        packed(json.dumps(ROWS)),
        packed(json.dumps(ROWS, indent=2)),
        packed(json.dumps({"last_updated_at": 9, "availabilities": ROWS})),
        packed("\ufeff" + json.dumps(ROWS)),
        packed(json.dumps(ROWS), "another-name.json"),
        packed(json.dumps(ROWS), **{"__MACOSX/availabilty.json": "[]", "read.me": "x"}),
    ],
    ids=["bare list", "indented", "in an object", "with a BOM", "another name", "macOS"],
)
def test_the_rows_of_a_file_are_read_by_node(content: bytes, account: SecretsAccount) -> None:
    assert fetched(content, account) == FOUND


def test_an_empty_list_has_no_rows(account: SecretsAccount) -> None:
    assert fetched(packed("[ ]"), account) == {"DC01": {}, "NYC": {}}


def damaged() -> bytes:
    content = bytearray(packed(json.dumps([row(f"SKU-{n}") for n in range(2_000)])))
    content[200] ^= 0xFF
    return bytes(content)


@pytest.mark.parametrize(
    "content",
    [
        b"<html>expired</html>",
        b"",
        packed(json.dumps(ROWS))[:-30],
        damaged(),
        packed(json.dumps(ROWS)[:-1]),
        packed(json.dumps(ROWS)[:40]),
        packed('{"availabilities": 3}'),
        packed("[1, 2]"),
        packed('[{"product_id": "SKU-1"}]'),
        packed('[{"product_id": "SKU-1"} {}]'),
        packed(json.dumps(ROWS), "a.txt"),
        packed(json.dumps(ROWS), **{"b.json": "[]"}),
    ],
    ids=[
        "no zip", "nothing", "cut off", "damaged", "no end", "half a row", "no list",
        "no objects", "no node", "no comma", "no JSON file", "two files",
    ],
)  # fmt: skip
def test_a_file_that_is_not_whole_is_retriable(content: bytes, account: SecretsAccount) -> None:
    with pytest.raises(RetriableError):
        fetched(content, account)


@pytest.mark.parametrize("bad", [{"product_id": "SKU-1"}, {**row("SKU-9"), "atp": "many"}, {}])
def test_a_row_that_cannot_be_read_is_left_out_by_its_number(
    bad: dict[str, Any], account: SecretsAccount, caplog: pytest.LogCaptureFixture
) -> None:
    first, *others = ROWS
    assert fetched(packed(json.dumps([first, bad, *others])), account) == FOUND
    assert "the export's file, row 1" in caplog.text


def test_many_rows_that_cannot_be_read_are_another_form(account: SecretsAccount) -> None:
    with pytest.raises(RetriableError, match="agreed form"):
        fetched(packed(json.dumps([*ROWS, *[{"x": 1}] * (BAD_ROWS_MAX + 1)])), account)


def test_a_link_that_has_run_out_is_an_error_and_not_quoted(account: SecretsAccount) -> None:
    server = replying(Reply(b"<Error/>", status=403))
    with exports_of(server, account) as exports, pytest.raises(InventorySyncError) as raised:
        exports.fetch(finished(f"{server.url}/file.zip?signature=abc"), NODES, lambda: True)

    assert isinstance(raised.value, RejectedError)
    assert "signature" not in str(raised.value)
    assert "signature" not in repr(finished("https://x.example/file.zip?signature=abc"))


@pytest.mark.parametrize("link", ["file:///etc/passwd", "ftp://x.example/a.zip"])
def test_only_https_is_fetched(link: str, account: SecretsAccount) -> None:
    with (
        exports_of(replying(Reply({})), account) as exports,
        pytest.raises(RejectedError, match="https"),
    ):
        exports.fetch(finished(link), NODES, lambda: True)


def test_an_export_without_a_file_has_no_rows(account: SecretsAccount) -> None:
    with exports_of(replying(Reply({})), account) as exports:
        assert exports.fetch(finished(""), NODES, lambda: True).of("DC01") == {}


def test_the_cursor_goes_into_the_body_where_there_is_one(account: SecretsAccount) -> None:
    server = replying(Reply({"availability_export_id": "e-1"}, status=201))
    with exports_of(server, account) as exports:
        assert (exports.start(None), exports.start(7)) == ("e-1", "e-1")

    assert [call.json for call in server.calls] == [{}, {"last_updated_at": 7}]


@pytest.mark.parametrize(("word", "state"), [("processing", "processing"), ("paused", "other")])
def test_states_that_newstore_does_not_document_have_not_ended(
    account: SecretsAccount, word: str, state: str
) -> None:
    answer = {"state": word, "received_at": "2026-03-02T12:00:00Z"}
    with exports_of(replying(Reply(answer)), account) as exports:
        assert exports.export("e").state == state


def test_memory_does_not_grow_with_the_file(account: SecretsAccount) -> None:
    padding = "x" * 300

    def peak(rows: int) -> int:
        content = packed(json.dumps([row(f"SKU-{n}", padding=padding) for n in range(rows)]))
        server = replying(Reply(content, headers={"Content-Type": "application/zip"}))
        with exports_of(server, account) as exports:
            tracemalloc.start()
            exports.fetch(finished(f"{server.url}/file.zip"), NODES, lambda: True)
            found = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
        return found

    peak(100)
    assert peak(40_000) < peak(4_000) + 1_000_000
