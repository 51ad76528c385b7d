"""Preflight over a local stack: all passes where all is right, and whatever is wrong is named."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest

from cli.preflight.check import State
from inventory_sync.domain.locations import Location
from local.clock import LocalClock
from local.newstore.locations import dc, store
from local.stack import EVENTS, QUARANTINE, load_map, local_stack
from tests.integration.called import Called
from tests.integration.operator import DC, SKU, Operated, operated, set_up
from tests.integration.ways_by_files import PLAN, by_files

READS = frozenset(
    {
        "dynamodb:GetItem",
        "dynamodb:Query",
        "dynamodb:Scan",
        "s3:GetObject",
        "s3:ListBucket",
        "secretsmanager:GetSecretValue",
        "sns:ListSubscriptionsByTopic",
    }
)
ASKS_NEWSTORE = {
    "POST /v0/availabilities",
    "POST /auth/realms/acme/protocol/openid-connect/token",
}
"""That NewStore reads by POST."""


@pytest.fixture
def shop() -> Iterator[Operated]:
    with operated(StringIO()) as shop:
        yield set_up(shop)


@pytest.fixture(scope="module")
def at_rest() -> Iterator[Operated]:
    """For tests that change nothing."""
    with operated(StringIO()) as shop:
        yield set_up(shop)


def checks(shop: Operated, *words: str) -> dict[str, dict[str, Any]]:
    found = shop.answer("preflight", "--url", shop.stack.event_url, *words)["checks"]
    return {check["check"]: check for check in found}


def wrong(shop: Operated) -> dict[str, str]:
    """Of what did not pass: its state."""
    found = checks(shop).items()
    return {name: check["state"] for name, check in found if check["state"] != State.PASSED}


def put_secret(shop: Operated, parameter: str, **content: object) -> None:
    shop.stack.aws.secrets.put_secret_value(
        SecretId=shop.stack.template.parameters[parameter], SecretString=json.dumps(content)
    )


def test_a_stack_that_is_set_up_passes_and_no_secret_is_shown(at_rest: Operated) -> None:
    result = at_rest.run("preflight", "--url", at_rest.stack.event_url, code=0)

    assert result.stdout.rstrip().splitlines()[-1].endswith(" passed.")
    assert "look at" not in result.output
    for secret in ("local-client-secret", "local-erp-token", "local-inbound-key"):
        assert secret not in result.output


def test_it_changes_nothing_on_any_side() -> None:
    called = Called()
    with operated(StringIO()) as shop:
        set_up(shop)
        newstore, erp = shop.stack.newstore, shop.stack.erp
        before = (shop.stack.count(EVENTS), shop.stack.count(QUARANTINE), shop.audited())
        newstore.asked.clear()
        erp.asked.clear()

        found = checks(replace(shop, session=called.new_session))

        asked_newstore, asked_erp = set(newstore.asked), set(erp.asked)
        assert {check["state"] for check in found.values()} == {State.PASSED}
        after = (shop.stack.count(EVENTS), shop.stack.count(QUARANTINE), shop.audited())
        assert after == before
    actions = {need.action for needs in called.needs.values() for need in needs}
    writes = {"POST", "PUT", "PATCH", "DELETE"}
    assert actions <= READS
    assert "secretsmanager:GetSecretValue" in actions
    assert {one for one in asked_newstore if one.split()[0] in writes} == ASKS_NEWSTORE
    assert not {one for one in asked_erp if one.split()[0] in writes}
    assert asked_erp


def test_an_erp_that_exchanges_files_is_only_read_too() -> None:
    called, now = Called(), LocalClock(datetime.now(UTC))  # the ERP's files say when
    with local_stack(PLAN, now) as stack:
        by_files(stack)
        shop = set_up(Operated(stack, StringIO(), called.new_session))
        called.needs.clear()

        found = checks(shop)

    actions = {need.action for needs in called.needs.values() for need in needs}
    assert {check["state"] for check in found.values()} == {State.PASSED}
    assert {"secret: ERP", "clock: ERP"}.isdisjoint(found)
    assert {"s3:GetObject"} <= actions <= READS


def stop(shop: Operated) -> None:
    shop.stack.newstore.integrations.stop(shop.stack.template.stack_name)


def reject(shop: Operated) -> None:
    integrations = shop.stack.newstore.integrations
    event = shop.stack.newstore.assign("r1", "o1", DC, [("r1-1", SKU)])
    integrations.reject(shop.stack.template.stack_name, event)


def an_old_key(shop: Operated) -> None:
    newstore = shop.stack.newstore
    event = newstore.assign("ff9", "order-9", DC, [("ff9-1", SKU)], "STANDARD")
    newstore.publications.note(shop.stack.template.stack_name, event, 401, retries_remaining=9)


def no_legacy(shop: Operated) -> None:
    shop.stack.newstore.tokens.legacy_apis = False


def set_parameter(shop: Operated, **parameters: str) -> None:
    shop.stack.template.set_parameters(parameters)


def slow(shop: Operated) -> None:
    """Nine locations, eight seconds each."""
    set_parameter(shop, ImportSchedule="rate(1 minute)", ErpReadsAtOnce="1")
    names = [f"L{number}" for number in range(8)]
    for name in names:
        shop.stack.newstore.locations.add(dc(name))
        shop.stack.erp.add_location(name)
        shop.stack.erp.set_stock((name, SKU), 5)
    places = [
        Location(location_id=n, fulfillment_node_id=n, store_id="", erp_location=n) for n in names
    ]
    load_map(shop.stack.state, places, shop.stack.clock.now())
    shop.stack.erp.faults.slow_next(8, calls=9, call="get_stock")


WRONG: dict[str, tuple[Callable[[Operated], object], dict[str, str]]] = {
    "a parameter": (
        lambda shop: set_parameter(shop, SettleWindowSeconds="soon"),
        {"settings": "mend", "both sides": "not_checked"},
    ),
    "the inbound secret": (
        lambda shop: put_secret(shop, "InboundKeysSecretArn", api_keys=["short"]),
        {"secret: inbound keys": "mend", "webhook": "mend"},
    ),
    "the NewStore secret": (
        lambda shop: put_secret(shop, "NewStoreSecretArn", client_id="only"),
        {
            "secret: NewStore": "mend",
            "NewStore: token": "mend",
            **dict.fromkeys(
                (
                    "NewStore: rights",
                    "locations",
                    "stream",
                    "NewStore: products",
                    "NewStore: shipped units",
                ),
                "not_checked",
            ),
        },
    ),
    "Support Legacy APIs": (
        no_legacy,
        {
            "NewStore: rights": "mend",
            "locations": "mend",
            "stream": "mend",
            "NewStore: products": "look",
        },
    ),
    "the ERP's secret": (
        lambda shop: put_secret(shop, "ErpSecretArn", token="another"),
        {
            "ERP: credential": "mend",
            "ERP: stock": "not_checked",
            "NewStore: products": "not_checked",
        },
    ),
    "the ERP's look-up": (
        lambda shop: shop.stack.erp.faults.refuse_next(calls=10, call="get_movement"),
        {"ERP: credential": "mend"},
    ),
    "who may fetch files": (
        lambda shop: set_parameter(shop, NewStorePrincipalArn=""),
        {"import files": "mend"},
    ),
    "alarms": (lambda shop: set_parameter(shop, PageTopicArn=""), {"alarms: page": "look"}),
    "a stopped stream": (stop, {"stream: running": "mend", "stream: log": "look"}),
    "a rejected event": (reject, {"stream: rejected events": "look"}),
    "an old key at NewStore": (an_old_key, {"stream: key": "mend"}),
    "the ERP's clock": (
        lambda shop: setattr(shop.stack.erp, "clock_ahead", timedelta(minutes=20)),
        {"clock: ERP": "mend"},
    ),
    "NewStore's clock": (
        lambda shop: setattr(shop.stack.newstore, "clock_ahead", timedelta(seconds=-30)),
        {"clock: NewStore": "look"},
    ),
    "a location of NewStore's": (
        lambda shop: shop.stack.newstore.locations.add(store("NEW")),
        {"locations: missing": "look"},
    ),
    "an unknown product": (
        lambda shop: shop.stack.newstore.unknown_products.add(SKU),
        {"NewStore: products": "look"},
    ),
    "absurd stock": (
        lambda shop: shop.stack.erp.set_stock((DC, SKU), 9_000_000),
        {"ERP: stock": "look"},
    ),
    "a slow ERP": (
        slow,
        {"ERP: time to read": "look"},
    ),
}


@pytest.mark.sweep(sample=2)
@pytest.mark.parametrize("what", WRONG)
def test_each_thing_that_is_wrong_is_named_and_nothing_else(shop: Operated, what: str) -> None:
    make, expected = WRONG[what]

    make(shop)

    assert wrong(shop) == expected


def test_a_registration_that_is_not_there_is_told_before_its_parts(shop: Operated) -> None:
    shop.stack.newstore.integrations.delete(shop.stack.template.stack_name)

    assert wrong(shop) == {"stream: registered": "mend"}


def test_before_the_first_import_its_size_and_shipped_units_are_looked_at() -> None:
    with operated(StringIO()) as shop:
        set_up(shop)
        shop.stack.state.delete("head", "import")
        shop.ship("ff1", at=10)
        shop.wait(11)

        found = checks(shop)

    assert found["first import"]["figures"]["jobs"] == 1
    assert found["first import"]["figures"]["rows"] == 1
    assert found["NewStore: shipped units"]["figures"]["rows_for_range"] == 1


def test_each_line_that_did_not_pass_says_what_mends_it(shop: Operated) -> None:
    stop(shop)
    set_parameter(shop, PageTopicArn="")

    result = shop.run("preflight", "--url", shop.stack.event_url, code=4)

    lines = [line for line in result.output.splitlines() if not line.startswith("passed")]
    told = next(line for line in lines if line.startswith("must be mended"))
    assert told.endswith(" -> `stream register`")
    assert lines[-1].endswith("2 look at this, 1 must be mended.")
