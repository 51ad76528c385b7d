"""The functions' roles as template.yaml has them, and what Lambda does by them unasked."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from local.template import ACCOUNT, REGION, Template
from tests.integration.called import Need, bucket_arn, table_arn

NOTHING = object()
"""What an !If leaves out."""
CHECKED_BY: Mapping[str, Callable[[str | None, Any], bool]] = {
    "ForAllValues:StringEquals": lambda value, wanted: value in wanted,
    "StringEquals": lambda value, wanted: value == wanted,
    "StringLike": lambda value, wanted: any(fnmatchcase(value or "", w) for w in as_list(wanted)),
}


@dataclass(frozen=True)
class Allowed:
    """One action on one resource, both as IAM matches them."""

    sid: str
    action: str
    resource: str
    condition: Mapping[str, Mapping[str, Any]]

    def covers(self, need: Need) -> bool:
        """KeyError for a kind of condition that is not understood here."""
        facts = dict(need.facts)
        return (
            need.action == self.action
            and fnmatchcase(need.resource, self.resource)
            and all(
                CHECKED_BY[operator](facts.get(key), wanted)
                for operator, keys in self.condition.items()
                for key, wanted in keys.items()
            )
        )


class Deployed(Template):
    """Resolves what policies are written with as well: !GetAtt, ARNs and AWS::NoValue."""

    def resolve(self, value: Any) -> Any:
        match value:
            case {"Ref": "AWS::NoValue"}:
                return NOTHING
            case {"Fn::GetAtt": str(path)}:
                return self._attribute(path)
            case {"Fn::Sub": str(text)}:
                return re.sub(r"\$\{([^}]+)\}", lambda found: self._attribute(found[1]), text)
            case list():
                resolved = [self.resolve(entry) for entry in value]
                return [entry for entry in resolved if entry is not NOTHING]
        return super().resolve(value)

    def allowed(self, function: str) -> list[Allowed]:
        """By a function's role, each action on each resource."""
        role = self.function(function)["Role"]["Fn::GetAtt"].removesuffix(".Arn")
        attached = [
            self.properties(name)
            for name in self.of_type("AWS::IAM::Policy")
            if self.present(name) and {"Ref": role} in self.properties(name)["Roles"]
        ]
        statements = [
            statement
            for policy in [*self.properties(role)["Policies"], *attached]
            for statement in self.resolve(policy["PolicyDocument"])["Statement"]
        ]
        assert {statement["Effect"] for statement in statements} == {"Allow"}
        return [
            Allowed(statement["Sid"], action, resource, statement.get("Condition", {}))
            for statement in statements
            for action in as_list(statement["Action"])
            for resource in as_list(statement["Resource"])
        ]

    def done_by_lambda(self, function: str) -> Iterator[Need]:
        """What no client of the function's shows: its logs, stream, queue and failures."""
        properties = self.function(function)
        logs = self._attribute(f"{properties['LoggingConfig']['LogGroup']['Ref']}.Arn")
        yield from (Need(f"logs:{does}", logs) for does in ("CreateLogStream", "PutLogEvents"))
        letters = properties.get("DeadLetterQueue")
        queues = [letters["TargetArn"]] if letters else []
        for event in properties.get("Events", {}).values():
            if event["Type"] == "SQS":
                queue = self.resolve(event["Properties"]["Queue"])
                polls = ("DeleteMessage", "GetQueueAttributes", "ReceiveMessage")
                yield from (Need(f"sqs:{does}", queue) for does in polls)
            if event["Type"] != "DynamoDB":
                continue
            stream = self.resolve(event["Properties"]["Stream"])
            yield from (
                Need(f"dynamodb:{does}", stream)
                for does in ("DescribeStream", "GetRecords", "GetShardIterator", "ListStreams")
            )
            queues.append(event["Properties"]["DestinationConfig"]["OnFailure"]["Destination"])
        yield from (Need("sqs:SendMessage", self.resolve(queue)) for queue in queues)

    def _attribute(self, path: str) -> str:
        name, _, attribute = path.partition(".")
        if not attribute:
            return str(self.resolve({"Ref": name}))
        physical = self.physical_id(name)
        here = f"{REGION}:{ACCOUNT}"
        match next(t for t in ARNS if name in self.of_type(t)), attribute:
            case "AWS::DynamoDB::Table", "Arn":
                return table_arn(physical)
            case "AWS::DynamoDB::Table", "StreamArn":
                return f"{table_arn(physical)}/stream/2026-01-01T00:00:00.000"
            case "AWS::S3::Bucket", "Arn":
                return bucket_arn(physical)
            case "AWS::SQS::Queue", "Arn":
                return f"arn:aws:sqs:{here}:{physical}"
            case "AWS::Logs::LogGroup", "Arn":
                return f"arn:aws:logs:{here}:log-group:{physical}:*"
        raise AssertionError(f"say in {__name__} what {path} is")


ARNS = ("AWS::DynamoDB::Table", "AWS::S3::Bucket", "AWS::SQS::Queue", "AWS::Logs::LogGroup")


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
