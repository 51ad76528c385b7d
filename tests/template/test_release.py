"""What a release says of itself is the same everywhere."""

import re

import pytest
from click.testing import CliRunner

from cli.main import main
from inventory_sync.version import USER_AGENT, VERSION
from tests.template.test_template import ROOT, TEMPLATE

APPLICATION = TEMPLATE["Metadata"]["AWS::ServerlessRepo::Application"]


def test_the_application_has_the_version() -> None:
    assert re.fullmatch(r"\d+\.\d+\.\d+", VERSION)
    assert APPLICATION["SemanticVersion"] == VERSION


def test_the_changelog_begins_with_the_version() -> None:
    headings = re.findall(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(), flags=re.MULTILINE)
    assert headings[0] == VERSION


def test_the_commands_and_calls_name_the_version() -> None:
    shown = CliRunner().invoke(main, ["--version"])
    assert (shown.exit_code, shown.output) == (0, f"inventory-sync, version {VERSION}\n")
    assert f"inventory-sync/{VERSION}" == USER_AGENT


@pytest.mark.parametrize("url", ["LicenseUrl", "ReadmeUrl"])
def test_the_application_names_files_that_are_there(url: str) -> None:
    assert (ROOT / APPLICATION[url]).is_file()


def test_the_application_is_what_the_repository_takes() -> None:
    """Its documented patterns: serverlessrepo, template-publishing-applications."""
    assert re.fullmatch(r"[a-zA-Z0-9-]{1,140}", APPLICATION["Name"])
    assert re.fullmatch(r"[a-z0-9](([a-z0-9]|-(?!-))*[a-z0-9])?", APPLICATION["Author"])
    assert len(APPLICATION["Description"]) <= 256
    assert len(APPLICATION["Labels"]) <= 10
    assert APPLICATION["SpdxLicenseId"] == "Apache-2.0"
    assert "Apache License" in (ROOT / "LICENSE").read_text()
