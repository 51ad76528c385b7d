"""Whatever an answer does in its middle, each adapter that reads one ends with an error of ours."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from tempfile import TemporaryFile
from time import monotonic
from typing import Any

import pytest
from botocore.config import Config

from inventory_sync.adapters.aws.export_queue import SqsExportQueue
from inventory_sync.adapters.aws.secrets import Secrets
from inventory_sync.adapters.dynamodb.state_table import StateTable
from inventory_sync.adapters.erp.csv.bucket import CsvBucket, Found
from inventory_sync.adapters.erp.ids import IdMap
from inventory_sync.adapters.erp.odoo.connector import OdooErp
from inventory_sync.adapters.erp.rest.connector import RestErp
from inventory_sync.adapters.erp.rest.snapshot import SnapshotLimits
from inventory_sync.adapters.http.authorized import AuthorizedHttp
from inventory_sync.adapters.http.client import JsonHttp
from inventory_sync.adapters.http.request import HttpLimits, HttpRequest, RetrySafety
from inventory_sync.adapters.newstore.exports import NewStoreExports
from inventory_sync.adapters.newstore.imports import NewStoreClient
from inventory_sync.adapters.s3.bucket import Bucket
from inventory_sync.adapters.s3.export_files import S3ExportFiles
from inventory_sync.bootstrap.clients import Clients
from inventory_sync.bootstrap.system_clock import SystemClock
from inventory_sync.domain.atp import AtpExport, ExportState
from inventory_sync.domain.errors import OutcomeUnknownError, RetriableError
from inventory_sync.domain.inbound import ExportFile
from inventory_sync.domain.stock import Unknown
from local.aws import new_session
from local.template import REGION, ROOT
from tests.builders import NOW
from tests.connector.bench import movement
from tests.unit.adapters.breaking_server import (
    Break,
    BreakingServer,
    closed,
    dripping,
    reset,
    silent,
)
from tests.unit.adapters.erp.test_odoo import ANSWERS as ODOO
from tests.unit.adapters.erp.test_rest import CAPABILITIES

PACKAGE = ROOT / "layers" / "inventory_sync" / "inventory_sync"
LIMITS = HttpLimits(
    read_seconds=0.3, attempts_max=2, backoff_seconds=0, call_seconds_max=1, download_seconds_max=1
)
SECONDS_MAX = 4
"""How long a call may take: two attempts of 1.3 seconds, on a machine under load."""
BREAKS = pytest.mark.parametrize("break_", [closed, reset, silent], ids=lambda b: b.__name__)
ALL_BREAKS = pytest.mark.parametrize(
    "break_", [closed, reset, silent, dripping], ids=lambda b: b.__name__
)
FRAMES = pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])


class Token:
    """Needs no secret."""

    secret_arn = "arn"

    def bearer(self) -> str:
        return "token"

    def invalidate(self, refused: str) -> None: ...


@contextmanager
def http() -> Iterator[JsonHttp]:
    """Within its time, which is the machine's."""
    began = monotonic()
    yield JsonHttp(SystemClock(), LIMITS, lambda: 0.5)
    assert monotonic() - began < SECONDS_MAX


def get(server: BreakingServer) -> HttpRequest:
    return HttpRequest(method="GET", url=f"{server.url}/broken", retry=RetrySafety.ALWAYS)


@ALL_BREAKS
@FRAMES
@pytest.mark.parametrize("begin", [b"", b'{"id": "1'], ids=["at once", "within"])
def test_http_answer_that_breaks(break_: Break, chunked: bool, begin: bytes) -> None:
    with BreakingServer("/broken", break_, begin, chunked=chunked) as server, http() as client:
        with pytest.raises(RetriableError):
            client.call(get(server))
        with pytest.raises(RetriableError), TemporaryFile() as file:
            client.download(get(server), file)


@ALL_BREAKS
def test_http_answer_that_breaks_within_its_headers(break_: Break) -> None:
    with (
        BreakingServer("/broken", break_, None) as server,
        http() as client,
        pytest.raises(RetriableError),
    ):
        client.call(get(server))


def newstore(client: JsonHttp, server: BreakingServer) -> NewStoreClient:
    return NewStoreClient(AuthorizedHttp(client, Token()), base_url=server.url, provider="erp")


@BREAKS
def test_newstore_reads(break_: Break) -> None:
    with BreakingServer("/", break_, b'{"items": [') as server, http() as client:
        reader = newstore(client, server)
        with pytest.raises(RetriableError):
            reader.job_errors("job")


@BREAKS
def test_newstore_writes(break_: Break) -> None:
    with BreakingServer("/", break_, b'{"id": "') as server, http() as client:
        reader = newstore(client, server)
        with pytest.raises(OutcomeUnknownError):
            reader.create_job(name="run", source_uri="https://bucket/file")


@ALL_BREAKS
def test_newstore_export_by_its_link(break_: Break) -> None:
    with BreakingServer("/", break_, b"PK\x03\x04") as server, http() as client:
        exports = NewStoreExports(AuthorizedHttp(client, Token()), client, base_url=server.url)
        export = AtpExport(export_id="1", state=ExportState.FINISHED, link=f"{server.url}/file")
        with pytest.raises(RetriableError):
            exports.fetch(export, frozenset({"DC01"}), lambda: True)


@BREAKS
def test_rest_erp(break_: Break) -> None:
    answers: dict[str, object] = {"/v1/capabilities": CAPABILITIES}
    with BreakingServer("/v1/s", break_, b'{"rows": [', answers) as server, http() as client:
        erp = rest(client, server)
        with pytest.raises(RetriableError):
            erp.snapshot("DC01")
    with BreakingServer("/v1/m", break_, b'{"results": [', answers) as server, http() as client:
        [outcome] = rest(client, server).post_movements([movement(1, {"A": 1}, at="DC01")])
        assert isinstance(outcome, Unknown)


def rest(client: JsonHttp, server: BreakingServer) -> RestErp:
    return RestErp(
        AuthorizedHttp(client, Token()),
        SystemClock(),
        base_url=server.url,
        apply_lag=timedelta(0),
        ids=IdMap(),
        snapshot_limits=SnapshotLimits(),
    )


@BREAKS
def test_odoo(break_: Break) -> None:
    answers = {f"/json/2/{name}": answer for name, answer in ODOO.items()}
    path = "/json/2/product.product/search_read"
    with BreakingServer(path, break_, b'[{"id": 7', answers) as server, http() as client:
        erp = OdooErp(
            AuthorizedHttp(client, Token()),
            SystemClock(),
            base_url=server.url,
            database=lambda: "",
            apply_lag=timedelta(0),
            ids=IdMap(),
        )
        with pytest.raises(RetriableError):
            erp.snapshot("DC01")
        [outcome] = erp.post_movements([movement(1, {"A": 1}, at="DC01")])
        assert isinstance(outcome, Unknown)


# Of AWS


def aws(server: BreakingServer, service: str) -> Any:
    """A client as ours are made, but for its patience."""
    once = Config(
        read_timeout=0.3,
        retries={"total_max_attempts": 1},
        s3={"addressing_style": "path"},
    )
    session = new_session()
    Clients(session)
    return session.create_client(
        service,
        region_name=REGION,
        endpoint_url=server.url,
        config=once,
        aws_access_key_id="local",
        aws_secret_access_key="local",
    )


def s3(server: BreakingServer) -> Any:
    return aws(server, "s3")


def test_every_stream_of_a_bucket_is_read_by_one_of_the_adapters_below() -> None:
    code = PACKAGE.rglob("*.py")
    readers = {path for path in code if '["Body"]' in path.read_text("utf-8")}

    assert {str(path.relative_to(PACKAGE)) for path in readers} == {
        "adapters/erp/csv/bucket.py",
        "adapters/s3/bucket.py",
        "adapters/s3/export_files.py",
    }


@BREAKS
def test_tables(break_: Break) -> None:
    with BreakingServer("/", break_, b'{"Item": {') as server:
        table = StateTable(aws(server, "dynamodb"), "state")
        with pytest.raises(RetriableError):
            table.get("head", "import")
        with pytest.raises(RetriableError):
            table.put("head", "import", "{}")


@BREAKS
def test_secrets(break_: Break) -> None:
    with BreakingServer("/", break_, b'{"SecretString": "') as server:
        secrets = Secrets(aws(server, "secretsmanager"), SystemClock())
        with pytest.raises(RetriableError):
            secrets.read("arn")


@BREAKS
def test_export_queue(break_: Break) -> None:
    file = ExportFile(bucket="imports", key="inbound/a.export", etag="")
    with BreakingServer("/", break_, b'{"MessageId": "') as server:
        queue = SqsExportQueue(aws(server, "sqs"), f"{server.url}/1/exports", "imports")
        with pytest.raises(RetriableError):
            queue.put(file, 7, 0)


@BREAKS
@FRAMES
def test_csv_file_of_the_erp(break_: Break, chunked: bool) -> None:
    with BreakingServer("/", break_, b"product,on_hand\nA,1\n", chunked=chunked) as server:
        bucket = CsvBucket(s3(server), "erp")
        with pytest.raises(RetriableError):
            bucket.read("connector.json")
        with pytest.raises(RetriableError):
            list(bucket.lines(Found("a.csv", "e", NOW), "utf-8"))


@BREAKS
@FRAMES
@pytest.mark.parametrize("begin", [b'{"a": 1}\n', b"\x1f\x8b\x08\x00"], ids=["plain", "gzip"])
def test_export_file_of_newstore(break_: Break, chunked: bool, begin: bytes) -> None:
    file = ExportFile(bucket="imports", key="inbound/a.export", etag="")
    with BreakingServer("/", break_, begin, chunked=chunked) as server:
        files = S3ExportFiles(s3(server))
        with pytest.raises(RetriableError), files.chunks(file, 0) as chunks:
            list(chunks)


@BREAKS
@FRAMES
def test_import_bucket(break_: Break, chunked: bool) -> None:
    with (
        BreakingServer("/", break_, b"{", chunked=chunked) as server,
        pytest.raises(RetriableError),
    ):
        Bucket(s3(server), "imports").get("runs/1/manifest.json")
