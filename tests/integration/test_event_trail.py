"""One event is followed through the logs by the queries of the runbook."""

import io
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from inventory_sync.domain.locations import Location
from local.clock import LocalClock
from local.newstore.events import event_bytes
from local.stack import StackPlan, local_stack
from local.template import ROOT

DC = Location(location_id="DC01", fulfillment_node_id="DC01", store_id="", erp_location="DC01")
SKU = ("DC01", "SKU-1")
SECTION = "## Following one event\n"
Line = dict[str, Any]


@dataclass(frozen=True)
class Query:
    """One of the runbook's: which fields it shows, and the filter with a name to put in."""

    fields: tuple[str, ...]
    field: str
    operator: str
    name: str

    def over(self, lines: list[Line], value: str) -> list[Line]:
        """The fields of the lines that the filter finds; what a line lacks is left out."""
        if self.operator == "=":
            found = [line for line in lines if _value(line, self.field) == value]
        else:
            found = [line for line in lines if value in _value(line, self.field)]
        return [
            {name: _value(line, name) for name in self.fields if _value(line, name)}
            for line in found
        ]


def _value(line: Line, path: str) -> str:
    """As Logs Insights finds it: the name of a nested field has dots."""
    value: Any = line
    for name in path.split("."):
        value = value.get(name, {}) if isinstance(value, dict) else {}
    return value if isinstance(value, str) else ""


def runbook_queries() -> list[Query]:
    section = (ROOT / "docs" / "runbook.md").read_text("utf-8").partition(SECTION)[2]
    pattern = r'    fields (.+)\n    \| filter (\S+) (like|=) "(\w+)"\n    \| sort @timestamp\n'
    return [
        Query(tuple(fields.split(", ")), field, operator, name)
        for fields, field, operator, name in re.findall(pattern, section.partition("\n## ")[0])
    ]


BY_EVENT, BY_RUN = runbook_queries()


@pytest.fixture(scope="module")
def lines() -> Iterator[list[Line]]:
    """Two shipments through the local stack, and the import that counts them."""
    log, clock = io.StringIO(), LocalClock()
    with local_stack(StackPlan(locations=[DC]), clock, log) as stack:
        stack.newstore.set_imported(SKU, 10)
        stack.erp.set_stock(SKU, 10)
        for request in ("ff1", "ff2"):
            stack.newstore.assign(request, "order-1", "DC01", [(f"{request}-1", "SKU-1")])
            stack.delivery.deliver_now(event_bytes(stack.newstore.complete(request)))
        stack.stream.pump()
        clock.sleep(16 * 60)
        stack.tick()
        yield [json.loads(line) for line in log.getvalue().splitlines() if '"figures"' in line]


def test_an_event_is_followed_to_its_movement_its_run_and_its_job(lines: list[Line]) -> None:
    forwarded, closed = BY_EVENT.over(lines, "ff1")

    assert [forwarded["message"], closed["message"]] == ["event forwarded", "event closed"]
    assert forwarded["figures.event_ref"] == closed["figures.event_ref"]
    assert re.fullmatch(r"DC01:\d+:ff1:[0-9a-f]{16}", forwarded["figures.movement_id"])
    assert forwarded["figures.document_id"]
    assert closed["figures.run_id"]
    assert closed["figures.job_id"]


def test_a_run_is_followed_to_its_end(lines: list[Line]) -> None:
    _, closed = BY_EVENT.over(lines, "ff1")

    found = BY_RUN.over(lines, closed["figures.run_id"])

    states = [line["figures.state"] for line in found if line["message"] == "run"]
    assert states == ["PLANNED", "UPLOADED", "CREATED", "STARTED", "FINISHED", "FINALIZED"]
    assert found[-1]["message"] == "tick"
    since = next(n for n, line in enumerate(found) if line.get("figures.state") == "CREATED")
    assert {line["figures.job_id"] for line in found[since:]} == {closed["figures.job_id"]}


def test_every_field_that_the_queries_show_is_logged_by_the_code() -> None:
    folder = ROOT / "layers" / "inventory_sync" / "inventory_sync"
    code = "".join(path.read_text("utf-8") for path in folder.rglob("*.py"))
    code += (ROOT / "functions" / "import_stock" / "app.py").read_text("utf-8")

    for field in {*BY_EVENT.fields, *BY_RUN.fields} - {"@timestamp", "message"}:
        assert re.search(rf"\b{field.removeprefix('figures.')}[=\"]", code), field
