"""What the functions call at AWS, met through botocore's own event hooks: as IAM would see it."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any, NamedTuple

from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders

from local.aws import new_session
from local.template import ACCOUNT, REGION

FUNCTION_NAME = "AWS_LAMBDA_FUNCTION_NAME"
IN_PARTS = frozenset({"CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload"})
"""IAM knows only s3:PutObject for them."""
TRANSACTED = {
    "Put": "PutItem", "Update": "UpdateItem", "Delete": "DeleteItem",
    "ConditionCheck": "ConditionCheckItem", "Get": "GetItem",
}  # fmt: skip
"""A transaction needs the permissions of its parts and has none of its own."""


class Need(NamedTuple):
    """A permission that a call takes; `facts` are IAM's condition keys."""

    action: str
    resource: str
    facts: tuple[tuple[str, str], ...] = ()


@dataclass
class Called:
    """What each function (by its physical name) needed so far.

    While `parts_break` is set, S3 refuses every part of a large upload.
    """

    needs: dict[str, set[Need]] = field(default_factory=dict)
    parts_break: bool = False

    @contextmanager
    def by(self, function: str) -> Iterator[None]:
        """The clients made in the block are that function's."""
        before = os.environ[FUNCTION_NAME]
        os.environ[FUNCTION_NAME] = function
        yield
        os.environ[FUNCTION_NAME] = before

    def new_session(self) -> Any:
        """What a function's clients are made of: they tell of each call."""
        needs = self.needs.setdefault(os.environ[FUNCTION_NAME], set())
        session: Any = new_session()

        def before(params: Mapping[str, Any], model: Any, **_: Any) -> None:
            needs.update(needs_of(model.service_model.service_name, model.name, params))

        def after(http_response: Any, parsed: Any, model: Any, **_: Any) -> None:
            # Whoever may list a bucket under prefixes only is not told that an object is not there.
            if model.name in {"GetObject", "HeadObject"} and http_response.status_code == 404:
                parsed["Error"] = {"Code": "AccessDenied", "Message": "Access Denied"}

        def refuse(request: Any, **_: Any) -> AWSResponse | None:
            if not self.parts_break:
                return None
            return AWSResponse(
                request.url, 400, HTTPHeaders(), Raw(b"<Error><Code>BadPart</Code></Error>")
            )

        session.register("before-send.s3.UploadPart", refuse)
        session.register("before-parameter-build", keep_bucket)
        session.register("before-parameter-build", before)
        session.register("after-call", after)
        return session


class Raw(BytesIO):
    """A body as botocore reads it."""

    def stream(self, **_: Any) -> Iterator[bytes]:
        yield self.read()


def keep_bucket(params: Mapping[str, Any], context: dict[str, Any], **_: Any) -> None:
    """Nothing after the call says which bucket it was for."""
    context["bucket"] = params.get("Bucket", "")


def needs_of(service: str, operation: str, params: Mapping[str, Any]) -> Iterator[Need]:
    """AssertionError for a service that is not understood here."""
    match service:
        case "dynamodb":
            yield from dynamodb_needs(operation, params)
        case "s3":
            key = f"/{params['Key']}" if "Key" in params else ""
            resource = bucket_arn(params["Bucket"]) + key
            facts = (("s3:prefix", params["Prefix"]),) if "Prefix" in params else ()
            yield Need(f"s3:{s3_action(operation)}", resource, facts)
        case "sqs":
            queue = params["QueueUrl"].rpartition("/")[2]
            yield Need(f"sqs:{operation}", f"arn:aws:sqs:{REGION}:{ACCOUNT}:{queue}")
        case "sns":
            yield Need(f"sns:{operation}", params["TopicArn"])
        case "secretsmanager":
            yield Need(f"secretsmanager:{operation}", params["SecretId"])
        case _:
            raise AssertionError(f"say in {__name__} what IAM asks for at {service}:{operation}")


def dynamodb_needs(operation: str, params: Mapping[str, Any]) -> Iterator[Need]:
    if operation.startswith("Transact"):
        for item in params["TransactItems"]:
            for kind, part in item.items():
                yield Need(f"dynamodb:{TRANSACTED[kind]}", table_arn(part["TableName"]))
        return
    resource = table_arn(params["TableName"])
    if "IndexName" in params:
        resource += f"/index/{params['IndexName']}"
    facts = [("dynamodb:Select", params["Select"])] if "Select" in params else []
    if "kind" in params.get("Item", {}):
        facts.append(("dynamodb:LeadingKeys", params["Item"]["kind"]["S"]))
    yield Need(f"dynamodb:{operation}", resource, tuple(facts))


def s3_action(operation: str) -> str:
    if operation in IN_PARTS:
        return "PutObject"
    return {"HeadObject": "GetObject", "ListObjectsV2": "ListBucket"}.get(operation, operation)


def table_arn(name: str) -> str:
    return f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{name}"


def bucket_arn(name: str) -> str:
    return f"arn:aws:s3:::{name}"
