"""NewStoreStock against a server that answers as NewStore may."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from inventory_sync.adapters.http.authorized import AuthorizedHttp, SecretBearer
from inventory_sync.adapters.newstore.stock import ATP_KEYS_MAX, NewStoreStock
from inventory_sync.domain.atp import AtpKey
from inventory_sync.domain.errors import BlockedError, FatalError, RejectedError, RetriableError
from tests.unit.adapters.http_support import (
    BLOCKING,
    Call,
    LocalServer,
    Reply,
    SecretsAccount,
    StandingClock,
    json_http,
    replying,
    secrets_account,
)

ROW = AtpKey("SKU-1", "DC01")
REQUEST = {
    "fulfillment_request_id": "c3b7bea3",
    "created_at": "2021-11-22T12:51:39.30Z",
    "status": "completed",
    "service_level": "GROUND",
    "fulfillment_node_id": "US01",
    "items": [
        {
            "item_id": "2770fd96",
            "product_id": "PID1",
            "tracking_code": 987654321,
            "carrier": "fedex",
            "status": "shipped",
        }
    ],
}
CSV = b"Product ID,Location,Safety Stock\n"


@pytest.fixture(scope="module")
def account() -> Iterator[SecretsAccount]:
    with secrets_account({"token": "good-token"}) as account:
        yield account


@contextmanager
def stock_of(server: LocalServer, account: SecretsAccount) -> Iterator[NewStoreStock]:
    clock = StandingClock()
    with server, json_http(clock, BLOCKING) as http:
        credentials = SecretBearer(account.secrets(clock), account.arn)
        yield NewStoreStock(AuthorizedHttp(http, credentials), base_url=server.url)


def csv(body: bytes) -> LocalServer:
    return replying(Reply(CSV + body, headers={"Content-Type": "text/csv"}))


def test_atp_is_asked_for_in_chunks_and_only_what_was_asked_for_is_given(
    account: SecretsAccount,
) -> None:
    def answer(call: Call) -> Reply:
        items = [{**key, "atp": 5, "more": 1} for key in call.json["atp_keys"]]
        items += [{"product_id": "not asked for", "fulfillment_node_id": "DC01", "atp": 1}]
        return Reply({"items": items})

    keys = [AtpKey(f"SKU-{number}", "DC01") for number in range(ATP_KEYS_MAX + 1)]
    server = LocalServer(answer)
    with stock_of(server, account) as stock:
        assert stock.atp([*keys, keys[0]]) == dict.fromkeys(keys, 5)
        assert [len(call.json["atp_keys"]) for call in server.calls] == [ATP_KEYS_MAX, 1]


def test_atp_of_nothing_needs_no_call(account: SecretsAccount) -> None:
    server = replying(Reply({}))
    with stock_of(server, account) as stock:
        assert stock.atp([]) == {}
        assert server.calls == []


def test_key_without_an_answer_is_left_out(account: SecretsAccount) -> None:
    with stock_of(replying(Reply({"items": []})), account) as stock:
        assert stock.atp([ROW]) == {}


@pytest.mark.parametrize(("atp", "units"), [(3, 3), (3.0, 3), (0, 0), (-2, 0)])
def test_atp_is_a_whole_number_and_never_below_0(
    account: SecretsAccount, atp: float, units: int
) -> None:
    items = [{"product_id": "SKU-1", "fulfillment_node_id": "DC01", "atp": atp}]
    with stock_of(replying(Reply({"items": items})), account) as stock:
        assert stock.atp([ROW]) == {ROW: units}


@pytest.mark.parametrize("items", [None, [{"product_id": "SKU-1", "atp": "many"}]])
def test_unreadable_atp_is_retriable(account: SecretsAccount, items: object) -> None:
    with (
        stock_of(replying(Reply({"items": items})), account) as stock,
        pytest.raises(RetriableError),
    ):
        stock.atp([ROW])


@pytest.mark.parametrize("bad", [7, None, {}, {"product_id": "SKU-2", "atp": 1}])
def test_an_atp_that_cannot_be_read_is_left_out_by_name(
    account: SecretsAccount, bad: object, caplog: pytest.LogCaptureFixture
) -> None:
    good = {"product_id": "SKU-1", "fulfillment_node_id": "DC01", "atp": 3}
    other = ROW._replace(product_id="SKU-2")
    with stock_of(replying(Reply({"items": [bad, good]})), account) as stock:
        assert stock.atp([ROW, other]) == {ROW: 3}
    assert "POST /v0/availabilities, entry 0" in caplog.text


@pytest.mark.parametrize("bad", [7, None, {}, {"order_uuid": 5, "item_uuid": []}])
def test_an_allocation_that_cannot_be_read_counts_all_the_same(
    account: SecretsAccount, bad: object
) -> None:
    answer = {"allocations": [bad, {"order_uuid": "o", "item_uuid": "i"}]}
    with stock_of(replying(Reply(answer)), account) as stock:
        found = stock.insights(ROW).allocations
    assert (len(found), found[1].item_uuid) == (2, "i")


def test_a_request_that_cannot_be_read_costs_itself_alone(account: SecretsAccount) -> None:
    item = {"item_id": "i", "product_id": "SKU-1", "status": "shipped"}
    good = {"fulfillment_request_id": "ff-2", "items": [item]}
    answer = {"fulfillment_requests": [{"items": [item]}, good]}
    with stock_of(replying(Reply(answer)), account) as stock:
        assert [i.fulfillment_request_id for i in stock.requested_items("o")] == ["ff-2"]


@pytest.mark.parametrize("missing", [{}, {"reservations": None, "future_allocations": None}])
def test_lists_of_insights_may_be_missing_but_not_that_of_allocations(
    account: SecretsAccount, missing: dict[str, Any]
) -> None:
    answer = {"product_id": "SKU-1", "fulfillment_node_id": "DC01", **missing}
    allocated = {**answer, "allocations": [{"order_uuid": "o", "item_uuid": "i"}]}
    with stock_of(replying(Reply(allocated), Reply(answer)), account) as stock:
        found = stock.insights(ROW)
        with pytest.raises(RetriableError, match="allocations"):
            stock.insights(ROW)

    assert (len(found.allocations), found.reservations, found.future_allocations) == (1, 0, 0)


def test_allocations_of_stock_to_come_are_counted_apart(account: SecretsAccount) -> None:
    answer = {"allocations": [], "future_allocations": [{"order_uuid": "o", "item_uuid": "i"}]}
    with stock_of(replying(Reply(answer)), account) as stock:
        found = stock.insights(ROW)

    assert (found.allocations, found.future_allocations) == ((), 1)


def test_safety_stock_of_a_product_and_of_all_others_at_a_location(
    account: SecretsAccount,
) -> None:
    server = csv(b',US01,200\n,US02,100\n10000101,US01,20\n"10000101,12",US02,30\n')
    with stock_of(server, account) as stock:
        found = stock.safety_stock()

    assert server.calls[0].headers["Accept"] == "text/csv"
    assert found.of(AtpKey("10000101", "US01")) == 20
    assert found.of(AtpKey("10000102", "US01")) == 200
    assert found.of(AtpKey("10000101,12", "US02")) == 30
    assert found.of(AtpKey("10000101", "US03")) == 0


@pytest.mark.parametrize(
    "body",
    [
        b"10000101,US01,20\nError while creating safety stock csv data.\n",
        b"A,B,1.5\n",
        b"A,B," + b"9" * 5000,
    ],
)
def test_a_table_that_breaks_off_is_not_taken_for_a_whole_one(
    account: SecretsAccount, body: bytes
) -> None:
    with (
        stock_of(csv(body), account) as stock,
        pytest.raises(RetriableError, match="line"),
    ):
        stock.safety_stock()


def test_what_is_no_table_of_safety_stock_is_not_taken_for_an_empty_one(
    account: SecretsAccount,
) -> None:
    with (
        stock_of(replying(Reply(b"<html>")), account) as stock,
        pytest.raises(RetriableError, match="expected the columns"),
    ):
        stock.safety_stock()


def test_items_of_an_order_are_read_request_by_request(account: SecretsAccount) -> None:
    server = replying(Reply({"fulfillment_requests": [REQUEST, REQUEST]}))
    with stock_of(server, account) as stock:
        found = stock.requested_items("5ca1548c-d228")

    assert server.calls[0].path == "/v0/fulfillment_requests/5ca1548c-d228"
    assert [(i.item_id, i.status, i.fulfillment_node_id) for i in found] == [
        ("2770fd96", "shipped", "US01")
    ] * 2


def test_of_an_order_with_too_many_requests_the_latest_are_read(account: SecretsAccount) -> None:
    server = replying(Reply({"fulfillment_requests": [REQUEST]}, status=400))
    with stock_of(server, account) as stock:
        assert len(stock.requested_items("o")) == 1


def test_a_refusal_is_no_order_without_requests(account: SecretsAccount) -> None:
    server = replying(Reply({"message": "no uuid"}, status=400))
    with stock_of(server, account) as stock, pytest.raises(RejectedError, match="no uuid"):
        stock.requested_items("o")


def test_a_block_asks_for_no_new_token_and_is_not_fatal(account: SecretsAccount) -> None:
    server = replying(Reply(b"<html>403</html>", status=403))
    with stock_of(server, account) as stock:
        for read in (lambda: stock.atp([ROW]), stock.safety_stock):
            with pytest.raises(BlockedError):
                read()

    assert len(server.calls) == 1


def test_403_with_json_is_fatal_once_a_new_token_is_refused_too(account: SecretsAccount) -> None:
    server = replying(Reply({"message": "no right"}, status=403))
    with stock_of(server, account) as stock, pytest.raises(FatalError, match="secret"):
        stock.insights(ROW)

    assert len(server.calls) == 2
