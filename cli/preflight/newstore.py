"""NewStore's side: token, rights, locations, products, what becomes of a shipped unit."""

from collections.abc import Callable, Mapping, Sequence

from cli.newstore_locations import Comparison
from cli.preflight.check import Check, look, mend, passed
from inventory_sync.domain.atp import AtpKey
from inventory_sync.domain.errors import FatalError, InventorySyncError
from inventory_sync.domain.guards import HoldKind
from inventory_sync.domain.reading import ReleaseReading
from inventory_sync.domain.release_evidence import Observation
from inventory_sync.domain.wording import counted

NAMED_MAX = 5
CHECK_MAP = "`locations check`, then `locations load`"


def token_check(fetch: Callable[[], str], scopes: Callable[[str], Sequence[str]]) -> Check:
    """Whether NewStore gives a token for the secret, and which scopes that shows."""
    name = "NewStore: token"
    try:
        shown = scopes(fetch())
    except FatalError as error:
        return mend(name, str(error), "docs/deploy.md, Secrets")
    except InventorySyncError as error:
        return mend(name, str(error), "NewStoreBaseUrl and Tenant in docs/settings.md; then again")
    told = ", ".join(shown) if shown else "it shows none"
    return passed(name, f"issued; scopes: {told}", scopes=list(shown))


def rights_check(reads: Mapping[str, Callable[[], object]]) -> Check:
    """Whether each interface answers the token. To create imports is not tried: it would be one."""
    name, refused, failed = "NewStore: rights", [], []
    for what, read in reads.items():
        try:
            read()
        except FatalError:
            refused.append(what)
        except InventorySyncError as error:
            failed.append(f"{what} ({error})")
    if len(refused) == len(reads):
        return mend(
            name,
            "the token is refused everywhere: the API client lacks Support Legacy APIs",
            "docs/deploy.md, Secrets: have it made with Support Legacy APIs",
            refused=refused,
        )
    if refused:
        told = f"the token is refused for {', '.join(refused)}"
        return mend(name, told, "docs/deploy.md, Secrets: its rights at NewStore", refused=refused)
    if failed:
        return look(name, f"no answer of {'; '.join(failed)}", "preflight once more", refused=[])
    return passed(name, f"answers {', '.join(reads)}", refused=[])


def location_checks(mapped: int, found: Comparison) -> list[Check]:
    """The location map against NewStore's locations, a check for each thing that can be wrong."""
    if not mapped:
        return [mend("locations: map", "no location is mapped", "`locations load --help`")]
    held = found.held
    return [
        passed("locations: map", f"{counted(mapped, 'location')} mapped", locations=mapped),
        _named(
            "locations: known",
            held[HoldKind.UNKNOWN_LOCATION],
            "NewStore does not list",
            mend,
        ),
        _named(
            "locations: type",
            held[HoldKind.WRONG_TYPE],
            "store here and warehouse there, or the reverse:",
            mend,
        ),
        _named(
            "locations: inventory master",
            held[HoldKind.INVENTORY_MASTER],
            "NewStore is the inventory master of",
            mend,
        ),
        _named(
            "locations: enabled",
            found.off,
            "off at NewStore, which promises nothing of",
            look,
            "Omnichannel Manager, Locations, if they are to sell",
        ),
        _named("locations: missing", found.not_mapped, "NewStore has, and the map has not,", look),
        _named(
            "locations: created",
            found.to_create,
            "the first import creates, for ever,",
            look,
            "`locations list`: `create` in the map",
        ),
    ]


def _named(
    name: str,
    ids: Sequence[str],
    told: str,
    state: Callable[..., Check],
    remedy: str = CHECK_MAP,
) -> Check:
    if not ids:
        return passed(name, "as it has to be", locations=[])
    return state(name, f"{told} {_first(ids)}", remedy, locations=list(ids))


def product_check(asked: Sequence[AtpKey], answered: Mapping[AtpKey, int], first: bool) -> Check:
    """Which of a sample NewStore does not answer for; `first` while no import has finished."""
    name = "NewStore: products"
    unknown = sorted({key.product_id for key in asked if key not in answered})
    known = len({key.product_id for key in asked}) - len(unknown)
    figures = {"asked": known + len(unknown), "unknown": unknown}
    if not asked:
        return look(
            name, "no product could be taken from the ERP's stock", "`preflight`", **figures
        )
    if not unknown:
        return passed(name, f"NewStore knows all {known} of a sample", **figures)
    if first and not known:
        told = f"NewStore answers for none of {len(unknown)}: it may list none before an import"
        return look(name, told, "the product ids of both sides, by hand", **figures)
    told = f"NewStore does not know {len(unknown)} of {known + len(unknown)}: {_first(unknown)}"
    return look(name, told, "`products load --help`, or NewStore's catalog", **figures)


def evidence_check(setting: ReleaseReading, seen: Sequence[Observation]) -> Check:
    """What is seen of shipped units before any import: one that is still listed says `range`."""
    name = "NewStore: shipped units"
    figures = {"setting": setting.value, "rows_for_range": len(seen)}
    rows = counted(len(seen), "row")
    if seen and setting is ReleaseReading.IMMEDIATE:
        return mend(
            name,
            f"ReleaseReading is immediate, and shipped units of {rows} wait for a range",
            "docs/runbook.md, Release reading",
            **figures,
        )
    if seen:
        return passed(name, f"those of {rows} wait for a range, as `range` has it", **figures)
    told = "nothing is seen of them yet"
    told += "; imports find it out" if setting is ReleaseReading.FIND_OUT else ""
    return passed(name, f"{told} (ReleaseReading {setting})", **figures)


def _first(ids: Sequence[str]) -> str:
    more = f" and {len(ids) - NAMED_MAX} more" if len(ids) > NAMED_MAX else ""
    return ", ".join(ids[:NAMED_MAX]) + more
