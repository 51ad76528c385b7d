"""The template and the settings agree: same names, and the defaults stand in both alike."""

from typing import Any

import pytest

from inventory_sync.bootstrap.forward_events import CLAIM
from inventory_sync.config import (
    CheckStreamSettings,
    ExportSettings,
    ForwardSettings,
    ImportSettings,
    IngestSettings,
    ReadSettings,
    ReconcileSettings,
)
from local.template import Template
from tests.template.test_template import FUNCTIONS, PARAMETERS, ROOT, branches

SETTINGS: dict[str, Any] = {
    "IngestEventFunction": IngestSettings,
    "ForwardEventsFunction": ForwardSettings,
    "ImportStockFunction": ImportSettings,
    "ReconcileStockFunction": ReconcileSettings,
    "CheckStreamFunction": CheckStreamSettings,
    "IngestExportFunction": ExportSettings,
    "ReadStockFunction": ReadSettings,
}


ARN = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:one"
CONNECTORS = {
    "rest": {"ErpBaseUrl": "https://erp.example", "ErpSecretArn": ARN},
    "odoo": {
        "ErpConnector": "odoo",
        "ErpBaseUrl": "https://odoo.example",
        "ErpSecretArn": ARN,
    },
    "csv": {"ErpConnector": "csv", "ErpBucketName": "erp-files", "ErpBucketPrefix": "erp/"},
}
WIRED: dict[str, set[str]] = {
    "rest": {"ERP_BASE_URL", "ERP_SECRET_ARN"},
    "odoo": {"ERP_BASE_URL", "ERP_SECRET_ARN"},
    "csv": {"ERP_BUCKET", "ERP_BUCKET_PREFIX"},
}
"""What only some connectors need; the rest of an environment is the same for all."""


ERP_FUNCTIONS = [
    name for name in FUNCTIONS if "ERP_CONNECTOR" in FUNCTIONS[name]["Environment"]["Variables"]
]
READS = {
    "ForwardEventsFunction": ["connector.json", "acknowledgements/*", "movements/*"],
    "ImportStockFunction": ["connector.json", "stock/*"],
    "ReadStockFunction": ["connector.json", "stock/*"],
    "ReconcileStockFunction": ["connector.json", "stock/*"],
}


def stack(connector: str = "rest", **given: str) -> Template:
    """Parameters with a default are left at it but for those of the connector and those given."""
    required = {name: "example" for name in PARAMETERS if "Default" not in PARAMETERS[name]}
    parameters = {**required, **CONNECTORS[connector], **given}
    return Template(ROOT / "template.yaml", "stack", parameters)


def environment(function: str, connector: str = "rest", **given: str) -> dict[str, str]:
    """What the function finds, Powertools' own aside."""
    found = stack(connector, **given).environment(function)
    return {name: value for name, value in found.items() if not name.startswith("POWERTOOLS_")}


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


NO_PARAMETER = {
    "FIRST_LOGICAL_TIMESTAMP",
    "HTTP_ATTEMPTS_MAX",
    "JOB_SPACING_SECONDS",
    "POLL_SECONDS_MAX",
    "SWEEP_AGE_SECONDS",
}
"""Settings that only tests and the local stack set."""
NOT_FOR = {
    "ForwardEventsFunction": {"APPLY_LAG_SECONDS", "ERP_READS_AT_ONCE"},
    "ReconcileStockFunction": {"ERP_READS_AT_ONCE"},
}
"""Read with the other settings of the ERP, and of no effect on this function."""
OTHERWISE_NAMED = {
    "SYNC_MODE": "Mode",
    "NEWSTORE_TENANT": "Tenant",
    "ERP_BUCKET": "ErpBucketName",
    "EXPORT_QUEUE_URL": "ExportQueue",
    "READ_MACHINE_ARN": "ReadMachine",
    "STREAM_ID": "AWS::StackName",
}


@pytest.mark.parametrize("connector", CONNECTORS)
@pytest.mark.parametrize("function", SETTINGS)
def test_the_template_sets_every_variable_that_is_read_and_no_other(
    function: str, connector: str
) -> None:
    """A variable that is missing and has a default leaves its parameter without effect."""
    found = environment(function, connector, StockReads="fan_out")
    read: set[str] = set()

    class Recording(dict[str, str]):
        def get(self, key: str, default: Any = None) -> Any:
            read.add(key)
            return super().get(key, default)

    SETTINGS[function].read(Recording(found))

    assert set(found) == read - NO_PARAMETER - NOT_FOR.get(function, set())


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_variable_has_the_value_of_its_namesake(function: str) -> None:
    for name, value in FUNCTIONS[function]["Environment"]["Variables"].items():
        sources = {part.get("Ref") for part in branches(value)} - {"AWS::NoValue", None}
        meant = OTHERWISE_NAMED.get(name, name.replace("_", ""))
        assert not sources or [source.lower() for source in sources] == [meant.lower()]


def test_a_forwarder_claims_an_event_for_longer_than_it_may_run() -> None:
    assert CLAIM.total_seconds() > FUNCTIONS["ForwardEventsFunction"]["Timeout"]


@pytest.mark.parametrize("connector", CONNECTORS)
@pytest.mark.parametrize("function", ERP_FUNCTIONS)
def test_only_what_the_connector_needs_is_wired(function: str, connector: str) -> None:
    found = set(environment(function, connector))

    assert found & set().union(*WIRED.values()) == WIRED[connector]


def named_roles(template: Template, policy: str) -> list[Any]:
    """Those that only some parameters call for too."""
    return [role.get("Fn::If", [None, role])[1] for role in template.properties(policy)["Roles"]]


@pytest.mark.parametrize("connector", CONNECTORS)
@pytest.mark.parametrize("function", ERP_FUNCTIONS)
def test_only_what_the_connector_needs_is_permitted(function: str, connector: str) -> None:
    template = stack(connector)
    role = {"Ref": function.replace("Function", "Role")}
    statements: dict[str, Any] = {
        entry["Sid"]: entry
        for name in template.of_type("AWS::IAM::Policy")
        if template.present(name) and role in named_roles(template, name)
        for entry in template.resolve(template.properties(name)["PolicyDocument"])["Statement"]
    }
    writes = {"ErpMovements"} if function == "ForwardEventsFunction" else set()
    files = {"ErpFiles", "ErpFileNames"} | writes

    assert set(statements) == (files if connector == "csv" else {"ErpSecret"})
    if connector == "csv":
        reads = READS[function]
        below = "arn:aws:s3:::erp-files/erp/"
        assert statements["ErpFiles"]["Resource"] == [f"{below}{name}" for name in reads]
        assert statements["ErpFileNames"]["Condition"] == {"StringLike": {"s3:prefix": "erp/*"}}
