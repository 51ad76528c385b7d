"""What the alarms watch is sent under its name and dimensions, and nothing is left out."""

import re
from typing import Any, NamedTuple

import pytest

from tests.template.test_template import (
    ALARMS,
    COMPOSITES,
    FUNCTIONS,
    PARAMETERS,
    RESOURCES,
    ROOT,
    of_type,
)

OURS = "InventorySync"
DIMENSIONS: dict[str, dict[str, list[Any]]] = {
    "InventorySync": {"service": [{"Ref": "AWS::StackName"}]},
    "AWS/WAFV2": {
        "WebACL": [{"Ref": "AWS::StackName"}],
        "Rule": ["ALL"],
        "Region": [{"Ref": "AWS::Region"}],
    },
    "AWS/Events": {"RuleName": [{"Ref": name} for name in of_type("AWS::Events::Rule")]},
    "AWS/ApiGateway": {"ApiName": [{"Ref": "AWS::StackName"}], "Stage": ["prod"]},
    "AWS/Lambda": {"FunctionName": [{"Ref": name} for name in FUNCTIONS]},
    "AWS/DynamoDB": {"TableName": [{"Ref": name} for name in of_type("AWS::DynamoDB::Table")]},
    "AWS/States": {"StateMachineArn": [{"Ref": "ReadMachine"}]},
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


CONDITIONAL = "${FirewallBlocks}${Reads}"
WATCHED = {name: watched(alarm) for name, alarm in ALARMS.items()}
METRICS_OF_OURS = sorted({found.metric for found in WATCHED.values() if found.namespace == OURS})


def parts_of(composite: str) -> list[str]:
    """The alarms in its rule, those of a condition too."""
    rule = COMPOSITES[composite]["AlarmRule"]["Fn::Sub"]
    texts = [rule] if isinstance(rule, str) else [rule[0], str(rule[1])]
    assert not set(re.sub(r"ALARM\(\"\$\{\w+\}\"\)", "", texts[0]).split()) - {"OR", CONDITIONAL}
    return [name for text in texts for name in re.findall(r'ALARM\("\$\{(\w+)\}"\)', text)]


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


def test_every_alarm_is_part_of_either_page_or_ticket() -> None:
    parts = [name for composite in COMPOSITES for name in parts_of(composite)]

    assert sorted(parts) == sorted(ALARMS)


@pytest.mark.parametrize("name", COMPOSITES)
def test_page_and_ticket_tell_their_topics_of_the_trouble_and_of_its_end(name: str) -> None:
    topic = name.replace("Alarm", "TopicArn")

    assert COMPOSITES[name]["AlarmActions"] == COMPOSITES[name]["OKActions"] == [{"Ref": topic}]
    assert RESOURCES[name]["Condition"] == f"Has{topic.removesuffix('Arn')}"
    assert set(COMPOSITES) == {"PageAlarm", "TicketAlarm"}


def test_without_the_firewall_its_alarm_is_part_of_nothing() -> None:
    _, variables = COMPOSITES["TicketAlarm"]["AlarmRule"]["Fn::Sub"]
    condition, _, otherwise = variables["FirewallBlocks"]["Fn::If"]

    assert (condition, otherwise) == (RESOURCES["FirewallBlocksAlarm"]["Condition"], "")


def test_where_imports_read_by_themselves_no_alarm_of_the_reads_is_part_of_anything() -> None:
    _, variables = COMPOSITES["TicketAlarm"]["AlarmRule"]["Fn::Sub"]
    condition, named, otherwise = variables["Reads"]["Fn::If"]

    assert (condition, otherwise) == ("FansOut", "")
    for name in re.findall(r"\$\{(\w+)\}", named["Fn::Sub"]):
        assert RESOURCES[name]["Condition"] == "FansOut"


@pytest.mark.parametrize("name", ALARMS)
def test_no_alarm_tells_anybody_by_itself(name: str) -> None:
    assert "AlarmActions" not in ALARMS[name]


@pytest.mark.parametrize("name", ["StreamStoppedAlarm", "WatermarkLagAlarm", "OpenEventsAlarm"])
def test_it_pages_where_nothing_runs(name: str) -> None:
    assert name in parts_of("PageAlarm")


def test_a_function_s_time_is_compared_with_its_own_time_out() -> None:
    slow = watching("AWS/Lambda", "Duration")

    # The webhook is watched by how long its caller waits.
    assert set(slow.values()) == set(FUNCTIONS) - {"IngestEventFunction"}
    for name, function in slow.items():
        assert ALARMS[name]["Threshold"] == FUNCTIONS[function]["Timeout"] * 1000 * 0.95


def test_no_function_is_left_out() -> None:
    errors = watching("AWS/Lambda", "Errors").values()

    assert set(watching("AWS/Lambda", "Throttles").values()) == set(FUNCTIONS)
    # What the webhook fails at is a 5xx for its caller; the reader is called again.
    assert set(errors) == set(FUNCTIONS) - {"IngestEventFunction", "ReadStockFunction"}
    assert watching("AWS/ApiGateway", "5XXError")


def test_every_stream_mapping_is_watched_for_falling_behind() -> None:
    mapped = {
        name
        for name, function in FUNCTIONS.items()
        if any(event["Type"] == "DynamoDB" for event in function.get("Events", {}).values())
    }

    assert set(watching("AWS/Lambda", "IteratorAge").values()) == mapped


def test_every_queue_of_dead_letters_alarms_at_each_that_comes_in() -> None:
    """What lies there unread would hide the next."""
    queues = of_type("AWS::SQS::Queue")
    worked_off = {name for name, queue in queues.items() if "RedrivePolicy" in queue}
    filled = watching("AWS/SQS", "NumberOfMessagesSent").values()
    delayed = watching("AWS/SQS", "ApproximateAgeOfOldestMessage").values()

    assert {queue.removesuffix(".QueueName") for queue in filled} == set(queues) - worked_off
    assert {queue.removesuffix(".QueueName") for queue in delayed} == worked_off


def test_every_rule_is_watched_for_what_reaches_neither_its_target_nor_its_dead_letters() -> None:
    for metric in ("FailedInvocations", "InvocationsFailedToBeSentToDlq"):
        assert set(watching("AWS/Events", metric).values()) == set(of_type("AWS::Events::Rule"))


@pytest.mark.parametrize("name", ["CallsUnauthorizedAlarm", "CallsRefusedAlarm"])
def test_one_scan_by_a_stranger_is_no_alarm(name: str) -> None:
    alarm = ALARMS[name]

    assert int(alarm["EvaluationPeriods"]) * int(alarm["Period"]) >= 900
    assert "DatapointsToAlarm" not in alarm


@pytest.mark.parametrize("name", COMPOSITES)
def test_nobody_is_told_of_a_stack_that_is_not_in_operation_yet(name: str) -> None:
    """Figures that are missing alarm, and a new stack has none: topics come with go-live."""
    topic = name.replace("Alarm", "TopicArn")
    deploy = (ROOT / "docs" / "deploy.md").read_text("utf-8")

    assert PARAMETERS[topic]["Default"] == ""
    assert f"`{topic}`" in deploy.partition("## 5. First import")[2]
