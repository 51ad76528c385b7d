"""The GitHub workflows: what they run is there, and they may do no more than they need."""

import re
import tomllib
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from tests.template.test_template import ROOT

FOLDER = ROOT / ".github" / "workflows"
TEXTS = {path.name: path.read_text(encoding="utf-8") for path in sorted(FOLDER.glob("*.yml"))}
WORKFLOWS: dict[str, Any] = {name: yaml.safe_load(text) for name, text in TEXTS.items()}
DELIVER, DEPLOY = WORKFLOWS["deliver.yml"], WORKFLOWS["deploy.yml"]
TARGETS = set(
    re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
)
JOBS = [
    pytest.param(job, id=f"{workflow}-{name}")
    for workflow, found in WORKFLOWS.items()
    for name, job in found["jobs"].items()
]
READ = {"contents": "read"}
BY_OIDC = {**READ, "id-token": "write"}


def steps() -> Iterator[dict[str, Any]]:
    for workflow in WORKFLOWS.values():
        for job in workflow["jobs"].values():
            yield from job.get("steps", ())


def scripts() -> list[str]:
    return [step["run"] for step in steps() if "run" in step]


@pytest.mark.parametrize("name", WORKFLOWS)
def test_a_workflow_says_what_it_does_and_how_it_is_used(name: str) -> None:
    head = TEXTS[name].partition("\nname:")[0]

    assert all(line.startswith("#") for line in head.splitlines())
    assert "# Process: " in head
    assert "# Usage: " in head


@pytest.mark.parametrize("name", WORKFLOWS)
def test_a_workflow_may_read_the_repository_and_is_not_run_twice_at_once(name: str) -> None:
    assert WORKFLOWS[name]["permissions"] == READ
    assert WORKFLOWS[name]["concurrency"]["group"]
    # What strangers propose would run with the repository's rights.
    assert "pull_request_target" not in TEXTS[name]


@pytest.mark.parametrize("job", JOBS)
def test_only_what_deploys_may_ask_for_an_identity(job: dict[str, Any]) -> None:
    deploys = job.get("uses", "").endswith("/deploy.yml") or "environment" in job

    assert job.get("permissions", READ) == (BY_OIDC if deploys else READ)
    assert "uses" in job or job["timeout-minutes"] <= 60


def test_actions_are_pinned_by_commit_and_name_their_version() -> None:
    used = [step["uses"] for step in steps() if "uses" in step]

    assert used
    for action in used:
        assert re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", action)
        assert all(
            re.search(rf"{re.escape(action)} # v\d+\.\d+\.\d+$", line)
            for text in TEXTS.values()
            for line in text.splitlines()
            if action in line
        )


def test_no_long_lived_secret_is_used() -> None:
    for text in TEXTS.values():
        assert "secrets." not in text
        assert "aws-secret-access-key" not in text


def test_scripts_take_values_from_their_environment_only() -> None:
    """What stands in ${{ }} is pasted into the script as it is."""
    assert not [script for script in scripts() if "${{" in script]


def test_every_make_target_exists() -> None:
    named = {
        target
        for script in scripts()
        for targets in re.findall(r"\bmake ([a-z -]+)", script)
        for target in targets.split()
    }

    assert {"check", "setup"} <= named <= TARGETS


def test_what_is_deployed_was_built_once_where_no_identity_can_be_asked_for() -> None:
    check, deploy = DELIVER["jobs"]["check"], DEPLOY["jobs"]["deploy"]
    [handed_on] = [step["with"] for step in check["steps"] if is_of(step, "upload", "built")]
    [taken] = [step["with"] for step in deploy["steps"] if is_of(step, "download", "built")]

    assert "permissions" not in check
    assert handed_on["path"] == taken["path"] == ".aws-sam/build"
    assert handed_on["include-hidden-files"] is True  # else nothing below a dot is taken along
    assert not [step for step in deploy["steps"] if "build" in step.get("run", "")]


def is_of(step: dict[str, Any], verb: str, name: str) -> bool:
    uses = step.get("uses", "").startswith(f"actions/{verb}-artifact@")
    return bool(uses and step["with"]["name"] == name)


def test_the_audit_may_not_be_left_out() -> None:
    check = DELIVER["jobs"]["check"]

    assert check["env"]["AUDIT_REQUIRED"] == "true"
    assert "make check" in [step.get("run") for step in check["steps"]]


def test_production_follows_a_stage_that_was_driven_after_an_approval() -> None:
    jobs = DELIVER["jobs"]

    assert jobs["staging"]["needs"] == "check"
    assert jobs["staging"]["with"]["drive_through"] is True
    assert jobs["production"]["needs"] == "staging"
    assert DEPLOY["jobs"]["deploy"]["environment"] == "${{ inputs.stage }}"


@pytest.mark.parametrize("stage", ["staging", "production"])
def test_a_stage_is_deployed_as_its_own_stack(stage: str) -> None:
    config = tomllib.loads((ROOT / "samconfig.toml").read_text(encoding="utf-8"))
    given = DELIVER["jobs"][stage]["with"]

    assert given["stage"] == stage
    assert config[stage]["deploy"]["parameters"]["stack_name"] == given["stack"]
