"""The account's part of preflight: secrets by their form, limits, files, who is told of alarms."""

import pytest

from cli.findings import Findings
from cli.preflight.account import (
    CONCURRENCY_MIN,
    Subscriptions,
    alarm_check,
    concurrency_check,
    files_check,
    secret_check,
    signed_files_check,
)
from cli.preflight.check import Check, State, by_findings, tried
from inventory_sync.domain.errors import FatalError, RetriableError

TOPIC = "arn:aws:sns:eu-west-1:123456789012:page"


def fails(error: Exception) -> None:
    raise error


def test_a_secret_of_another_form_has_to_be_mended_and_none_is_shown() -> None:
    check = secret_check("ERP", lambda: fails(FatalError("secret arn:erp lacks token")))

    assert (check.name, check.state) == ("secret: ERP", State.MEND)
    assert check.found == "secret arn:erp lacks token"
    assert secret_check("ERP", lambda: "sesame") == Check(
        name="secret: ERP", state=State.PASSED, found="has the form it needs"
    )


@pytest.mark.parametrize(
    ("free", "state"), [(CONCURRENCY_MIN, State.PASSED), (CONCURRENCY_MIN - 1, State.LOOK)]
)
def test_an_account_as_new_ones_are_is_to_be_looked_at(free: int, state: State) -> None:
    limits = {"ConcurrentExecutions": 1000, "UnreservedConcurrentExecutions": free}

    check = concurrency_check({"AccountLimit": limits})

    assert check.state is state
    assert check.figures == {"concurrent_executions": 1000, "unreserved": free}


def test_an_account_that_reserves_nothing_has_all_of_it_free() -> None:
    check = concurrency_check({"AccountLimit": {"ConcurrentExecutions": 10}})

    assert (check.state, check.figures["unreserved"]) == (State.LOOK, 10)


@pytest.mark.parametrize(
    ("principal", "state"), [("arn:aws:iam::123456789012:root", State.PASSED), ("", State.MEND)]
)
def test_files_that_nobody_may_read_have_to_be_mended(principal: str, state: State) -> None:
    assert files_check(principal).state is state


@pytest.mark.parametrize(
    ("status", "code", "written", "state"),
    [
        (200, "", True, State.PASSED),
        (403, "SignatureDoesNotMatch", True, State.MEND),
        (403, "InvalidAccessKeyId", False, State.MEND),
        (403, "AccessDenied", True, State.MEND),
        (403, "AccessDenied", False, State.PASSED),
        (404, "NoSuchKey", False, State.PASSED),
    ],
)
def test_a_signed_url_that_cannot_be_fetched_has_to_be_mended(
    status: int, code: str, written: bool, state: State
) -> None:
    check = signed_files_check(lambda: (status, code), written=written)

    assert (check.name, check.state) == ("import files", state)
    assert code in check.found or state is State.PASSED


@pytest.mark.parametrize(
    ("confirmed", "pending", "state"),
    [(1, 0, State.PASSED), (1, 1, State.LOOK), (0, 1, State.MEND), (0, 0, State.MEND)],
)
def test_a_topic_that_nobody_has_confirmed_tells_nobody(
    confirmed: int, pending: int, state: State
) -> None:
    check = alarm_check(
        "PageTopicArn", {"PageTopicArn": TOPIC}, lambda _: Subscriptions(confirmed, pending)
    )

    assert (check.name, check.state) == ("alarms: page", state)


def test_alarms_without_a_topic_and_a_topic_that_cannot_be_asked_are_to_be_looked_at() -> None:
    def refuse(_: str) -> Subscriptions:
        raise FatalError("topic: AuthorizationError")

    without = alarm_check("TicketTopicArn", {"TicketTopicArn": ""}, refuse)
    refused = alarm_check("TicketTopicArn", {"TicketTopicArn": TOPIC}, refuse)

    assert "nobody is told" in without.found
    assert "AuthorizationError" in refused.found
    assert {without.state, refused.state} == {State.LOOK}


def test_what_cannot_be_asked_is_the_line_of_its_check() -> None:
    def unreachable() -> Check:
        raise RetriableError("AWS: timed out")

    check = tried("account limits", unreachable, "`preflight` once more", State.LOOK)

    assert (check.state, check.found) == (State.LOOK, "AWS: timed out")


def test_a_concern_of_status_is_the_line_of_its_check() -> None:
    def well(found: Findings) -> None:
        found.add("settings", "read by all functions")

    def ill(found: Findings) -> None:
        found.add("settings", "wrong", "ImportStockFunction cannot run")

    assert by_findings("settings", well, "settings").state is State.PASSED
    assert by_findings("settings", ill, "settings").found == "ImportStockFunction cannot run"
