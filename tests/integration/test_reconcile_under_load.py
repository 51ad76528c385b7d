"""Reconciling while events flow and imports run: what is in flight is never called a drift."""

from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from random import Random
from typing import Any

import pytest

from cli.stack import NullObserver
from inventory_sync.bootstrap.reconcile_stock import reconcile_with
from inventory_sync.bootstrap.runtime import Runtime
from inventory_sync.domain.atp import AtpKey, RequestedItem, SafetyStock, StockInsights
from inventory_sync.domain.drift import Cause
from inventory_sync.domain.errors import RetriableError
from inventory_sync.ports.newstore import StockReader
from local.aws import new_session
from local.stack import RECONCILE
from tests.integration.operator import DC, Operated, operated

PRODUCTS = [f"SKU-{number}" for number in range(1, 7)]
ROUNDS = 9
"""So many show everything that may be on its way; fewer only that nothing is called a drift."""
EXPLAINED = {Cause.IN_FLIGHT, Cause.WAITING_FOR_IMPORT}


class Load:
    """Orders that are shipped, events delivered sooner or later, imports and an ERP with breaks."""

    def __init__(self, shop: Operated) -> None:
        self.shop, self.rng = shop, Random(6)
        self.requests = 0
        self.on_the_way: list[dict[str, Any]] = []
        self.happened: Counter[str] = Counter()

    def trade(self) -> None:
        """A minute or two of it."""
        for _ in range(self.rng.randint(1, 4)):
            self._ship()
        if self.rng.random() < 0.15:
            self.shop.stack.erp.faults.down_for(90)
            self.happened["ERP down"] += 1
        for event in list(self.on_the_way):
            if self.rng.random() < 0.6:
                self._deliver(event)
        self.shop.stack.stream.pump()
        if self.rng.random() < 0.4:
            with suppress(RetriableError):  # the ERP is down: the next sweep goes on
                self.shop.stack.sweep()
        if self.rng.random() < 0.5:
            self.shop.stack.tick(full=self.rng.random() < 0.1)
            self.happened["ticks"] += 1
        self.shop.wait(self.rng.choice((0.2, 1, 2)))

    def _ship(self) -> None:
        self.requests += 1
        request, newstore = f"ff{self.requests}", self.shop.stack.newstore
        wanted = self.rng.sample(PRODUCTS, self.rng.randint(1, 3))
        items = [(f"{request}-{n}", product) for n, product in enumerate(wanted)]
        self.on_the_way.append(newstore.assign(request, f"order-{request}", DC, items, "STANDARD"))
        self.happened["orders"] += 1
        if self.rng.random() < 0.8:
            self.on_the_way.append(newstore.complete(request))
            self.happened["shipments"] += 1

    def _deliver(self, event: dict[str, Any]) -> None:
        self.on_the_way.remove(event)
        assert self.shop.stack.delivery.deliver_now(event) == 200
        self.happened["deliveries"] += 1

    def calm_down(self) -> None:
        """Everything arrives, and an import settles it."""
        for event in list(self.on_the_way):
            self._deliver(event)
        self.shop.wait(20)
        for _ in range(2):
            self.shop.stack.sweep()
            self.shop.tick()
        self.shop.wait(20)


class BusyNewStore:
    """NewStore as the reconciliation reads it; while it is read trade goes on."""

    def __init__(self, load: Load, inner: StockReader) -> None:
        self.load, self.inner = load, inner
        self.calls = 0

    def atp(self, keys: Iterable[AtpKey]) -> Mapping[AtpKey, int]:
        self._trade_on()
        return self.inner.atp(keys)

    def insights(self, key: AtpKey) -> StockInsights:
        self._trade_on()
        return self.inner.insights(key)

    def safety_stock(self) -> SafetyStock:
        return self.inner.safety_stock()

    def requested_items(self, order_uuid: str) -> list[RequestedItem]:
        return self.inner.requested_items(order_uuid)

    def _trade_on(self) -> None:
        self.calls += 1
        if self.calls % 6 == 0:
            self.load.trade()


@pytest.mark.sweep(sample=1)
@pytest.mark.parametrize("rounds", [3, ROUNDS])
def test_events_in_flight_are_no_false_alarm(rounds: int) -> None:
    with operated() as shop:
        for product in PRODUCTS:
            shop.stack.erp.set_stock((DC, product), 200)
        shop.tick()
        shop.wait(20)
        load = Load(shop)
        variables = shop.stack.template.environment(RECONCILE)
        runtime = Runtime(variables, shop.stack.clock, new_session)
        reconcile = reconcile_with(runtime, NullObserver())
        busy = BusyNewStore(load, reconcile.stock)
        reconcile = replace(reconcile, stock=busy)
        causes: Counter[Cause] = Counter()
        rows = on_the_way = 0
        for _ in range(rounds):
            load.trade()
            on_the_way += len(load.on_the_way)
            found = reconcile(lambda: 3600)
            causes.update(found.totals.rows_by_cause)
            rows += found.totals.rows
        load.calm_down()
        at_rest = shop.json("reconcile")

    print(
        f"{rounds} reconciliations of {rows} rows, {busy.calls} calls with trade between them:"
        f" {dict(load.happened)}; {on_the_way} events on their way at the starts;"
        f" differing rows: { {cause.value: n for cause, n in causes.items() if n} }"
    )
    assert rows == rounds * len(PRODUCTS)
    assert {cause for cause, count in causes.items() if count} <= EXPLAINED
    assert at_rest["agreeing"] == at_rest["rows"] == len(PRODUCTS)
    if rounds == ROUNDS:
        assert min(load.happened[name] for name in ("shipments", "deliveries", "ticks")) > 5
        assert load.happened["ERP down"]
        assert on_the_way > 5
        assert causes.total() > 0
