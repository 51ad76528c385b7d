"""What a stack costs a month before anything happens: counted in template.yaml and docs/metrics.md.

At most: a metric is paid for by the hours in which it is sent. What only some parameters bring
(the firewall, a key of one's own, reads that fan out) is left out.
"""

import re
from functools import cache
from typing import NamedTuple

from local.template import ROOT
from local.template_file import read_template
from tools.scale import prices

BY_CHOICE = frozenset({"HasFirewall", "FansOut"})
"""Conditions of what only some parameters bring."""


class Item(NamedTuple):
    """A number of things that are paid for alike."""

    what: str
    number: int
    price: float

    @property
    def dollars(self) -> float:
        """A month."""
        return self.number * self.price


@cache
def standing() -> tuple[Item, ...]:
    """Both composite alarms are there, and all secrets that parameters name."""
    template = read_template(ROOT / "template.yaml")
    resources = template["Resources"].values()
    kinds = [entry["Type"] for entry in resources if entry.get("Condition") not in BY_CHOICE]
    documented = (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")
    lines = re.findall(r"^\| `[A-Z]\w+` \|.*$", documented, re.MULTILINE)
    metrics = [line for line in lines if "| where reads fan out" not in line]
    secrets = [name for name in template["Parameters"] if name.endswith("SecretArn")]
    return (
        Item("metrics of ours", len(metrics), prices.METRIC),
        Item("alarms on a metric", kinds.count("AWS::CloudWatch::Alarm"), prices.ALARM),
        Item("composite alarms", kinds.count("AWS::CloudWatch::CompositeAlarm"), prices.COMPOSITE),
        Item("dashboard", kinds.count("AWS::CloudWatch::Dashboard"), prices.DASHBOARD),
        Item("secrets", len(secrets), prices.SECRET),
    )


def standing_dollars() -> float:
    """A month, of all of it."""
    return sum(item.dollars for item in standing())
