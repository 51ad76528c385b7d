"""NewStore over HTTP: its paths, its statuses, and faults as a client meets them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from local.http_server import Garbling
from local.newstore.server import newstore_server
from tests.unit.local.newstore_builder import DC, KEY, SKU, Newstore, file_of, zip_of

SECONDS = 5
REALM = "/auth/realms/acme/protocol/openid-connect/token"
CREDENTIALS = {
    "grant_type": "client_credentials",
    "client_id": "client",
    "client_secret": "secret",
}
JOB = {
    "provider": "erp",
    "name": "stock",
    "source_uri": "s3://stock/1.zip",
    "entities": ["availabilities"],
    "full": False,
}


class Client:
    """Calls with a token."""

    def __init__(self, base_url: str, newstore: Newstore) -> None:
        self.base_url, self.newstore = base_url, newstore
        token = requests.post(base_url + REALM, data=CREDENTIALS, timeout=SECONDS).json()
        self.headers = {"Authorization": f"Bearer {token['access_token']}"}

    def call(self, method: str, path: str, **more: Any) -> requests.Response:
        url = self.base_url + path
        return requests.request(method, url, headers=self.headers, timeout=SECONDS, **more)


@pytest.fixture
def client() -> Iterator[Client]:
    newstore = Newstore(clients={"client": "secret"}, users={"user": "password"})
    with newstore_server(newstore.model) as server:
        yield Client(server.base_url, newstore)


def test_an_import_runs_over_http_from_create_to_finished(client: Client) -> None:
    client.newstore.ship(10)
    client.newstore.files["s3://stock/1.zip"] = zip_of(file_of({KEY: 17}, (10, 10)))
    import_id = client.call("POST", "/v0/d/import", json=JOB).json()["id"]
    listed = client.call("GET", "/v0/d/import", params={"filter[state]": "received"}).json()
    assert [job["import_id"] for job in listed["items"]] == [import_id]
    started = client.call(
        "POST", f"/v0/d/import/{import_id}/start", json={"transformed_uri": "s3://stock/1.zip"}
    )
    assert started.status_code == 200
    assert client.call("GET", f"/v0/d/import/{import_id}").json()["state"] == "finished"
    assert client.call("GET", f"/v0/d/import/{import_id}/errors").json() == {"items": []}
    keys = {"atp_keys": [{"product_id": SKU, "fulfillment_node_id": DC}]}
    answer = client.call("POST", "/v0/availabilities", json=keys).json()
    assert answer == {"items": [{"product_id": SKU, "fulfillment_node_id": DC, "atp": 17}]}


def test_a_job_is_set_to_failed_over_http(client: Client) -> None:
    import_id = client.call("POST", "/v0/d/import", json=JOB).json()["id"]
    path = f"/v0/d/import/{import_id}"
    client.call("POST", f"{path}/set_fail", json={"reason": "orphan"})
    assert client.call("GET", path).json()["state"] == "failed"


@pytest.mark.parametrize(
    ("path", "form"),
    [
        (REALM, CREDENTIALS),
        ("/v0/token", {"grant_type": "password", "username": "user", "password": "password"}),
    ],
)
def test_both_token_endpoints_answer(client: Client, path: str, form: dict[str, str]) -> None:
    answer = requests.post(client.base_url + path, data=form, timeout=SECONDS)
    assert answer.json()["token_type"] == "Bearer"
    wrong = requests.post(
        client.base_url + path, data={**form, "grant_type": "magic"}, timeout=SECONDS
    )
    assert wrong.status_code == 400


def test_without_a_token_401_and_with_an_expired_one_403(client: Client) -> None:
    path = "/v0/locations"
    assert requests.get(client.base_url + path, timeout=SECONDS).status_code == 401
    assert client.call("GET", path).status_code == 200
    client.newstore.clock.sleep(3600)
    assert client.call("GET", path).status_code == 403


def test_429_carries_retry_after(client: Client) -> None:
    for _ in range(20):
        client.newstore.create()
    answer = client.call("POST", "/v0/d/import", json=JOB)
    assert answer.status_code == 429
    assert answer.headers["Retry-After"] == "60"


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/v0/availabilities", {"atp_keys": []}),
        ("POST", "/v0/availabilities", {"atp_keys": [{"product_id": SKU}]}),
        ("POST", "/v0/availabilities", {"atp_keys": [dict.fromkeys(("product_id",), SKU)] * 2001}),
        ("GET", "/v0/stock/insights", None),
    ],
)
def test_a_malformed_call_is_400(client: Client, method: str, path: str, body: object) -> None:
    assert client.call(method, path, json=body).status_code == 400


@pytest.mark.parametrize("body", [[JOB], {}, {**JOB, "provider": 7}, {**JOB, "full": "no"}])
def test_a_malformed_job_is_422(client: Client, body: object) -> None:
    assert client.call("POST", "/v0/d/import", json=body).status_code == 422


def test_insights_and_locations_have_newstores_form(client: Client) -> None:
    client.newstore.assign()
    params = {"product_id": SKU, "fulfillment_node_id": DC}
    insights = client.call("GET", "/v0/stock/insights", params=params).json()
    assert set(insights["allocations"][0]) == {"order_uuid", "item_uuid", "created_at"}
    assert "reservations" not in insights
    locations = client.call("GET", "/v0/locations").json()["locations"]
    assert [location["id"] for location in locations] == [DC, "NYC"]
    assert client.call("GET", f"/v0/locations/{DC}").json() == locations[0]
    assert client.call("GET", "/v0/locations/nowhere").status_code == 404


def test_an_integration_is_managed_over_http(client: Client) -> None:
    path = "/api/v1/org/integrations/eventstream"
    callback = {"callback_url": "https://example.com/event", "api_key": "key-1"}
    body = {"id": "stock", "integration_type": "permanent", "callback_parameters": callback}
    client.call("POST", path, json=body)
    assert client.call("GET", f"{path}/stock").json()["status"] == "running"
    client.call("POST", f"{path}/stock/_stop")
    change = {"callback_parameters": {**callback, "api_key": "key-2"}}
    client.call("PATCH", f"{path}/stock", json=change)
    (integration,) = client.call("GET", path).json()["integrations"]
    shown = {"callback_url": callback["callback_url"]}
    assert integration == {**body, "callback_parameters": shown, "status": "stopped"}
    assert client.newstore.model.integrations.of("stock").callback["api_key"] == "key-2"
    client.call("DELETE", f"{path}/stock")
    assert client.call("GET", path).json()["integrations"] == []


def test_a_lost_answer_is_a_cut_connection_and_the_job_is_there(client: Client) -> None:
    client.newstore.model.faults.lose_next_answer(call="create_import")
    with pytest.raises(requests.ConnectionError):
        client.call("POST", "/v0/d/import", json=JOB)
    assert len(client.call("GET", "/v0/d/import").json()["items"]) == 1


@pytest.mark.parametrize("garbling", ["html", "truncated_json", "empty_body"])
def test_a_garbled_answer_is_200_and_no_json(client: Client, garbling: Garbling) -> None:
    client.newstore.model.faults.garble_next(garbling)
    answer = client.call("GET", "/v0/locations")
    assert answer.status_code == 200
    with pytest.raises(requests.JSONDecodeError):
        answer.json()


def test_a_wrong_content_length_breaks_the_reading(client: Client) -> None:
    client.newstore.model.faults.garble_next("wrong_content_length")
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        client.call("GET", "/v0/locations")


def test_a_refused_call_has_its_status_on_the_wire(client: Client) -> None:
    client.newstore.model.faults.refuse_next(status=502)
    assert client.call("GET", "/v0/locations").status_code == 502


def test_the_state_can_be_inspected_without_a_token(client: Client) -> None:
    client.newstore.ship(10)
    state = requests.get(f"{client.base_url}/_state", timeout=SECONDS).json()
    (stock,) = state["stock"]
    assert (stock["completed_unreleased"], stock["atp"]) == (1, -1)
    assert len(state["published"]) == 2


def test_a_person_lets_orders_happen_without_a_token(client: Client) -> None:
    control = f"{client.base_url}/_control"
    order = {"request": "mine", "location": DC, "product": SKU, "units": 2}

    ordered = requests.post(f"{control}/order", json=order, timeout=SECONDS)
    shipped = requests.post(f"{control}/ship", json={"request": "mine"}, timeout=SECONDS)

    assert ordered.json()["name"] == "fulfillment_request.assigned"
    assert len(shipped.json()["payload"]["items"]) == 2
    assert client.newstore.model.completed_unreleased(KEY) == 2


def test_a_person_lets_a_job_fail_and_a_figure_change(client: Client) -> None:
    control = f"{client.base_url}/_control"
    figure = {"location": DC, "product": SKU, "units": 75}

    failing = requests.post(
        f"{control}/fail_next_job", json={"reason": "internal error"}, timeout=SECONDS
    )
    changed = requests.post(f"{control}/set_imported", json=figure, timeout=SECONDS)

    assert (failing.json(), changed.json()) == ({}, {})
    assert [job.reason for job in client.newstore.model.jobs.next_jobs] == ["internal error"]
    assert client.newstore.model.on_hand(KEY) == 75


@pytest.mark.parametrize(
    ("action", "body", "status"),
    [
        ("sell", {}, 404),
        ("order", {"request": "mine"}, 400),
        ("ship", {"request": "nobody's"}, 409),
        ("fail", {"request": "nobody's"}, 409),
    ],
)
def test_what_cannot_happen_is_said(
    client: Client, action: str, body: dict[str, Any], status: int
) -> None:
    answer = requests.post(f"{client.base_url}/_control/{action}", json=body, timeout=SECONDS)

    told = {"error_code", "message", "request_id"}
    assert (answer.status_code, set(answer.json())) == (status, told)
