"""The event stream: registered by an operator, looked after by the watch; real code throughout."""

import io
import json
from collections.abc import Iterator
from typing import Any

import pytest

from cli.stack import CHECK_STREAM_FUNCTION, INGEST_FUNCTION
from inventory_sync.domain.errors import FatalError
from local.aws import API_KEY
from local.stack import EVENTS, SETUP
from tests.integration.operator import DC, SKU, WHO, Operated, operated

STREAM = "inventory-sync"


@pytest.fixture
def shop() -> Iterator[Operated]:
    with operated() as shop:
        yield shop


@pytest.fixture(scope="module")
def at_rest() -> Iterator[Operated]:
    """For tests that change nothing."""
    with operated() as shop:
        yield shop


def look(shop: Operated) -> Any:
    shop.wait(5)
    return shop.stack.functions[CHECK_STREAM_FUNCTION]({})


def integration(shop: Operated) -> dict[str, Any]:
    return shop.stack.newstore.integrations.of(STREAM)


def event_url(shop: Operated) -> str:
    return shop.stack.template.environment(CHECK_STREAM_FUNCTION)["EVENT_URL"]


def test_registering_makes_the_stream_and_the_watch_finds_it_well(shop: Operated) -> None:
    assert look(shop)["faults"] == ["missing"]
    assert shop.json("stream", "show", code=4)["faults"] == ["missing"]

    done = shop.json("stream", "register", *WHO)

    assert (done["did"], done["faults"], done["status"]) == (["created"], [], "running")
    assert integration(shop)["callback_url"] == event_url(shop)
    assert integration(shop)["api_key"] == API_KEY
    assert look(shop)["faults"] == []
    assert shop.json("stream", "show")["faults"] == []


def test_registering_mends_what_is_wrong_and_never_shows_the_key(shop: Operated) -> None:
    shop.run("stream", "register", *WHO)
    integration(shop).update(callback_url="https://old.example", api_key="old", status="stopped")
    shop.wait(1)

    done = shop.run("stream", "register", *WHO)

    assert "changed and started" in done.output
    assert (integration(shop)["status"], integration(shop)["api_key"]) == ("running", API_KEY)
    records = [record for _, record in shop.stack.state.records("audit") if SETUP not in record]
    assert [json.loads(record)["author"]["command"] for record in records] == [
        "stream register"
    ] * 2
    assert "https://old.example" in records[-1]
    assert API_KEY not in done.output + "".join(records)


def test_a_temporary_stream_of_that_name_is_not_touched(shop: Operated) -> None:
    body = {"id": STREAM, "callback_url": "https://x.example", "integration_type": "temporary"}
    shop.stack.newstore.integrations.create({**body, "ends_at": "2099-01-01T00:00:00Z"})

    assert "temporary" in shop.run("stream", "register", *WHO, code=1).output
    assert integration(shop)["callback_url"] == "https://x.example"


def test_nobody_registers_without_a_name(at_rest: Operated) -> None:
    assert "nobody signs" in at_rest.run("stream", "register", "--who", " ", code=1).output


def test_the_watch_starts_a_stopped_stream(shop: Operated) -> None:
    shop.run("stream", "register", *WHO)
    shop.stack.newstore.integrations.stop(STREAM)

    looked = look(shop)

    assert (looked["faults"], looked["restart"]) == ([], "now")
    assert integration(shop)["status"] == "running"
    assert len(shop.json("stream", "show")["restarts"]) == 1


def test_what_newstore_could_not_deliver_comes_in_by_the_watch(shop: Operated) -> None:
    shop.run("stream", "register", *WHO)
    newstore = shop.stack.newstore
    newstore.assign("ff1", "order-1", DC, [("ff1-1", SKU)])
    newstore.publications.note(STREAM, newstore.complete("ff1", logical_timestamp=10), 503)

    look(shop)
    newstore.publications.deliver()

    assert shop.stack.count(EVENTS) == 1
    assert not newstore.publications.attempts[-1].failed


def test_newstore_away_is_for_the_next_look_and_refused_credentials_raise(shop: Operated) -> None:
    shop.run("stream", "register", *WHO)
    shop.stack.newstore.faults.down_for(3600)
    away = look(shop)
    assert away["faults"] is None
    assert len(away["failures"]) == 2
    shop.wait(120)
    shop.stack.newstore.tokens.clients.clear()
    shop.stack.newstore.tokens.revoke_tokens()

    with pytest.raises(FatalError, match="secret"):
        look(shop)


def test_status_shows_our_stream_and_what_is_wrong_with_it(shop: Operated) -> None:
    shop.run("stream", "register", *WHO)
    shop.stack.newstore.integrations.create({"id": "other", "callback_url": "https://x.example"})
    shop.stack.newstore.integrations.stop("other")
    assert shop.json("status")["stream"]["status"] == "running"

    shop.stack.newstore.integrations.stop(STREAM)

    concerns = shop.json("status", code=4)["concerns"]
    assert any("stopped" in concern for concern in concerns)


def test_the_metrics_of_a_look_are_written_out() -> None:
    log = io.StringIO()
    with operated(log=log) as shop:
        shop.run("stream", "register", *WHO)
        look(shop)

    for name in ("StreamStatus", "StreamGivenUp", "EventsMissing", "PublicationsGivenUp"):
        assert f'"{name}"' in log.getvalue()
    assert API_KEY not in log.getvalue()


def test_the_stack_s_own_functions_say_which_key_and_which_address(at_rest: Operated) -> None:
    environment = at_rest.stack.template.environment
    assert event_url(at_rest).endswith("/prod/event")
    assert "INBOUND_KEYS_SECRET_ARN" in environment(INGEST_FUNCTION)
    assert "INBOUND_KEYS_SECRET_ARN" not in environment(CHECK_STREAM_FUNCTION)
