"""NewStore's bulk exports of ATP: started, followed, fetched, and parted by node on disk."""

import zipfile
import zlib
from collections.abc import Callable, Iterator, Set
from typing import IO
from urllib.parse import quote, urlsplit

from inventory_sync.adapters.http.answer import read_model
from inventory_sync.adapters.http.authorized import AuthorizedHttp
from inventory_sync.adapters.http.client import JsonHttp
from inventory_sync.adapters.http.request import HttpRequest, RetrySafety
from inventory_sync.adapters.newstore.downloaded import downloaded
from inventory_sync.adapters.newstore.json_rows import json_rows
from inventory_sync.adapters.newstore.stock_wire import (
    AtpAnswer,
    ExportAnswer,
    StartedExportAnswer,
)
from inventory_sync.adapters.parts import DiskFullError, Parts
from inventory_sync.adapters.unreadable import report_unreadable_entry
from inventory_sync.domain.atp import AtpExport
from inventory_sync.domain.errors import RejectedError, RetriableError
from inventory_sync.domain.wording import counted

EXPORTS = "/v0/d/availabilities/bulk"
_WHERE = "the export's file"
_PREFIX = "newstore-atp-"
BAD_ROWS_MAX = 20
"""Of a file, that are left out of it."""
_ROWS_BETWEEN_LOOKS = 10_000
"""At the time that is left."""


class ExportedAtp:
    """Implements ports.ExportedAtp."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def of(self, fulfillment_node_id: str) -> dict[str, int]:
        """Units by product."""
        rows = self._parts.of(fulfillment_node_id)
        return {product: int(units) for _, (product, units) in rows}


class NewStoreExports:
    """Implements ports.AtpExports. `plain` calls the link, which is signed, without the token."""

    def __init__(self, http: AuthorizedHttp, plain: JsonHttp, *, base_url: str) -> None:
        self._http = http
        self._plain = plain
        self._base_url = base_url

    def start(self, since: int | None) -> str:
        """A second export in place of one whose answer was lost does no harm."""
        request = HttpRequest(
            method="POST",
            url=self._base_url + EXPORTS,
            retry=RetrySafety.ALWAYS,
            json={} if since is None else {"last_updated_at": since},
        )
        answer = read_model(StartedExportAnswer, self._http.call(request), request.where)
        return answer.availability_export_id

    def export(self, export_id: str) -> AtpExport:
        """RejectedError where NewStore does not know it."""
        request = HttpRequest(
            method="GET",
            url=f"{self._base_url}{EXPORTS}/{quote(export_id, safe='')}",
            retry=RetrySafety.ALWAYS,
        )
        answer = read_model(ExportAnswer, self._http.call(request), request.where)
        return answer.export(export_id)

    def fetch(self, export: AtpExport, nodes: Set[str], in_time: Callable[[], bool]) -> ExportedAtp:
        """The rows of those nodes; RetriableError where file, disk or time do not have them all."""
        if not export.link:
            return ExportedAtp(Parts((), _PREFIX))
        request = HttpRequest(method="GET", url=self._link(export), retry=RetrySafety.ALWAYS)
        try:
            with (
                downloaded(lambda file: self._plain.download(request, file)) as file,
                _opened(file) as rows,
            ):
                return ExportedAtp(Parts(_rows_of(rows, nodes, in_time), _PREFIX))
        except DiskFullError as error:
            raise RetriableError(f"{error}: give the function more ephemeral storage") from error
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
            raise RetriableError(f"{_WHERE}: no whole zip: {error}") from error

    def _link(self, export: AtpExport) -> str:
        """Over TLS, unless NewStore itself is a simulator that is called without."""
        scheme = urlsplit(export.link).scheme
        if scheme not in {"https", urlsplit(self._base_url).scheme}:
            raise RejectedError(f"export {export.export_id}: its link is no https address")
        return export.link


def _opened(file: IO[bytes]) -> IO[bytes]:
    """The one JSON file of the zip."""
    archive = zipfile.ZipFile(file)
    names = [name for name in archive.namelist() if name.endswith(".json")]
    names = [name for name in names if not name.startswith("__MACOSX")]
    if len(names) != 1:
        raise RetriableError(f"{_WHERE}: a zip of one JSON file was expected, it has {len(names)}")
    return archive.open(names[0])


def _rows_of(file: IO[bytes], nodes: Set[str], in_time: Callable[[], bool]) -> Iterator[list[str]]:
    """A row that cannot be read is left out; where many cannot be, or none can, it is the form."""
    bad, number = 0, -1
    for number, row in enumerate(json_rows(file, _WHERE)):
        if number % _ROWS_BETWEEN_LOOKS == 0 and not in_time():
            raise RetriableError(f"{_WHERE}: no time left after {number} rows")
        try:
            answer = read_model(AtpAnswer, row, f"{_WHERE}, row {number}")
        except RetriableError as error:
            if (bad := bad + 1) > BAD_ROWS_MAX:
                raise
            report_unreadable_entry(error)
            continue
        if answer.fulfillment_node_id in nodes:
            yield [answer.fulfillment_node_id, answer.product_id, str(answer.units)]
    if bad and bad == number + 1:
        raise RetriableError(f"{_WHERE}: none of {counted(bad, 'row')} can be read")
