"""The commands over a local stack: real functions, real adapters, simulators of both sides."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, TextIO

from click.testing import CliRunner, Result

from cli.command import Connect, NullObserver
from cli.main import main
from cli.stack import NAMES, Stack
from inventory_sync.adapters.dynamodb.audit import Author
from inventory_sync.bootstrap.dry_run import dry_run
from inventory_sync.bootstrap.event_streams import StreamAdmin, stream_admin
from inventory_sync.bootstrap.ingest_event import ingest_with
from inventory_sync.bootstrap.ingest_export import ingest_export_here
from inventory_sync.bootstrap.newstore import read_newstore, read_stock
from inventory_sync.bootstrap.reconcile_stock import reconcile_with
from inventory_sync.bootstrap.set_watermark import set_watermark
from inventory_sync.domain.locations import Location
from inventory_sync.ports.newstore import NewStoreReader, StockReader
from inventory_sync.use_cases.import_stock.dry_run import DryRun
from inventory_sync.use_cases.import_stock.set_watermark import SetWatermark
from inventory_sync.use_cases.ingest.ingest_event import IngestOutcome
from inventory_sync.use_cases.ingest.ingest_export import IngestExport
from inventory_sync.use_cases.reconcile.reconcile_stock import ReconcileStock
from local.stack import SETUP, LocalStack, StackPlan, local_stack

DC, SKU = "DC01", "SKU-1"
WHO = ("--who", "Ada", "--why", "test")


class LocalConnect(Connect):
    """The stack's own clock, its functions in this process."""

    def __init__(self, stack: LocalStack) -> None:
        self._stack = stack

    def variables(self, stack: Stack, function: str) -> Mapping[str, str]:
        return self._stack.template.environment(function)

    def invoke(self, stack: Stack, function: str, event: Mapping[str, Any]) -> Any:
        return self._stack.functions[function](event)

    def newstore(self, variables: Mapping[str, str]) -> NewStoreReader:
        return read_newstore(variables, self._stack.clock)

    def stock(self, variables: Mapping[str, str]) -> StockReader:
        return read_stock(variables, self._stack.clock)

    def stream_admin(self, variables: Mapping[str, str]) -> StreamAdmin:
        return stream_admin(variables, self._stack.clock)

    def export_reader(self, variables: Mapping[str, str], *, local: bool) -> IngestExport:
        return ingest_export_here(variables, NullObserver(), local=local, clock=self._stack.clock)

    def sleep(self, seconds: float) -> None:
        """The table's stream goes on meanwhile."""
        self._stack.stream.pump()
        self._stack.clock.sleep(seconds)

    def dry_run(self, variables: Mapping[str, str], archive: Path, rows_max: int) -> DryRun:
        return dry_run(NullObserver(), archive, rows_max, variables, self._stack.clock)

    def watermark(self, variables: Mapping[str, str], author: Author | None) -> SetWatermark:
        return set_watermark(author, variables, self._stack.clock)

    def ingest(self, variables: Mapping[str, str], body: bytes) -> IngestOutcome:
        return ingest_with(NullObserver(), variables, self._stack.clock)(body)

    def reconciler(self, variables: Mapping[str, str]) -> ReconcileStock:
        return reconcile_with(NullObserver(), variables, self._stack.clock)

    def now(self) -> datetime:
        return self._stack.clock.now()


@dataclass(frozen=True)
class Operated:
    """A stack with stock, and an operator's shell."""

    stack: LocalStack

    def run(self, *words: str, code: int = 0, answers: str = "") -> Result:
        named = {
            variable: self.stack.template.physical_id(logical_id)
            for logical_id, variable in NAMES.items()
        }
        result = CliRunner().invoke(
            main, words, obj=LocalConnect(self.stack), env=named, input=answers
        )
        assert result.exit_code == code, result.output
        return result

    def json(self, *words: str, code: int = 0) -> Any:
        return json.loads(self.run(*words, "--json", code=code).stdout)

    def audited(self) -> list[dict[str, Any]]:
        """What was done since the stack was set up."""
        records: list[dict[str, Any]] = self.json("audit", "list")["records"]
        return [record for record in records if record["who"] != SETUP]

    def ship(self, request: str, *products: str, at: int, delivered: bool = True) -> None:
        """Ordered and shipped now; delivered and forwarded unless the ERP is down."""
        newstore = self.stack.newstore
        items = [(f"{request}-{n}", product) for n, product in enumerate(products or (SKU,), 1)]
        newstore.assign(request, f"order-{request}", DC, items, "STANDARD")
        event = newstore.complete(request, logical_timestamp=at)
        if delivered:
            assert self.stack.delivery.deliver_now(event) == 200
            self.stack.stream.pump()

    def wait(self, minutes: float) -> None:
        self.stack.clock.sleep(60 * minutes)

    def tick(self, **event: Any) -> dict[str, Any]:
        """Six minutes after the last one."""
        self.wait(6)
        return self.stack.tick(**event)


@contextmanager
def operated(log: TextIO | None = None, **units: int) -> Iterator[Operated]:
    """A stack whose one location has these units by product, imported once."""
    place = Location(location_id=DC, fulfillment_node_id=DC, store_id="", erp_location=DC)
    plan = StackPlan(locations=[place], parameters={"ReleaseReading": "range"})
    with local_stack(plan, log=log) as stack:
        operated = Operated(stack)
        for product, count in (units or {SKU: 20}).items():
            stack.erp.set_stock((DC, product), count)
        operated.tick()
        yield operated
