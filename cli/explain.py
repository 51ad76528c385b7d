"""`explain`: why NewStore was told a quantity, term by term."""

from datetime import datetime
from typing import Any

import click
from rich.table import Table

from cli.command import Operator, connected
from cli.output import add_row, columns
from cli.standing import holds_of, standing
from cli.text import INSTANT, instant, short_name
from inventory_sync.domain.atp import AtpKey
from inventory_sync.domain.cut import Part
from inventory_sync.domain.errors import InventorySyncError, RejectedError
from inventory_sync.domain.events import StoredEvent
from inventory_sync.domain.explain import RowSum, Term
from inventory_sync.domain.import_run import ImportRun, RunState
from inventory_sync.domain.inbound import QuarantinedCompletion, short_entry_id
from inventory_sync.use_cases.explain_quantity import ExplainQuantity, Explanation

_WHY = {
    Part.ADDED_BACK: "after the range, but in the snapshot: added back",
    Part.SUBTRACTED: "not in the base yet: taken off",
    Part.IN_BASE: "in the base already",
    Part.AFTER: "after the range and not in the base: for a later import",
}


@click.command()
@click.argument("location")
@click.argument("product")
@click.option("--at", type=INSTANT, help="As it was then (UTC), rather than now.")
@click.option("--offline", is_flag=True, help="Do not ask NewStore for its figure.")
@connected
def explain(
    operator: Operator, location: str, product: str, at: datetime | None, offline: bool
) -> None:
    """Say why NewStore has the quantity it has of PRODUCT at LOCATION.

    Shows the sum of the import that last sent the row (the ERP's snapshot, each event added back
    or taken off), what has happened since, whether something holds the row or its location now,
    when the ERP was last read, and what NewStore says now. Exit code 4 where the parts do not add
    up to what was sent.

    Example: inventory-sync explain DC01 SKU-1 --at 2026-03-02T09:30
    """
    found = explained(operator, location, product, at)
    now, atp = ("", None) if at or offline else _newstore_says(operator, location, product)
    stands = standing(operator, found)
    waiting = [] if at else _in_quarantine(operator, location, product)
    figures = {
        **as_figures(found),
        **stands.figures,
        "newstore_atp": atp,
        "in_quarantine": [one.entry_id for one in waiting],
    }
    stands.lines.extend(map(_waiting, waiting))
    stands.lines.append(f"NewStore now: {now}" if now else "")
    operator.out.report(figures, *in_words(found), "", *filter(None, stands.lines))
    if not found.row.adds_up:
        operator.out.found()


def explained(
    operator: Operator, location: str, product: str, at: datetime | None = None
) -> Explanation:
    """The row's sum; RejectedError, with what holds it, where no import on record has sent it."""
    stack = operator.stack
    explain_quantity = ExplainQuantity(
        runs=stack.runs,
        files=stack.files,
        records=stack.records,
        event_log=stack.event_log,
        history=stack.history,
    )
    try:
        return explain_quantity(location, product, at)
    except RejectedError as error:
        held = "; ".join(holds_of(operator, location).lines)
        raise RejectedError(f"{error}. {held}" if held else str(error)) from error


def _in_quarantine(operator: Operator, location: str, product: str) -> list[QuarantinedCompletion]:
    """Shipments of the row, or of what nobody can read, that no stored event reports."""
    return [
        one
        for one in operator.stack.unstored.unresolved()
        if one.completion.location_id in {"", location}
        and (not one.completion.whole or product in {i.product_id for i in one.completion.items})
    ]


def _waiting(one: QuarantinedCompletion) -> str:
    completion = one.completion
    units = "units of it" if completion.whole else "units that nobody can read, perhaps of it,"
    at = completion.logical_timestamp
    return (
        f"In quarantine since {instant(one.received_at)}, {short_entry_id(one.entry_id)}: {units}"
        f" left at {'no readable timestamp' if at is None else at}, and no stored event reports"
        " them."
    )


def _newstore_says(operator: Operator, location: str, product: str) -> tuple[str, int | None]:
    """Its promise in words and as a figure, or why it is not known."""
    place = operator.store.locations().get(location)
    node = place.fulfillment_node_id if place else location
    try:
        key = AtpKey(product, node)
        atp = operator.stack.stock.atp([key])
    except InventorySyncError as error:
        return f"not known ({error})", None
    return (f"ATP {atp[key]}", atp[key]) if key in atp else ("it does not list the row", None)


def headline(found: Explanation) -> str:
    """The answer in a line."""
    return f"{found.product_id} at {found.location_id}: NewStore was told {found.told}"


def in_words(found: Explanation) -> list[Table | str]:
    """Headline, sum, and what happened since."""
    row, run = found.row, found.run
    end = row.record.cut_end if row.record else run.cut_end
    kind = "full" if run.full else "delta"
    parts: list[Table | str] = [
        headline(found),
        f"  by {kind} run {run.run_id}, finished {instant(run.ended_at)}, job {run.job_id}"
        f"{_reading(run)}",
        "",
        _sum_table(row, end),
    ]
    if row.clamped:
        parts.append(f"NewStore takes no less than 0, so {row.quantity} was sent as 0.")
    if found.told != row.sent:
        parts.append(f"A unit of it was not found, so it was sent as {found.told}.")
    if not row.record:
        parts.append("The run's record is gone: this is what its ledger says.")
    if not row.adds_up:
        parts.append(
            f"THIS DOES NOT ADD UP: the run computed {row.ledger_quantity}."
            " Keep the run's files and call the developers."
        )
    return [*parts, "", "Since then:", *_since(found)]


def _reading(run: ImportRun) -> str:
    return f", release reading {run.reading}" if run.reading else ""


def _sum_table(row: RowSum, end: int) -> Table:
    table = Table(box=None, pad_edge=False, show_header=False, padding=(0, 2, 0, 0))
    table.add_column(justify="right", min_width=9)
    for _ in range(2):
        table.add_column(overflow="fold")
    add_row(table, row.base, "base", _base(row))
    for term in row.terms:
        sign = f"{term.units:+d}" if term.units else "0"
        add_row(table, sign, f"event {term.event.logical_timestamp}", _term(term))
    table.add_row("-" * 7)
    add_row(table, row.quantity, f"as of {end}", _range(row))
    return table


def _base(row: RowSum) -> str:
    record = row.record
    if record is None:
        return "the ledger's figure"
    if row.rolled_forward:
        return f"run {record.base_run_id}'s figure: the ERP's snapshot could not be used"
    lag = record.apply_lag.total_seconds()
    read = f"read {instant(record.read_at)}" + (f", apply lag {lag:.0f} s" if lag else "")
    return f"on hand in the ERP's snapshot as of {instant(record.as_of)}, {read}"


def _term(term: Term) -> str:
    event = term.event
    word = f"acknowledged {instant(event.applied_at)}" if event.applied_at else "not acknowledged"
    late = "; it came late" if event.late else ""
    units = f"{term.units_of_event} unit{'s' * (term.units_of_event != 1)} completed"
    return f"{units}, {word}: {_WHY[event.part]}{late}"


def _range(row: RowSum) -> str:
    record = row.record
    if record is None:
        return ""
    return f"the logical timestamp, with the range {record.released.start}-{record.released.end}"


def _since(found: Explanation) -> list[Table | str]:
    finished = [r for r in found.later if r.state in {RunState.FINISHED, RunState.FINALIZED}]
    others = [r for r in found.later if r not in finished]
    parts: list[Table | str] = []
    if finished:
        last = instant(finished[-1].ended_at)
        parts.append(f"  {len(finished)} imports found no reason to send it again, last {last}")
    parts += [f"  run {r.run_id} is {r.state}: {r.failure or 'see `run`'}" for r in others[-5:]]
    if found.since:
        parts.append(columns([_event(found, stored) for stored in found.since]))
    return parts or ["  nothing"]


def _event(found: Explanation, stored: StoredEvent) -> dict[str, object]:
    state, rejected = stored.state, stored.state.rejected_reason
    applied = instant(state.applied_at) if state.event.completed else "-"
    return {
        "logical_timestamp": state.event.logical_timestamp,
        "name": short_name(state.event),
        "units": state.event.units()[found.product_id],
        "received_at": state.received_at,
        "acknowledged_at": f"rejected: {rejected}" if rejected else applied,
    }


def as_figures(found: Explanation) -> dict[str, Any]:
    """For scripts."""
    row, record = found.row, found.row.record
    return {
        "location_id": found.location_id,
        "product_id": found.product_id,
        "run_id": found.run.run_id,
        "job_id": found.run.job_id,
        "release_reading": found.run.reading,
        "finished_at": found.run.ended_at,
        "sent": found.told,
        "quantity": row.quantity,
        "adds_up": row.adds_up,
        "clamped": row.clamped,
        "basis": record.basis.value if record else None,
        "base": row.base,
        "as_of": record.as_of if record else None,
        "range": [record.released.start, record.released.end] if record else None,
        "terms": [
            {
                "logical_timestamp": term.event.logical_timestamp,
                "units": term.units,
                "part": term.event.part.value,
                "late": term.event.late,
                "applied_at": term.event.applied_at,
            }
            for term in row.terms
        ],
        "later_runs": [{"run_id": r.run_id, "state": r.state.value} for r in found.later],
        "since": [
            {
                "logical_timestamp": stored.state.event.logical_timestamp,
                "name": stored.state.event.name.value,
                "units": stored.state.event.units()[found.product_id],
                "received_at": stored.state.received_at,
                "applied_at": stored.state.applied_at,
            }
            for stored in found.since
        ],
    }
