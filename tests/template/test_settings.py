"""The template and the settings agree: same names, and the defaults stand in both alike."""

from typing import Any

import pytest

from inventory_sync.config import (
    ExportSettings,
    ForwardSettings,
    ImportSettings,
    IngestSettings,
    ReconcileSettings,
    WatchSettings,
)
from tests.template.test_template import FUNCTIONS, PARAMETERS

SETTINGS: dict[str, Any] = {
    "IngestEventFunction": IngestSettings,
    "ForwardEventsFunction": ForwardSettings,
    "ImportStockFunction": ImportSettings,
    "ReconcileStockFunction": ReconcileSettings,
    "WatchStreamFunction": WatchSettings,
    "IngestExportFunction": ExportSettings,
}


def environment(function: str) -> dict[str, str]:
    """What the function finds when every parameter with a default is left at it."""
    return {
        name: _deployed(name, value)
        for name, value in FUNCTIONS[function]["Environment"]["Variables"].items()
    }


def _deployed(name: str, value: Any) -> str:
    if "Fn::If" in value:  # an optional address that was left empty
        return "https://example.p.newstore.net"
    if "Fn::Sub" in value:  # an address that is put together
        return "https://example.execute-api.eu-west-1.amazonaws.com/prod/event"
    parameter = PARAMETERS.get(value["Ref"], {})
    if "Default" in parameter:
        return str(parameter["Default"])
    return "https://erp.example" if name.endswith("_URL") else "example"


@pytest.mark.parametrize("function", SETTINGS)
def test_the_defaults_of_the_template_are_those_of_the_settings(function: str) -> None:
    deployed = environment(function)
    defaulted = {
        name
        for name, value in FUNCTIONS[function]["Environment"]["Variables"].items()
        if "Default" in PARAMETERS.get(value.get("Ref", ""), {})
    }
    required = {name: value for name, value in deployed.items() if name not in defaulted}

    assert defaulted
    assert SETTINGS[function].read(deployed) == SETTINGS[function].read(required)


@pytest.mark.parametrize("function", SETTINGS)
def test_every_variable_of_the_template_is_read(function: str) -> None:
    read: set[str] = set()

    class Recording(dict[str, str]):
        def get(self, key: str, default: Any = None) -> Any:
            read.add(key)
            return super().get(key, default)

    SETTINGS[function].read(Recording(environment(function)))

    assert set(environment(function)) <= read
