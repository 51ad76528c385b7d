"""The event stream: registered by an operator, looked after by the stream check; all real code."""

import io
import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from cli.stack import CHECK_STREAM_FUNCTION, INGEST_FUNCTION
from inventory_sync.domain.errors import FatalError
from local.aws import API_KEY
from local.newstore.integrations import Integration
from local.stack import EVENTS, SETUP
from tests.integration.operator import DC, SKU, WHO, Operated, operated


def stream_id(shop: Operated) -> str:
    """The stream is registered under the stack's name."""
    return shop.stack.template.stack_name


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


def integration(shop: Operated) -> Integration:
    return shop.stack.newstore.integrations.of(stream_id(shop))


def reject(shop: Operated, *requests: str) -> list[str]:
    """Events that the webhook answered 400 before it was mended; NewStore's ids of them."""
    newstore, found = shop.stack.newstore, []
    for request in requests:
        assigned = newstore.assign(request, "order-1", DC, [(f"{request}-1", SKU)])
        found.append(newstore.integrations.reject(stream_id(shop), assigned))
    return found


def event_url(shop: Operated) -> str:
    return shop.stack.template.environment(CHECK_STREAM_FUNCTION)["EVENT_URL"]


def test_registering_makes_the_stream_and_the_stream_check_finds_it_well(shop: Operated) -> None:
    assert look(shop)["faults"] == ["missing"]
    assert shop.json("stream", "show", code=4)["faults"] == ["missing"]

    done = shop.json("stream", "register", *WHO)

    assert (done["did"], done["faults"], done["status"]) == (["created"], [], "running")
    assert integration(shop).callback == {"callback_url": event_url(shop), "api_key": API_KEY}
    assert look(shop)["faults"] == []
    assert shop.json("stream", "show")["faults"] == []


def test_registering_mends_what_is_wrong_and_never_shows_the_key(shop: Operated) -> None:
    shop.run("stream", "register", *WHO)
    old = {"callback_url": "https://old.example", "api_key": "old"}
    integration(shop).body["callback_parameters"] = old
    shop.stack.newstore.integrations.stop_seconds = 3
    shop.wait(1)

    done = shop.run("stream", "register", *WHO)

    assert "stopped and changed and started" in done.output
    assert integration(shop).status == "running"
    assert integration(shop).callback["api_key"] == API_KEY
    records = [record for _, record in shop.stack.state.records("audit") if SETUP not in record]
    assert [json.loads(record)["author"]["command"] for record in records] == [
        "stream register"
    ] * 2
    assert "https://old.example" in records[-1]
    assert API_KEY not in done.output + "".join(records)


def test_a_temporary_stream_of_that_name_is_not_touched(shop: Operated) -> None:
    shop.stack.newstore.integrations.create(
        {
            "id": stream_id(shop),
            "integration_type": "temporary",
            "callback_parameters": {"callback_url": "https://x.example"},
            "starts_at": "2020-01-01T00:00:00Z",
            "ends_at": "2099-01-01T00:00:00Z",
        }
    )

    assert "temporary" in shop.run("stream", "register", *WHO, code=1).output
    assert integration(shop).callback["callback_url"] == "https://x.example"


def test_nobody_registers_without_a_name(at_rest: Operated) -> None:
    assert "nobody signs" in at_rest.run("stream", "register", "--who", " ", code=1).output


def test_the_stream_check_starts_a_stopped_stream_and_what_it_missed_comes_in(
    shop: Operated,
) -> None:
    shop.run("stream", "register", *WHO)
    newstore = shop.stack.newstore
    newstore.integrations.interrupt(stream_id(shop), "Too many failed attempts.")
    delivery = shop.stack.delivery
    delivery.enqueue(newstore.assign("ff1", "order-1", DC, [("ff1-1", SKU)]))
    delivery.enqueue(newstore.complete("ff1", logical_timestamp=10))
    assert delivery.deliver_due() == 0

    stopped = shop.json("stream", "show", code=4)
    looked = look(shop)
    delivery.deliver_due()

    assert stopped["log"][0]["reason"] == "Too many failed attempts."
    assert stopped["days_left"] == 30
    assert stopped["stopped_since"] == looked["stopped_since"]
    assert (looked["faults"], looked["restart"]) == ([], "now")
    assert integration(shop).status == "running"
    assert len(shop.json("stream", "show")["restarts"]) == 1
    assert shop.stack.count(EVENTS) == 2


def test_what_the_webhook_once_rejected_comes_in_by_the_stream_check(shop: Operated) -> None:
    shop.run("stream", "register", *WHO)
    reject(shop, "ff1")
    bodies: list[bytes] = []

    def take(body: bytes) -> int:
        """The webhook of this stack cannot answer while another function is at work."""
        bodies.append(body)
        return 200

    deliver = shop.stack.delivery.deliver_now
    shop.stack.newstore.publications.send = take
    listed = shop.json("stream", "show", code=4)["rejected_events"]

    looked = look(shop)

    assert (len(listed), looked["rejected"], len(bodies)) == (1, 0, 1)
    assert shop.json("stream", "show")["rejected_events"] == []
    deliver(bodies[0])
    assert shop.stack.count(EVENTS) == 1


def test_an_operator_reads_retries_and_deletes_rejected_events(shop: Operated) -> None:
    shop.run("stream", "register", *WHO)
    first, second, third = reject(shop, "ff1", "ff2", "ff3")

    shown = shop.json("stream", "rejected", "show", first)
    deleted = shop.json("stream", "rejected", "delete", first, *WHO)
    one = shop.json("stream", "rejected", "retry", second, *WHO)
    rest = shop.json("stream", "rejected", "list", code=4)["rejected_events"]
    every = shop.json("stream", "rejected", "retry", "--all", *WHO)

    assert shown["event"]["payload"]["id"] == "ff1"
    assert deleted["event"] == "fulfillment_request.assigned"
    assert [found["id"] for found in rest] == [third]
    assert (one["taken"], every["taken"]) == (1, 1)
    assert shop.stack.count(EVENTS) == 2
    assert "None." in shop.run("stream", "rejected", "list").output
    commands = [json.loads(r)["author"]["command"] for _, r in shop.stack.state.records("audit")]
    assert Counter(command for command in commands if "rejected" in command) == {
        "stream rejected delete": 1,
        "stream rejected retry": 2,
    }


def test_a_rejected_event_that_the_webhook_does_not_take_is_left(shop: Operated) -> None:
    shop.run("stream", "register", *WHO)
    (rejected,) = reject(shop, "ff1")
    shop.stack.newstore.publications.send = lambda body: 500

    done = shop.json("stream", "rejected", "retry", rejected, *WHO, code=4)

    assert (done["taken"], list(done["left"])) == (0, [rejected])


def test_what_newstore_does_not_keep_cannot_be_shown_or_deleted(shop: Operated) -> None:
    shop.run("stream", "register", *WHO)
    for command in (("show",), ("delete", *WHO)):
        words = ("stream", "rejected", command[0], "no-such-id", *command[1:])
        assert "keeps no rejected event" in shop.run(*words, code=1).output
    assert "--all" in shop.run("stream", "rejected", "retry", *WHO, code=1).output


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
    other = {"callback_url": "https://x.example"}
    shop.stack.newstore.integrations.create(
        {"id": "other", "integration_type": "permanent", "callback_parameters": other}
    )
    shop.stack.newstore.integrations.stop("other")
    assert shop.json("status")["stream"]["status"] == "running"

    shop.stack.newstore.integrations.stop(stream_id(shop))

    concerns = shop.json("status", code=4)["concerns"]
    assert any("stopped" in concern for concern in concerns)


def test_what_newstore_cannot_deliver_is_no_stream_that_is_well(shop: Operated) -> None:
    shop.run("stream", "register", *WHO)
    assert "All well." in shop.run("stream", "show").output
    newstore = shop.stack.newstore
    event = newstore.assign("ff9", "order-9", DC, [("ff9-1", SKU)], "STANDARD")
    newstore.publications.note(shop.stack.template.stack_name, event, 401, retries_remaining=9)

    told = shop.run("stream", "show", code=4).output

    assert "! 1 attempt to deliver failed since the last event came" in told
    assert shop.json("stream", "show", code=4)["failed_since_the_last_event"] == 1


def test_the_metrics_of_a_look_are_written_out() -> None:
    log = io.StringIO()
    with operated(log=log) as shop:
        shop.run("stream", "register", *WHO)
        look(shop)

    for name in ("StreamStatus", "StreamDaysLeft", "EventsMissing", "RejectedEvents"):
        assert f'"{name}"' in log.getvalue()
    assert API_KEY not in log.getvalue()


def test_the_stack_s_own_functions_say_which_key_and_which_address(at_rest: Operated) -> None:
    environment = at_rest.stack.template.environment
    assert event_url(at_rest).endswith("/prod/event")
    assert "INBOUND_KEYS_SECRET_ARN" in environment(INGEST_FUNCTION)
    assert "INBOUND_KEYS_SECRET_ARN" not in environment(CHECK_STREAM_FUNCTION)
