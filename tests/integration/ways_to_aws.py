"""Stories that reach every way the functions have to AWS, and the ways that are rarely taken."""

import json
from datetime import timedelta
from random import Random

import pytest
import requests

from inventory_sync.adapters.s3.event_bodies import INLINE_BYTES_MAX
from inventory_sync.bootstrap.import_stock import live_import
from inventory_sync.bootstrap.look_at_promises import look_at_promises
from inventory_sync.bootstrap.reconcile_stock import reconcile_stock
from inventory_sync.bootstrap.runtime import Runtime
from inventory_sync.domain.availabilities import FileHead, RowBlock
from inventory_sync.domain.cut import LogicalRange
from inventory_sync.domain.drift import Cause, RowDrift, RowFigures
from inventory_sync.domain.errors import InventorySyncError, RejectedError
from inventory_sync.domain.locations import Location
from inventory_sync.domain.manifest import Basis
from inventory_sync.domain.run_record import LocationRecord
from inventory_sync.domain.shadow import Look
from local.aws import API_KEY
from local.newstore.events import Event, event_bytes
from local.scenario import read_scenario
from local.stack import EXPORT, IMPORT, RECONCILE, WATCH, LocalStack
from local.story import Story
from local.template import ROOT
from tests.event_bodies import event_body
from tests.integration.called import Called

HELD = read_scenario(ROOT / "local" / "scenarios" / "erp_down_and_location_held.json")
DC = Location(location_id="DC01", fulfillment_node_id="DC01", store_id="", erp_location="DC01")
LARGE = INLINE_BYTES_MAX + 1
UPLOADED_IN_PARTS = 8 * 1024**2
"""boto3 uploads what is larger in parts."""


def held_and_approved(stack: LocalStack, called: Called) -> None:
    """Events stored, forwarded, swept; a location held, let go and imported; a job per run."""
    Story(stack, HELD, lambda _: None).play()


def refused_on_the_way(stack: LocalStack, called: Called) -> None:
    """Bodies that nobody can read, one of them large, and a movement that the ERP refuses."""
    headers = {"Authorization": f"Bearer {API_KEY}"}
    for body in (b"{", b"{" * LARGE, unstored("posted")):
        answer = requests.post(stack.event_url, data=body, headers=headers, timeout=10)
        assert answer.status_code == 200
    stack.erp.rejected_products["SKU-1"] = "discontinued"
    assert stack.delivery.deliver_now(shipped(stack, "refused")) == 200
    stack.stream.pump()
    assert stack.count("QuarantineTable") == 4
    stack.erp.rejected_products.clear()


def leaked_and_reconciled(stack: LocalStack, called: Called) -> None:
    """NewStore keeps an allocation that an import released, and a file of the last run is lost."""
    stack.newstore.book.leak_next_releases = 1
    assert stack.delivery.deliver_now(shipped(stack, "leaked")) == 200
    stack.stream.pump()
    stack.clock.sleep(3600)
    assert stack.tick(full=True)["run"]["state"] == "FINALIZED"
    stack.clock.sleep(3600)
    assert stack.functions[RECONCILE]({})["rows_by_cause"][Cause.LEAKED_ALLOCATION] == 1
    files = stack.aws.s3.list_objects_v2(Bucket=bucket(stack), Prefix="ledger/")["Contents"]
    for file in files:
        stack.aws.s3.delete_object(Bucket=bucket(stack), Key=file["Key"])
    stack.functions[RECONCILE]({})


def large_files_break(stack: LocalStack, called: Called) -> None:
    """Their upload in parts fails on the way, and what was uploaded of them is taken back."""
    called.parts_break = True
    noise = Random(0).randbytes(UPLOADED_IN_PARTS).hex()
    with called.by(stack.template.physical_id(IMPORT)):
        importer, _ = live_import(runtime_of(stack, called, IMPORT))
    head = FileHead((DC,), LogicalRange(0, 0))
    with pytest.raises(InventorySyncError), importer.files.archive("run") as archive:
        archive.add_file(1, head, [RowBlock("DC01", noise.encode())])
    record = LocationRecord(
        location_id=noise, basis=Basis.SNAPSHOT, cut_end=0, released=LogicalRange(0, 0),
        as_of=stack.clock.now(), read_at=stack.clock.now(), apply_lag=timedelta(0),
    )  # fmt: skip
    with pytest.raises(InventorySyncError), importer.records.writer("run") as records:
        records.add(record)
    with called.by(stack.template.physical_id(RECONCILE)):
        reconcile, _ = reconcile_stock(runtime_of(stack, called, RECONCILE))
    with pytest.raises(InventorySyncError), reconcile.reports.writer("report") as report:
        report.add(RowDrift(figures=row_of(noise), parts={}))


def watched(stack: LocalStack, called: Called) -> None:
    """The stream check finds no stream and says so."""
    stack.functions[WATCH]({})


def exported(stack: LocalStack, called: Called) -> None:
    """A file too long for one invocation, with lines nobody can read; and one that is gone."""
    body = event_bytes(shipped(stack, "exported"))
    content = b"\n".join([b"{", b"{" * LARGE, unstored("line"), *[body] * 100])
    stack.aws.s3.put_object(Bucket=bucket(stack), Key="inbound/a.export", Body=content)
    export = stack.functions[EXPORT]
    export._timeout /= 10
    [read] = export(written("inbound/a.export"))["files"]
    assert not read["done"]
    with pytest.raises(RejectedError):
        export(written("inbound/gone.export"))


def url_signed(stack: LocalStack, called: Called) -> None:
    """NewStore is given a URL instead of the bucket's key."""
    key = {"access_key_id": "AKIALOCAL", "secret_access_key": "local"}
    secret = stack.aws.secrets.create_secret(Name="signing", SecretString=json.dumps(key))
    stack.template.set_parameters({"FileSigningSecretArn": secret["ARN"]})
    with called.by(stack.template.physical_id(IMPORT)):
        importer, _ = live_import(runtime_of(stack, called, IMPORT))
    assert importer.files.archive_uri("run").startswith("https://")


def beside_another_system(stack: LocalStack, called: Called) -> None:
    """A shadow marks a shipment, looks at its row, and closes its event; a large look breaks."""
    at = stack.clock.now()
    stack.erp.set_stock(("DC01", "SKU-1"), 5)
    assert stack.delivery.deliver_now(shipped(stack, "beside")) == 200
    stack.stream.pump()
    stack.sweep()
    stack.newstore.assign("open", "order", "DC01", [("open-1", "SKU-1")])
    assert stack.tick()["differing"] == 1
    stack.clock.sleep(3600)
    stack.tick()
    with called.by(stack.template.physical_id(IMPORT)):
        look, _ = look_at_promises(runtime_of(stack, called, IMPORT))
    called.parts_break = True
    noise = Random(0).randbytes(2 * UPLOADED_IN_PARTS).hex()
    with pytest.raises(InventorySyncError), look.looks.writer(at) as looks:
        looks.add(Look(location_id=noise, at=at))


STORIES = (
    held_and_approved, refused_on_the_way, leaked_and_reconciled, large_files_break, watched,
    exported, url_signed,
)  # fmt: skip


def shipped(stack: LocalStack, request: str) -> Event:
    """A unit is ordered and shipped; the event of its shipment."""
    stack.newstore.assign(request, f"order-{request}", "DC01", [(f"{request}-1", "SKU-1")])
    return stack.newstore.complete(request)


def unstored(request: str) -> bytes:
    """A shipment at a location that is not imported, without an instant."""
    return event_body(id=request, fulfillment_location_id="NYC", published_at="yesterday")


def written(key: str) -> dict[str, object]:
    """What the export's queue hands over."""
    return {"Records": [{"body": json.dumps({"key": key, "etag": "", "offset": 0})}]}


def runtime_of(stack: LocalStack, called: Called, function: str) -> Runtime:
    return Runtime(stack.template.environment(function), stack.clock, called.new_session)


def bucket(stack: LocalStack) -> str:
    return stack.template.physical_id("ImportBucket")


def row_of(product: str) -> RowFigures:
    return RowFigures(
        location_id="DC01", product_id=product, sent=0, erp=0, late=0, atp=0, allocations=0,
        leaked=0, reservations=0, waiting=False, moving=False,
    )  # fmt: skip
