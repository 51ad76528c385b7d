"""Whatever is billed has the stack's tags: CloudFormation gives them to all that can have some."""

import json
import subprocess
from typing import NamedTuple

import pytest

from local.runtime_files import SAM
from local.template import ROOT
from tests.e2e.built import BUILT

pytestmark = BUILT

STACK_TAGS = {"application", "stage"}
"""As samconfig.toml has them: tests/template/test_stages.py."""
FREE = {
    "AWS::ApiGateway::Account", "AWS::ApiGateway::Deployment", "AWS::IAM::Policy",
    "AWS::Lambda::Alias", "AWS::Lambda::EventInvokeConfig", "AWS::Lambda::LayerVersion",
    "AWS::Lambda::Permission", "AWS::Lambda::Version", "AWS::S3::BucketPolicy",
    "AWS::SQS::QueuePolicy", "AWS::Scheduler::Schedule", "AWS::WAFv2::WebACLAssociation",
}  # fmt: skip
"""What can have no tags: nothing of it is billed, five schedules not even by their calls."""
BY_SCHEMA = """
import json, os
from pathlib import Path
os.environ.setdefault("AWS_DEFAULT_REGION", "eu-west-1")
from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER
from tools.expand_template import expand
def taggable(type_):
    schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema("eu-west-1", type_).schema
    return schema.get("tagging", {}).get("taggable", False)
def keys(tags):
    return [tag if isinstance(tag, str) else tag["Key"] for tag in tags]
def look(found):
    return found["Type"], taggable(found["Type"]), keys(found.get("Properties", {}).get("Tags", []))
resources = expand(Path("template.yaml"))["Resources"]
print(json.dumps({name: look(found) for name, found in resources.items()}))
"""


class Resource(NamedTuple):
    """Whether it can have tags by CloudFormation's schema, and those that it has of its own."""

    type_: str
    taggable: bool
    own: list[str]


@pytest.fixture(scope="module")
def resources() -> dict[str, Resource]:
    """What SAM makes of the template."""
    command = [str(SAM / "bin" / "python"), "-c", BY_SCHEMA]
    answer = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, text=True)
    return {name: Resource(*found) for name, found in json.loads(answer.stdout).items()}


def test_all_that_is_billed_can_have_tags(resources: dict[str, Resource]) -> None:
    assert {found.type_ for found in resources.values() if not found.taggable} == FREE


def test_no_tag_of_a_resource_hides_one_of_the_stack(resources: dict[str, Resource]) -> None:
    assert not {name for name, found in resources.items() if STACK_TAGS & set(found.own)}
