"""What the drawings show: a story as it stands right after its first import."""

from __future__ import annotations

from dataclasses import dataclass

from cli.room.history import History
from inventory_sync.adapters.dynamodb.run_history import DynamoRunHistory
from inventory_sync.adapters.s3.file_store import S3FileStore
from inventory_sync.adapters.s3.run_records import S3RunRecords
from inventory_sync.domain.explain import RowSum, row_sum
from inventory_sync.domain.import_run import RunState
from local.figures import Figures
from local.room.recording import local_reader, recorder
from local.scenario import Scenario
from local.stack import LocalStack, local_stack
from local.story import Story, plan_of

BUCKET = "ImportBucket"


@dataclass(frozen=True, kw_only=True)
class Example:
    """The sum of the story's row in its first import, and each system's figures after it."""

    location: str
    product: str
    cut_end: int
    row: RowSum
    figures: Figures


class NoImportError(Exception):
    """The story ends without a finished import: there is nothing to draw."""


def play(scenario: Scenario) -> tuple[Example, History]:
    """With all moments of the story. The clock is the story's own: always the same figures."""
    found: list[Example] = []
    history = History()
    with local_stack(plan_of(scenario)) as stack:
        record = recorder(local_reader(stack), history)

        def look(told: str) -> None:
            record(told)
            if not found:
                found.extend(_first_import(stack, story, scenario))

        story = Story(stack, scenario, lambda _: None, look)
        story.play()
    if not found:
        raise NoImportError(f"{scenario.title}: no import has finished")
    return found[0], history


def _first_import(stack: LocalStack, story: Story, scenario: Scenario) -> list[Example]:
    """None before it."""
    runs = DynamoRunHistory(stack.state).newest_first()
    run = next((run for run in runs if run.state is RunState.FINALIZED), None)
    if run is None:
        return []
    location, product = scenario.key
    s3, bucket = stack.aws.s3, stack.template.physical_id(BUCKET)
    ledger = S3FileStore(s3, bucket, str).ledger(location, run.run_id)
    if ledger is None:
        return []
    records = S3RunRecords(s3, bucket).locations(run.run_id)
    record = next((record for record in records if record.location_id == location), None)
    return [
        Example(
            location=location,
            product=product,
            cut_end=run.cut_end,
            row=row_sum(product, ledger, record),
            figures=story.figures(),
        )
    ]
