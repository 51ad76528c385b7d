"""Import jobs: states, limits, refusals and injected faults."""

from __future__ import annotations

import json
from typing import Any

import pytest

from local.http_server import CallRefusedError
from local.newstore.availabilities import IMPORT_BYTES_MAX, ImportFinding
from local.newstore.jobs import CHUNK_ROWS
from tests.unit.local.newstore_builder import (
    DC,
    KEY,
    OTHER_KEY,
    SKU,
    Newstore,
    file_of,
    name_of,
    zip_of,
    zip_raw,
)

GOOD = json.dumps(file_of({KEY: 1}))


def test_a_job_goes_from_received_through_waiting_and_processing_to_finished() -> None:
    newstore = Newstore(job_seconds=60)
    import_id = newstore.create(zip_of(file_of({KEY: 1})))
    states = [newstore.state(import_id)]
    newstore.clock.sleep(3600)
    states.append(newstore.state(import_id))
    newstore.start(import_id)
    states.append(newstore.state(import_id))
    for _ in range(2):
        newstore.clock.sleep(30)
        states.append(newstore.state(import_id))
    assert states == ["received", "received", "waiting", "processing", "finished"]


def test_the_transformed_uri_is_fetched_in_place_of_the_source() -> None:
    newstore = Newstore()
    newstore.files["s3://stock/other.zip"] = zip_of(file_of({KEY: 9}))
    import_id = newstore.create(b"not a zip")
    newstore.model.calls.start_import(import_id, "s3://stock/other.zip")
    assert newstore.state(import_id) == "finished"
    assert newstore.model.on_hand(KEY) == 9


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"not a zip", "not a zip"),
        (zip_raw({}), "1 to 1000 files"),
        (zip_raw({name_of(n): GOOD for n in range(1001)}), "1 to 1000 files"),
        (zip_raw({"availabilities.csv": GOOD}), "not a .json file"),
        (zip_raw({"stock.json": GOOD}), "does not say availabilities"),
        (zip_raw({f"__MACOSX/{name_of(1)}": GOOD}), "does not say availabilities"),
        (zip_raw({name_of(n): " " * (IMPORT_BYTES_MAX // 2) for n in (1, 2)}), "80000000 bytes"),
        (zip_raw({name_of(1): "{"}), "not JSON"),
        (zip_raw({name_of(1): "[]"}), "no head"),
        (zip_of(file_of({KEY: 1}, mode="full")), "neither on_hand nor atp"),
        (zip_of(file_of({KEY: 1}, nodes=[])), "store_mapping"),
        (zip_of(file_of({OTHER_KEY: 1})), "not in store_mapping"),
        (zip_of(file_of({KEY: -1})), "not a non-negative integer: -1"),
        (zip_of(file_of({KEY: 1.0})), "not a non-negative integer: 1.0"),
        (zip_of(file_of({KEY: True})), "not a non-negative integer: True"),
        (zip_of(file_of({KEY: "1"})), "not a non-negative integer: '1'"),
        (zip_of(file_of(logical_range=(12, 10))), "starts at 12 and ends at 10"),
        (zip_of(file_of(logical_range=(None, 10))), "two non-negative integers"),
        (zip_of({**file_of({KEY: 1}), "items": None}), "items is not a list"),
        (zip_of({**file_of({KEY: 1}), "items": []}), "or empty"),
        (zip_of({**file_of(), "items": file_of({KEY: 1})["items"] * 2}), "stands twice"),
    ],
)
def test_an_unusable_file_fails_the_job_and_changes_nothing(content: bytes, reason: str) -> None:
    newstore = Newstore()
    import_id = newstore.import_zip(content)
    assert newstore.state(import_id) == "failed"
    assert reason in newstore.reason(import_id)
    assert newstore.model.on_hand(KEY) == 0
    (error,) = newstore.model.calls.import_errors(import_id)
    assert set(error) == {"reason", "entity_type", "entity_id", "created_at"}
    assert reason in error["reason"]


def test_every_bad_row_of_a_file_is_listed() -> None:
    newstore = Newstore()
    import_id = newstore.import_files(file_of({KEY: -1, (DC, "SKU-2"): 2, (DC, "SKU-3"): None}))
    errors = newstore.model.calls.import_errors(import_id)
    assert [error["entity_id"] for error in errors] == [f"{DC}/{SKU}", f"{DC}/SKU-3"]
    assert newstore.model.on_hand((DC, "SKU-2")) == 0


def test_files_before_a_bad_one_stay_applied() -> None:
    newstore = Newstore()
    newstore.ship(10)
    import_id = newstore.import_files(file_of({KEY: 5}, (10, 10)), file_of({KEY: -1}))
    assert newstore.state(import_id) == "failed"
    assert newstore.model.atp(KEY) == 5


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"full": True}, "full imports"),
        ({"entities": ["prices"]}, "not ('prices',)"),
        ({"source_uri": "s3://gone.zip"}, "could not fetch"),
    ],
)
def test_an_unsupported_job_fails(fields: dict[str, Any], reason: str) -> None:
    newstore = Newstore()
    import_id = newstore.import_files(file_of({KEY: 1}), **fields)
    assert newstore.state(import_id) == "failed"
    assert reason in newstore.reason(import_id)


def test_the_revision_is_set_at_the_start_and_grows_with_each() -> None:
    newstore = Newstore()
    first, second = (newstore.create(zip_of(file_of({KEY: units}))) for units in (1, 2))
    assert "revision" not in newstore.model.calls.get_import(first)
    newstore.start(second)
    newstore.start(first)
    revisions = [newstore.model.calls.get_import(job)["revision"] for job in (second, first)]
    assert revisions == sorted(revisions)
    assert newstore.model.on_hand(KEY) == 1


def test_jobs_are_processed_one_after_another() -> None:
    newstore = Newstore(job_seconds=60)
    first = newstore.import_files(file_of({KEY: 1}))
    newstore.clock.sleep(10)
    second = newstore.import_files(file_of({KEY: 2}))
    seen = []
    for seconds in (35, 15, 10, 20):
        newstore.clock.sleep(seconds)
        seen.append((newstore.state(first), newstore.state(second)))
    assert seen == [
        ("processing", "waiting"),
        ("finished", "processing"),
        ("finished", "processing"),
        ("finished", "finished"),
    ]
    assert newstore.model.on_hand(KEY) == 2


def test_a_job_waits_for_one_that_takes_long_and_not_for_one_that_hangs() -> None:
    newstore = Newstore()
    newstore.model.jobs.never_finish_next_job("processing")
    newstore.import_files(file_of({KEY: 1}))
    assert newstore.state(newstore.import_files(file_of({KEY: 2}))) == "finished"


@pytest.mark.parametrize("kept", [False, True])
def test_past_20_open_jobs_the_answer_is_429_and_the_job_may_be_kept(kept: bool) -> None:
    newstore = Newstore(job_seconds=60)
    newstore.model.jobs.keep_on_429 = kept
    for _ in range(19):
        newstore.create()
    newstore.import_files(file_of({KEY: 1}))  # waiting counts as well
    with pytest.raises(CallRefusedError) as refusal:
        newstore.create()
    assert refusal.value.status == 429
    assert refusal.value.retry_after_seconds is not None
    assert newstore.model.calls.list_imports("received")["pagination_info"]["total"] == 19 + kept


def test_a_list_has_ten_jobs_unless_more_are_asked_for() -> None:
    newstore = Newstore()
    ids = [newstore.create() for _ in range(12)]
    newstore.model.calls.set_import_failed(ids[0], "orphan")
    pages = [
        newstore.model.calls.list_imports("received,waiting", **place)
        for place in ({}, {"offset": 10}, {"count": 100}, {"offset": 11})
    ]
    assert [[job["import_id"] for job in page["items"]] for page in pages] == [
        ids[1:11],
        ids[11:],
        ids[1:],
        [],
    ]
    assert [page["pagination_info"]["total"] for page in pages] == [11, 11, 11, 11]
    links = [page["pagination_info"]["next_url"] for page in pages]
    assert [link is not None for link in links] == [True, False, False, False]
    links = [page["pagination_info"]["prev_url"] for page in pages]
    assert [link is not None for link in links] == [False, True, False, True]


@pytest.mark.parametrize("place", [{"count": 0}, {"count": 1001}, {"offset": -1}])
def test_a_page_that_is_too_large_is_400(place: Any) -> None:
    with pytest.raises(CallRefusedError, match="400"):
        Newstore().model.calls.list_imports(**place)


def test_a_finished_or_failed_job_makes_room_for_another() -> None:
    newstore = Newstore()
    ids = [newstore.create() for _ in range(20)]
    newstore.model.calls.set_import_failed(ids[0], "orphan")
    newstore.create()
    assert newstore.state(ids[0]) == "failed"
    assert newstore.reason(ids[0]) == "orphan"


def test_a_job_that_was_failed_while_waiting_applies_nothing() -> None:
    newstore = Newstore(job_seconds=60)
    import_id = newstore.import_files(file_of({KEY: 1}))
    newstore.model.calls.set_import_failed(import_id, "no longer wanted")
    newstore.clock.sleep(60)
    assert newstore.state(import_id) == "failed"
    assert newstore.model.on_hand(KEY) == 0


def test_a_job_is_started_once_and_set_to_failed_only_while_open() -> None:
    newstore = Newstore()
    import_id = newstore.import_files(file_of({KEY: 1}))
    with pytest.raises(CallRefusedError, match="400"):
        newstore.start(import_id)
    with pytest.raises(CallRefusedError, match="400"):
        newstore.model.calls.set_import_failed(import_id, "too late")
    assert newstore.state(import_id) == "finished"


def test_an_unknown_job_is_404() -> None:
    with pytest.raises(CallRefusedError) as refusal:
        Newstore().model.calls.get_import("nobody")
    assert refusal.value.status == 404


def test_jobs_less_than_five_minutes_apart_are_counted_and_not_refused() -> None:
    newstore = Newstore()
    for seconds in (0, 299, 300):
        newstore.clock.sleep(seconds)
        newstore.import_files(file_of({KEY: 1}))
    assert newstore.model.jobs.jobs_too_close == 1


@pytest.mark.parametrize(
    ("after_files", "after_rows", "on_hand", "unreleased"),
    [(0, 0, 0, 2), (0, 1, 1, 2), (1, 0, 1, 1), (1, 1, 2, 1), (2, 0, 2, 0)],
)
def test_a_job_can_fail_after_a_part_of_it_was_applied(
    after_files: int, after_rows: int, on_hand: int, unreleased: int
) -> None:
    newstore = Newstore()
    newstore.ship(10)
    newstore.ship(11)
    newstore.model.jobs.fail_next_job(after_files, "disk full", after_rows)
    import_id = newstore.import_files(file_of({KEY: 1}, (10, 10)), file_of({KEY: 2}, (11, 11)))
    assert (newstore.state(import_id), newstore.reason(import_id)) == ("failed", "disk full")
    assert newstore.model.on_hand(KEY) == on_hand
    assert newstore.model.completed_unreleased(KEY) == unreleased


def test_a_planned_failure_is_used_once() -> None:
    newstore = Newstore()
    newstore.model.jobs.fail_next_job()
    first = newstore.import_files(file_of({KEY: 1}))
    second = newstore.import_files(file_of({KEY: 1}))
    assert (newstore.state(first), newstore.state(second)) == ("failed", "finished")


@pytest.mark.parametrize("stuck_in", ["waiting", "processing"])
def test_a_job_can_never_finish(stuck_in: Any) -> None:
    newstore = Newstore()
    newstore.model.jobs.never_finish_next_job(stuck_in)
    import_id = newstore.import_files(file_of({KEY: 1}))
    newstore.clock.sleep(7 * 86400)
    assert newstore.state(import_id) == stuck_in
    assert newstore.model.on_hand(KEY) == 0


def test_a_job_can_finish_with_errors_and_without_some_rows() -> None:
    newstore = Newstore()
    finding = ImportFinding("unknown product", "availabilities", f"{DC}/{SKU}")
    newstore.model.jobs.report_errors_next_job([finding], skipped_keys=[KEY])
    import_id = newstore.import_files(file_of({KEY: 1, (DC, "SKU-2"): 2}))
    assert newstore.state(import_id) == "finished"
    assert newstore.model.calls.import_errors(import_id)[0]["reason"] == "unknown product"
    assert (newstore.model.on_hand(KEY), newstore.model.on_hand((DC, "SKU-2"))) == (0, 2)


@pytest.mark.parametrize(
    ("failed", "state", "on_hand"),
    [((), "finished", 3), ((1,), "partially_failed", 2), ((0, 1, 2), "failed", 0)],
)
def test_a_job_ends_as_its_chunks_do(failed: tuple[int, ...], state: str, on_hand: int) -> None:
    newstore = Newstore()
    keys = [(DC, f"P{number:04d}") for number in range(2 * CHUNK_ROWS + 1)]
    newstore.model.jobs.fail_chunks_of_next_job(*failed)
    import_id = newstore.import_files(file_of(dict.fromkeys(keys, 1)))
    assert newstore.state(import_id) == state
    firsts = [keys[n * CHUNK_ROWS] for n in range(3)]
    assert sum(newstore.model.on_hand(key) for key in firsts) == on_hand
    chunks = newstore.model.calls.import_chunks(import_id)
    assert [chunk["size"] for chunk in chunks] == [CHUNK_ROWS, CHUNK_ROWS, 1]
    assert [n for n, chunk in enumerate(chunks) if chunk["failed"]] == list(failed)
    assert len([chunk for chunk in chunks if "failure_message" in chunk]) == len(failed)


@pytest.mark.parametrize(("items", "applied"), [(49, 1), (50, 0)])
def test_a_chunk_with_fifty_failing_items_fails_as_a_whole(items: int, applied: int) -> None:
    newstore = Newstore()
    bad = [(DC, f"BAD-{number}") for number in range(items)]
    newstore.model.jobs.report_errors_next_job([], bad)
    newstore.import_files(file_of(dict.fromkeys([KEY, *bad], 1)))
    assert newstore.model.on_hand(KEY) == applied


def test_there_are_no_chunks_before_a_job_is_processed() -> None:
    newstore = Newstore(job_seconds=60)
    import_id = newstore.import_files(file_of({KEY: 1}))
    assert newstore.model.calls.import_chunks(import_id) == []
