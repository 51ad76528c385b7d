"""The smoke command against the local stack: it passes where all is well, and only there."""

import json
from collections.abc import Iterator

import pytest

from local.aws import API_KEY
from tests.integration.operator import DC, SKU, Operated, operated

UNITS = 20


@pytest.fixture
def shell() -> Iterator[Operated]:
    with operated() as shell:
        yield shell


@pytest.fixture(scope="module")
def at_rest() -> Iterator[Operated]:
    """For tests that change nothing."""
    with operated() as shell:
        yield shell


def smoke(shell: Operated, *words: str, code: int = 0) -> dict[str, bool]:
    """What came of each check."""
    url = ("--url", shell.stack.event_url)
    rows = shell.json("smoke", *url, *words, code=code)["checks"]
    return {row["check"]: row["passed"] for row in rows}


def test_the_door_is_tried_without_leaving_anything(at_rest: Operated) -> None:
    assert smoke(at_rest) == {
        "a call without a key": True,
        "a call with a wrong key": True,
        "an event of no concern": True,
        "another method": True,
    }
    assert at_rest.stack.count("EventsTable") == 0
    assert at_rest.stack.count("QuarantineTable") == 0


def test_a_pair_of_events_goes_through_to_the_erp_and_moves_no_stock(shell: Operated) -> None:
    found = smoke(shell, "--location", DC, "--product", SKU)

    assert set(found.values()) == {True}
    assert "the ERP was told both" in found
    assert shell.stack.count("EventsTable") == 2
    assert shell.stack.erp.on_hand((DC, SKU)) == UNITS
    shell.wait(60)
    assert shell.tick(full=True)["run"]["state"] == "FINALIZED"
    assert shell.stack.newstore.on_hand((DC, SKU)) == UNITS
    assert shell.json("status", "--offline")["concerns"] == []


def test_an_erp_that_is_not_told_in_time_is_found(shell: Operated) -> None:
    shell.stack.erp.faults.down_for(3600)

    found = smoke(shell, "--location", DC, "--product", SKU, "--minutes", "1", code=4)

    assert found["the ERP was told both"] is False
    assert found["an assigned unit"] is True


def test_a_door_that_lets_nobody_in_is_found(shell: Operated) -> None:
    """The stack's functions know the key; what the secret has now is another."""
    smoke(shell)
    arn = shell.stack.template.parameters["InboundKeysSecretArn"]
    secret = json.dumps({"api_keys": ["another-key-of-sixteen", API_KEY]})
    shell.stack.aws.secrets.put_secret_value(SecretId=arn, SecretString=secret)

    assert smoke(shell, code=4)["an event of no concern"] is False


def test_a_webhook_that_does_not_answer_is_trouble(at_rest: Operated) -> None:
    result = at_rest.run("smoke", "--url", "http://127.0.0.1:9/event", code=3)

    assert "http://127.0.0.1:9/event does not answer" in result.output


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("--location", DC), "go together"),
        (("--location", "NOWHERE", "--product", SKU), "NOWHERE"),
    ],
)
def test_what_cannot_be_sent_is_refused(
    at_rest: Operated, words: tuple[str, ...], named: str
) -> None:
    result = at_rest.run("smoke", "--url", at_rest.stack.event_url, *words, code=1)

    assert named in result.output
    assert at_rest.stack.count("EventsTable") == 0
