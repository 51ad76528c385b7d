"""The domain's values: frozen, without room for anything else, and named where they are many."""

import dataclasses
import importlib
import pkgutil
from typing import Any

import pytest

import inventory_sync.domain

NAMED_ONLY = {
    "AllocationChange",
    "Approval",
    "Arrivals",
    "AtpExport",
    "Changes",
    "CompletedUnit",
    "ErpCapabilities",
    "EventPart",
    "EvidenceRow",
    "EventStream",
    "ExportFile",
    "Facts",
    "FailedAttempt",
    "FulfillmentEvent",
    "ImportHead",
    "ImportJob",
    "ImportRun",
    "Ledger",
    "Location",
    "Look",
    "LocationEntry",
    "LocationHold",
    "LocationRecord",
    "Manifest",
    "Mispicks",
    "NewStoreLocation",
    "Observation",
    "OpenEvent",
    "OperatorHold",
    "PackedFile",
    "PromiseRow",
    "QuarantineEntry",
    "QuarantinedCompletion",
    "RefreshProgress",
    "ReleaseFindings",
    "RequestedItem",
    "Resend",
    "RestartRule",
    "RowDrift",
    "RowFigures",
    "RowMeasure",
    "RowStory",
    "RowSum",
    "ShadowReport",
    "RunLimits",
    "Finalization",
    "SafetyStock",
    "StockInsights",
    "StockMovement",
    "StoredEvent",
    "StreamRegistration",
    "Term",
    "StreamCheckState",
    "UnstoredCompletion",
    "VerdictChange",
}
"""Values whose fields could be mistaken for one another."""
BY_POSITION_TOO = {
    "AbandonJob", "Accepted", "Acknowledgement", "AdoptJob", "Allocation", "Amount", "AppliedRule",
    "BaseFigures", "Build", "Commit", "Conflict", "CreateJob", "Done", "EventRef", "FeedPosition",
    "FinishedJob", "SentRows",
    "FileHead", "Finalize", "FulfillmentItem", "GiveUp", "GuardLimits", "Hold", "IgnoredEvent",
    "Doubts", "JobChunk", "JobError", "LastQuantities", "Lease", "LocationCut", "LogicalRange",
    "MispickRule", "MovementLine", "Node", "Ownership", "RecordStarted", "RejectedEvent",
    "Rejection", "Repeats", "RowBlock",
    "Promises", "Selection", "ShadowTime", "StartJob", "StockSnapshot", "StreamLogEntry",
    "TryLater", "UnitPart",
    "KeptLedger",
    "KeptVersion", "NoNewRead", "ReadPlan", "StockRead", "UnreadStock",
    "Unknown", "UnreadableEvent", "UnstoredUnits", "Wait",
}  # fmt: skip


def values_of_the_domain() -> list[Any]:
    package = inventory_sync.domain
    names = [name for _, name, _ in pkgutil.iter_modules(package.__path__, package.__name__ + ".")]
    found = {
        value
        for name in names
        for value in vars(importlib.import_module(name)).values()
        if isinstance(value, type) and dataclasses.is_dataclass(value)
    }
    return sorted(found, key=lambda value: value.__name__)


VALUES = values_of_the_domain()


@pytest.mark.parametrize("value", VALUES, ids=lambda value: value.__name__)
def test_a_value_never_changes_and_has_no_room_for_more(value: Any) -> None:
    assert value.__dataclass_params__.frozen
    assert "__slots__" in vars(value)


@pytest.mark.parametrize("value", VALUES, ids=lambda value: value.__name__)
def test_fields_that_could_be_mistaken_are_given_by_name_only(value: Any) -> None:
    named = {field.kw_only for field in dataclasses.fields(value)} or {False}

    assert named == {value.__name__ in NAMED_ONLY}


def test_these_are_the_values_of_the_domain() -> None:
    assert {value.__name__ for value in VALUES} == NAMED_ONLY | BY_POSITION_TOO
