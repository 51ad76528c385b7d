"""Reports of reconciliations in memory."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from inventory_sync.domain.drift import RowDrift


class FakeReports:
    """By report id."""

    def __init__(self) -> None:
        self.drifts: dict[str, list[RowDrift]] = {}
        self.summaries: dict[str, Mapping[str, object]] = {}

    @contextmanager
    def writer(self, report_id: str) -> Iterator["_Rows"]:
        rows = _Rows()
        yield rows
        self.drifts[report_id] = rows.drifts

    def save_summary(self, report_id: str, summary: Mapping[str, object]) -> str:
        self.summaries[report_id] = summary
        return f"s3://imports/reports/{report_id}/"


class _Rows:
    def __init__(self) -> None:
        self.drifts: list[RowDrift] = []

    def add(self, drift: RowDrift) -> None:
        self.drifts.append(drift)
