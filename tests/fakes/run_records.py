"""What runs leave behind, in memory; the contract suite holds it to the real."""

from collections.abc import Iterator
from contextlib import contextmanager

from inventory_sync.domain.import_run import ImportRun
from inventory_sync.domain.run_record import LocationRecord


class FakeRunRecords:
    """By run id."""

    def __init__(self) -> None:
        self.kept: dict[str, list[LocationRecord]] = {}
        self.outcomes: dict[str, ImportRun] = {}

    @contextmanager
    def writer(self, run_id: str) -> Iterator["_Lines"]:
        lines = _Lines()
        yield lines
        self.kept[run_id] = lines.records

    def locations(self, run_id: str) -> Iterator[LocationRecord]:
        return iter(list(self.kept.get(run_id, ())))

    def save_outcome(self, run: ImportRun) -> None:
        self.outcomes[run.run_id] = run

    def outcome(self, run_id: str) -> ImportRun | None:
        return self.outcomes.get(run_id)


class _Lines:
    def __init__(self) -> None:
        self.records: list[LocationRecord] = []

    def add(self, record: LocationRecord) -> None:
        self.records.append(record)
