"""The webhook's versions as SAM makes them: each change that calls are to see makes a new one."""

import json
import subprocess
from typing import Any

import pytest

from local.runtime_files import SAM
from local.template import ROOT
from tests.e2e.built import BUILT

pytestmark = BUILT

TRANSLATE = """
import json, logging, pathlib, sys
from samtranslator.translator.transform import transform
from tools.expand_template import _NoManagedPolicies, prepared
logging.disable(logging.WARNING)
found = {}
for name, changes in json.loads(sys.stdin.read()).items():
    template = prepared(pathlib.Path("template.yaml"))
    for resource, properties in changes["resources"].items():
        template["Resources"][resource]["Properties"].update(properties)
    translated = transform(template, changes["parameters"], _NoManagedPolicies())
    found[name] = translated["Resources"]
json.dump(found, sys.stdout)
"""
OTHER = "s3://placeholder/other.zip"
CHANGES: dict[str, dict[str, Any]] = {
    "as it is": {"resources": {}, "parameters": {}},
    "another layer": {
        "resources": {"InventorySyncLayer": {"ContentUri": OTHER}},
        "parameters": {},
    },
    "another function": {
        "resources": {"IngestEventFunction": {"CodeUri": OTHER}},
        "parameters": {},
    },
    "gradually": {"resources": {}, "parameters": {"GradualDeployment": "true"}},
}


@pytest.fixture(scope="module")
def translated() -> dict[str, dict[str, Any]]:
    answer = subprocess.run(
        [str(SAM / "bin" / "python"), "-c", TRANSLATE],
        input=json.dumps(CHANGES),
        cwd=ROOT,
        env={"AWS_DEFAULT_REGION": "eu-west-1", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        check=True,
        text=True,
    )
    found: dict[str, dict[str, Any]] = json.loads(answer.stdout)
    return found


def of_type(resources: dict[str, Any], type_: str) -> dict[str, Any]:
    return {name: found for name, found in resources.items() if found["Type"] == type_}


@pytest.mark.parametrize("change", ["another layer", "another function"])
def test_a_change_of_its_code_makes_a_new_version(
    translated: dict[str, dict[str, Any]], change: str
) -> None:
    before, after = (
        of_type(translated[name], "AWS::Lambda::Version") for name in ("as it is", change)
    )

    assert len(before) == len(after) == 1
    assert before.keys() != after.keys()


def test_a_version_s_description_says_what_it_reads_of_parameters(
    translated: dict[str, dict[str, Any]],
) -> None:
    """CloudFormation replaces a version whose description changes."""
    [version] = of_type(translated["as it is"], "AWS::Lambda::Version").values()

    assert "RetentionDays" in json.dumps(version["Properties"]["Description"])


def test_the_api_calls_the_alias(translated: dict[str, dict[str, Any]]) -> None:
    [api] = of_type(translated["as it is"], "AWS::ApiGateway::RestApi").values()
    [alias] = of_type(translated["as it is"], "AWS::Lambda::Alias")

    assert f"${{{alias}}}" in json.dumps(api["Properties"]["Body"])


def test_gradual_or_at_once_is_a_parameter(translated: dict[str, dict[str, Any]]) -> None:
    groups = of_type(translated["gradually"], "AWS::CodeDeploy::DeploymentGroup")

    [group] = groups.values()
    assert group["Properties"]["AlarmConfiguration"]["Alarms"] == [
        {"Name": {"Ref": "IngestFailuresAlarm"}}
    ]
    assert not of_type(translated["as it is"], "AWS::CodeDeploy::DeploymentGroup")
