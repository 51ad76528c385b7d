"""Errors are told apart by what the caller does next."""

import pytest

from inventory_sync.domain.errors import (
    FatalError,
    InvariantError,
    InventorySyncError,
    LeaseLostError,
    OutcomeUnknownError,
    RejectedError,
    RetriableError,
    SnapshotIncompleteError,
    TooManyJobsError,
    invariant,
)
from inventory_sync.domain.inbound import IgnoredEvent, MalformedEventError


def test_what_holds_raises_nothing() -> None:
    invariant(True, "watermark_monotonic", "12 after 10")


def test_what_is_broken_stops_with_its_name_and_figures() -> None:
    with pytest.raises(InvariantError, match=r"^watermark_monotonic: 9 after 10$") as caught:
        invariant(False, "watermark_monotonic", "9 after 10")

    assert caught.value.name == "watermark_monotonic"


def test_every_kind_calls_for_one_way_to_go_on() -> None:
    kinds = [
        RetriableError,
        OutcomeUnknownError,
        RejectedError,
        LeaseLostError,
        FatalError,
        InvariantError,
    ]

    for kind in kinds:
        assert issubclass(kind, InventorySyncError)
        assert [other for other in kinds if issubclass(kind, other)] == [kind]


def test_too_many_jobs_and_an_incomplete_snapshot_may_be_tried_again() -> None:
    assert issubclass(TooManyJobsError, RetriableError)
    assert issubclass(SnapshotIncompleteError, RetriableError)


def test_a_malformed_event_says_its_kind_in_one_word_and_the_rest_for_people() -> None:
    error = MalformedEventError("unparsable", "items: must be a list")

    assert (error.reason, error.detail) == ("unparsable", "items: must be a list")
    assert str(error) == "unparsable: items: must be a list"


def test_an_ignored_event_has_its_name() -> None:
    assert IgnoredEvent("order.completed").name == "order.completed"
