"""RestErp against a server that answers as an ERP may: outcomes, whole snapshots, failures."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from inventory_sync.adapters.erp.ids import IdMap
from inventory_sync.adapters.erp.rest.connector import RestErp
from inventory_sync.adapters.erp.rest.snapshot import SnapshotLimits
from inventory_sync.adapters.http.authorized import AuthorizedHttp, SecretBearer
from inventory_sync.adapters.http.request import HttpLimits
from inventory_sync.domain.erp import Dedupe
from inventory_sync.domain.errors import (
    FatalError,
    RejectedError,
    RetriableError,
    SnapshotIncompleteError,
)
from inventory_sync.domain.references import reference_of
from inventory_sync.domain.stock import (
    Accepted,
    Acknowledgement,
    AllocationChange,
    AllocationState,
    MovementLine,
    Rejection,
    StockMovement,
    TryLater,
    Unknown,
)
from inventory_sync.domain.units import UnitId
from tests.unit.adapters.http_support import (
    LIMITS,
    NOON,
    STUBBORN,
    Call,
    LocalServer,
    Reply,
    SecretsAccount,
    StandingClock,
    json_http,
    replying,
    secrets_account,
)

CAPABILITIES = {
    "dedupe": "native",
    "reference_length_max": 40,
    "bulk_max": 4,
    "reservations": True,
    "change_feed": "none",
    "consistent_snapshot": True,
    "absent_means_zero": True,
    "apply_lag_seconds": 60,
}
APPLIED_AT = "2026-03-02T11:59:00.123456Z"
ACKNOWLEDGED = Acknowledgement(datetime(2026, 3, 2, 11, 59, 0, 123456, UTC), "DOC-1")
Answer = Callable[[Call], Reply]


@pytest.fixture(scope="module")
def account() -> Iterator[SecretsAccount]:
    with secrets_account({"token": "good-token"}) as account:
        yield account


class Erp:
    """A RestErp and the server it talks to."""

    def __init__(self, account: SecretsAccount) -> None:
        self._account = account
        self.clock = StandingClock()
        self.calls: list[Call] = []

    @contextmanager
    def answering(
        self,
        answer: Answer,
        *,
        ids: IdMap | None = None,
        capabilities: Mapping[str, Any] | None = None,
        capabilities_answer: Reply | None = None,
        apply_lag: timedelta = timedelta(0),
        limits: SnapshotLimits | None = None,
        http_limits: HttpLimits = LIMITS,
    ) -> Iterator[RestErp]:
        """`answer` gives what follows the capabilities."""

        def route(call: Call) -> Reply:
            if call.path == "/v1/capabilities":
                return capabilities_answer or Reply({**CAPABILITIES, **(capabilities or {})})
            self.calls.append(call)
            return answer(call)

        with LocalServer(route) as server, json_http(self.clock, http_limits) as http:
            credentials = SecretBearer(self._account.secrets(self.clock), self._account.arn)
            yield RestErp(
                AuthorizedHttp(http, credentials),
                self.clock,
                base_url=server.url,
                apply_lag=apply_lag,
                ids=ids or IdMap(),
                snapshot_limits=limits or SnapshotLimits(),
            )


@pytest.fixture
def erp(account: SecretsAccount) -> Erp:
    return Erp(account)


def always(reply: Reply) -> Answer:
    return lambda _: reply


def movement(movement_id: str = "m-1", product_id: str = "SKU-1") -> StockMovement:
    return StockMovement(
        movement_id=movement_id,
        location_id="DC01",
        occurred_at=NOON,
        order_id="order-1",
        fulfillment_request_id="ff-1",
        logical_timestamp=10,
        lines=tuple(MovementLine(UnitId("ff-1", item), product_id) for item in ("i-1", "i-2")),
    )


def movements(count: int) -> list[StockMovement]:
    return [movement(f"m-{number}") for number in range(count)]


def change(logical_timestamp: int = 10) -> AllocationChange:
    return AllocationChange(
        fulfillment_request_id="ff-1",
        location_id="DC01",
        logical_timestamp=logical_timestamp,
        state=AllocationState.ALLOCATED,
        items=(("item-1", "SKU-1"),),
    )


def result(movement_id: str, outcome: str = "applied", **more: Any) -> dict[str, Any]:
    booked = {"applied_at": APPLIED_AT, "document_id": "DOC-1"}
    return {"movement_id": movement_id, "outcome": outcome, **booked, **more}


def not_booked(movement_id: str) -> Reply:
    body = {"error": "not booked", "movement_id": movement_id, "outcome": "absent"}
    return Reply(body, status=404)


def all_applied(call: Call) -> Reply:
    return Reply({"results": [result(m["movement_id"]) for m in call.json["movements"]]})


def page(**changes: Any) -> dict[str, Any]:
    rows = [{"product": "SKU-1", "on_hand": 17}]
    given = {"location": "DC01", "as_of": APPLIED_AT, "row_count": 1, "rows": rows}
    return {**given, "next_cursor": None, **changes}


def pages(*given: dict[str, Any]) -> Answer:
    return lambda call: Reply(given[int(call.query.get("cursor", "0"))])


# Capabilities


def test_apply_lag_is_the_longer_of_the_erps_and_the_setting(erp: Erp) -> None:
    for setting, expected in ((30, 60), (90, 90)):
        with erp.answering(always(Reply()), apply_lag=timedelta(seconds=setting)) as client:
            assert client.capabilities().apply_lag == timedelta(seconds=expected)


def test_capabilities_are_asked_for_once(account: SecretsAccount) -> None:
    clock = StandingClock()
    with replying(Reply(CAPABILITIES)) as server, json_http(clock) as http:
        credentials = SecretBearer(account.secrets(clock), account.arn)
        client = RestErp(
            AuthorizedHttp(http, credentials),
            clock,
            base_url=server.url,
            apply_lag=timedelta(0),
            ids=IdMap(),
            snapshot_limits=SnapshotLimits(),
        )
        assert [client.capabilities().dedupe for _ in range(3)] == [Dedupe.NATIVE] * 3
        assert len(server.calls) == 1


@pytest.mark.parametrize("dedupe", ["none", "sometimes"])
def test_erp_that_books_repeats_twice_unnoticed_is_fatal(erp: Erp, dedupe: str) -> None:
    with erp.answering(all_applied, capabilities={"dedupe": dedupe}) as client:
        with pytest.raises(FatalError):
            client.capabilities()
        with pytest.raises(FatalError):
            client.post_movements(movements(1))
    assert erp.calls == []


def test_erp_that_takes_one_at_a_time_gets_one_at_a_time(erp: Erp) -> None:
    with erp.answering(all_applied, capabilities={"bulk_max": 1}) as client:
        outcomes = client.post_movements(movements(3))
    assert len(outcomes) == 3
    assert [len(call.json["movements"]) for call in erp.calls] == [1, 1, 1]


@pytest.mark.parametrize("wrong", [{"bulk_max": 0}, {"apply_lag_seconds": -1}, {"dedupe": None}])
def test_unreadable_capabilities_are_retriable(erp: Erp, wrong: dict[str, Any]) -> None:
    with (
        erp.answering(all_applied, capabilities=wrong) as client,
        pytest.raises(RetriableError),
    ):
        client.capabilities()


def test_capabilities_without_the_lag_are_none_and_it_is_named(erp: Erp) -> None:
    """Taken for 0, what the ERP shows later would count as shown."""
    without = {key: value for key, value in CAPABILITIES.items() if key != "apply_lag_seconds"}
    with (
        erp.answering(all_applied, capabilities_answer=Reply(without)) as client,
        pytest.raises(RetriableError, match="apply_lag_seconds: missing"),
    ):
        client.capabilities()


def test_nothing_is_posted_while_capabilities_are_unknown(erp: Erp) -> None:
    with erp.answering(all_applied, capabilities={"bulk_max": 0}) as client:
        [outcome] = client.post_movements(movements(1))
        [allocation] = client.change_allocations([change()])
    assert isinstance(outcome, TryLater)
    assert isinstance(allocation, TryLater)
    assert erp.calls == []


# Movements


def test_movement_is_told_in_the_erps_terms_and_its_lines_name_their_units(erp: Erp) -> None:
    ids = IdMap({"DC01": "WH-1"}, {"SKU-1": "100-1"})
    with erp.answering(all_applied, ids=ids) as client:
        assert client.post_movements([movement()]) == [ACKNOWLEDGED]
    assert erp.calls[0].json["movements"] == [
        {
            "movement_id": "m-1",
            "location": "WH-1",
            "occurred_at": "2026-03-02T12:00:00Z",
            "order_id": "order-1",
            "fulfillment_request_id": "ff-1",
            "logical_timestamp": 10,
            "lines": [
                {"item_id": "i-1", "product": "100-1", "quantity": 1},
                {"item_id": "i-2", "product": "100-1", "quantity": 1},
            ],
        }
    ]


def test_movements_are_posted_in_chunks_the_erp_takes(erp: Erp) -> None:
    with erp.answering(all_applied) as client:
        assert client.post_movements(movements(9)) == [ACKNOWLEDGED] * 9
    assert [len(call.json["movements"]) for call in erp.calls] == [4, 4, 1]


@pytest.mark.parametrize(
    ("answered", "outcome"),
    [
        (result("m-0", "applied"), ACKNOWLEDGED),
        (result("m-0", "repeated"), ACKNOWLEDGED),
        (result("m-0", "rejected", reason="unknown sku"), Rejection("unknown sku")),
        (result("m-0", "retryable", reason="locked"), TryLater("locked")),
    ],
)
def test_each_movement_has_the_outcome_the_erp_gives(
    erp: Erp, answered: dict[str, Any], outcome: object
) -> None:
    with erp.answering(always(Reply({"results": [answered]}))) as client:
        assert client.post_movements(movements(1)) == [outcome]


def test_conflict_is_a_rejection_that_says_so(erp: Erp) -> None:
    with erp.answering(always(Reply({"results": [result("m-0", "conflict")]}))) as client:
        [outcome] = client.post_movements(movements(1))
    assert isinstance(outcome, Rejection)
    assert "booked before with other content" in outcome.reason


@pytest.mark.parametrize(
    "results",
    [
        [],
        None,
        [result("another")],
        [result("m-0", "postponed")],
        [result("m-0", applied_at=None)],
        [result("m-0", applied_at="2026-03-02T11:59:00")],
        [result("m-0", applied_at="0001-01-01T00:00:00Z")],
        [result("m-0", applied_at="1970-01-01T00:00:00Z")],
        [result("m-0", applied_at="9999-12-31T23:59:59-05:00")],
        [result("m-0", applied_at=1772452740)],
        [result("m-0", applied_at=10**400)],
        [result("m-0"), result("m-0", "rejected")],
        ["text"],
    ],
    ids=[
        "empty", "no list", "another's", "unknown outcome", "no instant", "no time zone",
        "null date", "epoch", "for ever", "a number", "a long number", "contradiction", "no object",
    ],
)  # fmt: skip
def test_movement_without_a_clear_result_is_unknown(erp: Erp, results: object) -> None:
    with erp.answering(always(Reply({"results": results}))) as client:
        [outcome] = client.post_movements(movements(1))
    assert isinstance(outcome, Unknown)


def test_results_are_matched_by_reference_not_by_place(erp: Erp) -> None:
    results = [result("m-1", "rejected", reason="no"), {"rubbish": 1}, result("m-0")]
    with erp.answering(always(Reply({"results": results}))) as client:
        first, second, third = client.post_movements(movements(3))
    assert (first, second) == (ACKNOWLEDGED, Rejection("no"))
    assert isinstance(third, Unknown)


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_failed_post_is_unknown_and_sent_once(erp: Erp, status: int) -> None:
    with erp.answering(always(Reply(status=status))) as client:
        outcomes = client.post_movements(movements(2))
    assert [type(outcome) for outcome in outcomes] == [Unknown, Unknown]
    assert len(erp.calls) == 1


@pytest.mark.parametrize("reply", [Reply(silent=True), Reply(cut=True), Reply(b"<html>")])
def test_post_without_an_answer_is_unknown_even_where_the_erp_knows_repeats(
    erp: Erp, reply: Reply
) -> None:
    with erp.answering(always(reply), http_limits=STUBBORN) as client:
        [outcome] = client.post_movements(movements(1))
    assert isinstance(outcome, Unknown)


def test_chunk_that_fails_leaves_the_others_their_outcomes(erp: Erp) -> None:
    def answer(call: Call) -> Reply:
        return Reply(cut=True) if len(erp.calls) == 2 else all_applied(call)

    with erp.answering(answer) as client:
        outcomes = client.post_movements(movements(9))
    kinds = [type(outcome) for outcome in outcomes]
    assert kinds == [Acknowledgement] * 4 + [Unknown] * 4 + [Acknowledgement]


@pytest.mark.parametrize("status", [429, 401, 403, 404, 405, 302])
def test_post_that_was_certainly_not_taken_is_tried_later(erp: Erp, status: int) -> None:
    with erp.answering(always(Reply(status=status))) as client:
        [outcome] = client.post_movements(movements(1))
    assert isinstance(outcome, TryLater)


@pytest.mark.parametrize("status", [400, 409, 413, 422])
def test_poison_movement_is_rejected_alone(erp: Erp, status: int) -> None:
    def answer(call: Call) -> Reply:
        poisoned = any(m["movement_id"] == "m-2" for m in call.json["movements"])
        return Reply({"error": "bad line"}, status=status) if poisoned else all_applied(call)

    with erp.answering(answer) as client:
        outcomes = client.post_movements(movements(4))
    assert [type(outcome) for outcome in outcomes] == [
        Acknowledgement, Acknowledgement, Rejection, Acknowledgement,
    ]  # fmt: skip


def test_reference_too_long_for_the_erp_is_sent_in_short(erp: Erp) -> None:
    too_long = movement("m" * 41)
    with erp.answering(all_applied) as client:
        outcomes = client.post_movements([too_long, movement()])
    assert [type(outcome) for outcome in outcomes] == [Acknowledgement] * 2
    short = reference_of("m" * 41, 40)
    assert [m["movement_id"] for m in erp.calls[0].json["movements"]] == [short, "m-1"]


def test_no_chunk_is_begun_after_the_time_for_posting(erp: Erp) -> None:
    def slow(call: Call) -> Reply:
        erp.clock.advance(59)
        return all_applied(call)

    with erp.answering(slow) as client:
        outcomes = client.post_movements(movements(12))
    assert [type(outcome) for outcome in outcomes] == [Acknowledgement] * 8 + [TryLater] * 4


# Look-up


def test_booked_movement_is_found(erp: Erp) -> None:
    movement_id = "DC01:10:ff/1"
    with erp.answering(always(Reply(result(movement_id)))) as client:
        assert client.look_up(movement_id) == ACKNOWLEDGED
    assert erp.calls[0].path == "/v1/movements/DC01%3A10%3Aff%2F1"


def test_movement_the_erp_says_it_has_not_is_none(erp: Erp) -> None:
    with erp.answering(always(not_booked("m-1"))) as client:
        assert client.look_up("m-1") is None


def test_reference_too_long_for_the_erp_is_looked_up_in_short(erp: Erp) -> None:
    short = reference_of("m" * 41, 40)
    with erp.answering(always(not_booked(short))) as client:
        assert client.look_up("m" * 41) is None
    with erp.answering(always(not_booked("m" * 41))) as client:
        assert isinstance(client.look_up("m" * 41), Unknown)


def test_look_up_at_an_address_without_the_contract_is_unknown(erp: Erp) -> None:
    """Not even the capabilities are there."""
    refused = Reply({"error": "no route", "movement_id": "m-1"}, status=404)
    with erp.answering(always(refused), capabilities_answer=refused) as client:
        assert isinstance(client.look_up("m-1"), Unknown)


@pytest.mark.parametrize(
    "reply",
    [
        Reply(b"<html>no such page</html>", status=404),
        Reply({"message": "no route matches"}, status=404),
        Reply({"outcome": "absent"}, status=404),
        Reply({"outcome": "absent", "movement_id": "another"}, status=404),
        Reply({"outcome": "absent", "movement_id": ["m-1"]}, status=404),
        Reply({"outcome": "absent", "movement_id": "m-1"}, status=410),
        Reply({"message": "no such upstream", "movement_id": "m-1"}, status=404),
        Reply({"outcome": "absent", "movement_id": "another"}),
        Reply(status=500),
        Reply(status=400),
        Reply(status=401),
        Reply(cut=True),
        Reply(b"<html>"),
        Reply({"movement_id": "m-1", "outcome": "applied"}),
        Reply({"movement_id": "m-1", "applied_at": APPLIED_AT}),
        Reply({"movement_id": "m-1", "outcome": "applied", "applied_at": "0001-01-01T00:00:00Z"}),
        Reply({"movement_id": "another", "outcome": "applied", "applied_at": APPLIED_AT}),
    ],
    ids=[
        "a page's 404", "a gateway's 404", "404 of nothing", "404 of another", "404 of a list",
        "410", "404 that repeats the id", "absence of another", "500", "400", "401", "reset",
        "html", "no instant", "no outcome", "null date", "another's",
    ],
)  # fmt: skip
def test_look_up_without_a_clear_answer_is_unknown_never_absent(erp: Erp, reply: Reply) -> None:
    with erp.answering(always(reply)) as client:
        assert isinstance(client.look_up("m-1"), Unknown)


# Allocations


def test_allocation_is_told_in_the_erps_terms(erp: Erp) -> None:
    answer = {"fulfillment_request_id": "ff-1", "logical_timestamp": 10, "outcome": "applied"}
    ids = IdMap({"DC01": "WH-1"}, {"SKU-1": "100-1"})
    with erp.answering(always(Reply({"results": [answer]})), ids=ids) as client:
        assert client.change_allocations([change()]) == [Accepted()]
    assert erp.calls[0].json["allocations"] == [
        {
            "fulfillment_request_id": "ff-1",
            "location": "WH-1",
            "logical_timestamp": 10,
            "state": "allocated",
            "items": [{"item_id": "item-1", "product": "100-1"}],
        }
    ]


def test_the_end_of_an_allocation_is_told_with_its_reason(erp: Erp) -> None:
    answer = {"fulfillment_request_id": "ff-1", "logical_timestamp": 10, "outcome": "applied"}
    with erp.answering(always(Reply({"results": [answer]}))) as client:
        client.change_allocations([replace(change(), reason="no_inventory")])
    assert erp.calls[0].json["allocations"][0]["reason"] == "no_inventory"


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        ("applied", Accepted()),
        ("superseded", Accepted()),
        ("rejected", Rejection("why")),
        ("retryable", TryLater("why")),
    ],
)
def test_each_allocation_has_the_outcome_the_erp_gives(
    erp: Erp, outcome: str, expected: object
) -> None:
    answers = [
        {"fulfillment_request_id": "ff-1", "logical_timestamp": 11, "outcome": "applied"},
        {
            "fulfillment_request_id": "ff-1",
            "logical_timestamp": 10,
            "outcome": outcome,
            "reason": "why",
        },
    ]
    with erp.answering(always(Reply({"results": answers}))) as client:
        assert client.change_allocations([change(10), change(11)]) == [expected, Accepted()]


@pytest.mark.parametrize(
    "reply",
    [
        Reply(cut=True),
        Reply(status=503),
        Reply({"results": []}),
        Reply({"results": None}),
        Reply({"results": [{"fulfillment_request_id": "ff-1"}]}),
        Reply(
            {
                "results": [
                    {"fulfillment_request_id": "ff-1", "logical_timestamp": 10, "outcome": "maybe"}
                ]
            }
        ),
        Reply(status=404),
    ],
    ids=["reset", "503", "missing", "no list", "unreadable", "unknown outcome", "wrong address"],
)
def test_allocation_without_a_clear_result_is_tried_later(erp: Erp, reply: Reply) -> None:
    with erp.answering(always(reply)) as client:
        [outcome] = client.change_allocations([change()])
    assert isinstance(outcome, TryLater)


# Snapshots


def test_snapshot_is_all_rows_as_of_the_earliest_page(erp: Erp) -> None:
    later = "2026-03-02T12:00:01Z"
    two = {"row_count": 2}
    other = [{"product": "SKU-2", "on_hand": 0}]
    answer = pages(
        page(**two, as_of=later, next_cursor="1"),
        page(**two, rows=other),
    )
    with erp.answering(answer, capabilities={"consistent_snapshot": False}) as client:
        snapshot = client.snapshot("DC01")
    assert snapshot.on_hand_units == {"SKU-1": 17, "SKU-2": 0}
    assert snapshot.as_of == ACKNOWLEDGED.applied_at


def test_snapshot_is_under_our_ids(erp: Erp) -> None:
    ids = IdMap({"NYC": "DC01"}, {"shirt": "SKU-1"})
    with erp.answering(pages(page()), ids=ids) as client:
        snapshot = client.snapshot("NYC")
    assert (snapshot.location_id, snapshot.on_hand_units) == ("NYC", {"shirt": 17})
    assert erp.calls[0].query["location"] == "DC01"


@pytest.mark.parametrize(
    ("figure", "units"),
    [
        (b"17", 17),
        (b"17.0", 17),
        (b"1.7e1", 17),
        (b'"17.00"', 17),
        (b"-3", -3),
        (b"0.1", Decimal("0.1")),
        (b"2.50", Decimal("2.5")),
    ],
)
def test_figures_are_exact_and_whole_ones_are_int(erp: Erp, figure: bytes, units: object) -> None:
    body = (
        b'{"location": "DC01", "as_of": "2026-03-02T11:59:00Z", "row_count": 1,'
        b' "rows": [{"product": "SKU-1", "on_hand": ' + figure + b"}]}"
    )
    with erp.answering(always(Reply(body))) as client:
        found = client.snapshot("DC01").on_hand_units["SKU-1"]
    assert (found, type(found)) == (units, type(units))


@pytest.mark.parametrize(
    "figure", ["NaN", "Infinity", "many", "", "1e400", True, None, 10**18, [1], "1_0", "٣"]
)
def test_figure_that_is_none_spoils_its_row_alone(erp: Erp, figure: object) -> None:
    rows = [{"product": "SKU-1", "on_hand": figure}, {"product": "SKU-2", "on_hand": 4}]
    with erp.answering(pages(page(row_count=2, rows=rows))) as client:
        found = client.snapshot("DC01")
    assert (found.on_hand_units, set(found.unreadable)) == ({"SKU-2": 4}, {"SKU-1"})


def test_row_without_a_figure_is_named(erp: Erp) -> None:
    with erp.answering(pages(page(rows=[{"product": "SKU-1"}]))) as client:
        assert client.snapshot("DC01").unreadable == {"SKU-1": "is missing"}


@pytest.mark.parametrize(
    "figure",
    [b"NaN", b"-Infinity", b"1e400", b"1e9999999999999999999", b"9" * 5000, b"-" + b"9" * 5000],
)
def test_number_that_json_or_python_does_not_know_spoils_its_row_alone(
    erp: Erp, figure: bytes
) -> None:
    body = (
        b'{"location": "DC01", "as_of": "2026-03-02T11:59:00Z", "row_count": 2, "rows":'
        b' [{"product": "SKU-1", "on_hand": ' + figure + b'}, {"product": "2", "on_hand": 4.5}]}'
    )
    with erp.answering(always(Reply(body))) as client:
        found = client.snapshot("DC01")
    assert (found.on_hand_units, set(found.unreadable)) == ({"2": Decimal("4.5")}, {"SKU-1"})


ROW = {"product": "SKU-1", "on_hand": 1}
BROKEN: dict[str, tuple[dict[str, Any], ...]] = {
    "fewer rows than row_count": (page(row_count=2),),
    "more rows than row_count": (page(row_count=0),),
    "a page of another location": (page(location="DC02"),),
    "a product twice": (page(row_count=2, rows=[ROW, ROW]),),
    "a product on two pages": (page(row_count=2, next_cursor="1"), page(row_count=2)),
    "no as_of": (page(as_of=None),),
    "as_of gone on a later page": (page(next_cursor="1"), page(rows=[], as_of=None)),
    "as_of without a time zone": (page(as_of="2026-03-02T12:00:00"),),
    "a null date as as_of": (page(as_of="0001-01-01T00:00:00Z"),),
    "an end of time as as_of": (page(as_of="9999-12-31T23:59:59-05:00"),),
    "a number as as_of": (page(as_of=1772452740),),
    "no row_count": (page(row_count=None),),
    "a negative row_count": (page(row_count=-1),),
    "no rows": (page(rows=None),),
    "a product twice, once unreadable": (page(row_count=2, rows=[{"product": "SKU-1"}, ROW]),),
    "a row that is none": (page(rows=["SKU-1"]),),
    "a cursor that leads back": (page(rows=[], next_cursor="0"),),
}


@pytest.mark.parametrize("given", BROKEN.values(), ids=BROKEN)
def test_pages_that_do_not_add_up_are_no_snapshot(
    erp: Erp, given: tuple[dict[str, Any], ...]
) -> None:
    with erp.answering(pages(*given)) as client, pytest.raises(SnapshotIncompleteError):
        client.snapshot("DC01")


def test_erp_that_changes_while_it_is_read_may_change_its_count(erp: Erp) -> None:
    other = [{"product": "SKU-2", "on_hand": 4}]
    answer = pages(page(row_count=3, next_cursor="1"), page(row_count=2, rows=other))
    with erp.answering(answer, capabilities={"consistent_snapshot": False}) as client:
        assert len(client.snapshot("DC01").on_hand_units) == 2


@pytest.mark.parametrize("second", [{"row_count": 3}, {"as_of": "2026-03-02T12:00:01Z"}])
def test_erp_that_says_consistent_and_is_not_has_given_no_snapshot(
    erp: Erp, second: dict[str, Any]
) -> None:
    other = [{"product": "SKU-2", "on_hand": 4}]
    answer = pages(
        page(row_count=2, next_cursor="1"), page(**{"row_count": 2, **second}, rows=other)
    )
    with (
        erp.answering(answer) as client,
        pytest.raises(SnapshotIncompleteError, match="consistent_snapshot"),
    ):
        client.snapshot("DC01")


@pytest.mark.parametrize("limits", [SnapshotLimits(pages_max=5), SnapshotLimits(seconds_max=50)])
def test_pages_without_end_are_no_snapshot(erp: Erp, limits: SnapshotLimits) -> None:
    def answer(call: Call) -> Reply:
        erp.clock.advance(10)
        following = str(int(call.query.get("cursor", "0")) + 1)
        return Reply(page(rows=[], next_cursor=following))

    with (
        erp.answering(answer, limits=limits) as client,
        pytest.raises(SnapshotIncompleteError),
    ):
        client.snapshot("DC01")
    assert len(erp.calls) == 5


def test_cursor_the_erp_forgot_is_no_snapshot(erp: Erp) -> None:
    def answer(call: Call) -> Reply:
        return Reply(status=410) if "cursor" in call.query else Reply(page(next_cursor="1"))

    with erp.answering(answer) as client, pytest.raises(SnapshotIncompleteError):
        client.snapshot("DC01")


def test_location_the_erp_does_not_know_is_rejected(erp: Erp) -> None:
    with erp.answering(always(Reply(status=404))) as client, pytest.raises(RejectedError):
        client.snapshot("DC01")


@pytest.mark.parametrize("reply", [Reply(status=503), Reply(cut=True), Reply(b"<html>")])
def test_erp_that_cannot_be_read_is_retriable(erp: Erp, reply: Reply) -> None:
    with erp.answering(always(reply)) as client, pytest.raises(RetriableError):
        client.snapshot("DC01")


# Ids


def test_sku_of_two_products_is_fatal() -> None:
    with pytest.raises(FatalError):
        IdMap(skus={"shirt": "SKU-1", "blouse": "SKU-1"})


def test_row_of_a_sku_that_the_map_has_given_up_is_of_no_product(erp: Erp) -> None:
    """It is named, and the product has what stands under its new sku."""
    ids = IdMap(skus={"SKU-1": "SKU-9"})
    rows = [{"product": "SKU-9", "on_hand": 9}, {"product": "SKU-2", "on_hand": 2}, ROW]
    with erp.answering(pages(page(row_count=3, rows=rows)), ids=ids) as client:
        found = client.snapshot("DC01")
    assert (found.on_hand_units, found.unreadable) == ({"SKU-1": 9, "SKU-2": 2}, {})
    assert list(found.unknown) == ["sku SKU-1"]
    assert "add a row for the product this sku stands for" in found.unknown["sku SKU-1"]


@pytest.mark.parametrize("product", [5, None, "", True, ["SKU-1"], {}])
def test_row_that_names_no_product_is_left_aside_alone(erp: Erp, product: object) -> None:
    rows = [ROW, {"product": product, "on_hand": 4}, {"product": "SKU-2", "on_hand": 2}]
    with erp.answering(pages(page(row_count=3, rows=rows))) as client:
        found = client.snapshot("DC01")
    assert (found.on_hand_units, list(found.unknown)) == ({"SKU-1": 1, "SKU-2": 2}, ["row 2"])


def test_sku_that_nobody_knows_any_more_twice_is_no_snapshot(erp: Erp) -> None:
    ids = IdMap(skus={"SKU-1": "SKU-9"})
    answer = pages(page(row_count=2, rows=[ROW, ROW]))
    with erp.answering(answer, ids=ids) as client, pytest.raises(SnapshotIncompleteError):
        client.snapshot("DC01")


def test_products_may_swap_their_names() -> None:
    ids = IdMap(skus={"a": "b", "b": "a"})
    assert (ids.product_id("a"), ids.product_id("b"), ids.product_id("c")) == ("b", "a", "c")
