"""The commands as an operator runs them: from a shell of its own, against the deployed stack."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from local.deployed import DeployedStack
from local.deployed_keys import User, create_user
from local.invoke import LOCATIONS
from local.template import ROOT

SECONDS = 60
UNITS = 100
READS = (
    "cloudformation:DescribeStackResource",
    "cloudformation:DescribeStacks",
    "cloudwatch:GetMetricData",
    "dynamodb:GetItem",
    "dynamodb:Query",
    "lambda:GetAccountSettings",
    "lambda:GetFunctionConfiguration",
    "s3:GetObject",
    "s3:ListBucket",
    "secretsmanager:GetSecretValue",
    "sns:ListSubscriptionsByTopic",
)
"""Those of docs/deploy.md, Operators' rights, that change nothing and read no table whole."""


def reader(stack: DeployedStack, name: str, *more: str) -> User:
    """Somebody whose rights are to read, and `more`."""
    user = create_user(stack.local_aws, name)
    statement = {"Effect": "Allow", "Action": [*READS, *more], "Resource": "*"}
    stack.local_aws.client("iam").put_user_policy(
        UserName=user.name,
        PolicyName="reads",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [statement]}),
    )
    return user


def shell(stack: DeployedStack, user: User | None = None) -> Mapping[str, str]:
    """Its environment, with the rights of a user or of the account."""
    of_user = {}
    if user is not None:
        of_user = {
            "AWS_ACCESS_KEY_ID": user.access_key_id,
            "AWS_SECRET_ACCESS_KEY": user.secret_access_key,
        }
    return {
        **stack.local_aws.variables(),
        **of_user,
        "REQUESTS_CA_BUNDLE": str(stack.local_aws.certificate),
        "PATH": os.environ.get("PATH", os.defpath),
        "PYTHONPATH": str(ROOT / "layers" / "inventory_sync"),
    }


def operate(
    stack: DeployedStack, *words: str, user: User | None = None, seconds: float = SECONDS
) -> subprocess.CompletedProcess[str]:
    """A command and how it ended."""
    return subprocess.run(  # our own command
        [sys.executable, "-m", "cli", *words, "--stack", stack.name],
        cwd=ROOT,
        env=shell(stack, user),
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )


@contextmanager
def registered(stack: DeployedStack) -> Iterator[DeployedStack]:
    """With the stream registered, and stock where there is none yet."""
    for place in LOCATIONS:
        key = (place.erp_location, "SKU-1")
        if not stack.erp.on_hand(key):
            stack.erp.set_stock(key, UNITS)
    done = operate(stack, "stream", "register", "--who", "ada", "--why", "go-live")
    assert done.returncode == 0, done.stdout + done.stderr
    yield stack
    stack.newstore.integrations.delete(stack.name)
