"""Whatever stands anywhere in an answer of NewStore or an ERP: an error of ours, or a sane value.

Each place of a good answer in turn is left out, and is given what platforms, spreadsheets and
gateways put there. Nothing else than an error of this package may come of it, and what is taken
must be storable: instants within bounds, figures with few digits, texts that are UTF-8.
"""

import copy
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import IO, Any

import pytest

from inventory_sync.adapters.erp.ids import IdMap
from inventory_sync.adapters.erp.odoo.connector import OdooErp
from inventory_sync.adapters.erp.rest.connector import RestErp
from inventory_sync.adapters.erp.rest.snapshot import SnapshotLimits
from inventory_sync.adapters.http.answer import parse_object
from inventory_sync.adapters.http.request import HttpRequest
from inventory_sync.adapters.newstore.exports import NewStoreExports
from inventory_sync.adapters.newstore.imports import NewStoreClient
from inventory_sync.adapters.newstore.stock import NewStoreStock
from inventory_sync.adapters.newstore.stream_records import NewStoreStreamRecords
from inventory_sync.adapters.newstore.streams import NewStoreStreams
from inventory_sync.domain.atp import AtpKey
from inventory_sync.domain.errors import InventorySyncError, RetriableError, SnapshotIncompleteError
from inventory_sync.domain.stock import AllocationState
from tests.builders import HOUR, NOW
from tests.connector.bench import change, movement
from tests.unit.adapters.erp.test_odoo import ANSWERS as ODOO
from tests.unit.adapters.erp.test_odoo import DONE
from tests.unit.adapters.erp.test_rest import CAPABILITIES
from tests.unit.adapters.http_support import StandingClock

RAW = {
    "@infinite": "Infinity",
    "@not a number": "NaN",
    "@huge": "1" * 5_000,
    "@far exponent": "1e999999",
    "@small exponent": "1e-999999",
    "@minus nothing": "-0.0",
    "@deep": "[" * 900 + "]" * 900,
    "@half a pair": '"\\ud800"',
}
"""What `json.dumps` does not write."""
HOSTILE: dict[str, Any] = {
    **{name.removeprefix("@"): name for name in RAW},
    "null": None,
    "true": True,
    "none": 0,
    "negative": -1,
    "a fraction": 1.5,
    "beyond": 10**30,
    "empty": "",
    "blank": " \t ",
    "no-break space": "\xa0",
    "a null date": "0001-01-01T00:00:00Z",
    "an end of time": "9999-12-31T23:59:59-14:00",
    "no such day": "2026-02-30T00:00:00Z",
    "a leap second": "2026-06-30T23:59:60Z",
    "a date": "2026-03-02",
    "epoch": 1_772_442_000,
    "digits of others": "\u0661\u0662",
    "control characters": "a\x00b\x1b[31m\u202e",
    "decomposed": "e\u0301",
    "long": "x" * 100_000,
    "a list": [],
    "an object": {},
    "lists in lists": [[[]]],
    "a list of nothing": [None],
    "a text of a number": "5.000",
}
LEFT_OUT = object()
BEYOND = 10**19
HALF_A_PAIR = re.compile("[\ud800-\udfff]")
AT = "2026-03-02T11:00:00Z"
Call = Callable[[Any], object]


class Http:
    """Answers by the end of the address; in the place of JsonHttp and AuthorizedHttp."""

    def __init__(self, answers: Mapping[str, str]) -> None:
        self._answers = answers

    def call(self, request: HttpRequest) -> dict[str, Any]:
        if not request.answer:
            return {}
        text = next((a for end, a in self._answers.items() if request.url.endswith(end)), "{}")
        if "'id', '>', 7" in str(request.json):  # Odoo's next page
            text = "[]"
        found = parse_object(text.encode(), request.bare_list)
        if found is None:
            raise RetriableError("not a JSON object")
        return found

    def find(self, request: HttpRequest) -> dict[str, Any] | None:
        return self.call(request)

    def download(self, request: HttpRequest, target: IO[bytes]) -> None:
        target.write(self.call(request)["text"].encode())


def newstore(kind: Callable[..., Any], call: Call) -> Callable[[Http], object]:
    return lambda http: call(kind(http, base_url="http://n"))


def jobs(call: Call) -> Callable[[Http], object]:
    return newstore(partial(NewStoreClient, provider="erp"), call)


def rest(call: Call) -> Callable[[Any], object]:
    def asked(http: Any) -> object:
        erp = RestErp(
            http,
            StandingClock(),
            base_url="http://e",
            apply_lag=timedelta(0),
            ids=IdMap(),
            snapshot_limits=SnapshotLimits(),
        )
        return call(erp)

    return asked


def odoo(call: Call) -> Callable[[Any], object]:
    def asked(http: Any) -> object:
        erp = OdooErp(
            http,
            StandingClock(),
            base_url="http://o",
            database=lambda: "",
            apply_lag=timedelta(0),
            ids=IdMap(),
        )
        return call(erp)

    return asked


MOVED = movement(1, {"A": 1}, at="DC01")
ALLOCATED = change(1, AllocationState.ALLOCATED, {"i": "A"}, at="DC01", request="ff1")
REST = {"/v1/capabilities": {**CAPABILITIES, "change_feed": "sequence"}}
STOCK = {
    "location": "DC01",
    "as_of": AT,
    "row_count": 2,
    "rows": [{"product": "A", "on_hand": 5}, {"product": "B", "on_hand": 7}],
    "next_cursor": None,
}
BOOKED = {"movement_id": MOVED.movement_id, "outcome": "applied", "applied_at": AT}
INFO = {"total": 1, "next_url": None}
ODOO_CALLS = {f"/{name}": answer for name, answer in ODOO.items()} | {
    "/stock.picking/search_read": [DONE]
}
CALLS: dict[str, tuple[dict[str, Any], Callable[[Any], object]]] = {
    "job": (
        {"/import/j1": {"import_id": "j1", "state": "failed", "name": "n", "reason": "r"}},
        jobs(lambda c: c.job("j1")),
    ),
    "received jobs": (
        {
            "/import": {
                "items": [{"id": "j1", "state": "received", "name": "inventory-sync r"}],
                "pagination_info": INFO,
            }
        },
        jobs(lambda c: c.received_jobs()),
    ),
    "a new job": (
        {"/import": {"id": "j1", "state": "received"}},
        jobs(lambda c: c.create_job(name="n", source_uri="s3://b/k")),
    ),
    "errors of a job": (
        {"/errors": {"items": [{"reason": "r", "entity_type": "t", "entity_id": "1"}]}},
        jobs(lambda c: c.job_errors("j1")),
    ),
    "chunks of a job": (
        {"/chunks": {"items": [{"size": 3, "failed": False, "failure_message": ""}]}},
        jobs(lambda c: c.job_chunks("j1")),
    ),
    "locations": (
        {
            "/locations": {
                "locations": [
                    {"id": "DC01", "type": "store", "is_inventory_master": False, "store_id": "s"}
                ],
            }
        },
        jobs(lambda c: c.locations(["DC01"])),
    ),
    "ATP": (
        {
            "/availabilities": {
                "items": [{"product_id": "A", "fulfillment_node_id": "DC01", "atp": 5}]
            }
        },
        newstore(NewStoreStock, lambda c: c.atp([AtpKey("A", "DC01")])),
    ),
    "insights": (
        {
            "/insights": {
                "allocations": [{"order_uuid": "o", "item_uuid": "i"}],
                "reservations": [{}],
                "future_allocations": [],
            }
        },
        newstore(NewStoreStock, lambda c: c.insights(AtpKey("A", "DC01"))),
    ),
    "requests of an order": (
        {
            "/o1": {
                "fulfillment_requests": [
                    {
                        "fulfillment_request_id": "f",
                        "fulfillment_node_id": "DC01",
                        "items": [{"item_id": "i", "product_id": "A", "status": "s"}],
                    }
                ]
            }
        },
        newstore(NewStoreStock, lambda c: c.requested_items("o1")),
    ),
    "streams": (
        {
            "/eventstream": {
                "integrations": [
                    {
                        "id": "s",
                        "status": "running",
                        "callback_parameters": {"callback_url": "u"},
                        "filter_conditions": {"event_filter": ["e"], "entity_filter": None},
                    }
                ]
            }
        },
        newstore(NewStoreStreams, lambda c: c.streams()),
    ),
    "a stream": (
        {"/eventstream/s": {"id": "s", "status": "running", "callback_parameters": None}},
        newstore(NewStoreStreams, lambda c: c.stream("s")),
    ),
    "a stream's log": (
        {"/logs": {"entries": [{"created_at": AT, "action": "a", "reason": "r"}]}},
        newstore(NewStoreStreamRecords, lambda c: c.log("s")),
    ),
    "failed attempts": (
        {
            "/published-events": {
                "events": [
                    {
                        "integration_id": "s",
                        "status": "failure",
                        "attempted_at": AT,
                        "retries_remaining": 3,
                        "event_name": "e",
                        "entity_id": "1",
                    }
                ]
            }
        },
        newstore(NewStoreStreamRecords, lambda c: c.failures("s", NOW - HOUR, NOW)),
    ),
    "rejected events": (
        {"/rejected_events": {"rejected_events": [{"id": "r1", "created_at": AT}]}},
        newstore(NewStoreStreamRecords, lambda c: c.rejected_events("s")),
    ),
    "a rejected event": (
        {"/r1": {"id": "r1", "payload": {"logical_timestamp": 1, "items": [{"id": "i"}]}}},
        newstore(NewStoreStreamRecords, lambda c: c.rejected_event("s", "r1")),
    ),
    "an export of ATP": (
        {"/exports/e1": {"state": "finished", "last_updated_at": 7, "link": "http://l"}},
        newstore(
            lambda http, base_url: NewStoreExports(http, http, base_url=base_url),
            lambda c: c.export("e1"),
        ),
    ),
    "capabilities": (REST, rest(lambda e: e.capabilities())),
    "movements": (
        {**REST, "/movements": {"results": [BOOKED]}},
        rest(lambda e: e.post_movements([MOVED])),
    ),
    "a movement": (
        {**REST, f"/movements/{MOVED.movement_id}": BOOKED},
        rest(lambda e: e.look_up(MOVED.movement_id)),
    ),
    "allocations": (
        {
            **REST,
            "/allocations": {
                "results": [
                    {
                        "fulfillment_request_id": ALLOCATED.fulfillment_request_id,
                        "logical_timestamp": ALLOCATED.logical_timestamp,
                        "outcome": "applied",
                    }
                ]
            },
        },
        rest(lambda e: e.change_allocations([ALLOCATED])),
    ),
    "a snapshot": ({**REST, "/stock": STOCK}, rest(lambda e: e.snapshot("DC01"))),
    "changes": (
        {
            **REST,
            "/changes": {"location": "DC01", "as_of": AT, "products": ["A"], "cursor": "c"},
        },
        rest(lambda e: e.changes("DC01", "c0")),
    ),
    "rows": (
        {**REST, "/stock/read": {k: v for k, v in STOCK.items() if k != "next_cursor"}},
        rest(lambda e: e.read("DC01", frozenset({"A", "B"}))),
    ),
    "a snapshot of Odoo": (
        {**ODOO_CALLS, "/stock.quant/search_read": [{"product_id": 7, "quantity": 3.0}]},
        odoo(lambda e: e.snapshot("DC01")),
    ),
    "a movement of Odoo": (ODOO_CALLS, odoo(lambda e: e.post_movements([MOVED]))),
    "a look-up at Odoo": (ODOO_CALLS, odoo(lambda e: e.look_up(MOVED.movement_id))),
    "an allocation of Odoo": (ODOO_CALLS, odoo(lambda e: e.change_allocations([ALLOCATED]))),
}


def places(value: object, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Of each value within, its own first."""
    yield path
    inside = value.items() if isinstance(value, dict) else ()
    for key, found in inside or (enumerate(value) if isinstance(value, list) else ()):
        yield from places(found, (*path, key))


def changed(answer: object, path: tuple[Any, ...], value: object) -> object:
    if not path:
        return value
    found = copy.deepcopy(answer)
    parent: Any = found
    for key in path[:-1]:
        parent = parent[key]
    if value is LEFT_OUT:
        del parent[path[-1]]
    else:
        parent[path[-1]] = value
    return found


def text_of(answer: object) -> str:
    text = json.dumps(answer)
    for name, raw in RAW.items():
        text = text.replace(json.dumps(name), raw)
    return text


def faults_of(value: object) -> Iterator[str]:
    """What could not be stored, or would mislead."""
    for one in leaves_of(value):
        match one:
            case datetime() if one.tzinfo is None or not 2000 <= one.year <= 2999:
                yield f"{one} is no instant of these years"
            case int() | Decimal() if not -BEYOND < one < BEYOND:
                yield f"{str(one)[:40]} is no figure"
            case str() if HALF_A_PAIR.search(one):
                yield f"{one[:40]!r} is no text"


def leaves_of(value: object) -> Iterator[object]:
    """What is in it, however deep; keys too."""
    if is_dataclass(value):
        value = [getattr(value, field.name) for field in fields(value)]
    elif isinstance(value, dict):
        value = [*value, *value.values()]
    if isinstance(value, list | tuple | set | frozenset):
        for one in value:
            yield from leaves_of(one)
    else:
        yield value


@pytest.mark.parametrize("name", CALLS)
def test_the_good_answer_is_taken(name: str) -> None:
    answers, call = CALLS[name]
    found = call(Http({end: text_of(answer) for end, answer in answers.items()}))
    assert found is not None
    assert not list(faults_of(found))


@pytest.mark.parametrize("name", CALLS)
def test_anything_anywhere_is_an_error_of_ours_or_a_sane_value(name: str) -> None:
    answers, call = CALLS[name]
    texts = {end: text_of(answer) for end, answer in answers.items()}
    wrong = []
    for end, answer in answers.items():
        for path in places(answer):
            for what, value in {**HOSTILE, "left out": LEFT_OUT}.items():
                if value is LEFT_OUT and not path:
                    continue
                text = text_of(changed(answer, path, value))
                try:
                    found = call(Http({**texts, end: text}))
                except InventorySyncError as error:
                    found = str(error)
                except Exception as error:  # noqa: BLE001 - that is what is looked for
                    wrong.append(f"{end} {path} {what}: {type(error).__name__}: {error}"[:300])
                    continue
                wrong += [f"{end} {path} {what}: {fault}" for fault in faults_of(found)]
    assert wrong == []


LISTS = {
    "received jobs": "items",
    "chunks of a job": "items",
    "locations": "locations",
    "ATP": "items",
    "requests of an order": "fulfillment_requests",
    "streams": "integrations",
    "a stream's log": "entries",
    "failed attempts": "events",
    "rejected events": "rejected_events",
}


@pytest.mark.parametrize("bad", [None, 7, [], {}, {"id": {}}])
@pytest.mark.parametrize("name", LISTS)
def test_an_entry_of_a_list_that_cannot_be_read_costs_that_entry_alone(
    name: str, bad: object
) -> None:
    answers, call = CALLS[name]
    ((end, answer),) = answers.items()
    entries = answer[LISTS[name]]
    more: Any = {**answer, LISTS[name]: [bad, *entries]}
    if "pagination_info" in more:
        more["pagination_info"] = {"total": 2, "next_url": None}

    assert call(Http({end: json.dumps(more)})) == call(Http({end: json.dumps(answer)}))


def test_an_error_of_a_job_that_cannot_be_read_is_an_error_all_the_same() -> None:
    """Without it the rows that NewStore refused would count as taken."""
    found: Any = CALLS["errors of a job"][1](Http({"/errors": '{"items": [7]}'}))
    assert [error.reason for error in found] == ["an error that cannot be read"]


def test_where_no_location_can_be_read_it_is_the_form_and_none_counts_as_gone() -> None:
    with pytest.raises(RetriableError, match="none of 2 locations"):
        CALLS["locations"][1](Http({"/locations": '{"locations": [7, {}]}'}))


def test_pages_of_odoo_that_do_not_go_on_end_the_snapshot() -> None:
    answers, call = CALLS["a snapshot of Odoo"]
    texts = {end: text_of(answer) for end, answer in answers.items()}
    for ids in ([0], [9, 8]):
        rows = [{"id": one, "default_code": "A", "uom_id": 1, "active": True} for one in ids]
        with pytest.raises(SnapshotIncompleteError, match="a page from product"):
            call(Http({**texts, "/product.product/search_read": json.dumps(rows)}))
