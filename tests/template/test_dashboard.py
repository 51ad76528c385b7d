"""The dashboard shows what is there: its metrics are sent and documented, no alarm is left out."""

import json
import re
from collections import Counter
from itertools import pairwise
from typing import Any

import pytest

from tests.template.test_alarms import METRICS_OF_OURS, OURS
from tests.template.test_template import ALARMS, FUNCTIONS, PARAMETERS, RESOURCES, ROOT, of_type

TEXT, VARIABLES = of_type("AWS::CloudWatch::Dashboard")["Dashboard"]["DashboardBody"]["Fn::Sub"]
FIREWALL_ALARM = VARIABLES["FirewallAlarm"]["Fn::If"]
# As it is with everything switched on.
READ_ALARMS = VARIABLES["ReadAlarms"]["Fn::If"]
BODY = TEXT.replace("${FirewallAlarm}", FIREWALL_ALARM[1]["Fn::Sub"]).replace(
    "${ReadAlarms}", READ_ALARMS[1]["Fn::Sub"]
)
WIDGETS: list[dict[str, Any]] = json.loads(BODY)["widgets"]
COLUMNS = 24
BANDS = ["Is stock flowing?", "Is anything stuck?", "Is anything wrong?"]
RUNBOOK = (ROOT / "docs" / "runbook.md").read_text("utf-8")
SETTINGS = (ROOT / "docs" / "settings.md").read_text("utf-8")
DOCUMENTED = (ROOT / "docs" / "metrics.md").read_text("utf-8")
CODE = "".join(
    path.read_text("utf-8")
    for folder in ("layers/inventory_sync/inventory_sync", "functions")
    for path in (ROOT / folder).rglob("*.py")
)


def widgets(type_: str) -> list[dict[str, Any]]:
    return [widget["properties"] for widget in WIDGETS if widget["type"] == type_]


def rows(widget: dict[str, Any]) -> list[list[str]]:
    """Namespace, name, then dimensions by name and value; a dot is what the row before has there.

    A row that is computed of others has none of these.
    """
    found: list[list[str]] = []
    for row in widget["metrics"]:
        parts = [part for part in row if isinstance(part, str)]
        if not parts:
            continue
        found.append([found[-1][i] if part == "." else part for i, part in enumerate(parts)])
    return found


def metrics() -> list[list[str]]:
    return [row for widget in widgets("metric") for row in rows(widget)]


OUR_METRICS = sorted({row[1] for row in metrics() if row[0] == OURS})
DIMENSIONS = {
    "service": {"${AWS::StackName}"},
    "WebACL": {"${AWS::StackName}"},
    "Rule": {"ALL"},
    "Region": {"${AWS::Region}"},
    "ApiName": {"${AWS::StackName}"},
    "Stage": {"prod"},
    "FunctionName": {f"${{{name}}}" for name in FUNCTIONS},
    "TableName": {f"${{{name}}}" for name in of_type("AWS::DynamoDB::Table")},
    "QueueName": {f"${{{name}.QueueName}}" for name in of_type("AWS::SQS::Queue")},
}


def test_what_is_put_in_is_of_this_template() -> None:
    known = {*RESOURCES, *PARAMETERS, "AWS::StackName", "AWS::Region"}

    assert {name.partition(".")[0] for name in re.findall(r"\$\{([^}]+)\}", BODY)} <= known


def test_every_alarm_stands_in_the_one_alarm_widget() -> None:
    [shown] = widgets("alarm")

    assert Counter(shown["alarms"]) == Counter(f"${{{name}.Arn}}" for name in ALARMS)


def test_what_is_not_deployed_is_not_looked_for() -> None:
    plain = TEXT.replace("${FirewallAlarm}", FIREWALL_ALARM[2]).replace(
        "${ReadAlarms}", READ_ALARMS[2]
    )
    [shown] = [
        widget["properties"]["alarms"]
        for widget in json.loads(plain)["widgets"]
        if widget["type"] == "alarm"
    ]

    always = [name for name in ALARMS if "Condition" not in RESOURCES[name]]
    assert Counter(shown) == Counter(f"${{{name}.Arn}}" for name in always)


def test_it_answers_its_three_questions_in_this_order_below_the_alarms() -> None:
    first = [widget["type"] for widget in WIDGETS[:2]]
    titles = [re.findall(r"^## (.+)$", text["markdown"], re.MULTILINE) for text in widgets("text")]

    assert first == ["text", "alarm"]
    assert [title for found in titles for title in found] == BANDS


@pytest.mark.parametrize("metric", OUR_METRICS)
def test_every_metric_of_ours_is_documented_and_sent(metric: str) -> None:
    assert f"| `{metric}` |" in DOCUMENTED
    assert f'"{metric}"' in CODE


def test_what_an_alarm_watches_can_be_seen() -> None:
    assert set(METRICS_OF_OURS) <= set(OUR_METRICS)


def test_no_metric_is_paid_for_that_nobody_reads() -> None:
    documented = set(re.findall(r"^\| `([A-Z]\w+)` \|", DOCUMENTED, re.MULTILINE))

    assert documented == set(OUR_METRICS)


def test_what_a_shop_manager_reads_stands_above_the_bands_each_with_its_goal() -> None:
    tiles = [widget for widget in widgets("metric") if widget.get("view") == "singleValue"]
    shown = {
        tile["title"]: [
            part["label"]
            for row in tile["metrics"]
            for part in row
            if isinstance(part, dict) and "label" in part
        ]
        for tile in tiles
    }
    _, _, goals = SETTINGS.partition("\n## Goals\n")
    documented = {
        title: re.findall("`([^`]+)`", labels)
        for title, labels in re.findall(r"^\| ([A-Z][^|]+) \| ([^|]+) \|", goals, re.MULTILINE)
    }

    assert tiles == [widget["properties"] for widget in WIDGETS[2:6]]
    assert shown == documented
    assert all(re.search(r"\(goal \d+\)", label) for labels in shown.values() for label in labels)


def test_every_dimension_is_one_that_exists() -> None:
    for _, metric, *dimensions in metrics():
        assert dimensions, metric
        for name, value in zip(dimensions[::2], dimensions[1::2], strict=True):
            assert value in DIMENSIONS[name], metric


def test_every_band_names_sections_of_the_runbook() -> None:
    for text in widgets("text")[1:]:
        named = re.findall(r"\*([^*]+)\*", text["markdown"])
        assert named
        for section in named:
            assert f"\n## {section}\n" in RUNBOOK, section


def test_every_line_of_an_alarm_is_drawn_where_an_alarm_goes_off() -> None:
    thresholds = {alarm["MetricName"]: alarm["Threshold"] for alarm in ALARMS.values()}

    for widget in widgets("metric"):
        for line in widget.get("annotations", {}).get("horizontal", ()):
            shown = {row[1] for row in rows(widget)}
            assert line["value"] in {thresholds.get(metric) for metric in shown}, widget["title"]


def test_the_widgets_stand_side_by_side_without_overlap() -> None:
    taken = Counter(
        (x, y)
        for widget in WIDGETS
        for x in range(widget["x"], widget["x"] + widget["width"])
        for y in range(widget["y"], widget["y"] + widget["height"])
    )

    assert set(taken.values()) == {1}
    assert {x for x, _ in taken} == set(range(COLUMNS))
    places = [(widget["y"], widget["x"]) for widget in WIDGETS]
    assert all(before < after for before, after in pairwise(places))
