"""Each function's role allows what the function calls, and nothing that it does not call.

The functions of the local stack are played through stories that reach every way they have to AWS;
their environment and their roles are the template's.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import pytest

from local.stack import local_stack
from local.story import plan_of
from local.template import ROOT, Template
from tests.integration.called import Need, needs_of, record
from tests.integration.roles import Allowed, Deployed
from tests.integration.ways_to_aws import HELD, STORIES

TEMPLATE = ROOT / "template.yaml"
FUNCTIONS = Template(TEMPLATE, "any").of_type("AWS::Serverless::Function")


@dataclass(frozen=True)
class Seen:
    """What functions needed and may, by logical id."""

    needs: Mapping[str, set[Need]]
    allowed: Mapping[str, list[Allowed]]


@pytest.fixture(scope="module")
def seen() -> Seen:
    """Over all stories, in one stack."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        called = record(monkeypatch)
        with local_stack(plan_of(HELD)) as stack:
            for story in STORIES:
                story(stack, called)
            deployed = Deployed(TEMPLATE, stack.template.stack_name, stack.template.parameters)
    needs = {
        name: called.needs.get(deployed.physical_id(name), set()) | {*deployed.done_by_lambda(name)}
        for name in FUNCTIONS
    }
    return Seen(needs, {name: deployed.allowed(name) for name in FUNCTIONS})


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_calls_nothing_that_its_role_refuses(seen: Seen, function: str) -> None:
    refused = [
        need
        for need in seen.needs[function]
        if not any(allowed.covers(need) for allowed in seen.allowed[function])
    ]

    assert not refused


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_role_allows_nothing_that_its_function_does_not_call(seen: Seen, function: str) -> None:
    """Where this fails for something that is needed, a story has to reach it."""
    idle = [
        allowed
        for allowed in seen.allowed[function]
        if not any(allowed.covers(need) for need in seen.needs[function])
    ]

    assert not idle


@pytest.mark.parametrize(
    ("action", "resource", "facts", "covered"),
    [
        ("s3:GetObject", "arn:aws:s3:::b/runs/1/a.json", (), True),
        ("s3:GetObject", "arn:aws:s3:::b/ledger/1", (), False),
        ("s3:GetObject", "arn:aws:s3:::other/runs/1", (), False),
        ("s3:PutObject", "arn:aws:s3:::b/runs/1/a.json", (), False),
    ],
)
def test_a_permission_covers_its_action_on_its_resource_only(
    action: str, resource: str, facts: tuple[tuple[str, str], ...], covered: bool
) -> None:
    allowed = Allowed("Files", "s3:GetObject", "arn:aws:s3:::b/runs/*", {})

    assert allowed.covers(Need(action, resource, facts)) is covered


def test_a_condition_has_to_be_met_and_understood() -> None:
    only = {"StringEquals": {"dynamodb:Select": "COUNT"}}
    count = Need("dynamodb:Scan", "table", (("dynamodb:Select", "COUNT"),))

    assert Allowed("Depth", "dynamodb:Scan", "table", only).covers(count)
    assert not Allowed("Depth", "dynamodb:Scan", "table", only).covers(Need(*count[:2]))
    with pytest.raises(KeyError):
        Allowed("Depth", "dynamodb:Scan", "table", {"IpAddress": {"aws:SourceIp": "*"}}).covers(
            count
        )


def test_a_transaction_needs_what_its_parts_need() -> None:
    items = [{"Put": {"TableName": "t"}}, {"ConditionCheck": {"TableName": "t"}}]

    needs = needs_of("dynamodb", "TransactWriteItems", {"TransactItems": items})

    assert [need.action for need in needs] == ["dynamodb:PutItem", "dynamodb:ConditionCheckItem"]


def test_a_service_that_is_not_understood_is_no_silence() -> None:
    with pytest.raises(AssertionError, match="sns:Publish"):
        list(needs_of("sns", "Publish", {}))
