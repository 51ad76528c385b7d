"""What API Gateway answers by itself, as the template has it: NewStore repeats, and never stops."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import requests

from local.deployed import DeployedStack
from local.stack import INGEST, QUARANTINE
from tests.e2e.deployed.waiting import eventually

SECONDS = 30
NO_EVENT = b"no event"
ALIAS = "live"


def answer(stack: DeployedStack, path: str = "", method: str = "POST") -> requests.Response:
    return requests.request(
        method,
        stack.event_url + path,
        data=NO_EVENT,
        headers={"Authorization": f"Bearer {stack.keys.api_key}"},
        timeout=SECONDS,
        verify=str(stack.local_aws.certificate),
    )


def post(stack: DeployedStack, path: str = "", method: str = "POST") -> int:
    """The status; whoever answers does so in the webhook's form."""
    found = answer(stack, path, method=method)
    assert {"outcome"} <= found.json().keys() <= {"outcome", "detail"}
    return found.status_code


@pytest.fixture(autouse=True)
def open_before_and_after(stack: DeployedStack) -> Iterator[None]:
    assert post(stack) == 200
    set_aside = stack.count(QUARANTINE)
    yield
    assert post(stack) == 200
    assert stack.count(QUARANTINE) == set_aside


def api_id(stack: DeployedStack) -> str:
    return stack.outputs["EventUrl"].removeprefix("https://").partition(".")[0]


def stage_name(stack: DeployedStack) -> str:
    return stack.outputs["EventUrl"].split("/")[3]


@contextmanager
def stage_with(stack: DeployedStack, path: str, value: str, after: str) -> Iterator[None]:
    """A setting of the stage, and what it is set to afterwards."""
    client = stack.local_aws.client("apigateway")
    for new in (value, after):
        client.update_stage(
            restApiId=api_id(stack),
            stageName=stage_name(stack),
            patchOperations=[{"op": "replace", "path": path, "value": new}],
        )
        if new == value:
            yield


def test_another_path_or_method(stack: DeployedStack) -> None:
    assert post(stack, "s") == 429
    assert post(stack, method="GET") == 429


def test_throttled(stack: DeployedStack) -> None:
    with stage_with(stack, "/~1event/POST/throttling/burstLimit", "0", "1000"):
        assert post(stack) == 429


def test_from_outside_the_allowed_ranges(stack: DeployedStack) -> None:
    client = stack.local_aws.client("apigateway")
    before = client.get_rest_api(restApiId=api_id(stack)).get("policy", "")
    nobody = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Deny",
                "Principal": "*",
                "Action": "execute-api:Invoke",
                "Resource": "execute-api:/*",
            }
        ],
    }

    def policy(text: str) -> None:
        operations = [{"op": "replace", "path": "/policy", "value": text}]
        client.update_rest_api(restApiId=api_id(stack), patchOperations=operations)

    policy(json.dumps(nobody))
    try:
        assert post(stack) == 429
    finally:
        policy(before)


def test_a_function_that_does_not_run(stack: DeployedStack) -> None:
    """AWS answers 500 here, the local AWS 429; NewStore repeats after both."""
    client, name = stack.local_aws.client("lambda"), stack.physical_id(INGEST)
    client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    try:
        # The local AWS lets an alias run all the same.
        with calls_instead(stack, f"{name}:{ALIAS}", name):
            assert answer(stack).status_code in (429, 500)
    finally:
        client.delete_function_concurrency(FunctionName=name)
    eventually(lambda: post(stack) == 200, "the function")


def test_a_function_that_is_not_there(stack: DeployedStack) -> None:
    with calls_instead(stack, stack.physical_id(INGEST), "gone"):
        assert post(stack) == 500


@contextmanager
def calls_instead(stack: DeployedStack, name: str, other: str) -> Iterator[None]:
    """The API calls another function than the template's."""
    client = stack.local_aws.client("apigateway")
    resources = client.get_resources(restApiId=api_id(stack))["items"]
    [resource] = [found["id"] for found in resources if found["path"] == "/event"]
    which = {"restApiId": api_id(stack), "resourceId": resource, "httpMethod": "POST"}
    uri = client.get_integration(**which)["uri"]
    assert name in uri
    for value in (uri.replace(name, other), uri):
        operations = [{"op": "replace", "path": "/uri", "value": value}]
        client.update_integration(**which, patchOperations=operations)
        if value != uri:
            yield
