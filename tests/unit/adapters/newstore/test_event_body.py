"""Which bodies are events, and what is made of them."""

import json
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from inventory_sync.adapters.newstore.event_body import parse_event
from inventory_sync.domain.events import EventName, FulfillmentEvent, FulfillmentItem
from inventory_sync.domain.inbound import (
    IgnoredEvent,
    MalformedEventError,
    UnstoredCompletion,
)
from tests.event_bodies import TENANT, event_body, event_fields


def parse(body: bytes) -> FulfillmentEvent | IgnoredEvent:
    return parse_event(body, TENANT)


def event_of(**overrides: Any) -> FulfillmentEvent:
    event = parse(event_body(**overrides))
    assert isinstance(event, FulfillmentEvent)
    return event


def refusal_of(body: bytes) -> MalformedEventError:
    with pytest.raises(MalformedEventError) as refused:
        parse(body)
    return refused.value


def test_an_event_is_read_whole() -> None:
    event = event_of(
        published_at="2026-03-02T10:00:00.123456789+01:00",
        products=["SKU-1", "SKU-1", "SKU-2"],
        logical_timestamp=6728211,
        fulfillment_location_id="NYC",
        service_level="IN_STORE_HANDOVER",
    )

    assert event == FulfillmentEvent(
        name=EventName.ITEMS_COMPLETED,
        location_id="NYC",
        logical_timestamp=6728211,
        fulfillment_request_id="ff1",
        order_id="order-1",
        service_level="IN_STORE_HANDOVER",
        items=(
            FulfillmentItem("item-1", "SKU-1"),
            FulfillmentItem("item-2", "SKU-1"),
            FulfillmentItem("item-3", "SKU-2"),
        ),
        published_at=datetime(2026, 3, 2, 9, 0, 0, 123456, tzinfo=UTC),
    )


@pytest.mark.parametrize("name", list(EventName))
def test_every_name_that_concerns_stock_is_an_event(name: EventName) -> None:
    assert event_of(name=name.value).name is name


@pytest.mark.parametrize(
    ("text", "microsecond"),
    [
        ("2026-03-02T09:00:00Z", 0),
        ("2026-03-02T09:00:00.Z", 0),
        ("2026-03-02T09:00:00.1Z", 100000),
        ("2026-03-02T09:00:00.123z", 123000),
        ("2026-03-02T09:00:00.123456Z", 123456),
        ("2026-03-02T09:00:00.999999999Z", 999999),
        ("2026-03-02T09:00:00.5", 500000),
        ("2026-03-02T04:00:00.5-05:00", 500000),
        ("2026-03-02T14:30:00.5+0530", 500000),
        ("2026-03-02T10:00:00.5+01", 500000),
        ("2026-03-02T09:00:00.1234567890123Z", 123456),
        ("2026-03-02T09:00:00,123Z", 123000),
        ("2026-03-02T09:00Z", 0),
        ("2026-03-02t09:00", 0),
        ("2026-03-02 10:00+01:00", 0),
    ],
)
def test_published_at_may_have_any_fraction_and_offset_and_lack_its_seconds(
    text: str, microsecond: int
) -> None:
    at = event_of(published_at=text).published_at

    assert at == datetime(2026, 3, 2, 9, 0, 0, microsecond, tzinfo=UTC)
    assert at.tzinfo is UTC


@pytest.mark.parametrize(
    "text",
    [
        "yesterday",
        "2026-03-02",
        "2026-03-02T09",
        "2026-03-02T09:00.5Z",
        "2026-02-30T09:00:00Z",
        "2026-03-02T09:00:00+25:00",
        "2026-03-02T09:00:00Z\n",
        "٢٠٢٦-03-02T09:00:00Z",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
        "0999-03-02T09:00:00Z",
        1772442000,
        None,
    ],
)
def test_anything_else_is_no_instant(text: object) -> None:
    assert "published_at" in refusal_of(event_body(published_at=text)).detail


@pytest.mark.parametrize("number", [0, 10, 6728211, 1772442000123, 10**18])
@pytest.mark.parametrize("form", [int, str])
def test_a_logical_timestamp_is_a_whole_number(number: int, form: Any) -> None:
    assert event_of(logical_timestamp=form(number)).logical_timestamp == number


@pytest.mark.parametrize("number", [0.0, 12.0, 1772442000123.0, 2.0**53 - 1])
def test_a_whole_number_may_be_written_with_a_point(number: float) -> None:
    assert event_of(logical_timestamp=number).logical_timestamp == int(number)


@pytest.mark.parametrize("text", [" 12", "12\t", "0012", "12.0", "12.000"])
def test_a_logical_timestamp_may_be_the_text_of_a_whole_number(text: str) -> None:
    assert event_of(logical_timestamp=text).logical_timestamp == 12


@pytest.mark.parametrize(
    "value",
    [
        12.5,
        1e18,
        "",
        "12.5",
        "-1",
        "+1",
        "1 2",
        "1e3",
        "٣",
        "1" * 20,
        True,
        None,
        -1,
        10**18 + 1,
        [],
        {},
    ],
)
def test_anything_else_is_no_logical_timestamp(value: object) -> None:
    refusal = refusal_of(event_body(logical_timestamp=value))

    assert refusal.reason == "unparsable"
    assert "payload.logical_timestamp" in refusal.detail


@pytest.mark.parametrize("field", ["id", "fulfillment_location_id"])
@pytest.mark.parametrize(
    "value",
    ["", "x" * 201, "a\x00b", "a\nb", "a\x7fb", "a\x85b", "\ud800", 7.5, True, None, ["x"], {}],
)
def test_what_becomes_a_key_is_a_short_clean_text(field: str, value: object) -> None:
    refusal = refusal_of(event_body(**{field: value}))

    assert refusal.reason == "unparsable"
    assert f"payload.{field}" in refusal.detail


@pytest.mark.parametrize("value", ["DC#01", "ÉTÉ 1", "店", "😀", "x" * 200])
def test_a_key_may_hold_any_other_character(value: str) -> None:
    assert event_of(fulfillment_location_id=value).location_id == value


@pytest.mark.parametrize("field", ["order_id", "service_level"])
@pytest.mark.parametrize("value", [None, ""])
def test_order_and_service_level_may_be_missing(field: str, value: Any) -> None:
    fields = event_fields(**{field: value})
    assert getattr(event_of(**{field: value}), field) == ""

    del fields["payload"][field]

    event = parse(json.dumps(fields).encode())
    assert getattr(event, field) == ""


@pytest.mark.parametrize("field", ["order_id", "service_level"])
@pytest.mark.parametrize("value", [7.5, "\udfff", "x" * 201])
def test_where_they_are_there_they_can_be_stored(field: str, value: object) -> None:
    assert f"payload.{field}" in refusal_of(event_body(**{field: value})).detail


@pytest.mark.parametrize(
    "items",
    [
        None,
        [],
        {},
        "SKU-1",
        [None],
        [["item-1", "SKU-1"]],
        [{"id": "item-1"}],
        [{"product_id": "SKU-1"}],
        [{"id": "item-1", "product_id": ""}],
        [{"id": True, "product_id": "SKU-1"}],
        [{"id": "item-1", "product_id": 10**200}],
        [{"id": "item-1", "product_id": "SKU-1"}] * 10_001,
    ],
)
def test_items_are_one_or_more_of_id_and_product(items: object) -> None:
    refusal = refusal_of(event_body(items=items))

    assert refusal.reason == "unparsable"
    assert "payload.items" in refusal.detail


def test_one_item_of_two_products_contradicts_itself() -> None:
    items = [{"id": "x", "product_id": "A"}, {"id": "y", "product_id": "A"}]

    refusal = refusal_of(event_body(items=[*items, {"id": "x", "product_id": "B"}]))

    assert refusal.reason == "unparsable"
    assert "payload.items[0] has the id of another item, and another product" in refusal.detail


def test_an_item_that_stands_there_twice_counts_once() -> None:
    assert event_of(items=[ONE, ONE]) == event_of(items=[ONE])
    assert event_of(items=[ONE, ONE]).ref == event_of(items=[ONE]).ref


def test_a_refusal_names_the_item_and_quotes_nothing() -> None:
    items = [{"id": "item-1", "product_id": "SKU-1"}, {"id": "item-2", "product_id": "SE\x01CRET"}]

    refusal = refusal_of(event_body(items=items))

    assert "payload.items[1].product_id" in refusal.detail
    assert "CRET" not in str(refusal)


def test_a_number_as_an_id_is_taken_for_its_digits() -> None:
    items = [{"id": 7, "product_id": 4006381333931}, {"id": 8.0, "product_id": 0}]

    event = event_of(items=items, id=12, fulfillment_location_id=100, order_id=-3)

    assert [(i.item_id, i.product_id) for i in event.items] == [("7", "4006381333931"), ("8", "0")]
    found = (event.fulfillment_request_id, event.location_id, event.order_id)
    assert found == ("12", "100", "-3")


@pytest.mark.parametrize(
    ("shipped_at", "read"),
    [
        ("2021-03-01T00:00:00Z", datetime(2021, 3, 1, tzinfo=UTC)),
        ("2021-03-01T01:00+01:00", datetime(2021, 3, 1, tzinfo=UTC)),
        ("0001-01-01T00:00:00Z", None),
        ("1970-01-01T00:00:00Z", None),
        ("soon", None),
        ("", None),
        (None, None),
        (7, None),
    ],
)
def test_when_an_item_was_shipped_is_read_where_it_can_be(
    shipped_at: object, read: datetime | None
) -> None:
    items = [
        {"id": "a", "product_id": "A", "shipped_at": shipped_at},
        {"id": "b", "product_id": "B"},
    ]

    assert [item.shipped_at for item in event_of(items=items).items] == [read, None]


def test_a_byte_order_mark_is_passed_over() -> None:
    assert parse(b"\xef\xbb\xbf" + event_body()) == event_of()


def test_ten_thousand_items_are_one_event() -> None:
    assert event_of(products=["SKU-1"] * 10_000).units() == {"SKU-1": 10_000}


def test_another_tenant_is_refused_before_anything_else_is_read() -> None:
    refusal = refusal_of(b'{"tenant":"acme-staging","name":"order.completed"}')

    assert refusal.reason == "wrong_tenant"
    assert "acme" in refusal.detail


@pytest.mark.parametrize("tenant", ["", None, 7, ["acme"]])
def test_no_tenant_at_all_is_unparsable(tenant: object) -> None:
    assert refusal_of(event_body(tenant=tenant)).reason == "unparsable"


@pytest.mark.parametrize(
    ("name", "counted_as"),
    [
        ("order.completed", "order.completed"),
        ("fulfillment_request.assigned2", "fulfillment_request.assigned2"),
        ("fulfillment_request.cancelled ", "fulfillment_request.cancelled?"),
        ("a:b\x00\ud800é", "a?b???"),
        ("x" * 5_000, "x" * 100),
    ],
)
def test_any_other_name_is_ignored_under_a_name_fit_for_a_metric(
    name: str, counted_as: str
) -> None:
    assert parse(event_body(name=name)) == IgnoredEvent(counted_as)


@pytest.mark.parametrize("name", list(EventName))
@pytest.mark.parametrize("form", ["{} ", " {}", "{}\n", "{}\N{NO-BREAK SPACE}"])
@pytest.mark.parametrize("case", [str.lower, str.upper, str.title])
def test_a_name_that_is_one_of_ours_but_for_case_or_blanks_is_not_ignored(
    name: EventName, form: str, case: Callable[[str], str]
) -> None:
    refusal = refusal_of(event_body(name=case(form.format(name))))

    assert (refusal.reason, refusal.harmless) == ("unparsable", not is_shipment(name))
    assert (refusal.completion is not None) is is_shipment(name)
    assert f"name is {name} but for case or blanks" in refusal.detail


def is_shipment(name: EventName) -> bool:
    return name is EventName.ITEMS_COMPLETED


@pytest.mark.parametrize("name", ["", None, 7])
def test_an_event_without_a_name_is_unparsable(name: object) -> None:
    assert "name" in refusal_of(event_body(name=name)).detail


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"null",
        b"[]",
        b'"text"',
        b"12",
        b"<html></html>",
        b"{}{}",
        b"{'tenant': 'acme'}",
        b"\xef\xbb\xbf{}",
        b"\xff\xfe{\x00}\x00",
        b"\x00",
        event_body()[:-1],
        event_body().replace(b"DC01", b"DC\xff01"),
        event_body().replace(b"DC01", b"DC\xed\xa0\x8001"),
        event_body().decode().encode("utf-16"),
        event_body(logical_timestamp=float("nan")),
        event_body(logical_timestamp=float("-inf")),
        event_body(id=float("nan")),
        event_body().replace(b"DC01", b"DC\n01"),
        event_body() + event_body(),
        event_body().replace(b"{", b"{,", 1),
        event_body().replace(b",", b",,", 1),
        event_body()[:-1] + b",]",
        event_body().replace(b'"logical_timestamp":10', b'"logical_timestamp":' + b"1" * 5_000),
        event_body().replace(b'"logical_timestamp":10', b'"logical_timestamp":1e999'),
        b"\xef\xbb\xbf\xef\xbb\xbf" + event_body(),
    ],
)
def test_what_is_not_one_json_object_of_an_event_is_unparsable(body: bytes) -> None:
    assert refusal_of(body).reason == "unparsable"


@pytest.mark.parametrize(
    "note",
    [
        b"NaN",
        b"-Infinity",
        b"9" * 5_000,
        b"-" + b"9" * 5_000,
        b'"a\tb\nc\x00"',
        b'"\xff"',
        b'"\xed\xa0\x80"',
        b'"a,}b\\",]"',
        b'{"list":[1,2,],}',
    ],
)
def test_what_is_no_json_does_no_harm_where_nothing_is_read(note: bytes) -> None:
    body = event_body(note="here").replace(b'"here"', note)

    assert parse(body) == event_of()


@pytest.mark.parametrize(
    "body",
    [
        event_body() + b"\x00\x00",
        event_body() + b"\n\x00 ",
        event_body()[:-1] + b" ,\n}",
        event_body().replace(b"}]", b",} ,]"),
        json.dumps({**event_fields(), "payload": json.dumps(event_fields()["payload"])}).encode(),
    ],
    ids=["nul", "blanks_and_nul", "comma", "commas", "payload_as_text"],
)
def test_a_form_that_leaves_no_doubt_is_read(body: bytes) -> None:
    assert parse(body) == event_of()


@pytest.mark.parametrize("payload", ["", "text", "[]", "7", "{"])
def test_a_payload_that_is_no_object_is_named(payload: str) -> None:
    refusal = refusal_of(json.dumps({**event_fields(), "payload": payload}).encode())

    assert (refusal.reason, refusal.harmless) == ("unparsable", False)
    assert "payload is a" in refusal.detail


@pytest.mark.parametrize(
    ("once", "twice"),
    [
        (b'"tenant":"acme"', b'"tenant":"acme","tenant":"acme"'),
        (b'"logical_timestamp":10', b'"logical_timestamp":10,"logical_timestamp":11'),
        (b'"product_id":"SKU-1"', b'"product_id":"SKU-1","product_id":"SKU-2"'),
    ],
)
def test_a_key_that_stands_twice_is_ambiguous(once: bytes, twice: bytes) -> None:
    refusal = refusal_of(event_body().replace(once, twice))

    assert refusal.reason == "unparsable"
    assert "twice" in refusal.detail


def test_a_key_that_stands_twice_where_nothing_is_read_does_no_harm() -> None:
    body = event_body(extras="here").replace(b'"here"', b'{"note":1,"note":2}')

    assert isinstance(parse(body), FulfillmentEvent)


def test_unknown_fields_are_left_alone() -> None:
    fields = event_fields(carrier={"name": "UPS"}, weight_kg=1.25, gift=None)

    assert parse(json.dumps({**fields, "trace": [1, 2]}).encode()) == parse(event_body())


BYTES = 262_144


@pytest.mark.parametrize(
    "body",
    [
        b"[" * BYTES,
        b'{"a":' * (BYTES // 5),
        event_body().replace(b"null", b"[" * 100_000 + b"]" * 100_000),
        b'{"a":' + b"9" * (BYTES - 10) + b"}",
        b'{"a":' + b"0." + b"9" * (BYTES - 12) + b"}",
        b'{"a":[' + b"9" * 4_299 + (b"," + b"9" * 4_299) * 60 + b"]}",
        b'{"a":"' + b"\\ud800" * (BYTES // 6) + b'"}',
        b"{" + b",".join(b'"%x":0' % n for n in range(BYTES // 9)) + b"}",
        b"{" + b'"a":0,' * (BYTES // 6) + b'"a":0}',
        event_body(items=[{"id": "i", "product_id": "p"}] * 9_000),
        event_body(published_at="2" * BYTES),
        event_body(items=[{}] * (BYTES // 3)),
        b" " * BYTES,
        b'"' + b"\\" * BYTES,
        b'"' + b'\\"' * (BYTES // 2),
        b"," * BYTES,
        b", " * (BYTES // 2),
        b"," + b" " * BYTES,
    ],
    ids=range(18),
)
def test_no_body_of_a_quarter_megabyte_takes_long(body: bytes) -> None:
    started = time.monotonic()

    with suppress(MalformedEventError):
        parse(body)

    assert time.monotonic() - started < 1


def test_a_fault_of_the_parser_sets_the_body_aside_and_does_not_stop_the_stream() -> None:
    no_bytes: Any = 7

    refusal = refusal_of(no_bytes)

    assert refusal.reason == "unparsable"
    assert "AttributeError" in refusal.detail


@pytest.mark.parametrize(
    ("reason", "read"),
    [
        ("no_inventory", "no_inventory"),
        ("NO_INVENTORY", "no_inventory"),
        ("No inventory", "no_inventory"),
        (" no-inventory\n", "no_inventory"),
        ("no  _inventory", "no_inventory"),
        ("noinventory", "noinventory"),
        ("Free text!", ""),
        (None, ""),
        (7, ""),
        ("", ""),
        (" ", ""),
    ],
)
def test_the_reason_of_a_rejection_is_read_where_it_is_one_of_newstores(
    reason: object, read: str
) -> None:
    items = [{"id": "a", "product_id": "A", "rejection_reason": reason}]

    assert [item.rejection_reason for item in event_of(items=items).items] == [read]


# What can be read of a malformed body all the same

COMPLETION = UnstoredCompletion(
    location_id="DC01",
    logical_timestamp=10,
    fulfillment_request_id="ff1",
    service_level="TRADITIONAL",
    items=(FulfillmentItem("item-1", "SKU-1"),),
    whole=True,
    published_at=datetime(2026, 3, 2, 9, 0, 0, 123000, tzinfo=UTC),
)
ONE = {"id": "item-1", "product_id": "SKU-1"}


@pytest.mark.parametrize(
    ("body", "readable"),
    [
        (event_body(order_id="x" * 201), COMPLETION),
        (event_body(published_at="yesterday"), replace(COMPLETION, published_at=None)),
        (event_body(tenant=""), COMPLETION),
        (event_body(tenant=["acme"]), COMPLETION),
        (event_body(tenant=" Acme"), COMPLETION),
        (event_body(name="Fulfillment_Request.items_completed"), COMPLETION),
        *[
            (event_body(logical_timestamp=no_number), replace(COMPLETION, logical_timestamp=None))
            for no_number in (None, -1, 12.5, True, "ten", 10**18 + 1, [3])
        ],
        (event_body(items=[ONE, ONE, {"id": "item-2"}]), replace(COMPLETION, whole=False)),
        (
            event_body(items=[ONE, {"id": "x", "product_id": "A"}, {"id": "x", "product_id": "B"}]),
            replace(COMPLETION, whole=False),
        ),
        (event_body(fulfillment_location_id=None), replace(COMPLETION, location_id="")),
        (event_body(items=[ONE, {"id": "item-2"}]), replace(COMPLETION, whole=False)),
        (event_body(items=[{"id": "item-2"}]), replace(COMPLETION, items=(), whole=False)),
        (event_body(items=[]), replace(COMPLETION, items=(), whole=False)),
        (event_body(items="none"), replace(COMPLETION, items=(), whole=False)),
        (
            event_body(id=None),
            replace(COMPLETION, fulfillment_request_id="", items=(), whole=False),
        ),
        (
            event_body().replace(b'"payload":{', b'"payload":{"associate_id":"twice",'),
            replace(COMPLETION, whole=False),
        ),
    ],
)
def test_of_a_malformed_shipment_all_is_kept_that_can_be_read(
    body: bytes, readable: UnstoredCompletion
) -> None:
    error = refusal_of(body)

    assert (error.completion, error.harmless) == (readable, False)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"\xff",
        b"[" * 100_000,
        event_body()[:-1],
        event_body(name=""),
        json.dumps({**event_fields(), "payload": None}).encode(),
    ],
    ids=range(7),
)
def test_what_may_be_a_shipment_is_not_harmless(body: bytes) -> None:
    error = refusal_of(body)

    assert (error.completion, error.harmless) == (None, False)


@pytest.mark.parametrize(
    "body",
    [
        event_body(name="fulfillment_request.assigned", items=[]),
        event_body(name="fulfillment_request.items_failed", id=None),
        event_body(tenant="other"),
    ],
)
def test_another_event_and_another_tenant_s_are_harmless(body: bytes) -> None:
    error = refusal_of(body)

    assert (error.completion, error.harmless) == (None, True)
