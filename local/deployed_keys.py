"""Who may do what at a deployed stack: its secrets, and NewStore's two ways to the import files."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field

from local.aws import CLIENT_ID
from local.ministack import LocalAws


@dataclass(frozen=True)
class Keys:
    """What must never be seen in a log; new for every stack, so that it can be searched for."""

    api_key: str = field(default_factory=lambda: f"inbound-key-{secrets.token_hex(16)}")
    client_secret: str = field(default_factory=lambda: f"client-secret-{secrets.token_hex(16)}")
    erp_token: str = field(default_factory=lambda: f"erp-token-{secrets.token_hex(16)}")

    def contents(self) -> dict[str, dict[str, object]]:
        """Of the secrets, by the parameter that names the secret."""
        return {
            "InboundKeysSecretArn": {"api_keys": [self.api_key]},
            "NewStoreSecretArn": {"client_id": CLIENT_ID, "client_secret": self.client_secret},
            "ErpSecretArn": {"token": self.erp_token},
        }


@dataclass(frozen=True)
class User:
    """An IAM user and its long-lived access key."""

    name: str
    arn: str
    access_key_id: str
    secret_access_key: str


def create_user(aws: LocalAws, name: str) -> User:
    """One that may do nothing yet."""
    iam = aws.client("iam")
    arn = iam.create_user(UserName=name)["User"]["Arn"]
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return User(name, arn, key["AccessKeyId"], key["SecretAccessKey"])


def let_read_imports(aws: LocalAws, user: User, bucket: str) -> None:
    """What docs/deploy.md asks for the user that signs the files' URLs."""
    statement = {
        "Effect": "Allow",
        "Action": "s3:GetObject",
        "Resource": f"arn:aws:s3:::{bucket}/imports/*",
    }
    aws.client("iam").put_user_policy(
        UserName=user.name,
        PolicyName="imports",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [statement]}),
    )


def create_secrets(
    aws: LocalAws, stack_name: str, contents: Mapping[str, Mapping[str, object]]
) -> dict[str, str]:
    """The secrets' ARNs, by the parameter that names them."""
    client = aws.client("secretsmanager")
    return {
        parameter: client.create_secret(
            Name=f"{stack_name}/{parameter.removesuffix('Arn')}", SecretString=json.dumps(content)
        )["ARN"]
        for parameter, content in contents.items()
    }
