"""NewStore's own example, docs/newstore.md, through the real functions and any ERP behind them."""

import json
from typing import Any, Protocol

from local.newstore.availabilities import AvailabilitiesFile, open_zip, read_file
from tests.integration.story import DC, Story

RANGE: dict[str, Any] = {"FIRST_LOGICAL_TIMESTAMP": "10", "ERP_READS_AT_ONCE": "1"}
SWEEPS_MAX = 3
SWEEP_AGE_SECONDS = 60


class ErpBooks(Protocol):
    """The ERP by other ways than the connector's; as much of a connector's bench as is needed."""

    def product(self) -> str: ...
    def set_stock(self, product_id: str, units: int) -> None: ...
    def on_hand(self, product_id: str) -> int: ...
    def let_it_book(self) -> None: ...
    def let_it_show(self) -> None: ...


def play_guide_example(told: Story, erp: ErpBooks) -> None:
    """Stock of 10, four ordered, three shipped, ten more received: 17, and one allocation left."""
    product = erp.product()
    key = (DC, product)
    erp.set_stock(product, 10)
    told.newstore.imported[key] = 10

    for number in (1, 2, 3, 4):
        told.assign(f"ff{number}", DC, product)
    shipped = [told.newstore.complete(f"ff{n}", logical_timestamp=9 + n) for n in (1, 2, 3)]
    assert all(told.post(event) < 300 for event in shipped)
    told.forward(told.new_records())
    for _ in range(SWEEPS_MAX):
        erp.let_it_book()
        told.clock.sleep(SWEEP_AGE_SECONDS)
        told.sweep()
    assert erp.on_hand(product) == 7

    erp.set_stock(product, 17)
    erp.let_it_show()
    told.let_settle()
    told.tick()
    told.go_on_until_finalized(3)

    assert (told.newstore.on_hand(key), told.newstore.atp(key)) == (17, 16)
    assert told.newstore.completed_unreleased(key) == 0
    assert told.newstore.open_allocations(key) == 1
    [file] = [file for file in sent_files(told) if file.range_end == 12]
    assert file.range_start == 10
    assert {row.key: row.quantity for row in file.rows}[key] == 17
    assert erp.on_hand(product) == 17
    assert told.open_keys() == []


def sent_files(told: Story) -> list[AvailabilitiesFile]:
    """Every file of every job."""
    archives = [told.aws.fetch_file(job.source_uri) for job in told.newstore.jobs.by_id.values()]
    return [read_file(name, body) for archive in archives for name, body in open_zip(archive)]


def give_secret(told: Story, content: dict[str, str]) -> None:
    """What the ERP's secret has from now on."""
    told.aws.secrets.put_secret_value(
        SecretId=told.variables["ERP_SECRET_ARN"], SecretString=json.dumps(content)
    )
