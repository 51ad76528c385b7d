"""What NewStore and the ERP answer may be anything: a clear error, nothing committed, and the next
tick goes on.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, get_args

import pytest

from inventory_sync.domain.guards import HoldKind
from local.http_server import Garbling
from tests.integration.story import DC, NYC, Story, story

GARBLINGS = get_args(Garbling)
NOT_A_NUMBER = float("nan")
Answer = dict[str, Any]
Change = Callable[[Answer], object]

NEWSTORE_CALLS = {
    "client_credentials_token": "/token",
    "list_imports": "GET /v0/d/import",
    "list_locations": "GET /v0/locations",
    "create_import": "POST /v0/d/import",
    "get_import": "GET /v0/d/import/",
}
"""What the error names, by the simulator's name of the call."""


@pytest.fixture(scope="module")
def world() -> Iterator[Story]:
    """After a first import. Every test ends with the truth, from which the next one begins."""
    with (
        pytest.MonkeyPatch.context() as patch,
        story(patch, HTTP_ATTEMPTS_MAX="1", ERP_READS_AT_ONCE="1") as told,
    ):
        told.take_in(told.ship("ff1", DC, "SKU-1"))
        told.let_settle()
        assert told.tick()["outcome"] == "ended"
        yield told


@pytest.fixture
def told(world: Story) -> Story:
    """A shipment waits to be released, and goods have come in."""
    world.start_cold()
    world.newstore_answers.change = world.erp_answers.change = None
    something_new(world)
    return world


def something_new(told: Story) -> None:
    told.receive((DC, "SKU-1"), 2)
    told.receive((NYC, "SKU-2"), 1)
    told.take_in(told.ship(f"ff{len(told.shipped) + 1}", DC, "SKU-1"))
    told.let_settle()


def goes_on(told: Story) -> None:
    """The fault is over: the next tick, or the one after it, puts everything right."""
    told.go_on_until_finalized(2)
    told.holds_the_truth()


def fails(told: Story, named: str, *reasons: str) -> None:
    """A tick ends with an error that names the call and what was wrong; nothing is committed."""
    watermark, started = told.head().watermark, told.our_jobs("waiting", "processing", "finished")

    answer = told.tick()

    assert answer["outcome"] == "retry"
    assert named in answer["detail"]
    assert any(reason in answer["detail"] for reason in reasons), answer["detail"]
    assert told.head().watermark == watermark
    if not named.startswith("GET /v0/d/import/"):  # asked of a job that runs already
        assert told.our_jobs("waiting", "processing", "finished") == started
    told.never_oversells()


@pytest.mark.sweep
@pytest.mark.parametrize("call", NEWSTORE_CALLS)
@pytest.mark.parametrize("garbling", GARBLINGS)
def test_an_unreadable_answer_of_newstore_ends_the_tick_and_commits_nothing(
    told: Story, call: str, garbling: Garbling
) -> None:
    told.newstore.faults.garble_next(garbling, call=call)
    reasons = [
        "expected a JSON object, got",
        "sent, but no whole answer came",
        "agreed form",
        "can be read",
    ]
    fails(told, NEWSTORE_CALLS[call], *reasons)
    assert not told.newstore.faults.planned
    goes_on(told)


@pytest.mark.sweep(sample=2)
@pytest.mark.parametrize("call", ["start_import", "set_import_failed"])
@pytest.mark.parametrize("garbling", GARBLINGS)
def test_where_no_answer_is_needed_an_unreadable_one_does_no_harm(
    told: Story, call: str, garbling: Garbling
) -> None:
    told.newstore.calls.create_import(
        provider="x", name="inventory-sync orphan", source_uri="s3://x/y"
    )
    told.newstore.faults.garble_next(garbling, call=call)

    told.tick()

    assert not told.newstore.faults.planned
    goes_on(told)


WRONG_NEWSTORE_ANSWERS: Mapping[str, tuple[str, Change, str]] = {
    "token missing": ("/token", lambda a: {"expires_in": 5}, "access_token: missing"),
    "token with a line break": ("/token", lambda a: {**a, "access_token": "a\nb"}, "access_token"),
    "token's life is no number": ("/token", lambda a: {**a, "expires_in": "x"}, "expires_in"),
    "token's life is NaN": ("/token", lambda a: {**a, "expires_in": NOT_A_NUMBER}, "expires_in"),
    "token's life is huge": ("/token", lambda a: {**a, "expires_in": 1e308}, ""),
    "jobs under another name": ("/v0/d/import", lambda a: {**a, "items": None}, "items"),
    "jobs are no list": ("/v0/d/import", lambda a: {**a, "items": "none"}, "items"),
    "a list without pages": ("/v0/d/import", lambda a: {"items": []}, "pagination_info"),
    "pages without end": (
        "/v0/d/import",
        lambda a: {**a, "pagination_info": {**a["pagination_info"], "total": 10**6}},
        "does not end",
    ),
    "locations are no list": (
        "/v0/locations", lambda a: {"locations": {"DC01": {}}}, "locations",
    ),
    "a location is a number": ("/v0/locations", lambda a: {"locations": [7]}, "can be read"),
    "a location whose master is not told": (
        "/v0/locations", lambda a: {"locations": [{"id": "DC01", "type": "dc"}]}, "can be read",
    ),
}  # fmt: skip


@pytest.mark.sweep(sample=3)
@pytest.mark.parametrize("name", WRONG_NEWSTORE_ANSWERS)
def test_a_wrong_answer_of_newstore_is_named_and_nothing_is_committed(
    told: Story, name: str
) -> None:
    path, change, reason = WRONG_NEWSTORE_ANSWERS[name]
    told.newstore_answers.change = lambda at, a: change(a) if at.endswith(path) else a
    if reason:
        fails(told, "", reason)
    told.newstore_answers.change = None
    goes_on(told)


WRONG_PAGES: Mapping[str, tuple[Change, str]] = {
    "row_count too high": (
        lambda a: {**a, "row_count": 9},
        "the rows are not as many as row_count",
    ),
    "row_count too low": (lambda a: {**a, "row_count": 1}, "the rows are not as many as row_count"),
    "row_count missing": (lambda a: {**a, "row_count": None}, "row_count"),
    "row_count negative": (lambda a: {**a, "row_count": -1}, "row_count"),
    "no time zone": (lambda a: {**a, "as_of": a["as_of"].rstrip("Z")}, "as_of: value_error"),
    "no time": (lambda a: {**a, "as_of": "yesterday"}, "as_of"),
    "another location": (lambda a: {**a, "location": "X"}, "a page is of location 'X'"),
    "rows missing": (lambda a: {k: v for k, v in a.items() if k != "rows"}, "rows: missing"),
    "a product twice": (lambda a: {**a, "rows": a["rows"] * 2}, "stands in two rows"),
    "the cursor repeats": (lambda a: {**a, "next_cursor": "1:SKU-3", "rows": []}, "leads back"),
}


def product(answer: Answer, value: object) -> Answer:
    first, *others = answer["rows"]
    return {**answer, "rows": [{**first, "product": value}, *others]}


@pytest.mark.sweep(sample=3)
@pytest.mark.parametrize("name", WRONG_PAGES)
def test_a_wrong_page_of_the_erp_holds_its_location_with_the_reason(told: Story, name: str) -> None:
    change, reason = WRONG_PAGES[name]
    told.erp_answers.change = lambda path, a: change(a) if a.get("location") == DC else a
    told.tick()

    [hold] = told.map.holds().values()
    assert (hold.location_id, [h.kind for h in hold.holds]) == (DC, [HoldKind.SNAPSHOT_INCOMPLETE])
    assert reason in hold.holds[0].figures
    assert f"ERP location {DC}" in hold.holds[0].figures
    the_other_location_went_on(told)

    told.erp_answers.change = None
    goes_on(told)
    assert told.map.holds() == {}


@pytest.mark.sweep(sample=3)
@pytest.mark.parametrize(
    "figure",
    ["Infinity", "many", None, True, 10**30, float("nan"), float("inf"), float("-inf")],
)
def test_a_wrong_figure_of_the_erp_holds_its_row_alone(told: Story, figure: Any) -> None:
    told.erp.show_instead((DC, "SKU-1"), figure)

    told.tick()

    [hold] = told.map.holds().values()
    [row] = hold.holds
    assert (hold.location_id, row.kind) == (DC, HoldKind.ROW_UNREADABLE)
    assert row.product_id == "SKU-1"
    the_other_location_went_on(told)

    told.erp.show_truth()
    goes_on(told)
    assert told.map.holds() == {}


def the_other_location_went_on(told: Story) -> None:
    """The shipment of the one left out was released with a quantity rolled forward."""
    assert told.newstore.atp((NYC, "SKU-2")) == told.sellable((NYC, "SKU-2"))
    assert told.newstore.atp((DC, "SKU-1")) == told.sellable((DC, "SKU-1")) - 2
    told.never_oversells()


@pytest.mark.sweep(sample=3)
@pytest.mark.parametrize("garbling", GARBLINGS)
def test_an_unreadable_page_of_the_erp_leaves_its_location_out(
    told: Story, garbling: Garbling
) -> None:
    told.erp.faults.garble_next(garbling, call="get_stock")

    answer = told.tick()

    [reason] = answer["run"]["left_out"].values()
    assert "the ERP could not be read: GET /v1/stock: " in reason
    assert "expected a JSON object, got" in reason or "no whole answer came" in reason
    told.never_oversells()
    told.erp.show_truth()
    goes_on(told)


@pytest.mark.sweep(sample=1)
@pytest.mark.parametrize("garbling", GARBLINGS)
def test_without_the_erps_word_on_its_lag_no_snapshot_is_used(
    told: Story, garbling: Garbling
) -> None:
    told.erp.faults.garble_next(garbling, call="get_capabilities")

    left_out = told.tick()["run"]["left_out"]

    assert set(left_out) == {DC, NYC}
    assert all("GET /v1/capabilities" in reason for reason in left_out.values())
    told.never_oversells()
    goes_on(told)
