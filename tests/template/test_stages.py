"""The stages of samconfig.toml are examples that would deploy, side by side."""

import re
import tomllib
from typing import Any

import pytest

from tests.template.test_template import PARAMETERS, ROOT, of_type

CONFIG: dict[str, Any] = tomllib.loads((ROOT / "samconfig.toml").read_text("utf-8"))
STAGES = {name: CONFIG[name]["deploy"]["parameters"] for name in ("staging", "production")}
DEFAULT = CONFIG["default"]["deploy"]["parameters"]
EACH_ITS_OWN = {"stack_name", "s3_prefix", "tags", "parameter_overrides", "confirm_changeset"}


def parameters(stage: str) -> dict[str, str]:
    return dict(entry.split("=", 1) for entry in STAGES[stage]["parameter_overrides"])


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_gives_every_parameter_that_has_no_default(stage: str) -> None:
    required = {name for name, parameter in PARAMETERS.items() if "Default" not in parameter}

    assert required <= parameters(stage).keys() <= PARAMETERS.keys()


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_s_values_are_allowed(stage: str) -> None:
    for name, value in parameters(stage).items():
        parameter = PARAMETERS[name]
        allowed = [str(entry) for entry in parameter.get("AllowedValues", [value])]

        assert value in allowed, name
        assert re.fullmatch(parameter.get("AllowedPattern", ".*"), value), name


def test_stages_meet_nowhere() -> None:
    staging, production = STAGES["staging"], STAGES["production"]
    secrets = [
        {value for name, value in parameters(stage).items() if name.endswith("SecretArn")}
        for stage in STAGES
    ]

    assert staging["stack_name"] != production["stack_name"]
    assert staging["s3_prefix"] != production["s3_prefix"]
    assert not secrets[0] & secrets[1]


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_deploys_as_the_default_does_and_is_tagged(stage: str) -> None:
    shared = {name: value for name, value in STAGES[stage].items() if name not in EACH_ITS_OWN}

    assert shared == {name: DEFAULT[name] for name in shared}
    assert f"stage={stage}" in STAGES[stage]["tags"]


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_deploys_into_an_account_that_has_nothing_yet(stage: str) -> None:
    """No role for API Gateway's logs, ten concurrent executions, no topics."""
    given = parameters(stage)

    assert given["ApiGatewayAccountRole"] == "create"
    assert given.get("WebhookConcurrency", "0") == "0"
    assert not {"PageTopicArn", "TicketTopicArn"} & given.keys()


@pytest.mark.parametrize("part", ["default", *STAGES])
def test_costs_are_told_apart_by_application_and_stage(part: str) -> None:
    tags = CONFIG[part]["deploy"]["parameters"]["tags"]

    assert [tag.partition("=")[0] for tag in tags] == ["application", "stage"]


def test_what_is_deployed_without_samconfig_is_tagged_alike() -> None:
    text = (ROOT / "docs" / "deploy.md").read_text("utf-8")
    commands = re.findall(r"aws cloudformation (?:deploy|create-stack) [^`\n]*", text)

    assert commands
    for command in commands:
        assert re.search(r" --tags application=inventory-sync stage=\w+$", command)


def test_production_keeps_its_tables_and_deploys_gradually() -> None:
    assert parameters("production")["GradualDeployment"] == "true"
    for table in of_type("AWS::DynamoDB::Table").values():
        assert table["DeletionProtectionEnabled"] is True
