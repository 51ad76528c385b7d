"""Each function's role allows what the function calls, and nothing that it does not call.

The functions of the local stack are played through stories that reach every way they have to AWS;
their environment and their roles are the template's.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from local.clock import LocalClock
from local.stack import FORWARD, IMPORT, RECONCILE, LocalStack, StackPlan, local_stack
from local.story import plan_of
from local.template import ROOT, Template
from tests.integration.called import Called, Need, needs_of
from tests.integration.roles import Allowed, Deployed
from tests.integration.ways_by_files import PLAN, by_files
from tests.integration.ways_to_aws import HELD, STORIES, beside_another_system

TEMPLATE = ROOT / "template.yaml"
ERP_BUCKET = ("ErpFiles", "ErpMovements", "ErpFileNames")
SHADOWS = ("ShadowTime", "EventHistory", "Looks")
PLAIN = Template(TEMPLATE, "any")
FUNCTIONS = [name for name in PLAIN.of_type("AWS::Serverless::Function") if PLAIN.present(name)]
"""All but the reader where reads fan out: tests/e2e/deployed drives it under its role."""


@dataclass(frozen=True)
class Seen:
    """What functions needed and may, by logical id."""

    needs: Mapping[str, set[Need]]
    allowed: Mapping[str, list[Allowed]]


@pytest.fixture(scope="module")
def seen() -> Seen:
    """Over all stories, in one stack."""
    called = Called()
    with local_stack(plan_of(HELD), new_session=called.new_session) as stack:
        for story in STORIES:
            story(stack, called)
        return seen_of(stack, called)


@pytest.fixture(scope="module")
def seen_by_files() -> Seen:
    """With the connector that works through a bucket of the ERP's."""
    called = Called()
    now = LocalClock(datetime.now(UTC))  # the ERP's files say when
    with local_stack(PLAN, now, new_session=called.new_session) as stack:
        by_files(stack)
        return seen_of(stack, called)


@pytest.fixture(scope="module")
def seen_by_shadow() -> Seen:
    """Beside another system."""
    called = Called()
    parameters = {"Mode": "shadow", "OtherSystemLagSeconds": "0"}
    plan = StackPlan(locations=PLAN.locations, parameters=parameters)
    with local_stack(plan, new_session=called.new_session) as stack:
        beside_another_system(stack, called)
        return seen_of(stack, called)


def seen_of(stack: LocalStack, called: Called) -> Seen:
    deployed = Deployed(TEMPLATE, stack.template.stack_name, stack.template.parameters)
    needs = {
        name: called.needs.get(deployed.physical_id(name), set()) | {*deployed.done_by_lambda(name)}
        for name in FUNCTIONS
    }
    return Seen(needs, {name: deployed.allowed(name) for name in FUNCTIONS})


@pytest.mark.sweep(sample=2)
@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_calls_nothing_that_its_role_refuses(seen: Seen, function: str) -> None:
    assert not refused(seen, function)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_role_allows_nothing_that_its_function_does_not_call(seen: Seen, function: str) -> None:
    """Where this fails for something that is needed, a story has to reach it."""
    assert not idle(seen, function)


@pytest.mark.parametrize("function", [FORWARD, IMPORT, RECONCILE])
def test_the_same_holds_of_the_bucket_that_an_erp_shares(
    seen_by_files: Seen, function: str
) -> None:
    ours = [allowed for allowed in seen_by_files.allowed[function] if allowed.sid in ERP_BUCKET]

    assert ours
    assert not refused(seen_by_files, function)
    assert not [allowed for allowed in idle(seen_by_files, function) if allowed in ours]


@pytest.mark.sweep(sample=1)
@pytest.mark.parametrize("function", [FORWARD, IMPORT])
def test_the_same_holds_of_what_only_a_shadow_does(seen_by_shadow: Seen, function: str) -> None:
    ours = [a for a in seen_by_shadow.allowed[function] if a.sid in SHADOWS]

    assert ours
    assert not refused(seen_by_shadow, function)
    assert not [allowed for allowed in idle(seen_by_shadow, function) if allowed in ours]


def test_a_shadow_may_not_write_movements_for_an_erp_that_fetches_files() -> None:
    files = {"ErpConnector": "csv", "ErpBucketName": "erp", "OtherSystemLagSeconds": "0"}

    may = {
        mode: {a.sid for a in Deployed(TEMPLATE, "any", {**files, "Mode": mode}).allowed(FORWARD)}
        for mode in ("live", "shadow")
    }

    assert may["live"] - may["shadow"] == set(ERP_BUCKET)


def refused(seen: Seen, function: str) -> list[Need]:
    return [
        need
        for need in seen.needs[function]
        if not any(allowed.covers(need) for allowed in seen.allowed[function])
    ]


def idle(seen: Seen, function: str) -> list[Allowed]:
    return [
        allowed
        for allowed in seen.allowed[function]
        if not any(allowed.covers(need) for need in seen.needs[function])
    ]


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
    with pytest.raises(AssertionError, match="ses:SendEmail"):
        list(needs_of("ses", "SendEmail", {}))
