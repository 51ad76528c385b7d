"""RestErp's change feed and partial reads, where the ERP's answers do not add up."""

from collections.abc import Iterator
from typing import Any

import pytest

from inventory_sync.adapters.erp.ids import IdMap
from inventory_sync.domain.errors import RejectedError, RetriableError, SnapshotIncompleteError
from tests.unit.adapters.erp.test_rest import Erp
from tests.unit.adapters.http_support import Call, Reply, SecretsAccount, secrets_account

AS_OF = "2026-03-02T11:59:00Z"
LATER = "2026-03-02T11:59:01Z"
NAMES = IdMap()


@pytest.fixture(scope="module")
def account() -> Iterator[SecretsAccount]:
    with secrets_account({"token": "good-token"}) as account:
        yield account


@pytest.fixture
def erp(account: SecretsAccount) -> Erp:
    return Erp(account)


def page(*products: str, cursor: str = "2", **more: Any) -> Reply:
    return Reply(
        {"location": "DC01", "as_of": AS_OF, "products": list(products), "cursor": cursor, **more}
    )


def rows(*found: str, **more: Any) -> Reply:
    listed = [{"product": product, "on_hand": 1} for product in found]
    return Reply({"location": "DC01", "as_of": AS_OF, "rows": listed, **more})


def test_feed_is_as_of_its_first_page(erp: Erp) -> None:
    def answer(call: Call) -> Reply:
        if call.query["cursor"] == "1":
            return page("a", cursor="2", more=True)
        return page("b", cursor="3", as_of=LATER)

    with erp.answering(answer) as client:
        found = client.changes("DC01", NAMES.tag_cursor("1"))
    assert found.product_ids == {"a", "b"}
    assert NAMES.untag_cursor(found.cursor) == "3"
    assert found.as_of.isoformat() == "2026-03-02T11:59:00+00:00"


def test_where_products_had_other_names_everything_is_to_be_read(erp: Erp) -> None:
    asked: list[bool] = []

    def answer(call: Call) -> Reply:
        asked.append("cursor" in call.query)
        return page("a", cursor="3")

    with erp.answering(answer) as client:
        found = client.changes("DC01", IdMap(skus={"a": "other"}).tag_cursor("1"))

    assert (found.complete, found.product_ids, asked) == (False, frozenset(), [False])
    assert NAMES.untag_cursor(found.cursor) == "3"


def test_feed_that_leads_nowhere_is_refused(erp: Erp) -> None:
    with erp.answering(lambda _: page("a", cursor="1", more=True)) as client:
        with pytest.raises(RetriableError):
            client.changes("DC01", NAMES.tag_cursor("1"))
        with pytest.raises(RetriableError):
            client.changes("DC01", None)


def test_feed_without_a_start_is_rejected_not_begun_anew(erp: Erp) -> None:
    with (
        erp.answering(lambda _: Reply({"error": "gone"}, status=410)) as client,
        pytest.raises(RejectedError),
    ):
        client.changes("DC01", "1")


@pytest.mark.parametrize(
    "reply", [page("a", location="X"), page(""), page("a", as_of="noon"), page("a", cursor="")]
)
def test_malformed_changes_are_retriable(erp: Erp, reply: Reply) -> None:
    with erp.answering(lambda _: reply) as client, pytest.raises(RetriableError):
        client.changes("DC01", None)


@pytest.mark.parametrize(
    "reply", [rows("a", "a"), rows("c"), rows("a", location="X"), rows("a", as_of="noon")]
)
def test_rows_that_do_not_add_up_are_no_snapshot(erp: Erp, reply: Reply) -> None:
    with erp.answering(lambda _: reply) as client, pytest.raises(SnapshotIncompleteError):
        client.read("DC01", frozenset({"a", "b"}))


def test_rows_are_as_of_the_earliest_answer(erp: Erp) -> None:
    def answer(call: Call) -> Reply:
        first = "p0000" in call.json["products"]
        return rows(as_of=LATER if first else AS_OF)

    with erp.answering(answer) as client:
        found = client.read("DC01", frozenset(f"p{number:04}" for number in range(1_001)))
    assert found.as_of.isoformat() == "2026-03-02T11:59:00+00:00"
    assert len(erp.calls) == 2
