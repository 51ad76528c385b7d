"""The policy of docs/deploy.md is what an operator's commands need, and no more."""

import json
import os
from dataclasses import replace
from datetime import timedelta
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest

from local.aws import API_KEY, new_session
from local.newstore.delivery import post_over_http
from local.template import ACCOUNT, REGION, ROOT
from tests.integration.called import FUNCTION_NAME, Called, Need
from tests.integration.operator import DC, SKU, WHO, Operated, operated

ANSWERED_BY_THE_STACK = {
    "cloudformation:DescribeStackResource",
    "cloudformation:DescribeStacks",
    "cloudwatch:GetMetricData",
    "lambda:GetAccountSettings",
    "lambda:GetFunctionConfiguration",
    "lambda:InvokeFunction",
}
"""What `cli/connect.py` calls beside the clients that tell of their calls here."""


@pytest.fixture(scope="module")
def needs(tmp_path_factory: pytest.TempPathFactory) -> set[Need]:
    """Of commands that read and change what there is."""
    called = Called()
    with operated() as shop:
        shop.ship("ff1", at=10)
        post_over_http(shop.stack.event_url)(b"{", {"Authorization": f"Bearer {API_KEY}"})
        play(replace(shop, session=called.new_session), tmp_path_factory.mktemp("operator"))
        return called.needs[os.environ[FUNCTION_NAME]]


def play(shop: Operated, folder: Path) -> None:
    shop.run("stream", "register", *WHO)
    shop.run("hold", DC, *WHO)
    shop.run("resume", DC, *WHO)
    shop.run("resend", DC, *WHO)
    sns: Any = new_session().create_client("sns", region_name=REGION)
    topic = sns.create_topic(Name="page")["TopicArn"]
    shop.stack.template.set_parameters({"PageTopicArn": topic})
    shop.answer("preflight", "--url", shop.stack.event_url)
    for words in ("status", "events DC01", f"explain {DC} {SKU}", "run last", "reconcile"):
        shop.answer(*words.split())
    [entry] = shop.json("quarantine", "list")["quarantine"]
    shop.run("quarantine", "retry", entry["id"], *WHO, code=4)
    shop.run("quarantine", "resolve", entry["id"], *WHO)
    since = (shop.stack.clock.now() - timedelta(hours=1)).isoformat()
    shop.run("replay", "window", "--from", since, *WHO)


def statements(stack_name: str) -> list[dict[str, Any]]:
    """Of the documented policy, for this stack, whose secrets bear its name."""
    text = (ROOT / "docs" / "deploy.md").read_text("utf-8")
    section = text.partition("## Operators' rights")[2].partition("\n## ")[0]
    policy = section[section.index("{") : section.rindex("}") + 1]
    named = {"REGION": REGION, "ACCOUNT": ACCOUNT, "STACK": stack_name}
    for name, value in {**named, ":inventory-sync/": f":{stack_name}-*/"}.items():
        policy = policy.replace(name, value)
    found: list[dict[str, Any]] = json.loads(policy)["Statement"]
    return found


def listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def test_a_command_calls_nothing_that_the_policy_refuses(needs: set[Need]) -> None:
    allowed = statements("local")

    assert not [
        need
        for need in needs
        if not any(
            need.action in listed(one["Action"])
            and any(fnmatchcase(need.resource, arn) for arn in listed(one["Resource"]))
            for one in allowed
        )
    ]


def test_the_policy_allows_nothing_that_no_command_calls(needs: set[Need]) -> None:
    allowed = {action for one in statements("local") for action in listed(one["Action"])}

    assert allowed == ANSWERED_BY_THE_STACK | {need.action for need in needs}
