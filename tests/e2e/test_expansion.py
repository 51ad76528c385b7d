"""The template's loops, written out by us and by SAM: the same resources with the same figures."""

import json
import subprocess
from typing import Any

import pytest

from local.runtime_files import SAM
from local.template import ROOT
from tests.e2e.built import BUILT
from tests.template.test_template import ALARMS, RESOURCES, TEMPLATE

pytestmark = BUILT

BY_SAM = """
import json, sys
from samcli.lib.cfn_language_extensions.sam_integration import expand_language_extensions
from samcli.yamlhelper import yaml_parse
template = yaml_parse(open("template.yaml", encoding="utf-8").read())
json.dump(expand_language_extensions(template, enabled=True).expanded_template, sys.stdout)
"""


@pytest.fixture(scope="module")
def by_sam() -> dict[str, Any]:
    command = [str(SAM / "bin" / "python"), "-c", BY_SAM]
    answer = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, text=True)
    expanded: dict[str, Any] = json.loads(answer.stdout)
    return expanded


def test_the_same_resources_and_outputs_come_of_the_loops(by_sam: dict[str, Any]) -> None:
    assert set(by_sam["Resources"]) == set(RESOURCES)
    assert set(by_sam["Outputs"]) == set(TEMPLATE["Outputs"])
    for name, resource in by_sam["Resources"].items():
        assert resource["Type"] == RESOURCES[name]["Type"], name


def test_the_alarms_have_the_same_figures_and_texts(by_sam: dict[str, Any]) -> None:
    """Dimensions aside: they name resources, each in a form of its own."""
    for name, ours in ALARMS.items():
        theirs = dict(by_sam["Resources"][name]["Properties"])
        assert len(theirs.pop("Dimensions")) == len(ours["Dimensions"])
        assert theirs == {key: value for key, value in ours.items() if key != "Dimensions"}
