"""Moments of a stack that nobody narrates have a caption: what has changed."""

from dataclasses import replace

from cli.room.changes import what_changed
from cli.room.history import History
from cli.room.picture import picture
from inventory_sync.domain.import_run import RunState
from tests.builders import DC, forwarded, open_event, run
from tests.unit.cli.room.readings import held, reading, shadow

BEFORE = picture(reading(watermark=3, runs=(run(state=RunState.STARTED),)))


def test_the_first_moment_says_that_it_is_the_first() -> None:
    assert what_changed(None, BEFORE) == "The first look."


def test_nothing_is_said_where_nothing_has_changed() -> None:
    assert what_changed(BEFORE, BEFORE) == ""


def test_runs_watermark_holds_and_events_are_named() -> None:
    after = picture(
        reading(
            watermark=4,
            runs=(run(state=RunState.FINISHED),),
            holds=held(DC),
            open_events=(open_event(5),),
            quarantined=2,
        )
    )

    told = what_changed(BEFORE, after)

    run_id = run().run_id
    assert told == (
        f"Run {run_id} is finished; the watermark is 4; {DC} is held; 1 event came;"
        " 2 entries in quarantine."
    )
    assert f"{DC} is held no more" in what_changed(after, BEFORE)


def test_an_event_that_went_on_is_named() -> None:
    stored = picture(reading(open_events=(open_event(5),)))
    booked = picture(reading(open_events=(forwarded(5, applied_at=open_event(5).received_at),)))

    assert what_changed(stored, booked) == "1 event went on."


def test_a_narrated_moment_keeps_its_words_and_others_get_a_caption() -> None:
    history = History()
    history.add(BEFORE)
    history.add(replace(BEFORE, told="An import tick"))

    told = [moment.text.split('"told":"')[1].split('"')[0] for moment in history.moments()]
    assert told == ["The first look.", "An import tick"]


def test_what_a_shadow_sees_is_named_where_it_has_changed() -> None:
    before = picture(reading(concerns=(), shadow=shadow(9)))
    after = picture(reading(concerns=(), shadow=shadow(10)))

    assert "The shadow looked at 500 rows of 1 location: 2 units" in what_changed(before, after)
    assert what_changed(after, after) == ""


def test_where_only_the_status_says_something_else_that_is_named_and_not_each_time_anew() -> None:
    before = picture(reading(concerns=("held: 1 location", "no import for 59 min")))
    after = picture(reading(concerns=("held: 1 location", "nothing came for 1 h")))
    later = picture(reading(concerns=("held: 1 location", "nothing came for 2 h")))

    assert what_changed(before, after) == "Nothing came for 1 h."
    assert what_changed(after, later) == ""
