"""`sam deploy` of what `sam build` built, into the local AWS."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from local.ministack import LocalAws, LocalAwsError
from local.runtime_files import SAM, built_template
from local.template import ROOT

DEPLOY_SECONDS_MAX = 300


def deploy(aws: LocalAws, stack_name: str, parameters: Mapping[str, str]) -> dict[str, str]:
    """Create or update the stack by the unmodified template, with what samconfig.toml says of it.

    Returns the stack's outputs.
    LocalAwsError where that fails; what SAM said is in the folder of the local AWS.
    """
    log = aws.folder / f"sam-deploy-{stack_name}.log"
    overrides = [f'{name}="{value}"' for name, value in sorted(parameters.items())]
    built_template()  # what `sam deploy` takes in this folder
    command = [
        *(str(SAM / "bin" / "sam"), "deploy"),
        *("--stack-name", stack_name, "--resolve-s3", "--s3-prefix", stack_name),
        *("--capabilities", "CAPABILITY_IAM", "--no-confirm-changeset", "--no-progressbar"),
        *("--no-fail-on-empty-changeset", "--parameter-overrides", *overrides),
    ]
    with log.open("a", encoding="utf-8") as output:
        ended = subprocess.run(  # noqa: S603  # our own command
            command,
            cwd=ROOT,
            env=_environment(aws),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            timeout=DEPLOY_SECONDS_MAX,
            check=False,
        )
    if ended.returncode:
        raise LocalAwsError(f"sam deploy of {stack_name} failed; see {log}\n{_tail(log)}")
    return outputs(aws, stack_name)


def outputs(aws: LocalAws, stack_name: str) -> dict[str, str]:
    """Of a stack that is there, by key."""
    [stack] = aws.client("cloudformation").describe_stacks(StackName=stack_name)["Stacks"]
    entries: list[dict[str, Any]] = stack.get("Outputs", [])
    return {entry["OutputKey"]: entry["OutputValue"] for entry in entries}


def _environment(aws: LocalAws) -> dict[str, str]:
    path = os.pathsep.join([str(SAM / "bin"), os.environ.get("PATH", os.defpath)])
    return {
        **aws.variables(),
        "PATH": path,
        "HOME": str(aws.folder),
        "SAM_CLI_TELEMETRY": "0",
        "LANG": "C.UTF-8",
    }


def _tail(log: Path) -> str:
    return "\n".join(log.read_text("utf-8").splitlines()[-20:])
