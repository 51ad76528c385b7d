"""What the stacks have logged by the end of the other files' tests, and what watches them.

Run alone it lacks what they log.
"""

import json
from collections.abc import Mapping
from concurrent.futures import Future
from typing import Any

import pytest

from local.deployed import DeployedStack
from local.deployed_logs import group_lines, metrics, stack_groups
from tests.e2e.deployed.conftest import STORIES, Played
from tests.template.test_alarms import METRICS_OF_OURS
from tests.template.test_template import ALARMS, RESOURCES

SECONDS_MAX = 240
NOT_SENT_HERE = {"InboundKeysNotRefreshed", "OldestReadSeconds"}
"""No story takes Secrets Manager away from a webhook that runs, or has the reads fan out."""
OF_THE_WEBHOOK = {"event quarantined", "event ignored", "event too large"}
NEVER_IN_A_LOG = ("access-token", "-rotated", "X-Amz-Signature", "X-Amz-Credential", "Bearer ")


@pytest.fixture(scope="module")
def logs(stack: DeployedStack, stories: Mapping[str, Future[Played]]) -> dict[str, list[str]]:
    """Of all functions and APIs, by stack."""
    groups = stack_groups(stack.local_aws, stack.name)
    lines = [line for group in groups for line in group_lines(stack.local_aws, group)]
    return {stack.name: lines, **{name: stories[name].result(SECONDS_MAX).log for name in STORIES}}


def alarms(stack: DeployedStack) -> dict[str, Any]:
    pages = stack.local_aws.client("cloudwatch").get_paginator("describe_alarms").paginate()
    return {
        alarm["AlarmName"]: alarm
        for page in pages
        for alarm in page["MetricAlarms"]
        if alarm["AlarmName"].startswith(f"{stack.name}-")
    }


def test_no_log_has_a_secret(
    logs: dict[str, list[str]], stack: DeployedStack, stories: Mapping[str, Future[Played]]
) -> None:
    keys = [stack.keys, *(stories[name].result(SECONDS_MAX).keys for name in STORIES)]
    planted = {key for k in keys for key in (k.api_key, k.client_secret, k.erp_token)}
    text = "\n".join(line for lines in logs.values() for line in lines)

    assert "event rejected" in text  # it is the functions' log
    assert not [secret for secret in (*planted, *NEVER_IN_A_LOG) if secret in text]


def test_no_function_was_refused_what_it_needs(logs: dict[str, list[str]]) -> None:
    """The local AWS allows what the roles of the template allow, and nothing else."""
    assert not [line for lines in logs.values() for line in lines if "AccessDenied" in line]


def test_every_line_of_a_function_names_its_request(logs: dict[str, list[str]]) -> None:
    """But for the webhook's: API Gateway's log has those."""
    lines = [json.loads(line) for line in logs["main"] if line.startswith('{"level"')]
    messages = {line["message"] for line in lines if "function_request_id" in line}

    assert {"tick", "rows reconciled", "export read"} <= messages
    assert {line["message"] for line in lines} - messages <= OF_THE_WEBHOOK


def test_every_figure_that_an_alarm_watches_is_sent_under_its_name(
    logs: dict[str, list[str]], stack: DeployedStack
) -> None:
    sent = {
        name
        for stack_name, lines in logs.items()
        for name, dimensions, _ in metrics(lines)
        if dimensions == {"service": stack_name.replace("_", "-")}
    }

    assert set(METRICS_OF_OURS) - sent == NOT_SENT_HERE


def test_every_alarm_is_there_and_watches_what_is_there(stack: DeployedStack) -> None:
    known = {
        "service": {stack.name},
        "ApiName": {
            api["name"] for api in stack.local_aws.client("apigateway").get_rest_apis()["items"]
        },
        "Stage": {"prod"},
        "FunctionName": {value for name, value in stack.outputs.items() if "Function" in name},
        "TableName": {value for name, value in stack.outputs.items() if "Table" in name},
        "RuleName": {
            rule["Name"] for rule in stack.local_aws.client("events").list_rules()["Rules"]
        },
        "QueueName": {value for name, value in stack.outputs.items() if "Queue" in name},
    }
    deployed = alarms(stack)

    assert len(deployed) == sum("Condition" not in RESOURCES[name] for name in ALARMS)
    for alarm in deployed.values():
        for dimension in alarm["Dimensions"]:
            assert dimension["Value"] in known[dimension["Name"]], json.dumps(alarm, default=str)


def test_the_dashboard_shows_the_alarms_that_are_there(stack: DeployedStack) -> None:
    client = stack.local_aws.client("cloudwatch")
    names = [
        entry["DashboardName"]
        for entry in client.list_dashboards()["DashboardEntries"]
        if entry["DashboardName"].startswith(f"{stack.name}-")
    ]

    [body] = [client.get_dashboard(DashboardName=name)["DashboardBody"] for name in names]

    [shown] = [w["properties"] for w in json.loads(body)["widgets"] if w["type"] == "alarm"]
    assert sorted(shown["alarms"]) == sorted(alarm["AlarmArn"] for alarm in alarms(stack).values())
