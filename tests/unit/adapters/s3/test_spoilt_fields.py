"""A record that is read by column: what stands in it is what its type says, or it is refused."""

import gzip
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from pydantic import TypeAdapter

from inventory_sync.adapters.s3.kept_reads import decode_read, encode_read
from inventory_sync.adapters.s3.ledger_codec import decode_ledger, encode_ledger
from inventory_sync.domain.errors import FatalError
from inventory_sync.domain.events import EndedMispick
from inventory_sync.domain.manifest import Ledger
from inventory_sync.domain.stock import StockSnapshot, Units
from inventory_sync.domain.stock_reads import Read, StockRead, UnreadStock
from inventory_sync.domain.units import UnitId
from tests.builders import NOW

ROWS: dict[str, Units] = {"A": 3, "B": Decimal("1.5")}
UNIT = UnitId("ff", "1")
LEDGER = Ledger(
    location_id="DC01",
    run_id="run-1",
    quantities=ROWS,
    sent=frozenset({"A"}),
    lacking=frozenset({UNIT}),
    unowned={UNIT: "B"},
    mispicks_over=frozenset({EndedMispick("1#a", "A")}),
)
READ = StockRead(StockSnapshot("DC01", NOW, ROWS, {"C": "none"}), "c", NOW, NOW - timedelta(1))
WHOLE = {"ledger": encode_ledger(LEDGER), "read": encode_read(READ)}
WHOLE["unread"] = encode_read(UnreadStock("down", incomplete=True))
OTHERS: list[Any] = [
    None, True, 7, 1.5, "", "x", "NaN", "0001-01-01T00:00:00Z", "2026-03-02T09:00:00",
    [], ["x"], [7], [None], [["x"]], [["x", "y"]], [["x", 7]], {}, {"x": 7}, {"x": "y"},
]  # fmt: skip


def decoded(kind: str, data: bytes) -> Ledger | Read:
    return decode_ledger(data, kind) if kind == "ledger" else decode_read("DC01", data, "1", kind)


def spoilt(value: Any) -> Iterator[Any]:
    """With one part, at any depth, in another form, or gone."""
    yield from OTHERS
    if isinstance(value, dict):
        for key, inner in value.items():
            yield {k: v for k, v in value.items() if k != key}
            yield from ({**value, key: other} for other in spoilt(inner))
    elif isinstance(value, list):
        for at, inner in enumerate(value):
            yield value[:at] + value[at + 1 :]
            yield from ([*value[:at], other, *value[at + 1 :]] for other in spoilt(inner))


@pytest.mark.parametrize("kind", WHOLE)
def test_a_field_of_another_form_is_refused_or_is_of_its_type(kind: str) -> None:
    """That serializing warns of a wrong type is an error here."""
    refused = 0
    for record in spoilt(json.loads(gzip.decompress(WHOLE[kind]))):
        try:
            found = decoded(kind, gzip.compress(json.dumps(record).encode()))
        except FatalError as error:
            assert str(error).startswith(f"{kind}: ")  # noqa: PT017
            refused += 1
            continue
        if isinstance(found, Ledger):
            found = replace(found, sent=frozenset(found.sent))
        TypeAdapter(type(found)).dump_python(found)
        assert all(Decimal(units).is_finite() for units in figures(found))
    assert refused > len(OTHERS)


def figures(found: Ledger | Read) -> list[Units]:
    if isinstance(found, Ledger):
        return list(found.quantities.values())
    return [] if isinstance(found, UnreadStock) else list(found.snapshot.on_hand_units.values())
