"""The tables of docs/scale.md."""

import math
from collections.abc import Callable, Iterable

from tools.scale.chain import Chain
from tools.scale.costs import costs, fanned_out
from tools.scale.load import Load
from tools.scale.measured import Measured
from tools.scale.runs import DAYS_MAX
from tools.scale.standing import standing, standing_dollars

SIZES = (10, 1_000, 10_000)
_LOADS: tuple[tuple[str, str, Callable[[Load], float]], ...] = (
    ("events a day", "", lambda load: load.chain.events_a_day),
    ("events a second at peak", "500", lambda x: x.chain.peak_events_a_second),
    (
        "write units a second at peak, busiest location",
        "1,000",
        lambda x: x.hot_writes_a_second,
    ),
    ("events of the busiest location, GB", "10", lambda x: x.table_gigabytes * x.hot_share),
    ("rows of stock, millions", "", lambda x: x.chain.rows / 1e6),
    ("seconds to read one location", "", lambda x: x.read_seconds),
    ("seconds to read all", "540", lambda x: x.read_seconds * x.chain.locations),
    ("ERP calls for all", "", lambda x: x.chain.calls_a_location * x.chain.locations),
    ("minutes between two imports", "", lambda x: x.course.period_seconds / 60),
    ("oldest stock, minutes", "", lambda x: x.course.oldest_seconds / 60),
    ("import function, minutes a day", "1,440", lambda x: x.course.busy_seconds_a_day / 60),
    ("first import, runs", "", lambda x: len(x.first_runs)),
    ("full refresh of all, days", "90", lambda x: x.course.full_days),
    ("open events at peak, thousands", "", lambda x: x.open_events_at_peak / 1e3),
    ("memory they take, MB", "1,600", lambda x: x.open_events_megabytes),
    ("manifest, MB", "", lambda x: _manifest(x)),
    ("ledgers kept, GB", "", lambda x: x.bucket_gigabytes),
)


def _manifest(load: Load) -> float:
    return load.measured("manifest, for each location", "bytes") * load.chain.locations / 1e6


def fan_out_table(measured: Measured) -> list[str]:
    """US dollars a month for both ways to read, all else being the same."""
    loads = [Load(Chain(locations=size), measured) for size in SIZES]
    before, after = [costs(load) for load in loads], [fanned_out(load) for load in loads]
    head = ["US dollars a month, computed", *(f"{size:,} locations" for size in SIZES)]
    body = [[name, *(_figure(cost[name]) for cost in after)] for name in after[0]]
    inline = ["together, inline", *(_figure(sum(cost.values())) for cost in before)]
    sums = [
        sum(cost.values()) - cost["functions: import"] + sum(new.values())
        for cost, new in zip(before, after, strict=True)
    ]
    fanned = ["**together, fanned out**", *(f"**{_figure(value)}**" for value in sums)]
    return list(_markdown([head, *body, inline, fanned]))


def work_table(measured: Measured) -> list[str]:
    """What a chain asks, beside what there is at most."""
    loads = [Load(Chain(locations=size), measured) for size in SIZES]
    head = ["", "at most", *(f"{size:,} locations" for size in SIZES)]
    body = ([name, most, *(_figure(of(load)) for load in loads)] for name, most, of in _LOADS)
    return list(_markdown([head, *body]))


def cost_table(measured: Measured) -> list[str]:
    """US dollars a month."""
    found = [costs(Load(Chain(locations=size), measured)) for size in SIZES]
    head = ["US dollars a month", *(f"{size:,} locations" for size in SIZES)]
    body = [[name, *(_figure(cost[name]) for cost in found)] for name in found[0]]
    sums = [sum(cost.values()) for cost in found]
    total = ["**together**", *(f"**{_figure(value)}**" for value in sums)]
    return list(_markdown([head, *body, total]))


def standing_table() -> list[str]:
    """What is paid for before anything happens."""
    body = [[i.what, str(i.number), f"{i.price:.2f}", f"{i.dollars:.2f}"] for i in standing()]
    total = ["**together**", "", "", f"**{standing_dollars():.2f}**"]
    return list(_markdown([["standing", "number", "each", "a month"], *body, total]))


def _markdown(rows: Iterable[list[str]]) -> Iterable[str]:
    for number, cells in enumerate(rows):
        yield f"| {' | '.join(cells)} |"
        if number == 0:
            yield "|" + "---|" * len(cells)


def _figure(value: float) -> str:
    """To two digits, or whole."""
    if math.isinf(value):
        return f"over {DAYS_MAX}"
    if value == 0 or value >= 100:
        return f"{value:,.0f}" if value < 1000 else f"{float(f'{value:.2g}'):,.0f}"
    return f"{float(f'{value:.2g}'):g}"
