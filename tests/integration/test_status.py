"""`status` says that all is well only while it is, and `reconcile` who is needed."""

import json
import re
from collections.abc import Iterator
from io import StringIO

import pytest

from local.stack import EVENTS
from tests.integration.operator import DC, SKU, WHO, Operated, operated

GOES_ON = re.compile(r"`[a-z]+[^`]*`|docs/\w+\.md, [A-Z]")
"""A command, or a section of a page."""


@pytest.fixture
def shop() -> Iterator[Operated]:
    with operated(StringIO()) as found:
        found.run("stream", "register", *WHO)
        yield found


def put_secret(shop: Operated, parameter: str, **content: object) -> None:
    shop.stack.aws.secrets.put_secret_value(
        SecretId=shop.stack.template.parameters[parameter], SecretString=json.dumps(content)
    )


def concerns(shop: Operated) -> list[str]:
    """What `status` says, and that its exit code says the same."""
    found: list[str] = shop.json("status", code=4)["concerns"]
    assert "All is well." not in shop.run("status", code=4).output
    assert [one for one in found if not GOES_ON.search(one)] == []
    return found


def test_all_is_well_where_it_is(shop: Operated) -> None:
    shop.ship("ff1", at=10)
    shop.wait(16)
    shop.tick()

    found = shop.json("status")

    assert found["concerns"] == []
    assert found["promises"] == {"rows": 1, "rows_wrong": 0, "oversold_units": 0}
    assert found["stock_not_read"] == {}
    assert "All is well." in shop.run("status").output


def test_an_erp_that_is_down_is_told_though_imports_go_on(shop: Operated) -> None:
    shop.stack.erp.faults.down_for(3600)
    shop.tick()

    (concern,) = concerns(shop)

    assert concern.startswith("no stock could be read at 1 location, the first DC01: the ERP")
    assert ", seen by the import of 2026-03-02 09:" in concern


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        ("could not fetch: HTTP 403", "check the file-signing secret and the bucket policy; see"),
        ("too many rows", "too many rows; see `run last` and docs/runbook.md, Runs failed"),
    ],
)
def test_a_job_that_newstore_failed_is_told_with_what_to_look_at(
    shop: Operated, reason: str, told: str
) -> None:
    shop.wait(6)
    shop.ship("ff1", at=10)
    shop.stack.newstore.jobs.fail_next_job(reason=reason)
    shop.wait(16)
    shop.tick()

    (concern,) = [one for one in concerns(shop) if "the last run failed" in one]
    assert reason in concern
    assert told in concern
    assert concern.endswith("docs/runbook.md, Runs failed")


def test_an_erp_that_went_down_just_now_is_told_before_the_next_import(shop: Operated) -> None:
    shop.wait(6)
    shop.stack.erp.faults.down_for(3600)

    (concern,) = concerns(shop)

    assert concern.startswith("the ERP cannot be read at DC01")


def test_a_wrong_credential_of_the_erp_is_told(shop: Operated) -> None:
    put_secret(shop, "ErpSecretArn", token="another")
    shop.wait(30)
    shop.tick()

    assert any("401" in concern for concern in concerns(shop))


def test_a_wrong_credential_at_newstore_is_told(shop: Operated) -> None:
    put_secret(shop, "NewStoreSecretArn", client_id="other", client_secret="wrong")

    assert any("NewStore could not be asked" in concern for concern in concerns(shop))


def test_a_promise_of_what_is_not_there_is_told(shop: Operated) -> None:
    shop.wait(30)
    shop.stack.newstore.set_imported((DC, SKU), 25)

    (concern, *_) = [one for one in concerns(shop) if "promises" in one]

    assert concern == (
        "NewStore promises 5 units too many in 1 row, the first SKU-1 at DC01:"
        " see `reconcile` and `explain`"
    )


def test_a_promise_that_no_import_corrects_is_told(shop: Operated) -> None:
    """The ERP's figure fell to 3 while an operator holds the location."""
    shop.run("hold", DC, *WHO)
    shop.stack.erp.set_stock((DC, SKU), 3)
    shop.tick()

    assert any("promises 17 units too many" in concern for concern in concerns(shop))


def test_a_correction_that_the_next_import_brings_is_no_concern(shop: Operated) -> None:
    shop.tick()
    shop.stack.erp.set_stock((DC, SKU), 19)

    assert shop.json("status")["concerns"] == []


def test_what_the_last_reconciliation_found_stands_until_the_next(shop: Operated) -> None:
    shop.wait(30)
    shop.stack.newstore.set_imported((DC, SKU), 25)
    shop.json("reconcile", "--repair", *WHO, code=4)
    shop.tick()
    shop.wait(30)
    told = concerns(shop)

    shop.json("reconcile")

    assert told == [
        "the last reconciliation found rows that are 1 unexplained: see `reconcile`; this stands"
        " until a whole one finds none"
    ]
    shop.tick()
    assert shop.json("status")["concerns"] == []


def test_an_old_key_on_newstore_s_side_is_recognised(shop: Operated) -> None:
    log = shop.log
    assert isinstance(log, StringIO)
    log.seek(0)
    log.truncate()
    shop.stack.delivery.api_key = "rotated-away"
    newstore = shop.stack.newstore
    newstore.assign("ff9", "order-9", DC, [("ff9-1", SKU)], "STANDARD")
    assert shop.stack.delivery.deliver_now(newstore.complete("ff9", logical_timestamp=90)) == 401

    (concern,) = concerns(shop)

    assert concern.startswith("1 call had no valid key and no event was stored")
    assert "`stream register`, then `replay window --from 2026-03-02T08:" in concern


def test_a_key_changed_on_our_side_only_is_told_and_the_commands_told_mend_it(
    shop: Operated,
) -> None:
    newstore, delivery = shop.stack.newstore, shop.stack.delivery
    put_secret(shop, "InboundKeysSecretArn", api_keys=["the-key-that-newstore-has-not"])
    shop.wait(6)
    delivery.enqueue(newstore.assign("ff9", "order-9", DC, [("ff9-1", SKU)], "STANDARD"))
    delivery.deliver_due()
    shop.wait(1)
    delivery.deliver_due()

    (concern,) = concerns(shop)

    refused = delivery.attempts[-1].status
    register, replay = (told.split() for told in re.findall("`([a-z]+ .+?)`", concern))
    shop.wait(1)
    shop.run(*register, *WHO)
    sent = shop.json(*replay, *WHO)
    delivery.deliver_due()
    assert (refused, delivery.attempts[-1].status, delivery.pending) == (401, 200, 0)
    assert (sent["missing"], sent["failed"], shop.stack.count(EVENTS)) == (1, 0, 1)
    shop.stack.stream.pump()
    assert shop.json("status")["concerns"] == []


def test_a_stranger_s_calls_beside_events_are_no_concern(shop: Operated) -> None:
    shop.ship("ff1", at=10)
    shop.wait(16)
    shop.tick()
    log = shop.log
    assert log is not None
    log.write(
        '{"_aws": {"CloudWatchMetrics": [{"Metrics": [{"Name": "CallsUnauthorized"}]}]},'
        ' "CallsUnauthorized": [1.0]}\n'
    )

    found = shop.json("status")

    assert found["calls"]["refused_for_their_key"] == 1
    assert found["concerns"] == []


def test_offline_asks_nobody(shop: Operated) -> None:
    put_secret(shop, "NewStoreSecretArn", client_id="other", client_secret="wrong")

    assert "promises" not in shop.json("status", "--offline")


@pytest.mark.parametrize(
    ("parameter", "value", "named"),
    [
        ("SettleWindowSeconds", "soon", "SETTLE_WINDOW_SECONDS"),
        ("ErpReadsAtOnce", "none", "ERP_READS_AT_ONCE"),
    ],
)
def test_a_wrong_parameter_is_named_before_anything_stands_still(
    shop: Operated, parameter: str, value: str, named: str
) -> None:
    shop.stack.template.set_parameters({parameter: value})

    first, *_ = concerns(shop)
    assert "cannot run" in first
    assert named in first


def test_before_the_first_run_nobody_is_sent_to_look_at_one(shop: Operated) -> None:
    shop.stack.state.delete("head", "import")

    assert "no import has finished yet: see `preflight`" in concerns(shop)


# What needs a person is exit code 4


def test_a_comparison_without_the_erp_s_figures_needs_a_person(shop: Operated) -> None:
    shop.wait(30)
    shop.stack.erp.faults.down_for(36_000)

    found = shop.json("reconcile", code=4)

    assert list(found["erp_not_read"]) == [DC]
    assert shop.json("reconcile", "--no-erp")["erp_not_read"] == {}


def test_what_newstore_cannot_deliver_is_told_without_metrics(shop: Operated) -> None:
    newstore = shop.stack.newstore
    event = newstore.assign("ff9", "order-9", DC, [("ff9-1", SKU)], "STANDARD")
    newstore.publications.note(shop.stack.template.stack_name, event, 401, retries_remaining=9)

    (concern,) = concerns(shop)

    assert concern.startswith("NewStore cannot deliver events (1 attempt failed since")
    assert "`stream register`" in concern
