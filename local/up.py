"""`make local`: the deployed stack, left running until Ctrl-C. Exit code 0, 2 (cannot start)."""

from __future__ import annotations

import shlex
import shutil
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from local.deployed import DeployedStack, deployed_stack
from local.invoke import LOCATIONS
from local.ministack import LocalAwsError, ministack
from local.runtime_files import NotBuiltError
from local.stack import FORWARD, StackPlan
from local.template import ROOT

FOLDER = ROOT / "build" / "local"
SETTINGS = FOLDER / "settings.sh"
POLL_SECONDS = 0.5
STOCK = {("DC01", "SKU-1"): 60, ("DC01", "SKU-2"): 40, ("NYC", "SKU-1"): 30}
"""Enough for a location to be held: a fall of fewer than 20 units is sent."""
PLAN = StackPlan(
    locations=LOCATIONS,
    parameters={
        "ImportSchedule": "rate(1 minute)",
        "SettleWindowSeconds": "10",  # five seconds for the clocks are added
    },
    schedules={f"{FORWARD}Sweep": "rate(1 minute)"},
    signed_urls=True,
)


def main() -> int:
    """Start, print what to try, deliver what NewStore publishes, stop."""
    stopped = threading.Event()

    def stop(_signal: int, _frame: FrameType | None) -> None:
        stopped.set()

    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)
    shutil.rmtree(FOLDER, ignore_errors=True)
    print("Starting a local AWS and deploying template.yaml into it: half a minute.", flush=True)
    try:
        with _running() as stack:
            write_settings(stack)
            print("\n".join(guide(stack)), flush=True)
            deliver(stack, stopped)
            print("Stopping.", flush=True)
    except (NotBuiltError, LocalAwsError) as error:
        print(error, file=sys.stderr)
        return 2
    return 0


@contextmanager
def _running() -> Iterator[DeployedStack]:
    with ministack(FOLDER) as aws, deployed_stack(aws, "inventory-sync", PLAN) as stack:
        for key, units in STOCK.items():
            stack.erp.set_stock(key, units)
            stack.newstore.set_imported(key, units)
        stack.newstore.integrations.create(
            {
                "id": "inventory-sync",
                "integration_type": "permanent",
                "callback_parameters": {
                    "callback_url": stack.outputs["EventUrl"],
                    "api_key": stack.keys.api_key,
                },
            }
        )
        yield stack


def deliver(stack: DeployedStack, stopped: threading.Event) -> None:
    """NewStore's event stream, until stopped: each event at once, and again while refused."""
    published = 0
    while not stopped.wait(POLL_SECONDS):
        events = stack.newstore.publisher.events
        for event in events[published:]:
            stack.delivery.enqueue(event)
        published = len(events)
        stack.delivery.deliver_due()


def guide(stack: DeployedStack) -> list[str]:
    """Addresses, and a line to copy for each thing to try."""
    lines = [
        "",
        f"Webhook   {stack.event_url}",
        f"NewStore  {stack.newstore_url}/_state",
        f"ERP       {stack.erp_url}/_state",
        f"AWS       {stack.local_aws.url}, logs in {FOLDER.relative_to(ROOT)}",
        "",
        "Sweep and import run every minute; what is older than 15 seconds is released.",
        "",
        "# In another shell first, for the two after it and any AWS client",
        f". {SETTINGS.relative_to(ROOT)}",
        "",
    ]
    for what, command in things_to_try(stack):
        lines += [f"# {what}", command, ""]
    return [*lines, "Ready. Ctrl-C stops it all."]


def write_settings(stack: DeployedStack) -> None:
    """What an AWS client needs to reach the local AWS and no other, for a shell to read."""
    variables = {
        **stack.local_aws.variables(),
        "REQUESTS_CA_BUNDLE": str(stack.local_aws.certificate),
        "STACK_NAME": stack.name,
    }
    lines = [f"export {name}={shlex.quote(value)}\n" for name, value in variables.items()]
    SETTINGS.write_text("unset AWS_PROFILE AWS_SESSION_TOKEN\n" + "".join(lines), "utf-8")


def things_to_try(stack: DeployedStack) -> list[tuple[str, str]]:
    """What it does, and the command."""
    newstore, erp = f"{stack.newstore_url}/_control", f"{stack.erp_url}/_control"
    order = '{"request": "ff1", "location": "DC01", "product": "SKU-1"}'
    received = '{"location": "DC01", "product": "SKU-1", "units": 10}'
    certificate, key = stack.local_aws.certificate, stack.keys.api_key
    secret = stack.parameters["InboundKeysSecretArn"]
    simulators = f"--newstore-url {stack.newstore_url} --erp-url {stack.erp_url}"
    return [
        ("How it is", f"{COMMAND} status"),
        ("All of it on a page", f'make room ARGS="--stack {stack.name} {simulators}"'),
        ("A customer orders a unit", _post(f"{newstore}/order", order)),
        ("It leaves the warehouse", _post(f"{newstore}/ship", '{"request": "ff1"}')),
        ("Goods come in, and the ERP books them", _post(f"{erp}/receive", received)),
        ("Whether all is set up", f"{COMMAND} preflight --url {stack.event_url}"),
        ("A sample event by the webhook", f"{COMMAND} smoke --url {stack.event_url}"),
        ("The ERP shows no stock, and the location is held", _post(f"{erp}/set_stock", NONE_LEFT)),
        ("NewStore fails the next import", _post(f"{newstore}/fail_next_job", JOB_FAILS)),
        ("Somebody else changes a figure at NewStore", _post(f"{newstore}/set_imported", FOREIGN)),
        ("The ERP is down for two minutes", _post(f"{erp}/down_for", '{"seconds": 120}')),
        ("The ERP refuses a product", _post(f"{erp}/reject_product", REFUSED)),
        (
            "An event of your own, as NewStore sends it",
            f"curl -sS --cacert {certificate} -H 'Authorization: Bearer {key}'"
            f" -d '{OWN_EVENT}' {stack.event_url}",
        ),
        (
            "A body that is cut off",
            f"curl -sS --cacert {certificate} -H 'Authorization: Bearer {key}'"
            f" -d '{OWN_EVENT[:-9]}' {stack.event_url}",
        ),
        (
            "An event with a wrong key",
            f"curl -sS --cacert {certificate} -H 'Authorization: Bearer wrong' -d '{{}}'"
            f" {stack.event_url}",
        ),
        (
            "The key is changed here and not at NewStore (five minutes later: status)",
            f"aws secretsmanager put-secret-value --secret-id {secret}"
            f" --secret-string '{OTHER_KEY}'",
        ),
        ("What NewStore promises", f"curl -sS {stack.newstore_url}/_state"),
        ("What the ERP holds", f"curl -sS {stack.erp_url}/_state"),
    ]


COMMAND = ".venv/bin/inventory-sync"
NONE_LEFT = '{"location": "NYC", "product": "SKU-1", "units": 0}'
JOB_FAILS = '{"reason": "internal error"}'
FOREIGN = '{"location": "DC01", "product": "SKU-1", "units": 75}'
REFUSED = '{"product": "SKU-2", "reason": "no such product"}'
OTHER_KEY = '{"api_keys": ["another-inbound-key"]}'
OWN_EVENT = (
    '{"tenant": "acme", "name": "fulfillment_request.assigned",'
    ' "published_at": "2026-03-02T09:00:00Z", "payload": {"id": "own", "order_id": "order-9",'
    ' "logical_timestamp": 9000, "fulfillment_location_id": "NYC", "service_level": "STANDARD",'
    ' "items": [{"id": "own-1", "product_id": "SKU-1"}]}}'
)


def _post(url: str, body: str) -> str:
    return f"curl -sS -H 'Content-Type: application/json' -d '{body}' {url}"


if __name__ == "__main__":
    sys.exit(main())
