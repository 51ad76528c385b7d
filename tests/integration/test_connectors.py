"""NewStore's own example through the real functions, with each connector that needs no more."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import count
from typing import Any

import pytest

from local.clock import LocalClock
from tests.connector.csv_bench import BatchErp, CsvBench
from tests.integration.guide_example import RANGE, give_secret, play_guide_example
from tests.integration.story import DC, Story, story


class SimulatedBooks:
    """The simulator's books."""

    def __init__(self, told: Story) -> None:
        self._told = told
        self._numbers = count(1)

    def product(self) -> str:
        return f"SHIRT-{next(self._numbers)}"

    def set_stock(self, product_id: str, units: int) -> None:
        self._told.erp.set_stock((DC, product_id), units)

    def on_hand(self, product_id: str) -> int:
        return self._told.erp.on_hand((DC, product_id))

    def let_it_book(self) -> None:
        """It books at once."""

    def let_it_show(self) -> None:
        """And shows at once."""


@contextmanager
def told_by(connector: str, **variables: Any) -> Iterator[Story]:
    """From now on in the machine's time, which is that of the ERPs."""
    clock = LocalClock(datetime.now(UTC))
    with (
        pytest.MonkeyPatch.context() as patch,
        story(patch, clock=clock, ERP_CONNECTOR=connector, **RANGE, **variables) as told,
    ):
        yield told


def test_rest() -> None:
    with told_by("rest") as told:
        play_guide_example(told, SimulatedBooks(told))


@pytest.mark.parametrize("acknowledged", [True, False])
def test_csv(acknowledged: bool) -> None:
    with told_by("csv", ERP_BUCKET="erp-files", ERP_BUCKET_PREFIX="erp/") as told:
        client: Any = told.aws.s3
        location: Any = {"LocationConstraint": "eu-west-1"}
        client.create_bucket(Bucket="erp-files", CreateBucketConfiguration=location)
        erp = BatchErp(client, prefix="erp/")

        play_guide_example(told, CsvBench(client, erp, acknowledged=acknowledged))

        folders = {path.split("/")[1] for path in erp.listed()}
        assert folders == {"connector.json", "stock", "movements", "acknowledgements"}


def test_secret_of_another_connector_says_what_is_missing_and_books_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with told_by("odoo", ERP_BASE_URL="http://127.0.0.1:9") as told:
        give_secret(told, {"token": "of-another-connector"})
        told.assign("ff1", DC, "SHIRT")
        told.post(told.newstore.complete("ff1"))
        failures = told.forward(told.new_records())["batchItemFailures"]

    assert len(failures) == 1
    assert "lacks api_key; add it to the JSON object, or ErpSecretArn names" in caplog.text
    assert "of-another-connector" not in caplog.text
