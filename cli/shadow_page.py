"""The shadow's report as one page of HTML that needs nothing else."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from html import escape

from cli.shadow_story import story_of
from cli.text import instant, span
from inventory_sync.domain.shadow import Promises, ShadowReport

_ROWS_MAX = 50
_WIDTH, _HALF = 960, 110
_STYLE = """
:root{color-scheme:light dark;--ink:#1b1f24;--soft:#57606a;--line:#d0d7de;--much:#b3261e;
--little:#0b57d0;--back:#fff;--card:#f6f8fa}
@media(prefers-color-scheme:dark){:root{--ink:#e6edf3;--soft:#9da7b3;--line:#3d444d;--much:#ff8a80;
--little:#8ab4f8;--back:#0d1117;--card:#161b22}}
*{box-sizing:border-box}body{margin:0 auto;max-width:1000px;padding:1rem;background:var(--back);
color:var(--ink);font:16px/1.5 system-ui,sans-serif}h1{font-size:1.5rem;line-height:1.2}
h2{font-size:1.15rem;margin-top:2rem}p,li{max-width:46rem}.soft{color:var(--soft)}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(13rem,1fr));gap:.75rem}
.tile{background:var(--card);border:1px solid var(--line);border-radius:.5rem;padding:.75rem}
.tile b{display:block;font-size:1.5rem;font-variant-numeric:tabular-nums}
.scroll{overflow-x:auto}table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
th,td{padding:.3rem .6rem;border-bottom:1px solid var(--line);text-align:left}
th.n,td.n{text-align:right;white-space:nowrap}svg{width:100%;height:9rem;display:block}
.ends{display:flex;justify-content:space-between;max-width:none;margin-top:.25rem}
tbody th{overflow-wrap:anywhere;min-width:6rem}
pre{white-space:pre-wrap;overflow-wrap:anywhere;background:var(--card);
border:1px solid var(--line);border-radius:.5rem;padding:.75rem;font-size:.85rem}
summary{cursor:pointer;padding:.3rem 0}
@media(max-width:30rem){th,td{padding:.3rem .25rem}}
"""


def page_of(found: ShadowReport, lag_seconds: object) -> str:
    """Figures, a chart of hours, tables, stories, and how far all of it can be trusted."""
    title = "What the present integration promises"
    parts = [
        f"<h1>{title}</h1>",
        f'<p class="soft">{escape(instant(found.since))} to {escape(instant(found.until))},'
        f" {found.looks:,} looks at {found.rows:,} rows. A unit hour is one unit promised wrongly"
        " for an hour.</p>",
        _tiles(found),
        _chart(found.by_hour),
        _hours_of_day(found.by_hour),
        _table("By location", "location", found.by_location.items()),
        _table("By product", "product", found.by_product.items()),
        _stories(found),
        _trust(found, lag_seconds),
    ]
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title}</title><style>{_STYLE}</style></head><body><main>"
        f"{''.join(parts)}</main></body></html>\n"
    )


def _tiles(found: ShadowReport) -> str:
    total = found.total
    tiles = [
        ("Promised too much", total.too_much, "by the sum"),
        ("Of that, certain", total.certain, "however much has been booked by then"),
        ("Promised too little", total.too_little, "at least"),
    ]
    told = [
        f'<div class="tile">{name}<b>{amount.unit_hours:,.2f}</b>unit hours, {words};'
        f" {amount.row_hours:,.2f} row hours, at most {amount.units_max} of a row at once</div>"
        for name, amount, words in tiles
    ]
    return f'<div class="tiles">{"".join(told)}</div>'


def _chart(by_hour: Mapping[datetime, Promises]) -> str:
    """Above the line what was promised too much, below it too little; hatched is not certain."""
    if not by_hour:
        return "<p>Every promise was as the sum says.</p>"
    first, last = min(by_hour), max(by_hour)
    slots = int((last - first) / timedelta(hours=1)) + 1
    each = _WIDTH / slots
    most = max(max(p.too_much.unit_hours, p.too_little.unit_hours) for p in by_hour.values())
    bars = []
    for hour, one in by_hour.items():
        x, width = each * int((hour - first) / timedelta(hours=1)), max(1.0, each - 1)
        much, sure, little = (
            _HALF * amount.unit_hours / most
            for amount in (one.too_much, one.certain, one.too_little)
        )
        told = (
            f"{hour:%Y-%m-%d %H:00}Z: {one.too_much.unit_hours:.2f} too much,"
            f" {one.certain.unit_hours:.2f} certain, {one.too_little.unit_hours:.2f} too little"
        )
        bars.append(
            f"<g><title>{told}</title>"
            f'<rect x="{x:.1f}" y="{_HALF - much:.1f}" width="{width:.1f}"'
            f' height="{much:.1f}" fill="url(#h)" stroke="var(--much)" stroke-width=".5"/>'
            f'<rect x="{x:.1f}" y="{_HALF - sure:.1f}" width="{width:.1f}"'
            f' height="{sure:.1f}" fill="var(--much)"/>'
            f'<rect x="{x:.1f}" y="{_HALF}" width="{width:.1f}"'
            f' height="{little:.1f}" fill="var(--little)"/></g>'
        )
    low = _HALF * max(p.too_little.unit_hours for p in by_hour.values()) / most
    return (
        "<h2>Hour by hour</h2><p>Above the line: promised too much, solid where it is certain,"
        " hatched where it may be less. Below: promised too little.</p>"
        f'<p class="soft">The highest: {most:,.2f} unit hours in an hour.</p>'
        f'<svg viewBox="0 0 {_WIDTH} {_HALF + low + 2:.0f}"'
        ' preserveAspectRatio="none" role="img"'
        ' aria-label="Unit hours promised too much and too little, hour by hour">'
        '<defs><pattern id="h" width="5" height="5" patternUnits="userSpaceOnUse"'
        ' patternTransform="rotate(45)"><line x1="0" y1="0" x2="0" y2="5"'
        ' stroke="var(--much)" stroke-width="2"/></pattern></defs>'
        f'{"".join(bars)}<line x1="0" x2="{_WIDTH}" y1="{_HALF}" y2="{_HALF}"'
        ' stroke="var(--soft)"/></svg>'
        f'<p class="soft ends"><span>{first:%Y-%m-%d %H:00}Z</span>'
        f"<span>{last:%Y-%m-%d %H:00}Z</span></p>"
    )


def _hours_of_day(by_hour: Mapping[datetime, Promises]) -> str:
    """When in the day, in UTC, over all days."""
    found: dict[int, list[float]] = defaultdict(lambda: [0.0, 0.0, 0.0])
    for at, one in by_hour.items():
        for number, amount in enumerate((one.too_much, one.certain, one.too_little)):
            found[at.hour][number] += amount.unit_hours
    rows = [(f"{hour:02}:00", units) for hour, units in sorted(found.items())]
    return _figures("By hour of the day", "hour, UTC", rows, len(rows)) if rows else ""


def _table(title: str, heading: str, found: Iterable[tuple[str, Promises]]) -> str:
    rows = [
        (key, [one.too_much.unit_hours, one.certain.unit_hours, one.too_little.unit_hours])
        for key, one in found
    ]
    return _figures(title, heading, rows[:_ROWS_MAX], len(rows)) if rows else ""


def _figures(title: str, heading: str, rows: list[tuple[str, list[float]]], of: int) -> str:
    names = "".join(
        f'<th class="n" scope="col">{name}</th>' for name in ("too much", "certain", "too little")
    )
    lines = "".join(
        f'<tr><th scope="row">{escape(key)}</th>'
        + "".join(f'<td class="n">{units:,.2f}</td>' for units in figures)
        + "</tr>"
        for key, figures in rows
    )
    more = f'<p class="soft">The {len(rows)} costliest of {of}.</p>' if of > len(rows) else ""
    return (
        f"<h2>{title}</h2><p>In unit hours.</p>"
        f'<div class="scroll" role="region" aria-label="{title}" tabindex="0"><table>'
        f'<thead><tr><th scope="col">{heading}</th>{names}'
        f"</tr></thead><tbody>{lines}</tbody></table></div>{more}"
    )


def _stories(found: ShadowReport) -> str:
    if not found.costliest:
        return ""
    told = "".join(
        f"<details{' open' if number < 3 else ''}><summary>{escape(story.product_id)} at"
        f" {escape(story.location_id)}: {story.promises.too_much.unit_hours:.2f} unit hours too"
        f" much, {story.promises.certain.unit_hours:.2f} certain,"
        f" {story.promises.too_little.unit_hours:.2f} too little</summary>"
        f"<pre>{escape(chr(10).join(story_of(story)))}</pre></details>"
        for number, story in enumerate(found.costliest)
    )
    return f"<h2>The costliest rows, when they were worst</h2>{told}"


def _trust(found: ShadowReport, lag_seconds: object) -> str:
    return (
        "<h2>How far this can be trusted</h2><ul>"
        f"{''.join(f'<li>{escape(line)}</li>' for line in _limits(found, lag_seconds))}</ul>"
    )


def _limits(found: ShadowReport, lag_seconds: object) -> Iterator[str]:
    lag = "its lag" if lag_seconds is None else f"{lag_seconds} seconds (OtherSystemLagSeconds)"
    yield (
        f"The other system books what ships. A unit counts as in the ERP's figure {lag} after"
        " NewStore said that it left. Younger units may be in it or not: what is above both is"
        " certain. Where that system takes longer, more was promised too much than stands here."
    )
    yield (
        "Each look holds until the next one at its location, for an hour at most. The longest time"
        f" between two looks was {span(found.longest_gap)}."
    )
    yield (
        f"The ERP's figures were up to {span(found.oldest_stock)} old when they were looked at."
        " What else left or came in since (counter sales, receipts) is not known."
    )
    yield (
        f"{found.unchecked} times a row was left out: it moved while it was read, its figure could"
        " not be read, or there was no time. Rows that the ERP does not list, and of which nothing"
        " was ordered since the shadow began, are not seen."
    )
    yield "Units whose event has not come in yet, which takes seconds as a rule, are not known."
    for location_id, why in found.unread.items():
        yield f"{location_id} could not be looked at, the last time because of: {why}"
