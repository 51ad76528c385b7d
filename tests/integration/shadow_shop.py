"""A stack that is a shadow beside another system, over simulators of NewStore and the ERP."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from inventory_sync.adapters.s3.looks import S3Looks
from inventory_sync.domain.locations import Location
from inventory_sync.domain.shadow import Look
from local.clock import LocalClock
from local.cutting_proxy import CuttingProxy
from local.functions import LocalFunction
from local.stack import (
    EXPORT,
    FORWARD,
    IMPORT,
    INGEST,
    RECONCILE,
    WATCH,
    LocalStack,
    StackPlan,
    local_stack,
)

DC = Location(location_id="DC01", fulfillment_node_id="DC01", store_id="", erp_location="DC01")
KEY = ("DC01", "SKU-1")
MINUTE = 60.0
LAG = 20 * MINUTE
SHADOW = {
    "Mode": "shadow", "OtherSystemLagSeconds": f"{LAG:.0f}", "ReleaseReading": "find_out",
}  # fmt: skip


@dataclass
class Shop:
    """The stack, another system that books and imports, and all that goes to ERP and NewStore."""

    stack: LocalStack
    called: set[str] = field(default_factory=set)
    requests: int = 0

    def note(self, path: str) -> str:
        """A rule of the proxy: cuts nothing."""
        self.called.add(path.partition("?")[0])
        return ""

    def ship(self, *, booked: bool = True, lag: float = LAG) -> None:
        """The other system books it, unless it has stopped."""
        self.requests += 1
        name = f"ff{self.requests}"
        newstore, delivery = self.stack.newstore, self.stack.delivery
        order = newstore.assign(name, f"order-{name}", "DC01", [(f"{name}-1", "SKU-1")])
        shipment = newstore.complete(name)
        for event in (order, shipment):
            assert delivery.deliver_now(event) == 200
        if booked:
            self.stack.erp.sell_at_counter(KEY, 1, lag)
        self.stack.stream.pump()

    def import_by_other(self) -> None:
        self.stack.newstore.set_imported(KEY, self.stack.erp.shown(KEY))

    def wait(self, minutes: float) -> None:
        self.stack.clock.sleep(minutes * MINUTE)

    def looks(self) -> list[Look]:
        bucket = self.stack.template.physical_id("ImportBucket")
        now = self.stack.clock.now() + timedelta(seconds=1)
        return list(S3Looks(self.stack.aws.s3, bucket).between(now - timedelta(days=2), now))

    def deploy(self, **parameters: str) -> None:
        """The functions start anew with these."""
        stack = self.stack
        stack.template.set_parameters(parameters)
        made: Any = stack.functions
        for name in (INGEST, FORWARD, IMPORT, RECONCILE, WATCH, EXPORT):
            made[name] = LocalFunction(stack.template, name, stack.clock, io.StringIO())
        stack.stream._invoke = made[FORWARD]

    def instant(self, minutes: float = 0) -> str:
        at = self.stack.clock.now() + timedelta(minutes=minutes)
        return f"{at:%Y-%m-%dT%H:%M:%SZ}"


@contextmanager
def beside(**parameters: str) -> Iterator[Shop]:
    plan = StackPlan(
        locations=[DC],
        parameters={**SHADOW, **parameters},
        newstore={"job_seconds": 0, "release": "immediate"},
    )
    with local_stack(plan, LocalClock()) as stack:
        shop = Shop(stack)
        with (
            CuttingProxy(stack.newstore_url) as newstore,
            CuttingProxy(stack.erp_url) as erp,
        ):
            newstore.cut = erp.cut = shop.note
            stack.template.set_parameters(
                {"NewStoreBaseUrl": newstore.base_url, "ErpBaseUrl": erp.base_url}
            )
            stack.erp.set_stock(KEY, 20)
            shop.import_by_other()
            yield shop
