"""What the alarms watch is sent under its name and dimensions, and nothing is left out."""

from typing import Any, NamedTuple

import pytest

from tests.template.test_template import ALARMS, FUNCTIONS, ROOT, of_type

OURS = "InventorySync"
DIMENSIONS: dict[str, dict[str, list[Any]]] = {
    "InventorySync": {"service": [{"Ref": "AWS::StackName"}]},
    "AWS/WAFV2": {
        "WebACL": [{"Ref": "AWS::StackName"}],
        "Rule": ["ALL"],
        "Region": [{"Ref": "AWS::Region"}],
    },
    "AWS/ApiGateway": {"ApiName": [{"Ref": "AWS::StackName"}], "Stage": ["prod"]},
    "AWS/Lambda": {"FunctionName": [{"Ref": name} for name in FUNCTIONS]},
    "AWS/DynamoDB": {"TableName": [{"Ref": name} for name in of_type("AWS::DynamoDB::Table")]},
    "AWS/SQS": {
        "QueueName": [{"Fn::GetAtt": f"{name}.QueueName"} for name in of_type("AWS::SQS::Queue")]
    },
}


class Watched(NamedTuple):
    """The metric that an alarm watches."""

    namespace: str
    metric: str
    dimensions: dict[str, Any]


def watched(alarm: dict[str, Any]) -> Watched:
    dimensions = {entry["Name"]: entry["Value"] for entry in alarm["Dimensions"]}
    return Watched(alarm["Namespace"], alarm["MetricName"], dimensions)


WATCHED = {name: watched(alarm) for name, alarm in ALARMS.items()}
METRICS_OF_OURS = sorted({found.metric for found in WATCHED.values() if found.namespace == OURS})


def watching(namespace: str, metric: str) -> dict[str, str]:
    """The alarms on a metric: what each is about, by the alarm's name."""
    return {
        name: str(next(iter(next(iter(found.dimensions.values())).values())))
        for name, found in WATCHED.items()
        if (found.namespace, found.metric) == (namespace, metric)
    }


@pytest.mark.parametrize("metric", METRICS_OF_OURS)
def test_every_metric_of_ours_that_an_alarm_watches_is_sent(metric: str) -> None:
    layer = (ROOT / "layers" / "inventory_sync" / "inventory_sync").rglob("*.py")
    code = [*layer, *(ROOT / "functions").rglob("*.py")]

    assert any(f'"{metric}"' in file.read_text(encoding="utf-8") for file in code)


@pytest.mark.parametrize("name", WATCHED)
def test_every_dimension_is_one_of_this_stack(name: str) -> None:
    found = WATCHED[name]
    known = DIMENSIONS[found.namespace]

    assert found.dimensions.keys() == known.keys()
    for dimension, value in found.dimensions.items():
        assert value in known[dimension]


@pytest.mark.parametrize("name", ALARMS)
def test_a_missing_figure_is_an_alarm_only_where_it_means_that_nothing_runs(name: str) -> None:
    """What every tick, sweep and look sends; all else is not sent where nothing happens."""
    sent_always = name in {"WatermarkLagAlarm", "OpenEventsAlarm", "StreamStoppedAlarm"}

    assert ALARMS[name]["TreatMissingData"] == ("breaching" if sent_always else "notBreaching")


@pytest.mark.parametrize("name", ALARMS)
def test_every_alarm_tells_the_topic(name: str) -> None:
    topic = [{"Ref": "AlarmTopicArn"}]

    assert ALARMS[name]["AlarmActions"]["Fn::If"][:2] == ["HasAlarmTopic", topic]


def test_a_function_s_time_is_compared_with_its_own_time_out() -> None:
    slow = watching("AWS/Lambda", "Duration")

    # The webhook is watched by how long its caller waits.
    assert set(slow.values()) == set(FUNCTIONS) - {"IngestEventFunction"}
    for name, function in slow.items():
        assert ALARMS[name]["Threshold"] == FUNCTIONS[function]["Timeout"] * 1000 * 0.95


def test_no_function_is_left_out() -> None:
    errors = watching("AWS/Lambda", "Errors").values()

    assert set(watching("AWS/Lambda", "Throttles").values()) == set(FUNCTIONS)
    # What the webhook fails at is a 5xx for its caller.
    assert set(errors) == set(FUNCTIONS) - {"IngestEventFunction"}
    assert watching("AWS/ApiGateway", "5XXError")


def test_every_stream_mapping_is_watched_for_falling_behind() -> None:
    mapped = {
        name
        for name, function in FUNCTIONS.items()
        if any(event["Type"] == "DynamoDB" for event in function["Events"].values())
    }

    assert set(watching("AWS/Lambda", "IteratorAge").values()) == mapped


def test_every_queue_of_dead_letters_has_its_alarm() -> None:
    queues = of_type("AWS::SQS::Queue")
    worked_off = {name for name, queue in queues.items() if "RedrivePolicy" in queue}
    filled = watching("AWS/SQS", "ApproximateNumberOfMessagesVisible").values()
    delayed = watching("AWS/SQS", "ApproximateAgeOfOldestMessage").values()

    assert {queue.removesuffix(".QueueName") for queue in filled} == set(queues) - worked_off
    assert {queue.removesuffix(".QueueName") for queue in delayed} == worked_off
