"""What operators change in the location map, the product map and the approvals."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from inventory_sync.adapters.codec import decode, encode
from inventory_sync.adapters.dynamodb.audit import AuditedTable, Author, Change
from inventory_sync.adapters.dynamodb.location_store import (
    OPERATOR_HOLD,
    approval_id,
    operator_hold_id,
)
from inventory_sync.adapters.dynamodb.state_table import StateTable
from inventory_sync.adapters.unreadable import report_unreadable
from inventory_sync.domain.errors import FatalError
from inventory_sync.domain.holds import Approval, OperatorHold, Resend
from inventory_sync.domain.locations import Location

RESEND_CHARACTERS_MAX = 40_000
"""With what was asked for before it fits an audit record."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """Ids of a load's rows by what became of them."""

    added: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)


class LocationChanges:
    """Each change is audited; RejectedError where somebody else changes the same row."""

    def __init__(self, table: StateTable) -> None:
        self._table = table
        self._audited = AuditedTable(table)

    def put_locations(self, locations: Iterable[Location], author: Author) -> Loaded:
        """Add or replace rows of the location map; the others stay."""
        return self._put("location", {p.location_id: encode(p) for p in locations}, author)

    def put_skus(self, skus: Mapping[str, str], author: Author) -> Loaded:
        """Add or replace rows of the product map; the others stay."""
        return self._put("product", skus, author)

    def approve(self, approvals: Iterable[Approval], author: Author) -> None:
        """Each replaces one of the same guard that is not used up yet."""
        changes = []
        for approval in approvals:
            item_id = approval_id(approval)
            before, after = self._record("approval", item_id), encode(approval)
            changes.append(Change(kind="approval", item_id=item_id, before=before, after=after))
        self._audited.apply(changes, author)

    def revoke(self, approvals: Iterable[Approval], author: Author) -> None:
        """RejectedError where one of them has been used, ended or replaced meanwhile."""
        changes = [
            Change(kind="approval", item_id=approval_id(a), before=encode(a), after=None)
            for a in approvals
        ]
        self._audited.apply(changes, author)

    def hold(self, hold: OperatorHold, author: Author) -> None:
        """Replaces what an operator holds there already."""
        item_id = operator_hold_id(hold.location_id)
        before = self._record(OPERATOR_HOLD, item_id)
        change = Change(kind=OPERATOR_HOLD, item_id=item_id, before=before, after=encode(hold))
        self._audited.apply([change], author)

    def resume(self, location_id: str, author: Author) -> bool:
        """False where no operator holds it."""
        item_id = operator_hold_id(location_id)
        before = self._record(OPERATOR_HOLD, item_id)
        if before is None:
            return False
        change = Change(kind=OPERATOR_HOLD, item_id=item_id, before=before, after=None)
        self._audited.apply([change], author)
        return True

    def request_resend(self, resend: Resend, author: Author) -> Resend:
        """Added to what is asked for already; so many rows that they fill a record mean all."""
        before = self._record("resend", resend.location_id)
        wanted = resend
        if before is not None:
            earlier = _earlier(before, resend)
            both = tuple(sorted({*earlier.products, *resend.products}))
            wanted = replace(resend, products=both if earlier.products and resend.products else ())
        if len(encode(wanted)) > RESEND_CHARACTERS_MAX:
            wanted = replace(wanted, products=())
        change = Change(
            kind="resend", item_id=resend.location_id, before=before, after=encode(wanted)
        )
        self._audited.apply([change], author)
        return wanted

    def _record(self, kind: str, item_id: str) -> str | None:
        return self._table.record(kind, item_id)

    def _put(self, kind: str, rows: Mapping[str, str], author: Author) -> Loaded:
        """The same row always has the same text, so texts are compared."""
        stored = dict(self._table.records(kind))
        loaded, changes = Loaded(), []
        for item_id, after in sorted(rows.items()):
            before = stored.get(item_id)
            if before == after:
                loaded.unchanged.append(item_id)
                continue
            (loaded.added if before is None else loaded.changed).append(item_id)
            changes.append(Change(kind=kind, item_id=item_id, before=before, after=after))
        self._audited.apply(changes, author)
        return loaded


def _earlier(record: str, resend: Resend) -> Resend:
    """What was asked for before: all rows where that cannot be read."""
    try:
        return decode(Resend, record, f"resend {resend.location_id}")
    except FatalError as error:
        report_unreadable(error)
        return replace(resend, products=())
