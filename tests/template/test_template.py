"""What template.yaml must keep to, whatever is added to it."""

import re
from pathlib import Path
from typing import Any

import pytest

from local.template_file import read_template

ROOT = Path(__file__).parents[2]

# Properties that fix a resource's name, so that a second stack or a replacement would collide.
PHYSICAL_NAMES = {
    "AlarmName",
    "ApiName",
    "BucketName",
    "FunctionName",
    "LayerName",
    "LogGroupName",
    "Name",
    "QueueName",
    "RoleName",
    "TableName",
}


TEMPLATE: dict[str, Any] = read_template(ROOT / "template.yaml")
PARAMETERS: dict[str, Any] = TEMPLATE["Parameters"]
RESOURCES: dict[str, Any] = TEMPLATE["Resources"]


OURS = r"\$\{\w+\.Arn\}/[a-z_]+/([a-z_]+|\*)"
EXECUTIONS = (
    r"arn:\$\{AWS::Partition\}:states:\$\{AWS::Region\}:\$\{AWS::AccountId\}"
    r":execution:\$\{ReadMachine\.Name\}:\*"
)
OF_THE_ERP = (
    r"arn:\$\{AWS::Partition\}:s3:::\$\{ErpBucketName\}"
    r"(/\$\{ErpBucketPrefix\}(connector\.json|[a-z]+/\*))?"
)
"""Where the ERP's files are is for the operator to say; which of them, is not."""


def of_type(type_: str) -> dict[str, dict[str, Any]]:
    return {
        name: resource.get("Properties", {})
        for name, resource in RESOURCES.items()
        if resource["Type"] == type_
    }


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def branches(value: Any) -> list[Any]:
    """Both outcomes of an !If, else the value itself."""
    return value["Fn::If"][1:] if isinstance(value, dict) and "Fn::If" in value else [value]


def policy_documents(properties: dict[str, Any]) -> list[dict[str, Any]]:
    inline = [policy["PolicyDocument"] for policy in properties.get("Policies", [])]
    return [*inline, *([properties["PolicyDocument"]] if "PolicyDocument" in properties else [])]


def allowed_statements() -> list[tuple[str, dict[str, Any]]]:
    return [
        (name, statement)
        for name, resource in RESOURCES.items()
        for document in policy_documents(resource.get("Properties", {}))
        for entry in document["Statement"]
        for statement in branches(entry)
        if statement.get("Effect") == "Allow"
    ]


FUNCTIONS = of_type("AWS::Serverless::Function")
ALARMS = of_type("AWS::CloudWatch::Alarm")
COMPOSITES = of_type("AWS::CloudWatch::CompositeAlarm")
WITH_RUNBOOK = {**ALARMS, **COMPOSITES}
STATEMENTS = [
    pytest.param(statement, id=f"{name}-{statement['Sid']}")
    for name, statement in allowed_statements()
]
# X-Ray's permissions know no resource: docs/decisions/0020. Nothing else may stand here.
WITHOUT_RESOURCE = {"TracingPolicy"}


def test_there_is_something_to_test() -> None:
    assert len(FUNCTIONS) == 7
    assert len(STATEMENTS) > len(FUNCTIONS)
    assert ALARMS


@pytest.mark.parametrize("statement", STATEMENTS)
def test_actions_are_written_out(statement: dict[str, Any]) -> None:
    for action in as_list(statement["Action"]):
        assert re.fullmatch(r"[a-z0-9]+:[A-Za-z]+", action)


@pytest.mark.parametrize(
    "statement",
    [
        pytest.param(statement, id=f"{name}-{statement['Sid']}")
        for name, statement in allowed_statements()
        if name not in WITHOUT_RESOURCE
    ],
)
def test_resources_are_named(statement: dict[str, Any]) -> None:
    """By a reference, or by a path below one: never a wildcard over what is not this stack's."""
    for entry in as_list(statement["Resource"]):
        for resource in branches(entry):
            assert isinstance(resource, dict), resource
            path = resource.get("Fn::Sub")
            allowed = (OURS, OF_THE_ERP, EXECUTIONS)
            assert path is None or any(re.fullmatch(pattern, path) for pattern in allowed)


def test_only_traces_may_be_written_without_a_resource_and_only_if_asked_for() -> None:
    [statement] = [entry for name, entry in allowed_statements() if name in WITHOUT_RESOURCE]

    assert RESOURCES["TracingPolicy"]["Condition"] == "HasTracing"
    assert statement["Action"] == ["xray:PutTelemetryRecords", "xray:PutTraceSegments"]
    assert statement["Condition"] == {
        "StringEquals": {"aws:RequestedRegion": {"Ref": "AWS::Region"}}
    }


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_function_has_a_role_of_its_own(name: str) -> None:
    roles = [function["Role"]["Fn::GetAtt"] for function in FUNCTIONS.values()]
    role = FUNCTIONS[name]["Role"]["Fn::GetAtt"]

    assert roles.count(role) == 1
    assert "Policies" not in FUNCTIONS[name]  # SAM's templates ask for credentials to validate
    assert policy_documents(RESOURCES[role.removesuffix(".Arn")]["Properties"])


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_function_logs_into_a_group_that_expires(name: str) -> None:
    group = FUNCTIONS[name]["LoggingConfig"]["LogGroup"]["Ref"]

    assert RESOURCES[group]["Properties"]["RetentionInDays"] == {"Ref": "RetentionDays"}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_asynchronous_edge_has_a_dead_letter_path(name: str) -> None:
    for event in FUNCTIONS[name].get("Events", {}).values():
        if event["Type"] == "ScheduleV2":
            assert "DeadLetterConfig" in event["Properties"]
            assert "DeadLetterQueue" in FUNCTIONS[name]
        elif event["Type"] == "DynamoDB":
            assert "OnFailure" in event["Properties"]["DestinationConfig"]
        elif event["Type"] == "SQS":
            queue = event["Properties"]["Queue"]["Fn::GetAtt"].removesuffix(".Arn")
            assert "deadLetterTargetArn" in RESOURCES[queue]["Properties"]["RedrivePolicy"]
        else:
            assert event["Type"] == "Api"


@pytest.mark.parametrize("name", WITH_RUNBOOK)
def test_every_alarm_names_a_section_of_the_runbook(name: str) -> None:
    named = re.search(r"docs/runbook\.md#([a-z-]+)$", WITH_RUNBOOK[name]["AlarmDescription"])
    runbook = (ROOT / "docs" / "runbook.md").read_text(encoding="utf-8")
    headings = re.findall(r"^#+ (.+)$", runbook, flags=re.MULTILINE)

    assert named
    assert named[1] in [heading.strip().lower().replace(" ", "-") for heading in headings]


@pytest.mark.parametrize("name", [name for name in RESOURCES if name not in ALARMS])
def test_no_resource_has_a_fixed_name(name: str) -> None:
    properties = RESOURCES[name].get("Properties", {})
    fixed = PHYSICAL_NAMES & {key for key, value in properties.items() if isinstance(value, str)}

    assert not fixed


@pytest.mark.parametrize("name", ALARMS)
def test_no_alarm_has_a_fixed_name(name: str) -> None:
    assert "AlarmName" not in ALARMS[name]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_no_schedule_has_a_fixed_name(name: str) -> None:
    for event in FUNCTIONS[name].get("Events", {}).values():
        # Left to itself SAM names a schedule after its logical id: one stack for each region.
        assert event["Type"] != "ScheduleV2" or event["Properties"]["OmitName"] is True


@pytest.mark.parametrize("name", PARAMETERS)
def test_every_parameter_says_what_it_means_and_what_is_allowed(name: str) -> None:
    parameter = PARAMETERS[name]

    assert parameter["Description"]
    said = parameter["ConstraintDescription"]
    if "AllowedValues" in parameter:
        assert said == "one of " + ", ".join(map(str, parameter["AllowedValues"]))
    elif parameter["Type"] == "Number":
        assert said == f"a whole number from {parameter['MinValue']} to {parameter['MaxValue']}"
    else:
        assert re.fullmatch(r"\^.+\$", parameter["AllowedPattern"])
        assert said


@pytest.mark.parametrize(
    "name", [name for name in PARAMETERS if PARAMETERS[name].get("AllowedPattern")]
)
def test_defaults_fit_their_patterns(name: str) -> None:
    parameter = PARAMETERS[name]

    assert "Default" not in parameter or re.search(
        parameter["AllowedPattern"], parameter["Default"]
    )


def test_every_parameter_is_offered_in_a_group() -> None:
    groups = TEMPLATE["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    offered = [name for group in groups for name in group["Parameters"]]

    assert sorted(offered) == sorted(PARAMETERS)


@pytest.mark.parametrize("name", of_type("AWS::DynamoDB::Table"))
def test_tables_outlive_mistakes(name: str) -> None:
    properties = RESOURCES[name]["Properties"]

    assert RESOURCES[name]["DeletionPolicy"] == "Retain"
    assert RESOURCES[name]["UpdateReplacePolicy"] == "Retain"
    assert properties["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"] is True
    assert properties["TimeToLiveSpecification"]["AttributeName"] == "expires_at"


def test_newstore_may_only_fetch_import_files() -> None:
    granted = [
        statement for name, statement in allowed_statements() if name == "ImportBucketPolicy"
    ]

    assert [statement["Action"] for statement in granted] == ["s3:GetObject"]
    assert granted[0]["Resource"] == {"Fn::Sub": "${ImportBucket.Arn}/imports/*"}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_function_has_its_code(name: str) -> None:
    """`sam build` passes over a folder that is not there and still succeeds."""
    assert (ROOT / FUNCTIONS[name]["CodeUri"] / "app.py").is_file()


def test_a_bucket_is_listed_under_the_prefixes_that_are_read_only() -> None:
    """Not `IfExists`: a list of all names no prefix."""
    lists = [s for _, s in allowed_statements() if "s3:ListBucket" in as_list(s["Action"])]

    assert lists
    for statement in lists:
        assert statement["Condition"].keys() == {"StringLike"}
        assert statement["Condition"]["StringLike"]["s3:prefix"]
