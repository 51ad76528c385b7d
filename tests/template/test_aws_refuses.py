"""What AWS would refuse, or end, and a local AWS forgives."""

import re

import pytest

from tests.template.test_template import FUNCTIONS, PARAMETERS, RESOURCES, ROOT, of_type

API = RESOURCES["EventApi"]["Properties"]
WEBHOOK = FUNCTIONS["IngestEventFunction"]
SECRETS = [name for name in PARAMETERS if name.endswith("SecretArn")]
ARN = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:erp"
LAMBDA_VISIBILITY_FACTOR = 6
"""Of a function's time-out (Lambda developer guide, "Configuring a queue to use with Lambda")."""


def test_a_queue_s_policy_names_one_queue_and_allows_no_other() -> None:
    policies = of_type("AWS::SQS::QueuePolicy")

    assert len(policies) == 2
    for policy in policies.values():
        [queue] = policy["Queues"]
        [statement] = policy["PolicyDocument"]["Statement"]
        assert statement["Resource"] == {"Fn::GetAtt": f"{queue['Ref']}.Arn"}


def test_the_stage_waits_for_the_role_by_which_it_logs() -> None:
    """A condition on the dependency: `DependsOn` cannot have one."""
    condition, with_role, _ = API["Description"]["Fn::If"]

    assert condition == RESOURCES["ApiGatewayAccount"]["Condition"]
    assert "${ApiGatewayAccount}" in with_role["Fn::Sub"]


@pytest.mark.parametrize("name", ["ImportBucket", "ApiGatewayAccount", "ApiGatewayLogsRole"])
def test_a_first_deployment_that_fails_takes_with_it_what_is_empty(name: str) -> None:
    assert RESOURCES[name]["DeletionPolicy"] == "RetainExceptOnCreate"
    assert RESOURCES[name]["UpdateReplacePolicy"] == "Retain"


def test_what_it_leaves_is_told_how_to_take_away() -> None:
    """A protected table cannot be deleted by the rollback either, which would then fail."""
    text = (ROOT / "docs" / "deploy.md").read_text("utf-8")

    assert "no-deletion-protection-enabled" in text.partition("A first deployment that fails")[2]


def test_a_queue_hides_a_message_for_six_times_its_function_s_time() -> None:
    for function in FUNCTIONS.values():
        for event in function.get("Events", {}).values():
            if event["Type"] == "SQS":
                queue = event["Properties"]["Queue"]["Fn::GetAtt"].removesuffix(".Arn")
                hidden = RESOURCES[queue]["Properties"]["VisibilityTimeout"]
                assert hidden == LAMBDA_VISIBILITY_FACTOR * function["Timeout"]


def test_lambda_does_not_end_a_file_that_is_read_in_many_rounds() -> None:
    role = RESOURCES["IngestExportRole"]["Properties"]["Policies"][0]["PolicyDocument"]
    feeds_itself = any("sqs:SendMessage" in s["Action"] for s in role["Statement"])

    assert feeds_itself
    assert FUNCTIONS["IngestExportFunction"]["RecursiveLoop"] == "Allow"


def test_bodies_reach_the_webhook_as_they_were_sent() -> None:
    """Of any type: API Gateway reads what it does not hold to be binary as UTF-8."""
    assert API["BinaryMediaTypes"] == ["*~1*"]


def test_ten_concurrent_executions_leave_some_for_the_webhook() -> None:
    shards_at_first = 4
    stream = FUNCTIONS["ForwardEventsFunction"]["Events"]["StoredEvents"]["Properties"]
    condition, _, by_shard = stream["ParallelizationFactor"]["Fn::If"]
    export = FUNCTIONS["IngestExportFunction"]["Events"]["Written"]["Properties"]
    at_once = export["ScalingConfig"]["MaximumConcurrency"]

    assert (condition, by_shard) == ("ReservesConcurrency", 1)
    # The streams, the export, and a tick and a sweep: reconciliation and check come seldom.
    assert shards_at_first * by_shard + at_once + 2 < 10
    assert PARAMETERS["WebhookConcurrency"]["Default"] == 0
    reserved = WEBHOOK["ReservedConcurrentExecutions"]["Fn::If"]
    assert reserved[:2] == ["ReservesConcurrency", {"Ref": "WebhookConcurrency"}]


def test_the_limit_of_concurrent_executions_is_looked_at_first() -> None:
    text = (ROOT / "docs" / "deploy.md").read_text("utf-8")
    section = text.partition("## 0. ")[2].partition("\n## ")[0]

    assert "aws lambda get-account-settings" in section
    assert "`WebhookConcurrency`" in section


@pytest.mark.parametrize("name", SECRETS)
@pytest.mark.parametrize(
    ("arn", "fits"), [(f"{ARN}-a1B2c3", True), (ARN, False), (f"{ARN}-a1B2", False)]
)
def test_a_secret_is_named_with_the_characters_that_aws_adds(
    name: str, arn: str, fits: bool
) -> None:
    """Without them a role's statement matches nothing."""
    assert bool(re.fullmatch(PARAMETERS[name]["AllowedPattern"], arn)) is fits


LIVE_ONLY = {
    "an account without a role for API Gateway's logs": "ApiGatewayAccountRole=create",
    "bodies that are no UTF-8": "UTF-8",
    "what API Gateway answers by itself": "never 403",
    "functions at their time-out": "Task timed out",
    "gradual deployment": "GradualDeployment=true",
    "alarms of dead letters": "queue of dead letters",
    "EventBridge's dead letters": "FailedInvocations",
    "a stream's failed records": "events --rejected",
    "the firewall": "`Firewall`",
    "address ranges": "`AllowedIpRanges`",
    "a key of one's own": "`KmsKeyArn`",
    "NewStore's account": "another account",
    "fanned-out reads": "`StockReads=fan_out`",
    "roles": "AccessDenied",
    "traces": "`Tracing=true`",
    "operators' rights": "stream register",
    "a restore": "restore",
    "tags": "resourcegroupstaggingapi",
    "concurrency": "ConcurrentExecutions",
}


@pytest.mark.parametrize("what", LIVE_ONLY)
def test_the_first_deployment_s_list_looks_at_what_only_aws_can_show(what: str) -> None:
    text = (ROOT / "docs" / "deploy.md").read_text("utf-8")
    section = text.partition("## What only live AWS can show")[2].partition("\n## ")[0]
    items = [line for line in section.splitlines() if line.startswith("- [ ] **")]

    assert len(items) >= len(LIVE_ONLY) - 1
    assert any(LIVE_ONLY[what] in item for item in items)


# The webhook's versions


def test_the_api_calls_a_version_that_is_rolled_back_on_its_5xx_alarm() -> None:
    preference = WEBHOOK["DeploymentPreference"]

    assert WEBHOOK["AutoPublishAlias"]
    assert preference["Alarms"] == [{"Ref": "IngestFailuresAlarm"}]
    assert RESOURCES["IngestFailuresAlarm"]["Properties"]["MetricName"] == "5XXError"
    assert preference["Enabled"] == {"Ref": "GradualDeployment"}


def test_what_the_webhook_reads_of_parameters_makes_a_new_version() -> None:
    """SAM's digest has references in it, not values; a version's description replaces it."""
    described = str(WEBHOOK["VersionDescription"])
    variables = WEBHOOK["Environment"]["Variables"].values()
    read = {value["Ref"] for value in variables} & PARAMETERS.keys()

    assert read
    assert not [name for name in read if f"'Ref': '{name}'" not in described]


def test_a_new_layer_makes_a_new_version_and_the_old_one_stays_for_the_old() -> None:
    layer = RESOURCES["InventorySyncLayer"]["Properties"]

    assert layer["PublishLambdaVersion"] is True
    assert WEBHOOK["AutoPublishAliasAllProperties"] is True
    assert layer["RetentionPolicy"] == "Retain"
