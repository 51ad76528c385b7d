"""NewStore's part of preflight: token, rights, locations, products, shipped units."""

import base64
import json

import pytest

from cli.newstore_locations import compare
from cli.preflight.check import Check, State
from cli.preflight.newstore import (
    evidence_check,
    location_checks,
    product_check,
    rights_check,
    token_check,
)
from inventory_sync.adapters.newstore.token import scopes_of
from inventory_sync.domain.atp import AtpKey
from inventory_sync.domain.errors import FatalError, RetriableError
from inventory_sync.domain.locations import Location, NewStoreLocations
from inventory_sync.domain.reading import ReleaseReading
from inventory_sync.domain.release_evidence import still_listed
from tests.builders import DC, NOW, listed, location

A, B = AtpKey("A", DC), AtpKey("B", DC)


def fails(error: Exception) -> str:
    raise error


def refuse() -> object:
    raise FatalError("refused twice with the credentials in secret arn:newstore")


def web_token(claims: object) -> str:
    body = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"e30.{body}.signature"


@pytest.mark.parametrize(
    ("token", "scopes"),
    [
        (web_token({"scope": "email profile"}), ("email", "profile")),
        (web_token({}), ()),
        (web_token(["scope"]), ()),
        (web_token({"scope": 1}), ()),
        ("opaque", ()),
        ("a.b\xff.c", ()),
    ],
)
def test_scopes_are_told_as_far_as_a_token_shows_them(token: str, scopes: tuple[str, ...]) -> None:
    check = token_check(lambda: token, scopes_of)

    assert check.state is State.PASSED
    assert check.figures["scopes"] == list(scopes)
    assert token not in str(check)


@pytest.mark.parametrize("error", [FatalError("refuses them"), RetriableError("no answer")])
def test_without_a_token_there_is_something_to_mend(error: Exception) -> None:
    check = token_check(lambda: fails(error), scopes_of)

    assert (check.state, check.found) == (State.MEND, str(error))


def test_a_token_that_is_refused_everywhere_lacks_legacy_apis() -> None:
    check = rights_check({"locations": refuse, "import jobs": refuse})

    assert check.state is State.MEND
    assert "Support Legacy APIs" in check.found


def test_a_token_that_is_refused_somewhere_lacks_a_right() -> None:
    check = rights_check({"locations": dict, "import jobs": refuse})

    assert (check.state, check.figures["refused"]) == (State.MEND, ["import jobs"])


def test_an_interface_that_does_not_answer_is_to_be_looked_at() -> None:
    check = rights_check({"locations": lambda: fails(RetriableError("timed out"))})

    assert check.state is State.LOOK
    assert "locations (timed out)" in check.found


class Listed:
    """NewStore's list."""

    def __init__(self, found: NewStoreLocations) -> None:
        self._found = found

    def locations(self, ids: object) -> NewStoreLocations:
        return self._found


def states(*places: Location, **newstore: object) -> dict[str, Check]:
    found = compare(places, Listed(listed(*newstore.pop("nodes", (DC,)), **newstore)))  # type: ignore[misc]
    return {check.name: check for check in location_checks(len(places), found)}


def wrong(checks: dict[str, Check]) -> dict[str, State]:
    return {name: check.state for name, check in checks.items() if check.state != State.PASSED}


def test_a_map_that_fits_newstore_passes() -> None:
    assert wrong(states(location(DC))) == {}


def test_an_empty_map_has_to_be_mended_before_anything_can_be_compared() -> None:
    assert wrong(states()) == {"locations: map": State.MEND}


@pytest.mark.parametrize(
    ("place", "newstore", "name", "state"),
    [
        (location("OTHER"), {}, "locations: known", State.MEND),
        (location(DC, store_id=""), {}, "locations: type", State.MEND),
        (location(DC), {"inventory_master": True}, "locations: inventory master", State.MEND),
        (location(DC), {"enabled": False}, "locations: enabled", State.LOOK),
        (location(DC), {"nodes": (DC, "X")}, "locations: missing", State.LOOK),
        (location("NEW", create=True), {"nodes": ()}, "locations: created", State.LOOK),
    ],
)
def test_each_thing_that_is_wrong_with_a_location_is_named(
    place: Location, newstore: dict[str, object], name: str, state: State
) -> None:
    checks = states(place, **newstore)

    assert wrong(checks)[name] is state
    assert checks[name].remedy


@pytest.mark.parametrize(
    ("answered", "first", "state", "unknown"),
    [
        ({A: 1, B: 0}, False, State.PASSED, []),
        ({A: 1}, False, State.LOOK, ["B"]),
        ({}, False, State.LOOK, ["A", "B"]),
        ({}, True, State.LOOK, ["A", "B"]),
    ],
)
def test_products_that_newstore_does_not_answer_for_are_named(
    answered: dict[AtpKey, int], first: bool, state: State, unknown: list[str]
) -> None:
    check = product_check([A, B], answered, first)

    assert (check.state, check.figures["unknown"]) == (state, unknown)
    assert ("before an import" in check.found) is (first and not answered)


def test_without_any_product_nothing_is_known() -> None:
    assert product_check([], {}, False).state is State.LOOK


SEEN = [still_listed(DC, "A", ["u1"], at=NOW)]


@pytest.mark.parametrize(
    ("setting", "seen", "state"),
    [
        (ReleaseReading.FIND_OUT, [], State.PASSED),
        (ReleaseReading.FIND_OUT, SEEN, State.PASSED),
        (ReleaseReading.RANGE, SEEN, State.PASSED),
        (ReleaseReading.IMMEDIATE, SEEN, State.MEND),
    ],
)
def test_a_shipped_unit_that_waits_for_a_range_speaks_against_immediate(
    setting: ReleaseReading, seen: list[object], state: State
) -> None:
    check = evidence_check(setting, seen)  # type: ignore[arg-type]

    assert check.state is state
    assert check.figures["rows_for_range"] == len(seen)
