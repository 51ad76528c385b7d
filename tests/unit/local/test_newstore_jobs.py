"""Import jobs: states, limits, refusals and injected faults."""

from __future__ import annotations

import json
from typing import Any

import pytest

from local.http_server import CallRefusedError
from local.newstore.availabilities import FILE_BYTES_MAX, ImportFinding
from tests.unit.local.newstore_builder import (
    DC,
    KEY,
    OTHER_KEY,
    SKU,
    Newstore,
    file_of,
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
    newstore.model.calls.start_import(import_id)
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
        (zip_raw({f"{n}.json": GOOD for n in range(1001)}), "1 to 1000 files"),
        (zip_raw({"stock.csv": GOOD}), "not a .json file"),
        (zip_raw({"1.json": " " * (FILE_BYTES_MAX + 1)}), "more than 80000000 bytes"),
        (zip_raw({"1.json": "{"}), "not JSON"),
        (zip_raw({"1.json": "[]"}), "no head"),
        (zip_of(file_of({KEY: 1}, mode="full")), "neither on_hand nor atp"),
        (zip_of(file_of(nodes=[])), "store_mapping"),
        (zip_of(file_of({OTHER_KEY: 1})), "not in store_mapping"),
        (zip_of(file_of({KEY: -1})), "not a non-negative integer: -1"),
        (zip_of(file_of({KEY: 1.0})), "not a non-negative integer: 1.0"),
        (zip_of(file_of({KEY: True})), "not a non-negative integer: True"),
        (zip_of(file_of({KEY: "1"})), "not a non-negative integer: '1'"),
        (zip_of(file_of(logical_range=(12, 10))), "starts at 12 and ends at 10"),
        (zip_of(file_of(logical_range=(None, 10))), "two non-negative integers"),
        (zip_of({**file_of({KEY: 1}), "items": None}), "items is not a list"),
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
    assert set(error) == {"error_id", "reason", "entity_type", "entity_id"}
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


def test_a_revision_that_does_not_grow_fails_the_job() -> None:
    newstore = Newstore()
    newstore.import_files(file_of({KEY: 1}), revision=7)
    for revision in (7, 6):
        import_id = newstore.import_files(file_of({KEY: 2}), revision=revision)
        assert newstore.reason(import_id) == "revision did not grow"
    assert newstore.model.on_hand(KEY) == 1


def test_a_revision_must_grow_over_jobs_that_only_were_created() -> None:
    newstore = Newstore()
    newstore.create(revision=7)
    import_id = newstore.import_files(file_of({KEY: 2}), revision=6)
    assert newstore.reason(import_id) == "revision did not grow"


def test_an_older_job_started_after_a_newer_one_fails() -> None:
    newstore = Newstore()
    old = newstore.create(zip_of(file_of({KEY: 1})))
    newstore.import_files(file_of({KEY: 2}))
    newstore.model.calls.start_import(old)
    assert newstore.reason(old) == "revision did not grow"
    assert newstore.model.on_hand(KEY) == 2


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
def test_a_page_that_is_too_large_is_400(place: dict[str, int]) -> None:
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
    with pytest.raises(CallRefusedError, match="409"):
        newstore.model.calls.start_import(import_id)
    with pytest.raises(CallRefusedError, match="409"):
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
    finding = ImportFinding("unknown product", "availability", f"{DC}/{SKU}")
    newstore.model.jobs.report_errors_next_job([finding], skipped_keys=[KEY])
    import_id = newstore.import_files(file_of({KEY: 1, (DC, "SKU-2"): 2}))
    assert newstore.state(import_id) == "finished"
    assert newstore.model.calls.import_errors(import_id)[0]["reason"] == "unknown product"
    assert (newstore.model.on_hand(KEY), newstore.model.on_hand((DC, "SKU-2"))) == (0, 2)
