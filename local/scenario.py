"""A story as a file: who holds what at first, what happens step by step, and what must come out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError

SCENARIOS = Path(__file__).resolve().parent / "scenarios"
Units = Annotated[int, Field(ge=0)]
Minutes = Annotated[float, Field(gt=0)]

SummaryFigure = Literal[
    "imported_quantity", "range_start", "range_end", "newstore_on_hand",
    "newstore_open_allocations", "newstore_atp", "erp_on_hand", "events_stored",
]  # fmt: skip
Figure = Literal[
    SummaryFigure,
    "newstore_completed_unreleased", "erp_shown", "erp_allocated", "erp_double_bookings",
    "events_quarantined", "watermark", "jobs_finished", "jobs_failed", "job_errors_stored",
    "locations_held", "physical",
]  # fmt: skip
SUMMARY_FIGURES: tuple[str, ...] = get_args(SummaryFigure)
Expected = dict[Figure, int | None]


class ScenarioError(Exception):
    """The file is not a scenario; the text names the field."""


class Strict(BaseModel):
    """A misspelt field is an error, not one that is ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Step(Strict):
    """`say` is printed with the step."""

    say: str = ""


class EventStep(Step):
    """Something that NewStore publishes. With `delivered` false it stays under way.

    `event` is what a later `deliver` calls it; by default "<request> assigned", "... completed" or
    "... failed". Without a logical timestamp NewStore draws the next one.
    """

    request: str
    logical_timestamp: Annotated[int, Field(ge=0)] | None = None
    event: str = ""
    delivered: bool = True


class Order(EventStep):
    """A fulfillment request of one unit per product is assigned to a location."""

    do: Literal["order"]
    order: str = "order-1"
    location: str = ""
    products: Annotated[list[str], Field(min_length=1)] | None = None
    service_level: str = "STANDARD"


class Ship(EventStep):
    """Items of a request (by number from 1, by default all that are open) leave the location."""

    do: Literal["ship"]
    items: list[int] | None = None


class Fail(EventStep):
    """Items of a request cannot be fulfilled; the units stay where they are."""

    do: Literal["fail"]
    items: list[int] | None = None


class Deliver(Step):
    """NewStore posts these events in this order; one that stands twice is a duplicate."""

    do: Literal["deliver"]
    events: Annotated[list[str], Field(min_length=1)]


class Receive(Step):
    """Goods come in and are booked in the ERP."""

    do: Literal["receive"]
    units: Annotated[int, Field(gt=0)]
    location: str = ""
    product: str = ""


class Wait(Step):
    """Time passes."""

    do: Literal["wait"]
    minutes: Minutes


class Tick(Step):
    """The import's schedule fires."""

    do: Literal["tick"]
    full: bool = False


class Sweep(Step):
    """The forwarder's schedule fires."""

    do: Literal["sweep"]


class ErpDown(Step):
    """The ERP answers 503 for so long."""

    do: Literal["erp_down"]
    minutes: Minutes


class ErpLosesAnswers(Step):
    """The next calls that book movements are cut off after (or before) they took effect."""

    do: Literal["erp_loses_answers"]
    calls: Annotated[int, Field(gt=0)] = 1
    applied: bool = True


class ErpListsNothing(Step):
    """The ERP's next stock list of a location (by default that of the watched row) is empty."""

    do: Literal["erp_lists_nothing"]
    location: str = ""


class JobWillFail(Step):
    """NewStore's next import job fails after so many rows were applied, and nothing released."""

    do: Literal["job_will_fail"]
    after_rows: Units = 0
    reason: str = "internal error"


class Check(Step):
    """What the systems must hold at this point."""

    do: Literal["check"]
    expect: Annotated[Expected, Field(min_length=1)]


Publishing = Order | Ship | Fail
AnyStep = Annotated[
    Publishing | Deliver | Receive | Wait | Tick | Sweep | ErpDown | ErpLosesAnswers
    | ErpListsNothing | JobWillFail | Check,
    Field(discriminator="do"),
]  # fmt: skip


class Place(Strict):
    """A location, known to all; `store_id` is empty for a distribution centre."""

    location: str
    store_id: str = ""


class Stock(Strict):
    """What both systems and the shelf hold at first."""

    location: str
    product: str
    units: Units


class ErpTraits(Strict):
    """How the ERP behaves: what it has acknowledged shows so much later, as it declares."""

    apply_lag_seconds: Annotated[float, Field(ge=0)] = 0
    dedupe: Literal["native", "lookup"] = "native"


class OtherSystemTraits(Strict):
    """A usual integration that the adapter is a shadow of.

    It books what ships so long after, and imports the ERP's newest figures, which show later.
    """

    lag_seconds: Annotated[int, Field(ge=0)]
    import_every_minutes: Minutes = 15
    import_takes_minutes: Annotated[float, Field(ge=0)] = 0


class Scenario(Strict):
    """The figures are those of the first entry of `stock`.

    never_oversell is checked after every step, unless the story `breaks_delivery_promise`: NewStore
    delivers within 15 minutes, and what comes later may have been released too early. With an
    `other_system` that one imports, and what a shadow says of it is compared with what is true.
    """

    title: str
    why: list[str]
    parameters: dict[str, str] = {}
    settings: dict[str, str] = {}
    breaks_delivery_promise: bool = False
    erp: ErpTraits = ErpTraits()
    other_system: OtherSystemTraits | None = None
    locations: Annotated[list[Place], Field(min_length=1)]
    stock: Annotated[list[Stock], Field(min_length=1)]
    steps: Annotated[list[AnyStep], Field(min_length=1)]
    expect: Annotated[Expected, Field(min_length=1)]

    @property
    def key(self) -> tuple[str, str]:
        """(location, product) that is watched."""
        return self.stock[0].location, self.stock[0].product


def read_scenario(path: Path) -> Scenario:
    """ScenarioError naming the file, the field and what is wrong with it."""
    try:
        return Scenario.model_validate_json(path.read_bytes())
    except OSError as error:
        there = ", ".join(
            f"local/scenarios/{file.name}" for file in sorted(SCENARIOS.glob("*.json"))
        )
        raise ScenarioError(f"{path}: {error.strerror}; there are: {there}") from error
    except ValidationError as error:
        wrong = [
            f"  {'.'.join(map(str, entry['loc'])) or 'the file'}: {entry['msg']}"
            for entry in error.errors(include_input=False, include_url=False)
        ]
        raise ScenarioError("\n".join([f"{path} is not a scenario:", *wrong])) from error
