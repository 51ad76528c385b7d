"""Cold start in Lambda's runtime: from a process that is not there to the first event's answer."""

import json
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import cache, partial
from itertools import count
from pathlib import Path
from statistics import median
from typing import TextIO

import yaml

from local.aws import AWS_VARIABLES
from local.invoke import built_function, seeded_stack
from local.lambda_runtime import BuiltFunction
from local.runtime_files import BUILD, SAM, built_template
from local.stack import FORWARD, IMPORT, INGEST
from local.template import ROOT, Template
from tests.bench.measuring import Figure, interleaved
from tests.event_bodies import api_call, event_body

ROUNDS = 11
BARE = ROOT / "build" / "bench" / "bare"
GOAL = 1.15
_NUMBERS = count(1_000_000)

NO_RECORDS = b'{"Records":[]}'
"""For those that take batches; the others look for nothing in it."""
WHAT = {
    INGEST: "to the first event stored",
    FORWARD: "to an empty batch's answer",
    IMPORT: "to the end of a run that has nothing to send",
}

Start = Callable[[], AbstractContextManager[BuiltFunction]]


def figures() -> Iterator[Figure]:
    """Each built function against one that makes a boto3 client and answers."""
    with seeded_stack() as stack, (ROOT / "build" / "bench" / "cold_start.log").open("w") as log:
        starts: dict[str, tuple[Start, Callable[[], bytes]]] = {
            "bare": (partial(_bare, log), lambda: b"{}")
        }
        for function in stack.template.of_type("AWS::Serverless::Function"):
            starts[function] = (
                partial(built_function, stack, function, log),
                partial(_first_event, function),
            )
        ways = {name: partial(_first_answer, *start) for name, start in starts.items()}
        ways[IMPORT]()  # the seeded events' own run
        found = {name: median(times) for name, times in interleaved(ways, ROUNDS).items()}
    for function in sorted(starts.keys() - {"bare"}):
        what = WHAT.get(function, "to its first answer")
        yield Figure(
            name=f"cold start of {function.removesuffix('Function')}, {what}, against a bare one's",
            value=found[function],
            unit="ms",
            baseline=found["bare"],
            goal=GOAL if function == INGEST else None,
        )


@contextmanager
def _bare(log: TextIO) -> Iterator[BuiltFunction]:
    """The baseline, packed as ours are, with our layer."""
    template = Template(_bare_template(), "bare")
    with BuiltFunction(template, "BareFunction", AWS_VARIABLES, log) as function:
        yield function


@cache
def _bare_template() -> Path:
    shutil.rmtree(BARE, ignore_errors=True)
    pack = [str(SAM / "bin" / "python"), "-B", str(ROOT / "tools" / "artifacts" / "pack.py")]
    source, target = Path(__file__).parent / "bare", BARE / "function"
    subprocess.run([*pack, str(source), str(target)], check=True)
    shared = yaml.safe_load(built_template().read_text())["Globals"]["Function"]
    layer = {"ContentUri": str(BUILD / "InventorySyncLayer")}
    layers = [{"Ref": "InventorySyncLayer"}]
    function = {"CodeUri": str(target), "Layers": layers, "Environment": {"Variables": {}}}
    document = {
        "Parameters": {},
        "Globals": {"Function": {**shared, "Timeout": 10}},
        "Resources": {
            "BareFunction": {"Type": "AWS::Serverless::Function", "Properties": function},
            "InventorySyncLayer": {"Type": "AWS::Serverless::LayerVersion", "Properties": layer},
        },
    }
    path = BARE / "template.yaml"
    path.write_text(yaml.safe_dump(document))
    return path


def _first_answer(start: Start, event: Callable[[], bytes]) -> float:
    """Milliseconds. The emulator starts the function's process when the first event is there."""
    body = event()
    with start() as function:
        started = time.perf_counter()
        answer = function.invoke(body)
        passed = time.perf_counter() - started
    if isinstance(answer, dict) and answer.get("statusCode", 200) != 200:
        raise RuntimeError(f"the event was not stored: {answer}")
    return passed * 1000


def _first_event(function: str) -> bytes:
    """For the webhook another one each time, so that each is stored."""
    if function != INGEST:
        return NO_RECORDS
    body = event_body(id="cold", logical_timestamp=next(_NUMBERS))
    return json.dumps(api_call(body.decode())).encode()
