"""Loops of a template are written out as AWS::LanguageExtensions writes them out."""

from pathlib import Path
from typing import Any

import pytest

from local.template_file import read_template

HEAD = """
Transform: [AWS::LanguageExtensions, AWS::Serverless-2016-10-31]
Mappings:
  Queues:
    Orders: { Kept: 5, Says: "orders" }
    Returns: { Says: "returns" }
Resources:
"""


def resources(tmp_path: Path, text: str) -> dict[str, Any]:
    path = tmp_path / "template.yaml"
    path.write_text(HEAD + text)
    found: dict[str, Any] = read_template(path)["Resources"]
    return found


def test_a_loop_gives_a_resource_for_each_entry(tmp_path: Path) -> None:
    text = """
  Fn::ForEach::Queues:
    - Name
    - [Orders, Returns]
    - ${Name}Queue: { Type: AWS::SQS::Queue }
      ${Name}Alarm:
        Value: !GetAtt [!Sub "${Name}Queue", QueueName]
        Role: { Ref: !Sub "${Name}Role" }
        Name: !Ref Name
"""
    found = resources(tmp_path, text)

    assert list(found) == ["OrdersQueue", "OrdersAlarm", "ReturnsQueue", "ReturnsAlarm"]
    assert found["ReturnsAlarm"] == {
        "Value": {"Fn::GetAtt": "ReturnsQueue.QueueName"},
        "Role": {"Ref": "ReturnsRole"},
        "Name": "Returns",
    }


def test_a_table_gives_each_entry_its_own_value_or_the_default(tmp_path: Path) -> None:
    text = """
  Fn::ForEach::Queues:
    - Name
    - [Orders, Returns]
    - ${Name}Queue:
        Kept: !FindInMap [Queues, !Ref Name, Kept, { DefaultValue: "9" }]
        Says: !Sub ["${Said} of ${AWS::StackName}", { Said: !FindInMap [Queues, !Ref Name, Says] }]
"""
    found = resources(tmp_path, text)

    assert [queue["Kept"] for queue in found.values()] == [5, "9"]
    assert found["OrdersQueue"]["Says"] == {"Fn::Sub": "orders of ${AWS::StackName}"}


def test_what_stands_in_no_loop_stays_as_it_is_written(tmp_path: Path) -> None:
    text = """
  Queue:
    Arn: !GetAtt Queue.Arn
    Name: !Sub "${AWS::StackName}-x"
    Other: !Sub ["${Name}", { Name: x }]
"""
    assert resources(tmp_path, text)["Queue"] == {
        "Arn": {"Fn::GetAtt": "Queue.Arn"},
        "Name": {"Fn::Sub": "${AWS::StackName}-x"},
        "Other": {"Fn::Sub": ["${Name}", {"Name": "x"}]},
    }


def test_a_value_that_the_table_does_not_have_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(KeyError, match=r"Returns\.Kept"):
        resources(tmp_path, "  Queue: { Kept: !FindInMap [Queues, Returns, Kept] }\n")
