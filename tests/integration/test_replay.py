"""Replays: what was lost is got in, what is known changes nothing; real code throughout."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from local.newstore.events import Event, event_bytes
from local.stack import EVENTS, QUARANTINE, SETUP
from tests.integration.operator import DC, SKU, WHO, Operated, operated


def stream_id(shop: Operated) -> str:
    """The stream is registered under the stack's name."""
    return shop.stack.template.stack_name


@pytest.fixture
def shop() -> Iterator[Operated]:
    yield from registered()


@pytest.fixture(scope="module")
def at_rest() -> Iterator[Operated]:
    """For tests that change nothing."""
    yield from registered()


def registered() -> Iterator[Operated]:
    with operated() as shop:
        shop.run("stream", "register", *WHO)
        yield shop


def happened(shop: Operated, request: str, *, delivered: bool) -> list[Event]:
    """An order and its shipment a minute later, and another minute."""
    newstore = shop.stack.newstore
    events = [newstore.assign(request, "order-1", DC, [(f"{request}-1", SKU)])]
    shop.wait(1)
    events.append(newstore.complete(request))
    shop.wait(1)
    if delivered:
        for event in events:
            assert shop.stack.delivery.deliver_now(event) == 200
    return events


def since(shop: Operated, minutes: int) -> str:
    return (shop.stack.clock.now() - timedelta(minutes=minutes)).isoformat()


def audited(shop: Operated) -> list[dict[str, Any]]:
    records = (json.loads(record)["author"] for _, record in shop.stack.state.records("audit"))
    return [author for author in records if author["who"] != SETUP]


def test_a_window_is_sent_again_and_what_was_missing_is_named(shop: Operated) -> None:
    happened(shop, "known", delivered=True)
    lost = happened(shop, "lost", delivered=False)
    shop.wait(30)

    done = shop.json("replay", "window", "--from", since(shop, 60), *WHO)

    assert (done["state"], done["known"], done["missing"], done["failed"]) == ("ended", 2, 2, 0)
    assert {event["fulfillment_request_id"] for event in done["events"]} == {"lost"}
    assert shop.stack.count(EVENTS) == 4
    assert done["deleted"]
    assert [found["id"] for found in shop.stack.newstore.integrations.list_all()] == [
        stream_id(shop)
    ]
    assert audited(shop)[-1]["command"] == "replay window"
    assert lost


def test_a_window_leaves_out_what_was_published_outside_it(shop: Operated) -> None:
    happened(shop, "before", delivered=False)
    shop.wait(30)
    begin = since(shop, 0)
    happened(shop, "inside", delivered=False)
    end = since(shop, 0)
    happened(shop, "after", delivered=False)

    done = shop.json("replay", "window", "--from", begin, "--to", end, *WHO)

    assert (done["missing"], shop.stack.count(EVENTS)) == (2, 2)


def test_a_replay_that_takes_long_is_reported_on_later(shop: Operated) -> None:
    happened(shop, "lost", delivered=False)
    send, shop.stack.newstore.publications.send = shop.stack.newstore.publications.send, None

    asked = shop.json("replay", "window", "--from", since(shop, 60), "--wait", "1", *WHO, code=4)
    shop.stack.newstore.publications.send = send
    done = shop.json("replay", "report", asked["replay_id"], "--wait", "5", *WHO)

    assert (asked["state"], asked["missing"], asked["deleted"]) == ("running", 0, False)
    assert (done["state"], done["missing"], done["deleted"]) == ("ended", 2, True)
    again = shop.json("replay", "report", asked["replay_id"], *WHO)
    assert (again["state"], again["missing"], again["failed"]) == ("ended", 2, 0)


def test_a_replay_that_newstore_has_deleted_by_itself_is_no_error(shop: Operated) -> None:
    happened(shop, "lost", delivered=False)
    asked = shop.json("replay", "window", "--from", since(shop, 60), "--wait", "0", *WHO)
    assert (asked["state"], asked["deleted"]) == ("ended", True)

    again = shop.json("replay", "report", asked["replay_id"], *WHO)

    assert (again["state"], again["missing"], again["deleted"]) == ("ended", 2, True)


def test_what_a_replay_could_not_deliver_is_told_and_its_stream_left(shop: Operated) -> None:
    happened(shop, "lost", delivered=False)
    shop.stack.newstore.publications.send = lambda body: 503

    done = shop.json("replay", "window", "--from", since(shop, 60), *WHO, code=4)

    assert (done["failed"], done["missing"], done["deleted"]) == (2, 0, False)


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("--from", "2099-01-01", "--to", "2099-01-02"), "not after now"),
        (("--from", "2026-01-02", "--to", "2026-01-01"), "before --to"),
    ],
)
def test_a_window_that_cannot_be_is_refused(
    at_rest: Operated, words: tuple[str, ...], reason: str
) -> None:
    assert reason in at_rest.run("replay", "window", *words, *WHO, code=1).output
    assert len(audited(at_rest)) == 1  # that of the fixture


def test_there_is_no_report_on_what_nobody_asked_for(at_rest: Operated) -> None:
    assert "no replay" in at_rest.run("replay", "report", "nothing", *WHO, code=1).output


def test_newstore_has_room_for_so_many_streams_only(shop: Operated) -> None:
    callback = {"callback_url": "https://x.example"}
    for number in range(24):
        body = {"id": f"s{number}", "integration_type": "permanent"}
        shop.stack.newstore.integrations.create({**body, "callback_parameters": callback})

    refused = shop.run("replay", "window", "--from", since(shop, 60), *WHO, code=1)

    assert "at most 25" in refused.output


def test_a_file_of_this_machine_or_of_s3_is_taken_through_ingest(
    shop: Operated, tmp_path: Path
) -> None:
    known = happened(shop, "known", delivered=True)
    lost = happened(shop, "lost", delivered=False)
    path = tmp_path / "a.export"
    path.write_bytes(b"".join(event_bytes(event) + b"\n" for event in [*known, *lost]))
    bucket = shop.stack.template.physical_id("ImportBucket")
    shop.stack.aws.s3.put_object(Bucket=bucket, Key="elsewhere/a.export", Body=path.read_bytes())

    here = shop.json("replay", "file", str(path), *WHO)
    there = shop.json("replay", "file", f"s3://{bucket}/elsewhere/a.export", *WHO)

    assert (here["stored"], here["already_stored"]) == (2, 2)
    assert (there["stored"], there["already_stored"], there["done"]) == (0, 4, True)
    assert shop.stack.count(EVENTS) == 4
    assert [author["command"] for author in audited(shop)[1:]] == ["replay file"] * 4


def test_a_bad_line_of_a_file_is_in_quarantine_and_the_exit_code_says_so(
    shop: Operated, tmp_path: Path
) -> None:
    path = tmp_path / "a.export"
    path.write_bytes(b"{\n")

    assert shop.json("replay", "file", str(path), *WHO, code=4)["quarantined"] == 1
    assert shop.stack.count(QUARANTINE) == 1


@pytest.mark.parametrize(
    ("name", "reason"),
    [("missing.export", "cannot be read"), ("a.csv", "end in"), ("s3://bucket", "BUCKET/KEY")],
)
def test_what_is_no_export_file_is_refused(at_rest: Operated, name: str, reason: str) -> None:
    assert reason in at_rest.run("replay", "file", name, *WHO, code=1).output
