"""What preflight, status and the control room say of a shadow, and after it has gone live."""

from collections.abc import Iterator
from io import StringIO
from typing import Any

import pytest

from cli.room.picture import Picture, ShadowRow, picture
from inventory_sync.domain.errors import RejectedError
from tests.integration.operator import Operated, set_up
from tests.integration.operator_room import READS, Calls, reader_of
from tests.integration.shadow_shop import DC, LAG, MINUTE, Shop, beside

PLACE, SKU = DC.location_id, "SKU-1"
REFUSED = "nothing is booked or imported: this stack was a shadow until"


@pytest.fixture
def shop() -> Iterator[Shop]:
    with beside() as found:
        set_up(operator(found))
        yield found


def operator(shop: Shop) -> Operated:
    return Operated(shop.stack, StringIO())


def status(shop: Shop) -> dict[str, Any]:
    found: dict[str, Any] = operator(shop).answer("status")
    return found


def lines(shop: Shop, *words: str, code: int = 0) -> str:
    return operator(shop).run(*words, code=code).stdout


def preflight(shop: Shop) -> dict[str, dict[str, Any]]:
    found = operator(shop).answer("preflight", "--url", shop.stack.event_url)["checks"]
    return {check["check"]: check for check in found}


def states(shop: Shop) -> dict[str, str]:
    """Of what did not pass."""
    found = preflight(shop).items()
    return {name: check["state"] for name, check in found if check["state"] != "passed"}


def shown(shop: Shop) -> Picture:
    return picture(reader_of(operator(shop), Calls()).read())


def oversold(shop: Shop) -> None:
    """A unit has left and is booked, and the other system has imported the figure of before."""
    shop.ship()
    shop.import_by_other()
    shop.stack.tick()
    shop.wait(LAG / MINUTE + 1)
    shop.stack.tick()


# A shadow


def test_before_its_first_look_a_shadow_is_one_and_misses_no_import(shop: Shop) -> None:
    found = status(shop)

    assert found["mode"] == "shadow"
    assert found["concerns"] == [
        "the shadow has looked at no location in the last hour: see docs/runbook.md, A shadow"
    ]
    assert shown(shop).status.level == "stuck"


def test_a_shadow_that_looks_is_well_and_nothing_is_said_of_imports(shop: Shop) -> None:
    shop.ship()
    shop.stack.sweep()
    shop.stack.tick()

    told = lines(shop, "status")

    assert "All is well." in told
    assert "1 row of 1 location: every promise was as it should be" in told
    assert not [word for word in ("last import", "watermark", "refresh", "run ") if word in told]
    found = status(shop)
    assert (found["mode"], found["looks"]["rows"]) == ("shadow", 1)
    assert found["shadow_until"] is not None


def test_preflight_passes_and_says_what_will_be_once_it_is_live(shop: Shop) -> None:
    shop.stack.tick()

    found = preflight(shop)

    assert {check["state"] for check in found.values()} == {"passed"}
    assert found["mode"]["found"].startswith("shadow: nothing is posted; a shipped unit counts as")
    assert found["first import"]["found"].startswith("once it is live, ")
    assert found["ERP: reservations"]["found"].endswith("once the stack is live")
    assert "StockReads" not in found["ERP: time to read"]["found"]


def test_import_files_are_for_later_in_a_shadow(shop: Shop) -> None:
    shop.deploy(NewStorePrincipalArn="")

    assert states(shop) == {"import files": "look"}


def test_the_room_says_that_it_is_a_shadow_and_shows_what_would_have_been_sent(shop: Shop) -> None:
    oversold(shop)

    found = shown(shop)

    assert (found.status.level, found.status.headline) == (
        "shadow",
        "A shadow: nothing is posted",
    )
    assert found.shadow is not None
    assert found.shadow.rows == (
        ShadowRow(
            location=PLACE,
            product=SKU,
            atp_units=20,
            should_be=19,
            would_send=19,
            too_many=1,
            certain=1,
            too_few=0,
        ),
    )
    assert [(tile.name, tile.value) for tile in found.tiles[:3]] == [
        ("Promised too many", 1),
        ("Of them for certain", 1),
        ("Promised too few", 0),
    ]
    assert (found.drifts, found.runs, found.refresh) == ((), (), "")


def test_a_row_that_differs_is_found_with_its_sum_and_another_says_that_it_was_right(
    shop: Shop,
) -> None:
    shop.ship()
    shop.import_by_other()
    shop.stack.tick()
    reader = reader_of(operator(shop), Calls())
    reader.read()

    row = reader.row(PLACE, SKU)

    assert row["headline"] == f"{SKU} at {PLACE}: 19 would have been sent"
    assert row["base"] + sum(term["units"] for term in row["terms"]) == row["quantity"] == 19
    assert [moment["kind"] for moment in row["timeline"]][-1] == "look"
    with pytest.raises(RejectedError, match="was promised as it should be"):
        reader.row(PLACE, "SKU-2")
    with pytest.raises(RejectedError, match="nobody has looked at it"):
        reader.row("elsewhere", SKU)


def test_a_shadow_is_only_read_and_old_looks_are_not_read_again(shop: Shop) -> None:
    oversold(shop)
    calls = Calls()
    reader = reader_of(operator(shop), calls)
    reader.read()
    shop.wait(25)
    reader.read()
    assert calls.by_name.keys() <= READS
    calls.taken()

    later = reader.read()

    assert [asked for asked in calls.word_for_word if asked.startswith("GetObject")] == []
    assert later.shadow is not None
    assert later.shadow.units["certain"] == 1


def test_a_shadow_that_looks_no_more_needs_a_person(shop: Shop) -> None:
    shop.stack.tick()
    shop.wait(40)

    assert status(shop)["concerns"] == [
        "the shadow has looked at no location for 40 min: see docs/runbook.md, A shadow"
    ]


def test_what_it_cannot_look_at_is_named(shop: Shop) -> None:
    shop.stack.tick()
    shop.stack.erp.faults.down_for(600)
    shop.wait(5)
    shop.stack.tick()
    shop.wait(11)

    [concern] = status(shop)["concerns"]

    assert concern.startswith("the shadow could not look at 1 location, the first DC01: ")
    assert shown(shop).status.level == "stuck"


def test_what_nobody_books_is_told_once_go_live_at_has_passed(shop: Shop) -> None:
    shop.stack.tick()
    shop.deploy(GoLiveAt=shop.instant(10))
    assert status(shop)["concerns"] == []
    shop.wait(11)
    shop.stack.tick()

    [concern] = status(shop)["concerns"]

    assert "has passed: nobody books what ships since" in concern
    assert states(shop) == {"mode": "mend"}


def test_nobody_waits_for_the_first_import_of_a_shadow(shop: Shop) -> None:
    assert "no import comes" in operator(shop).run("status", "--follow", "5", code=1).output


# The cut-over


def test_a_stack_that_refuses_to_go_live_is_not_well(shop: Shop) -> None:
    shop.stack.tick()
    shop.deploy(Mode="live", GoLiveAt=shop.instant(-5))

    found = status(shop)

    assert found["mode"] == "live"
    assert any(one.startswith(REFUSED) for one in found["concerns"])
    check = preflight(shop)["mode"]
    assert (check["state"], check["found"][: len(REFUSED)]) == ("mend", REFUSED)
    assert any(reason.startswith(REFUSED) for reason in shown(shop).status.reasons)


def test_after_the_cut_over_it_is_live_and_what_imports_say_counts_again(shop: Shop) -> None:
    oversold(shop)
    shop.deploy(Mode="live", GoLiveAt=shop.instant(2))
    shop.wait(5)
    assert status(shop)["concerns"] == ["no import has finished yet: see `preflight`"]
    assert states(shop) == {}
    shop.ship(booked=False)
    for _ in range(3):
        shop.wait(6)
        shop.stack.sweep()
        shop.stack.tick()

    found, page = status(shop), shown(shop)

    assert (found["mode"], found["concerns"]) == ("live", [])
    assert found["promises"]["rows_wrong"] == 0
    assert (page.status.level, page.shadow) == ("flowing", None)
    assert preflight(shop)["first import"]["found"].startswith("over: ")
    assert reader_of(operator(shop), Calls()).row(PLACE, SKU)["sent"] == 18


def test_back_in_a_shadow_nothing_is_said_of_the_imports_before_it(shop: Shop) -> None:
    shop.stack.tick()
    shop.deploy(Mode="live", GoLiveAt=shop.instant(2))
    shop.wait(5)
    shop.stack.tick()
    operator(shop).run("reconcile", "--who", "Ada", "--why", "test")
    shop.deploy(Mode="shadow", GoLiveAt="")
    shop.stack.newstore.set_imported(("DC01", SKU), 30)
    shop.wait(5)
    shop.stack.tick()

    found, page = status(shop), shown(shop)

    assert found["concerns"] == []
    assert (found["run"], found["refresh"], found["watermark"]) == (None, None, None)
    assert not {"promises", "reconciliation", "release_reading"} & found.keys()
    assert (page.status.level, page.watermark, page.drifts) == ("shadow", None, ())
    assert preflight(shop)["first import"]["found"].startswith("once it is live, ")
