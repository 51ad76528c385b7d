"""docs/commands.md has every field that `--json` answers with, and its type."""

import json
import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from cli.main import main
from cli.output import ExitCode
from inventory_sync.adapters.s3.looks import S3Looks
from inventory_sync.domain.events import NO_INVENTORY
from inventory_sync.domain.shadow import Look, PromiseRow
from local.newstore.availabilities import ImportFinding
from local.template import ROOT
from tests.integration.operator import DC, SKU, WHO, Operated, operated
from tests.integration.operator_room import EndsAfter, serve
from tests.integration.shadow_shop import beside
from tests.unit.cli.test_command import COMMANDS

PAGE = (ROOT / "docs" / "commands.md").read_text("utf-8")
LINE = re.compile(r"^\| `([^`]*)` \| ([a-z]+(?: or null)?) \| ([^|]+) \|$", re.MULTILINE)


def documented() -> dict[str, dict[str, str]]:
    """Types by field, by command; a field of a list's entry is `list[].field`."""
    found: dict[str, dict[str, str]] = {}
    for section in PAGE.split("\n### ")[1:]:
        title, _, body = section.partition("\n")
        fields = {name: kind for name, kind, _ in LINE.findall(body)}
        for command in re.findall(r"`([^`]+)`", title):
            found[command] = fields
    return found


FIELDS = documented()
DOOR = "http://127.0.0.1:9/event"
"""Where nobody answers."""


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[str, Any]]:
    """Of each command in a shop where everything has happened."""
    with operated(StringIO(), **{SKU: 20, "SKU-2": 4}) as shop:
        happen(shop)
        answers = list(asked(shop, tmp_path_factory.mktemp("files")))
    with beside() as shadow:
        shadow.ship()
        shadow.import_by_other()
        shadow.stack.tick()
        beside_another = Operated(shadow.stack, StringIO())
        answers += [("status", beside_another.answer("status"))]
        answers += [("preflight", beside_another.answer("preflight", "--url", DOOR))]
    return answers


def happen(shop: Operated) -> None:
    """Shipped, late, not found, refused, failed, held."""
    newstore = shop.stack.newstore
    shop.run("stream", "register", *WHO)
    shop.ship("ff1", at=10)
    shop.wait(20)
    shop.tick()
    shop.ship("ff2", at=11)
    shop.stack.erp.set_stock((DC, SKU), 15)
    newstore.jobs.report_errors_next_job([ImportFinding("not known", "availability", SKU)])
    shop.tick(full=True)
    newstore.assign("ff3", "order-ff3", DC, [("ff3-1", "SKU-2")], "STANDARD")
    shop.stack.delivery.deliver_now(newstore.fail("ff3", rejection_reason=NO_INVENTORY))
    shop.stack.stream.pump()
    shop.stack.erp.rejected_products["SKU-9"] = "no such product"
    shop.ship("ff4", "SKU-9", at=30)
    newstore.set_imported((DC, SKU), 99)
    shop.run("hold", DC, *WHO)


def asked(shop: Operated, folder: Path) -> Iterator[tuple[str, Any]]:
    """Commands as documented, and what they answer; the exit code is for other tests."""

    def ask(command: str, *words: str) -> tuple[str, Any]:
        return command, shop.answer(*command.split(), *words)

    csv = folder / "locations.csv"
    csv.write_text(f"location_id,erp_location\n{DC},W1\n")
    products = folder / "products.csv"
    products.write_text("product_id,sku\nSKU-7,S7\n")
    yield ask("preflight", "--url", shop.stack.event_url)
    yield ask("status")
    yield "room", json.loads(serve(shop, EndsAfter(shop, 1), "--json").stdout)
    yield ask("explain", DC, SKU)
    yield ask("explain", DC, "SKU-2")
    yield ask("runs")
    yield ask("run", "last")
    yield ask("events", DC)
    yield ask("order", "order-ff1")
    yield ask("holds list")
    yield ask("holds mispicks")
    yield ask("quarantine list")
    entry = shop.json("quarantine", "list")["quarantine"][0]["id"]
    yield ask("quarantine show", entry)
    yield ask("reconcile", "--repair", *WHO)
    looked_at(shop)
    yield ask("shadow report", "--out", str(folder / "report.html"))
    yield ask("resend", DC, SKU, *WHO)
    yield ask("resume", DC, *WHO)
    yield ask("hold", DC, *WHO)
    yield ask("pause", "--all", *WHO)
    yield ask("import", "--dry-run")
    yield ask("resume", "--all", *WHO)
    yield ask("import", *WHO)
    yield ask("stream show")
    yield ask("stream register", *WHO)
    yield ask("locations check", str(csv))
    yield ask("locations load", str(csv), *WHO)
    yield ask("locations list")
    yield ask("locations init", str(folder / "new.csv"))
    yield ask("products load", str(products), *WHO)
    yield ask("products list")
    yield ask("watermark show")
    yield ask("audit list")


def looked_at(shop: Operated) -> None:
    """What a shadow would have seen."""
    row = PromiseRow(
        product_id=SKU, on_hand=3, unshown=(), allocations=0, shipped=0, reservations=0,
        safety_stock=0, atp=4,
    )  # fmt: skip
    at = shop.stack.clock.now() - timedelta(hours=1)
    bucket = shop.stack.template.physical_id("ImportBucket")
    with S3Looks(shop.stack.aws.s3, bucket).writer(at) as looks:
        looks.add(Look(location_id=DC, at=at, as_of=at, rows=1, differing=(row,)))
        looks.add(Look(location_id="STORE", at=at, unread="down"))


def fields_of(value: Any, kinds: dict[str, str], path: str = "") -> Iterator[tuple[str, Any]]:
    """Every field with its value; what is documented as a map has names of its own."""
    for name, found in value.items():
        field = f"{path}{name}"
        yield field, found
        if isinstance(found, dict) and not kinds.get(field, "").startswith("map"):
            yield from fields_of(found, kinds, f"{field}.")
        entries = found if isinstance(found, list) else []
        for entry in entries if any(kind.startswith(f"{field}[].") for kind in kinds) else ():
            if isinstance(entry, dict):
                yield from fields_of(entry, kinds, f"{field}[].")


def is_of(kind: str, value: Any) -> bool:
    """Whether a value is of a documented type."""
    kind, _, null = kind.partition(" or ")
    if value is None:
        return null == "null"
    if kind == "instant":
        return isinstance(value, str) and datetime.fromisoformat(value).tzinfo is not None
    types: dict[str, Any] = {
        "text": str,
        "boolean": bool,
        "list": list,
        "map": (dict, int, str),
        "object": dict,
    }
    if kind == "number":
        return isinstance(value, int | float) and not isinstance(value, bool)
    return isinstance(value, types[kind])


def test_every_field_is_documented_with_its_type(answers: list[tuple[str, Any]]) -> None:
    wrong = {
        f"{command}: {field} = {value!r:.60}"
        for command, answer in answers
        for field, value in fields_of(answer, FIELDS.get(command, {}))
        if not (kind := FIELDS.get(command, {}).get(field)) or not is_of(kind, value)
    }

    assert not wrong, "\n".join(sorted(wrong))


def test_every_documented_command_exists() -> None:
    assert FIELDS.keys() <= COMMANDS.keys()


def test_the_exit_codes_are_those_of_the_program() -> None:
    section = PAGE.split("## Exit codes")[1].split("\n## ")[0]
    told = dict(re.findall(r"^\| (\d) \| ([^|]+?) \|", section, flags=re.MULTILINE))

    assert {int(code) for code in told} == set(ExitCode)
    for code, meaning in told.items():
        assert f"{code} {meaning.partition(':')[0]}" in " ".join((main.help or "").split())
