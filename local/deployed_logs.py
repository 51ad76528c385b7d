"""What deployed functions wrote to their log groups."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from local.ministack import LocalAws


def log_lines(aws: LocalAws, function_name: str) -> list[str]:
    """Everything that a function has logged, by time."""
    settings = aws.client("lambda").get_function_configuration(FunctionName=function_name)
    return group_lines(aws, settings["LoggingConfig"]["LogGroup"])


def group_lines(aws: LocalAws, group: str, since: datetime | None = None) -> list[str]:
    """Everything in a log group, by time."""
    pages = (
        aws.client("logs")
        .get_paginator("filter_log_events")
        .paginate(
            logGroupName=group, **({"startTime": int(since.timestamp() * 1000)} if since else {})
        )
    )
    return [event["message"] for page in pages for event in page["events"]]


def stack_groups(aws: LocalAws, stack_name: str) -> list[str]:
    """The names of a stack's log groups."""
    pages = aws.client("cloudformation").get_paginator("list_stack_resources")
    return [
        resource["PhysicalResourceId"]
        for page in pages.paginate(StackName=stack_name)
        for resource in page["StackResourceSummaries"]
        if resource["ResourceType"] == "AWS::Logs::LogGroup"
    ]


def metrics(lines: list[str]) -> Iterator[tuple[str, dict[str, str], float]]:
    """Name, dimensions and value of every figure that CloudWatch would read from these lines."""
    for line in lines:
        if not line.startswith('{"_aws"'):
            continue
        record: dict[str, Any] = json.loads(line)
        for directive in record["_aws"]["CloudWatchMetrics"]:
            for names in directive["Dimensions"]:
                dimensions = {name: record[name] for name in names}
                for metric in directive["Metrics"]:
                    value = record[metric["Name"]]
                    yield (
                        metric["Name"],
                        dimensions,
                        sum(value) if isinstance(value, list) else value,
                    )
