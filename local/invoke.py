"""`make invoke`: one event for one built function, in the Lambda runtime, over the local stack.

Exit code 0 with the function's answer, 1 where there is none, 2 for what cannot be asked.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from inventory_sync.bootstrap.system_clock import SystemClock
from inventory_sync.domain.locations import Location
from local.aws import AWS_VARIABLES, served_over_http
from local.clock import ShiftedClock
from local.lambda_runtime import BuiltFunction, InvocationError
from local.runtime_files import RUNTIME, NotBuiltError, built_template
from local.stack import LocalStack, StackPlan, local_stack
from local.template import ROOT, Template, TemplateError

USAGE = "usage: python -m local.invoke <Function> <event.json>"
LOCATIONS = (
    Location(location_id="DC01", fulfillment_node_id="DC01", store_id="", erp_location="DC01"),
    Location(location_id="NYC", fulfillment_node_id="NYC", store_id="NYC", erp_location="NYC"),
)
EXPORT = ROOT / "events" / "export_sample.export"
EXPORT_KEY = "inbound/acme/1772442000000-data-sample.export"
STOCK = {("DC01", "SKU-1"): 10, ("DC01", "SKU-2"): 5, ("NYC", "SKU-1"): 3}
SEEDED_SECONDS_AGO = 3600


@contextmanager
def seeded_stack() -> Iterator[LocalStack]:
    """In real time, seeded an hour ago."""
    clock = ShiftedClock(SystemClock())
    with local_stack(StackPlan(locations=LOCATIONS), clock) as stack:
        clock.shift(-SEEDED_SECONDS_AGO)
        seed(stack)
        clock.shift(SEEDED_SECONDS_AGO)
        yield stack


def seed(stack: LocalStack) -> None:
    """Stock in both systems, an order assigned and shipped and not forwarded, an export file."""
    bucket = stack.template.physical_id("ImportBucket")
    stack.aws.s3.put_object(Bucket=bucket, Key=EXPORT_KEY, Body=EXPORT.read_bytes())
    for key, units in STOCK.items():
        stack.newstore.set_imported(key, units)
        stack.erp.set_stock(key, units)
    assigned = stack.newstore.assign("seeded", "order-1", "DC01", [("seeded-1", "SKU-1")])
    for event in (assigned, stack.newstore.complete("seeded")):
        stack.delivery.deliver_now(event)


@contextmanager
def built_function(stack: LocalStack, logical_id: str, log: TextIO) -> Iterator[BuiltFunction]:
    """The function over the stack's own AWS, which it reaches over HTTP."""
    template = Template(built_template(), stack.template.stack_name, stack.template.parameters)
    with served_over_http() as url:
        variables = {
            **template.environment(logical_id),
            **AWS_VARIABLES,
            "AWS_ENDPOINT_URL": url,
        }
        with BuiltFunction(template, logical_id, variables, log) as function:
            yield function


def main(arguments: Sequence[str]) -> int:
    """Print the answer of the function named first to the event in the file named second."""
    if len(arguments) != 2:
        print(USAGE, file=sys.stderr)
        return 2
    logical_id, path = arguments
    RUNTIME.mkdir(parents=True, exist_ok=True)
    log_path = RUNTIME / f"{Path(logical_id).name}.log"
    try:
        event = _event(Path(path))
        with (
            log_path.open("w", encoding="utf-8") as log,
            seeded_stack() as stack,
            built_function(stack, logical_id, log) as function,
        ):
            print(json.dumps(function.invoke(event), indent=2))
    except (EventFileError, TemplateError, NotBuiltError) as error:
        print(error, file=sys.stderr)
        return 2
    except InvocationError as error:
        print(f"{error}\n{logical_id} failed; its log is {log_path}", file=sys.stderr)
        return 1
    return 0


class EventFileError(Exception):
    """The file is no event."""


def _event(path: Path) -> bytes:
    try:
        content = path.read_bytes()
        json.loads(content)
    except OSError as error:
        raise EventFileError(f"{path}: {error.strerror}") from error
    except ValueError as error:
        raise EventFileError(f"{path} is not JSON: {error}") from error
    return content


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
