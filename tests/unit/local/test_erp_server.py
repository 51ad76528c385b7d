"""The ERP over HTTP, held against docs/erp-openapi.yaml."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import requests
import yaml

from local.erp.model import ErpModel
from local.erp.server import erp_app, erp_server
from tests.unit.local.clock import Clock
from tests.unit.local.test_erp_books import DC, KEY

SECONDS = 5
ROOT = Path(__file__).parents[3]
CONTRACT = yaml.safe_load((ROOT / "docs" / "erp-openapi.yaml").read_text())
LINE = {"item_id": "i1", "product": "SKU-1", "quantity": 1}
MOVEMENT = {
    "movement_id": "ff/1:10",
    "location": DC,
    "occurred_at": "2026-01-15T10:00:00Z",
    "order_id": "order-1",
    "fulfillment_request_id": "ff1",
    "logical_timestamp": 10,
    "lines": [
        LINE,
        {"item_id": "i2", "product": "SKU-1", "quantity": 1},
    ],
}
ALLOCATION = {
    "fulfillment_request_id": "ff1",
    "location": DC,
    "logical_timestamp": 7,
    "state": "allocated",
    "items": [{"item_id": "i1", "product": "SKU-1"}],
}


class Client:
    """Calls with the token."""

    def __init__(self, base_url: str, model: ErpModel) -> None:
        self.base_url, self.model = base_url, model

    def call(self, method: str, path: str, **more: Any) -> requests.Response:
        headers = {"Authorization": "Bearer secret"}
        url = self.base_url + path
        return requests.request(method, url, headers=headers, timeout=SECONDS, **more)

    def post_movement(self, **changed: Any) -> requests.Response:
        body = {"movements": [{**MOVEMENT, **changed}]}
        return self.call("POST", "/v1/movements", json=body)


@pytest.fixture
def client() -> Iterator[Client]:
    model = ErpModel(Clock())
    model.set_stock(KEY, 10)
    with erp_server(model, "secret") as server:
        yield Client(server.base_url, model)


def properties(schema: str) -> set[str]:
    return set(CONTRACT["components"]["schemas"][schema]["properties"])


def test_a_movement_is_posted_repeated_and_looked_up(client: Client) -> None:
    (first,) = client.post_movement().json()["results"]
    (again,) = client.post_movement().json()["results"]
    assert (first["outcome"], again["outcome"]) == ("applied", "repeated")
    assert first["applied_at"] == again["applied_at"]
    found = client.call("GET", f"/v1/movements/{quote('ff/1:10', safe='')}").json()
    assert found["lines"] == MOVEMENT["lines"]
    assert set(found) == properties("BookedMovement")


def test_a_movement_that_is_not_booked_is_404_and_named(client: Client) -> None:
    answer = client.call("GET", f"/v1/movements/{quote('ff/1:11', safe='')}")
    assert answer.status_code == 404
    assert answer.json() == {
        "error": "unknown movement",
        "movement_id": "ff/1:11",
        "outcome": "absent",
    }
    assert set(answer.json()) == properties("NotBooked")


def test_the_stock_has_the_contracts_form(client: Client) -> None:
    page = client.call("GET", "/v1/stock", params={"location": DC}).json()
    assert page["rows"] == [{"product": "SKU-1", "on_hand": 10}]
    assert set(page) == properties("StockPage")
    assert client.call("GET", "/v1/stock", params={"location": "X"}).status_code == 404
    assert client.call("GET", "/v1/stock").status_code == 400


def test_the_capabilities_have_the_contracts_form(client: Client) -> None:
    assert set(client.call("GET", "/v1/capabilities").json()) == properties("Capabilities")


def test_an_allocation_is_written_and_released(client: Client) -> None:
    body = {"allocations": [ALLOCATION]}
    (result,) = client.call("POST", "/v1/allocations", json=body).json()["results"]
    assert (result["outcome"], client.model.allocated(KEY)) == ("applied", 1)
    body = {"allocations": [{**ALLOCATION, "state": "released", "logical_timestamp": 8}]}
    client.call("POST", "/v1/allocations", json=body)
    assert client.model.allocated(KEY) == 0


@pytest.mark.parametrize("field", sorted(MOVEMENT))
def test_a_movement_without_a_field_is_400_and_names_it(client: Client, field: str) -> None:
    body = {"movements": [{name: value for name, value in MOVEMENT.items() if name != field}]}
    answer = client.call("POST", "/v1/movements", json=body)
    assert answer.status_code == 400
    assert answer.json() == {"error": f"{field} is missing"}
    assert client.model.on_hand(KEY) == 10


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"lines": []}, "lines is empty"),
        ({"lines": [{**LINE, "quantity": 0}]}, "quantity is not 1: a line is one unit"),
        ({"lines": [{**LINE, "quantity": 2}]}, "quantity is not 1: a line is one unit"),
        ({"lines": [{**LINE, "quantity": 1.5}]}, "quantity is not an integer"),
        ({"lines": [{"product": "SKU-1", "quantity": 1}]}, "item_id is missing"),
        ({"lines": [{**LINE, "item_id": ""}]}, "item_id is not a text"),
        ({"logical_timestamp": True}, "logical_timestamp is not an integer"),
    ],
)
def test_a_movement_with_a_wrong_field_is_400_and_names_it(
    client: Client, wrong: dict[str, Any], says: str
) -> None:
    answer = client.call("POST", "/v1/movements", json={"movements": [{**MOVEMENT, **wrong}]})
    assert (answer.status_code, answer.json()) == (400, {"error": says})
    assert client.model.on_hand(KEY) == 10


def test_a_whole_number_may_have_a_point(client: Client) -> None:
    lines = [{**LINE, "quantity": 1.0}]
    answer = client.call(
        "POST", "/v1/movements", json={"movements": [{**MOVEMENT, "lines": lines}]}
    )
    assert answer.json()["results"][0]["outcome"] == "applied"
    assert client.model.on_hand(KEY) == 9


def test_an_allocation_of_nothing_is_400(client: Client) -> None:
    body = {"allocations": [{**ALLOCATION, "items": []}]}
    answer = client.call("POST", "/v1/allocations", json=body)
    assert (answer.status_code, answer.json()) == (400, {"error": "items is empty"})


def test_a_reason_of_an_allocation_is_a_text_where_there_is_one(client: Client) -> None:
    for reason, status in (({}, 400), ("no_inventory", 200)):
        body = {"allocations": [{**ALLOCATION, "reason": reason}]}
        assert client.call("POST", "/v1/allocations", json=body).status_code == status


def test_the_token_is_required(client: Client) -> None:
    assert requests.get(f"{client.base_url}/v1/capabilities", timeout=SECONDS).status_code == 401


def test_a_lost_answer_is_a_cut_connection_and_the_movement_is_booked(client: Client) -> None:
    client.model.faults.lose_next_answer(call="post_movements")
    with pytest.raises(requests.ConnectionError):
        client.post_movement()
    assert client.model.on_hand(KEY) == 8


def test_a_slow_call_runs_into_the_clients_time_out_and_is_applied(client: Client) -> None:
    client.model.faults.slow_next(0.5)
    with pytest.raises(requests.Timeout):
        requests.post(
            f"{client.base_url}/v1/movements",
            json={"movements": [MOVEMENT]},
            headers={"Authorization": "Bearer secret"},
            timeout=0.1,
        )
    client.post_movement()
    assert client.model.faults.injected == {"slow": 1}


def test_simultaneous_posts_of_one_movement_book_it_once(client: Client) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: client.post_movement().json(), range(16)))
    outcomes = sorted(answer["results"][0]["outcome"] for answer in answers)
    assert outcomes == ["applied"] + ["repeated"] * 15
    assert client.model.on_hand(KEY) == 8


def test_a_person_can_receive_stock_and_inject_faults(client: Client) -> None:
    control = f"{client.base_url}/_control"
    body = {"location": DC, "product": "SKU-1", "units": 10}
    assert requests.post(f"{control}/receive", json=body, timeout=SECONDS).status_code == 200
    assert client.model.on_hand(KEY) == 20
    requests.post(f"{control}/refuse_next", json={"status": 500}, timeout=SECONDS)
    assert client.call("GET", "/v1/capabilities").status_code == 500
    requests.post(
        f"{control}/reject_product", json={"product": "SKU-1", "reason": "no"}, timeout=SECONDS
    )
    assert client.post_movement().json()["results"][0]["reason"] == "no"
    assert requests.post(f"{control}/explode", json={}, timeout=SECONDS).status_code == 404
    assert requests.post(f"{control}/receive", json={}, timeout=SECONDS).status_code == 400


def test_the_state_can_be_inspected(client: Client) -> None:
    client.post_movement()
    state = requests.get(f"{client.base_url}/_state", timeout=SECONDS).json()
    (stock,) = state["stock"]
    assert (stock["on_hand"], stock["shown"]) == (8, 8)
    assert state["movements"][0]["document_id"] == "DOC-000001"
    assert (state["double_bookings"], state["double_booked_units"]) == (0, 0)


def test_the_server_answers_every_path_of_the_contract_and_no_other() -> None:
    rules = {
        rule.rule.replace("<path:movement_id>", "{movement_id}")
        for rule in erp_app(ErpModel(Clock()), "secret").url_map.iter_rules()
    }
    assert {rule for rule in rules if rule.startswith("/v1/")} == set(CONTRACT["paths"])
