"""What starts each function, and how long the bucket and the queues keep things."""

from typing import Any

import pytest

from tests.template.test_template import FUNCTIONS, RESOURCES, of_type

EVENTS = {
    (name, event): source
    for name, function in FUNCTIONS.items()
    for event, source in function.get("Events", {}).items()
}
SCHEDULES = {key: source for key, source in EVENTS.items() if source["Type"] == "ScheduleV2"}
ONCE = {"MaximumRetryAttempts": 0, "MaximumEventAgeInSeconds": 300}
RETRIED = {"MaximumRetryAttempts": 3, "MaximumEventAgeInSeconds": 3600}
MEANT: dict[tuple[str, str], dict[str, Any]] = {
    ("ForwardEventsFunction", "Sweep"): {
        "ScheduleExpression": "rate(5 minutes)", "Input": '{"sweep": true}', "RetryPolicy": ONCE,
    },
    ("ImportStockFunction", "Delta"): {
        "ScheduleExpression": {"Ref": "ImportSchedule"}, "Input": "{}", "RetryPolicy": ONCE,
    },
    ("ImportStockFunction", "FullRefresh"): {
        "ScheduleExpression": "cron(0 3 * * ? *)",
        "ScheduleExpressionTimezone": {"Ref": "TimeZone"}, "Input": '{"full": true}',
        "RetryPolicy": RETRIED,
    },
    ("ReconcileStockFunction", "Daily"): {
        "ScheduleExpression": "cron(30 4 * * ? *)",
        "ScheduleExpressionTimezone": {"Ref": "TimeZone"}, "Input": "{}", "RetryPolicy": RETRIED,
        "State": {"Fn::If": ["IsShadow", "DISABLED", "ENABLED"]},
    },
    ("CheckStreamFunction", "Look"): {
        "ScheduleExpression": "rate(5 minutes)", "Input": "{}", "RetryPolicy": ONCE,
    },
}  # fmt: skip
"""What is due soon again anyway is not repeated; what comes once a day is."""
FOURTEEN_DAYS = 14 * 86_400


def arn(name: str) -> dict[str, str]:
    return {"Fn::GetAtt": f"{name}.Arn"}


def test_the_stream_brings_stored_events_from_its_beginning_and_one_bad_holds_up_no_other() -> None:
    assert EVENTS["ForwardEventsFunction", "StoredEvents"] == {
        "Type": "DynamoDB",
        "Properties": {
            "Stream": {"Fn::GetAtt": "EventsTable.StreamArn"},
            "StartingPosition": "TRIM_HORIZON",
            "FilterCriteria": {"Filters": [{"Pattern": '{"eventName": ["INSERT"]}'}]},
            "BatchSize": 25,
            "MaximumBatchingWindowInSeconds": 0,
            "ParallelizationFactor": {"Fn::If": ["ReservesConcurrency", 2, 1]},
            "BisectBatchOnFunctionError": True,
            "FunctionResponseTypes": ["ReportBatchItemFailures"],
            "MaximumRetryAttempts": 10,
            "DestinationConfig": {
                "OnFailure": {"Type": "SQS", "Destination": arn("ForwardFailuresQueue")}
            },
        },
    }
    assert RESOURCES["EventsTable"]["Properties"]["StreamSpecification"] == {
        "StreamViewType": "NEW_IMAGE"
    }


@pytest.mark.parametrize("key", sorted({*SCHEDULES, *MEANT}), ids=lambda key: key[1])
def test_a_schedule_starts_its_function_when_and_with_what_it_is_meant_to(
    key: tuple[str, str],
) -> None:
    common = {
        "OmitName": True,
        "DeadLetterConfig": {"Arn": arn("ScheduleFailuresQueue")},
        "RoleArn": arn("ScheduleRole"),
    }

    assert SCHEDULES[key]["Properties"] == common | MEANT[key]


def test_schedules_may_start_the_functions_they_are_for_and_no_other() -> None:
    [policy] = RESOURCES["ScheduleRole"]["Properties"]["Policies"]
    allowed = {entry["Sid"]: entry for entry in policy["PolicyDocument"]["Statement"]}

    starts = [target["Fn::GetAtt"] for target in allowed["Functions"]["Resource"]]
    assert allowed["Functions"]["Action"] == "lambda:InvokeFunction"
    assert sorted(starts) == sorted({f"{function}.Arn" for function, _ in SCHEDULES})
    assert allowed["Failures"]["Action"] == "sqs:SendMessage"
    assert allowed["Failures"]["Resource"] == arn("ScheduleFailuresQueue")


@pytest.mark.parametrize("name", sorted({function for function, _ in SCHEDULES}))
def test_what_a_scheduled_function_fails_at_is_a_failure_of_the_schedule(name: str) -> None:
    """Lambda takes a schedule's call asynchronously; the schedule's own dead letters are before."""
    assert FUNCTIONS[name]["DeadLetterQueue"] == {
        "Type": "SQS",
        "TargetArn": arn("ScheduleFailuresQueue"),
    }


def test_a_written_export_file_reaches_its_reader_through_its_queue() -> None:
    rule = RESOURCES["ExportWritten"]["Properties"]

    assert rule["EventPattern"]["detail"]["object"]["key"] == [{"prefix": "inbound/"}]
    assert rule["EventPattern"]["detail"]["bucket"]["name"] == [{"Ref": "ImportBucket"}]
    assert [target["Arn"] for target in rule["Targets"]] == [arn("ExportQueue")]
    assert [target["DeadLetterConfig"] for target in rule["Targets"]] == [
        {"Arn": arn("ExportFailuresQueue")}
    ]
    assert EVENTS["IngestExportFunction", "Written"]["Properties"] == {
        "Queue": arn("ExportQueue"),
        "BatchSize": 1,
        "ScalingConfig": {"MaximumConcurrency": 2},
    }


def test_an_export_file_is_hidden_for_six_times_as_long_as_its_reader_may_run() -> None:
    """Lambda's own advice, so that a throttled call does not use up a receipt."""
    queue = RESOURCES["ExportQueue"]["Properties"]

    assert queue["VisibilityTimeout"] == 6 * FUNCTIONS["IngestExportFunction"]["Timeout"]
    assert queue["RedrivePolicy"] == {
        "deadLetterTargetArn": arn("ExportFailuresQueue"),
        "maxReceiveCount": 5,
    }


@pytest.mark.parametrize("name", of_type("AWS::SQS::Queue"))
def test_a_queue_keeps_what_nobody_looked_at_as_long_as_sqs_can(name: str) -> None:
    assert RESOURCES[name]["Properties"]["MessageRetentionPeriod"] == FOURTEEN_DAYS


def test_the_bucket_keeps_what_was_written_over_and_tells_of_what_is_written() -> None:
    bucket = RESOURCES["ImportBucket"]["Properties"]

    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
    assert bucket["NotificationConfiguration"] == {
        "EventBridgeConfiguration": {"EventBridgeEnabled": True}
    }


def test_the_bucket_s_files_expire() -> None:
    rules = RESOURCES["ImportBucket"]["Properties"]["LifecycleConfiguration"]["Rules"]

    assert {rule.pop("Id"): rule for rule in map(dict, rules)} == {
        "RunFiles": {"Status": "Enabled", "ExpirationInDays": {"Ref": "RetentionDays"}},
        "Reads": {
            "Status": "Enabled",
            "Prefix": "reads/",
            "ExpirationInDays": 2,
            "NoncurrentVersionExpiration": {"NoncurrentDays": 1},
        },
        "Leftovers": {
            "Status": "Enabled",
            "NoncurrentVersionExpiration": {"NoncurrentDays": 30},
            "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1},
        },
    }


@pytest.mark.parametrize("name", of_type("AWS::DynamoDB::Table"))
def test_items_of_a_table_expire_and_the_table_is_not_deleted_by_mistake(name: str) -> None:
    properties = RESOURCES[name]["Properties"]

    assert properties["TimeToLiveSpecification"]["Enabled"] is True
    assert properties["DeletionProtectionEnabled"] is True
