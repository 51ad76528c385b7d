"""What every command tells of one story, in text and in JSON, is as `told.txt` has it.

Where a change is meant: copy build/told.txt over it, and read the difference.
"""

import re
from collections.abc import Iterator, Mapping
from io import StringIO
from pathlib import Path
from types import MappingProxyType

from click.testing import CliRunner

from cli.main import main
from local.template import ROOT
from tests.integration.operator import DC, SKU, WHO, Operated, operated
from tests.integration.test_json_fields import happen

TOLD = Path(__file__).with_name("told.txt")
NOW = ROOT / "build" / "told.txt"
READING: tuple[tuple[str, ...], ...] = (
    ("cli.main", "--version"),
    ("cli.status", "status"),
    ("cli.status", "status", "--offline"),
    ("cli.runs", "runs"),
    ("cli.runs", "runs", "--limit", "1"),
    ("cli.runs", "run", "last"),
    ("cli.explain", "explain", DC, SKU),
    ("cli.explain", "explain", DC, "SKU-2"),
    ("cli.explain", "explain", DC, "SKU-9"),
    ("cli.events", "events", DC),
    ("cli.events", "events", "--unapplied"),
    ("cli.events", "events", "--rejected"),
    ("cli.order", "order", "order-ff1"),
    ("cli.order", "order", "order-ff4"),
    ("cli.holds", "holds", "list"),
    ("cli.holds", "holds", "mispicks"),
    ("cli.quarantine", "quarantine", "list"),
    ("cli.reconcile", "reconcile"),
    ("cli.imports", "import", "--dry-run"),
    ("cli.stream", "stream", "show"),
    ("cli.locations", "locations", "list"),
    ("cli.products", "products", "list"),
    ("cli.watermark", "watermark", "show"),
    ("cli.audit", "audit", "list"),
)
"""What changes nothing, so that it is asked twice: the module, and the words."""
CHANGING: tuple[tuple[str, ...], ...] = (
    ("cli.quarantine", "quarantine", "show", "{entry}"),
    ("cli.quarantine", "quarantine", "retry", "{entry}", *WHO),
    ("cli.quarantine", "quarantine", "list", "--all"),
    ("cli.reconcile", "reconcile", "--repair", *WHO),
    ("cli.reconcile", "resend", DC, SKU, *WHO),
    ("cli.operator_holds", "resume", DC, *WHO),
    ("cli.operator_holds", "resume", DC, *WHO),
    ("cli.operator_holds", "pause", "--all", *WHO),
    ("cli.operator_holds", "resume", "--all", *WHO),
    ("cli.imports", "import", *WHO),
    ("cli.holds", "holds", "list"),
    ("cli.approvals", "approve", DC, "--kind", "units_fell", *WHO),
    ("cli.approvals", "approve", DC, "--kind", "row_rose", "--product", "SKU-2", *WHO),
    ("cli.holds", "holds", "approvals"),
    ("cli.approvals", "revoke", DC, *WHO),
    ("cli.stream", "stream", "register", *WHO),
    ("cli.watermark", "watermark", "set", "0", *WHO),
    ("cli.watermark", "watermark", "set", "5", "--force", *WHO),
    ("cli.locations", "locations", "check", "{folder}/locations.csv"),
    ("cli.locations", "locations", "load", "{folder}/locations.csv", *WHO),
    ("cli.products", "products", "load", "{folder}/products.csv", *WHO),
    ("cli.audit", "audit", "list"),
)
"""In this order, a minute apart. The entry is the one in quarantine."""
UNLIKE = {
    r"127\.0\.0\.1:\d+": "127.0.0.1:PORT",
    r"local-[0-9a-f]{8}": "local-STACK",
    r"[0-9a-f]{64}": "SHA256",
    r"archive: \d+ bytes": "archive: N bytes",
    r'"archive_bytes": \d+': '"archive_bytes": N',
}
"""What differs from one time to the next."""


def told(shop: Operated, folder: Path) -> Iterator[str]:
    (folder / "locations.csv").write_text(f"location_id,erp_location\n{DC},W1\nNYC,\n")
    (folder / "products.csv").write_text("product_id,sku\nSKU-7,S7\n")
    for _, *words in READING:
        yield asked(shop, words)
        if words != ["--version"]:
            yield asked(shop, [*words, "--json"])
    (entry,) = shop.answer("quarantine", "list")["quarantine"]
    shop.stack.erp.set_stock((DC, "SKU-2"), 20_000)
    for _, *words in CHANGING:
        shop.wait(1)
        yield asked(shop, words, {"entry": entry["id"][:12], "folder": str(folder)})


def asked(shop: Operated, words: list[str], named: Mapping[str, str] = MappingProxyType({})) -> str:
    given = [word.format_map(named) for word in words]
    found = CliRunner().invoke(main, given, obj=shop.connect(), env=shop.named)
    assert found.exception is None or isinstance(found.exception, SystemExit), found.exception
    lines = [f"$ inventory-sync {' '.join(words)}", *found.stdout.splitlines()]
    lines += [f"2> {line}" for line in found.stderr.splitlines()]
    if found.exit_code:
        lines.append(f"[exit code {found.exit_code}]")
    text = "\n".join(line.rstrip() for line in lines)
    for word, value in named.items():
        text = text.replace(value, f"{{{word}}}")
    for unlike, same in UNLIKE.items():
        text = re.sub(unlike, same, text)
    return text


def test_what_commands_tell_of_a_story_is_what_is_written_down(tmp_path: Path) -> None:
    with operated(StringIO(), **{SKU: 20, "SKU-2": 4}) as shop:
        happen(shop)
        now = "\n\n".join(told(shop, tmp_path)) + "\n"

    NOW.parent.mkdir(exist_ok=True)
    NOW.write_text(now, "utf-8")
    assert now == TOLD.read_text("utf-8"), f"see {NOW.name}"
