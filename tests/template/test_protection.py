"""What can be switched on to protect the stack, and that it is off or on as a whole."""

import json
import re
from typing import Any

import pytest

from local.template import ROOT
from tests.apps import load_app
from tests.template.test_template import (
    FUNCTIONS,
    PARAMETERS,
    RESOURCES,
    TEMPLATE,
    as_list,
    of_type,
    policy_documents,
)

KEY = {"Fn::If": ["HasKmsKey", {"Ref": "KmsKeyArn"}, {"Ref": "AWS::NoValue"}]}
DEFAULTS: dict[str, Any] = TEMPLATE["Globals"]["Function"]
API = RESOURCES["EventApi"]["Properties"]
RULES = {rule["Name"]: rule for rule in RESOURCES["WebFirewall"]["Properties"]["Rules"]}
NEWSTORE_CALLS_IN_FIVE_MINUTES = 200 * 300
ROLES = {function["Role"]["Fn::GetAtt"].removesuffix(".Arn") for function in FUNCTIONS.values()}


def roles_with(policies: list[str], action: str) -> set[str]:
    """Roles that one of these policies lets do it."""
    return {
        role.get("Fn::If", [None, role])[1]["Ref"]
        for name in policies
        for document in policy_documents(RESOURCES[name]["Properties"])
        for statement in document["Statement"]
        if action in as_list(statement["Action"])
        for role in RESOURCES[name]["Properties"]["Roles"]
    }


@pytest.mark.parametrize("switch", ["Firewall", "Tracing", "KmsKeyArn", "AllowedIpRanges"])
def test_what_costs_or_needs_care_is_off_unless_asked_for(switch: str) -> None:
    assert PARAMETERS[switch]["Default"] in ("", "false")


# A key of one's own


@pytest.mark.parametrize(
    ("type_", "path"),
    [
        ("AWS::DynamoDB::Table", ("SSESpecification", "KMSMasterKeyId")),
        ("AWS::SQS::Queue", ("KmsMasterKeyId",)),
        ("AWS::Logs::LogGroup", ("KmsKeyId",)),
    ],
)
def test_everything_of_a_kind_is_encrypted_with_it(type_: str, path: tuple[str, ...]) -> None:
    assert of_type(type_)
    for name, properties in of_type(type_).items():
        value: Any = properties
        for part in path:
            value = value[part]
        assert value == KEY, name


def test_files_and_settings_are_encrypted_with_it() -> None:
    bucket = RESOURCES["ImportBucket"]["Properties"]["BucketEncryption"]
    [rule] = bucket["ServerSideEncryptionConfiguration"]

    _, with_key, without = rule["ServerSideEncryptionByDefault"]["Fn::If"]

    assert with_key == {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": {"Ref": "KmsKeyArn"}}
    assert without == {"SSEAlgorithm": "AES256"}
    assert DEFAULTS["KmsKeyArn"] == KEY


def test_without_it_queues_are_encrypted_with_sqs_s_own() -> None:
    for properties in of_type("AWS::SQS::Queue").values():
        assert properties["SqsManagedSseEnabled"] == {"Fn::If": ["HasKmsKey", False, True]}


def test_every_role_may_use_it_and_make_data_keys_for_files_and_messages() -> None:
    policies = [name for name in RESOURCES if name.startswith("Key")]
    assert {RESOURCES[name]["Condition"] for name in policies} == {"HasKmsKey"}
    assert roles_with(policies, "kms:Decrypt") == {"ScheduleRole", "ReadMachineRole", *ROLES}
    assert roles_with(policies, "kms:GenerateDataKey") == {
        "ScheduleRole",
        "ReadMachineRole",
        *ROLES,
    }


def test_the_documented_key_policy_names_every_service_that_uses_the_key_by_itself() -> None:
    """Roles use it by their own policies; what sends to a queue as a service has none."""
    text = (ROOT / "docs" / "settings.md").read_text("utf-8")
    section = text.partition("## A key of your own")[2].partition("\n## ")[0]
    lines = [line.strip() for line in section.splitlines() if line.startswith("    ")]
    policy = json.loads(f"[{re.sub('}{', '},{', ''.join(lines))}]")
    services = {
        one["Principal"]["Service"]: one["Action"]
        for one in policy
        if "Service" in one["Principal"]
    }
    senders = {
        statement["Principal"]["Service"]
        for properties in of_type("AWS::SQS::QueuePolicy").values()
        for statement in properties["PolicyDocument"]["Statement"]
        if statement["Effect"] == "Allow"
    }

    assert of_type("AWS::Logs::LogGroup")
    assert set(services) == {"logs.REGION.amazonaws.com", *senders}
    assert all(set(services[one]) == {"kms:Decrypt", "kms:GenerateDataKey"} for one in senders)
    kinds = ("tables", "bucket", "queues", "logs", "functions' settings")
    assert all(kind in section.partition("\n\n    ")[0] for kind in kinds)
    [newstore] = [one for one in policy if one["Principal"] == {"AWS": "<NewStorePrincipalArn>"}]
    assert newstore["Action"] == "kms:Decrypt"


@pytest.mark.parametrize(
    ("who", "needs"),
    [
        (  # DynamoDB developer guide, "Authorizing use of a customer managed key", and Lambda's
            "who deploys",
            {"CreateGrant", "DescribeKey", "Encrypt", "Decrypt", "ReEncrypt*", "GenerateDataKey*"},
        ),
        # S3 user guide, "Using SSE-KMS": a put needs a data key, the parts of one are decrypted.
        ("the IAM user of NewStore's S3 export", {"GenerateDataKey", "Decrypt"}),
        ("the IAM user that signs URLs", {"Decrypt"}),
        ("operators", {"GenerateDataKey", "Decrypt"}),
    ],
)
def test_the_documents_say_what_each_user_of_the_key_needs(who: str, needs: set[str]) -> None:
    text = (ROOT / "docs" / "settings.md").read_text("utf-8")
    section = text.partition("## A key of your own")[2].partition("\n## ")[0]
    [row] = [line for line in section.splitlines() if line.startswith(f"| {who} |")]

    assert set(re.findall(r"`kms:([\w*]+)`", row)) == needs


def test_operators_write_files_and_so_need_data_keys() -> None:
    deploy = (ROOT / "docs" / "deploy.md").read_text("utf-8")

    assert "s3:PutObject" in deploy.partition("## Operators' rights")[2].partition("\n## ")[0]


@pytest.mark.parametrize(
    ("arn", "fits"),
    [
        ("arn:aws:kms:eu-west-1:123456789012:key/0123abcd-0123-4567-89ab-0123456789ab", True),
        ("arn:aws:kms:eu-west-1:123456789012:key/mrk-0123456789abcdef0123456789abcdef", True),
        ("arn:aws:kms:eu-west-1:123456789012:alias/mine", False),
        ("alias/mine", False),
    ],
)
def test_it_is_given_by_its_arn(arn: str, fits: bool) -> None:
    assert bool(re.fullmatch(PARAMETERS["KmsKeyArn"]["AllowedPattern"], arn)) is fits


# Traces


def test_traces_are_switched_for_the_webhook_s_api_and_all_functions_at_once() -> None:
    assert DEFAULTS["Tracing"] == {"Fn::If": ["HasTracing", "Active", "PassThrough"]}
    assert API["TracingEnabled"] == {"Fn::If": ["HasTracing", True, False]}
    assert not [name for name, function in FUNCTIONS.items() if "Tracing" in function]
    assert roles_with(["TracingPolicy"], "xray:PutTraceSegments") == ROLES


# Who may call


@pytest.mark.parametrize(
    ("ranges", "fits"),
    [
        ("192.0.2.0/24", True),
        ("192.0.2.0/24,198.51.100.7/32", True),
        ("0.0.0.0/0", True),
        ("192.0.2.0", False),
        ("192.0.2.0/33", False),
        ("256.0.2.0/24", False),
        ("192.0.2.0/24, 198.51.100.7/32", False),
        ("2001:db8::/32", False),
    ],
)
def test_address_ranges_are_checked_before_anything_is_deployed(ranges: str, fits: bool) -> None:
    assert bool(re.fullmatch(PARAMETERS["AllowedIpRanges"]["AllowedPattern"], ranges)) is fits


def test_from_outside_the_ranges_nobody_may_call() -> None:
    allow, restricted = API["Auth"]["ResourcePolicy"]["CustomStatements"]
    condition, deny, otherwise = restricted["Fn::If"]

    assert allow["Effect"] == "Allow"
    assert (condition, otherwise) == ("HasAllowedIpRanges", {"Ref": "AWS::NoValue"})
    assert (deny["Effect"], deny["Principal"]) == ("Deny", "*")
    assert deny["Condition"] == {
        "NotIpAddress": {"aws:SourceIp": {"Fn::Split": [",", {"Ref": "AllowedIpRanges"}]}}
    }


# What API Gateway answers by itself

GATEWAY_RESPONSES = {
    "DEFAULT_4XX", "ACCESS_DENIED", "BAD_REQUEST_BODY", "BAD_REQUEST_PARAMETERS", "EXPIRED_TOKEN",
    "INVALID_API_KEY", "INVALID_SIGNATURE", "MISSING_AUTHENTICATION_TOKEN", "QUOTA_EXCEEDED",
    "REQUEST_TOO_LARGE", "RESOURCE_NOT_FOUND", "THROTTLED", "UNAUTHORIZED",
    "UNSUPPORTED_MEDIA_TYPE", "WAF_FILTERED", "DEFAULT_5XX", "API_CONFIGURATION_ERROR",
    "AUTHORIZER_CONFIGURATION_ERROR", "AUTHORIZER_FAILURE", "INTEGRATION_FAILURE",
    "INTEGRATION_TIMEOUT",
}  # fmt: skip
"""All kinds that API Gateway knows (developer guide, "Gateway response types")."""
REPEATED = {429, 500}
"""What NewStore documents to throttle and send again; a 403 stops the stream at once."""


def test_whatever_api_gateway_answers_by_itself_newstore_sends_the_event_again() -> None:
    statuses = {kind: response["StatusCode"] for kind, response in API["GatewayResponses"].items()}

    assert statuses.keys() == GATEWAY_RESPONSES
    assert statuses.pop("UNAUTHORIZED") == 401
    assert set(statuses.values()) == REPEATED


def test_what_strangers_bring_about_is_no_5xx_which_alarms_at_the_first() -> None:
    for kind in ("ACCESS_DENIED", "MISSING_AUTHENTICATION_TOKEN", "REQUEST_TOO_LARGE", "THROTTLED"):
        assert API["GatewayResponses"][kind]["StatusCode"] == 429


def test_what_is_answered_instead_of_the_webhook_has_its_form() -> None:
    firewall = RESOURCES["WebFirewall"]["Properties"]["CustomResponseBodies"]["Refused"]
    templates = [
        response["ResponseTemplates"]["application/json"]
        for response in API["GatewayResponses"].values()
    ]
    bodies = [text.replace("$context.error.messageString", '"Forbidden"') for text in templates]
    webhook = load_app("ingest_event").build_handler(lambda: 1 // 0)({}, None)

    assert firewall["ContentType"] == "APPLICATION_JSON"
    for body in (*bodies, firewall["Content"], webhook["body"]):
        assert list(json.loads(body)) == ["outcome", "detail"]


# The firewall


def test_what_the_firewall_blocks_newstore_sends_again() -> None:
    """Its own answer goes before the gateway's."""
    actions = [rule["Action"]["Block"]["CustomResponse"] for rule in RULES.values()]

    assert {action["ResponseCode"] for action in actions} <= REPEATED
    assert {action["CustomResponseBodyKey"] for action in actions} == {"Refused"}


def test_the_firewall_lets_through_what_newstore_may_send() -> None:
    limit = RULES["CallsFromOneAddress"]["Statement"]["RateBasedStatement"]["Limit"]

    assert limit > NEWSTORE_CALLS_IN_FIVE_MINUTES


def test_the_firewall_keeps_no_samples_of_calls() -> None:
    """Their headers carry the key."""
    firewall = RESOURCES["WebFirewall"]["Properties"]
    shown = [firewall["VisibilityConfig"], *(rule["VisibilityConfig"] for rule in RULES.values())]

    assert not [config for config in shown if config["SampledRequestsEnabled"]]


def test_the_firewall_comes_with_its_association_and_alarm_or_not_at_all() -> None:
    parts = ("WebFirewall", "WebFirewallAssociation", "FirewallBlocksAlarm")

    assert {RESOURCES[name]["Condition"] for name in parts} == {"HasFirewall"}
