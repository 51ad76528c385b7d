"""The REST connector and the reference server that ERP teams start from."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

from werkzeug.wrappers import Response

from cli.web_server import HttpServer
from examples.reference_erp import Books, erp_app
from inventory_sync.adapters.erp.ids import IdMap
from inventory_sync.adapters.erp.rest.connector import RestErp
from inventory_sync.adapters.erp.rest.snapshot import SnapshotLimits
from inventory_sync.adapters.http.authorized import AuthorizedHttp
from tests.connector.rest_bench import authorized
from tests.unit.adapters.http_support import StandingClock, json_http, secrets_account

TOKEN = "erp-token"


class LosingApp:
    """The app, whose answers to movements may be lost once it has given them."""

    def __init__(self, app: Any) -> None:
        self._app, self.losing = app, 0

    def __call__(self, environ: Any, start_response: Any) -> Any:
        writes = environ["REQUEST_METHOD"] == "POST"
        if not (writes and self.losing):
            return self._app(environ, start_response)
        self.losing -= 1
        Response.from_app(self._app, environ)
        return Response("<html>502</html>", status=502)(environ, start_response)


class ReferenceBench:
    """Its books are looked into by SQL, and counted by `Books.count`."""

    location_id = "Hamburg"

    def __init__(self, books: Books, app: LosingApp, base_url: str, http: AuthorizedHttp) -> None:
        self.books, self._app, self._base_url, self._http = books, app, base_url, http
        self._numbers = count(1)
        books.count("DC01", "SKU-0", 1)

    def connector(self) -> RestErp:
        return RestErp(
            self._http,
            StandingClock(),
            base_url=self._base_url,
            apply_lag=timedelta(0),
            ids=IdMap({"Hamburg": "DC01"}),
            snapshot_limits=SnapshotLimits(page_rows=7),
        )

    def product(self) -> str:
        product = f"product-{next(self._numbers)}"
        self.books.count("NYC", product, 0)
        return product

    def set_stock(self, product_id: str, units: int) -> None:
        self.books.count("DC01", product_id, units)

    def on_hand(self, product_id: str) -> int:
        page = self.books.page("DC01", "", 10_000)
        return {row["product"]: int(row["on_hand"]) for row in page["rows"]}.get(product_id, 0)

    def let_it_book(self) -> None:
        """It books at once."""

    def let_it_show(self) -> None:
        """And shows at once."""

    @contextmanager
    def losing_answers(self, count: int) -> Iterator[None]:
        self._app.losing = count
        yield
        self._app.losing = 0


@contextmanager
def reference_server() -> Iterator[ReferenceBench]:
    """With an empty database of its own."""
    with tempfile.TemporaryDirectory() as folder:
        books = Books(str(Path(folder) / "erp.db"))
        app = LosingApp(erp_app(books, TOKEN))
        with (
            secrets_account({"token": TOKEN}) as account,
            HttpServer(app) as server,
            json_http(StandingClock()) as http,
        ):
            yield ReferenceBench(books, app, server.base_url, authorized(account, http))
        books._db.close()  # a server's lives as long as its process
