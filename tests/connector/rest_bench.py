"""The REST connector and the simulator of an ERP behind it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from itertools import count
from typing import Any

from inventory_sync.adapters.erp.ids import IdMap
from inventory_sync.adapters.erp.rest.connector import RestErp
from inventory_sync.adapters.erp.rest.snapshot import SnapshotLimits
from inventory_sync.adapters.http.authorized import AuthorizedHttp, SecretBearer
from inventory_sync.adapters.http.client import JsonHttp
from local.erp.model import ErpModel
from local.erp.server import erp_server
from tests.unit.adapters.http_support import (
    SecretsAccount,
    StandingClock,
    json_http,
    secrets_account,
)
from tests.unit.local.clock import Clock

LAG_SECONDS = 90


class RestBench:
    """Sku and product id differ, so that an id that is not mapped is noticed."""

    location_id = "Hamburg"

    def __init__(self, model: ErpModel, clock: Clock, base_url: str, http: AuthorizedHttp) -> None:
        self.model, self._clock, self._base_url, self._http = model, clock, base_url, http
        self._numbers = count(1)
        self._ids = IdMap({"Hamburg": "DC01"})
        model.add_location("DC01")
        model.rejected_products["no such product"] = "unknown product"

    def connector(self) -> RestErp:
        return RestErp(
            self._http,
            StandingClock(),
            base_url=self._base_url,
            apply_lag=timedelta(0),
            ids=self._ids,
            snapshot_limits=SnapshotLimits(page_rows=7),
        )

    def product(self) -> str:
        return f"product-{next(self._numbers)}"

    def set_stock(self, product_id: str, units: int) -> None:
        self.model.set_stock(("DC01", product_id), units)

    def on_hand(self, product_id: str) -> int:
        return self.model.on_hand(("DC01", product_id))

    def let_it_book(self) -> None:
        """It books at once."""

    def let_it_show(self) -> None:
        self._clock.sleep(LAG_SECONDS + 1)

    @contextmanager
    def losing_answers(self, count: int) -> Iterator[None]:
        self.model.faults.lose_next_answer(count, call="post_movements")
        yield
        self.model.faults.planned.clear()


@contextmanager
def rest(**settings: Any) -> Iterator[RestBench]:
    """By default an ERP that does everything, with a lag."""
    clock = Clock()
    chosen = {"change_feed": "sequence", "apply_lag_seconds": LAG_SECONDS, **settings}
    model = ErpModel(clock, **chosen)
    with (
        secrets_account({"token": "erp-token"}) as account,
        erp_server(model, "erp-token") as server,
        json_http(StandingClock()) as http,
    ):
        yield RestBench(model, clock, server.base_url, authorized(account, http))


def authorized(account: SecretsAccount, http: JsonHttp) -> AuthorizedHttp:
    return AuthorizedHttp(http, SecretBearer(account.secrets(StandingClock()), account.arn))


def rest_by_look_up() -> Any:
    """It books what it is posted, lists rows at zero, and has neither feed nor reservations."""
    return rest(
        dedupe="lookup",
        change_feed="none",
        reservations=False,
        absent_means_zero=False,
        consistent_snapshot=False,
    )


def rest_with_short_references() -> Any:
    """References of 16 characters, and a feed by time."""
    return rest(reference_length_max=16, change_feed="timestamp", bulk_max=2)
