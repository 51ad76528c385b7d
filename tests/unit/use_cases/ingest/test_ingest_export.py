"""Every line of an export file is taken as the webhook takes an event, in portions."""

import json
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from inventory_sync.adapters.newstore.event_body import parse_event
from inventory_sync.domain.errors import RejectedError, RetriableError
from inventory_sync.domain.inbound import ExportFile
from inventory_sync.use_cases.ingest.export_lines import LINE_BYTES_MAX
from inventory_sync.use_cases.ingest.ingest_event import IngestEvent, IngestResult
from inventory_sync.use_cases.ingest.ingest_export import (
    LINES_AT_ONCE,
    PORTION_BYTES_MAX,
    SPARE_SECONDS,
    IngestExport,
)
from inventory_sync.use_cases.ingest.tally_observer import TallyObserver
from tests.contract.builders import NOON
from tests.event_bodies import event_body
from tests.fakes.clock import FakeClock
from tests.fakes.event_log import FakeEventLog
from tests.fakes.observer import FakeObserver
from tests.fakes.quarantine import FakeQuarantine

FILE = ExportFile(bucket="b", key="inbound/acme/1-data-x.export")


def line(number: int) -> bytes:
    return event_body(logical_timestamp=number, id=f"ff{number}")


class Reading:
    """A file of these lines, and its reader."""

    def __init__(self, *lines: bytes) -> None:
        self.content = b"".join(each + b"\n" for each in lines)
        self.log = FakeEventLog()
        self.quarantine = FakeQuarantine()
        self.observer = FakeObserver()
        tally = TallyObserver(self.observer)
        clock = FakeClock(NOON)
        self.read = IngestExport(
            files=self,
            ingest=IngestEvent(
                parse=lambda body: parse_event(body, "acme"),
                event_log=self.log,
                quarantine=self.quarantine,
                clock=clock,
                observer=tally,
            ),
            tally=tally,
            quarantine=self.quarantine,
            clock=clock,
            observer=self.observer,
        )

    @contextmanager
    def chunks(self, file: ExportFile, offset: int) -> Iterator[Iterator[bytes]]:
        rest = self.content[offset:]
        yield (rest[at : at + 1000] for at in range(0, len(rest), 1000))

    def __call__(self, offset: int = 0, remaining: float = 300):
        return self.read(FILE, offset, lambda: remaining)


def test_lines_are_stored_and_what_is_known_changes_nothing() -> None:
    reading = Reading(line(1), line(2), b'{"tenant": "acme", "name": "order.created"}')

    first, again = reading(), reading()

    assert first.results == {IngestResult.STORED: 2, IngestResult.IGNORED: 1}
    assert again.results == {IngestResult.ALREADY_STORED: 2, IngestResult.IGNORED: 1}
    assert (first.done, first.offset, first.lines) == (True, len(reading.content), 3)
    assert len(reading.log.refs()) == 2
    assert reading.quarantine.entries == []


def test_a_known_event_that_is_written_differently_is_known_all_the_same() -> None:
    reading = Reading(line(1))
    body = json.dumps(json.loads(line(1)), indent=1, sort_keys=True).replace("\n", " ").encode()
    reading.read.ingest(body)

    assert reading().results == {IngestResult.ALREADY_STORED: 1}


def test_a_bad_line_goes_to_quarantine_and_the_others_go_on() -> None:
    reading = Reading(line(1), b'{"tenant": ', line(2))

    assert reading().results == {IngestResult.STORED: 2, IngestResult.QUARANTINED: 1}
    [entry] = reading.quarantine.entries
    assert (entry.reason, entry.body) == ("unparsable", b'{"tenant":')


def test_a_line_that_is_too_large_is_kept_with_where_it_stands() -> None:
    huge = b"x" * (LINE_BYTES_MAX + 10)
    reading = Reading(line(1), huge, line(2))

    assert reading().results == {IngestResult.STORED: 2, IngestResult.QUARANTINED: 1}
    [entry] = reading.quarantine.entries
    assert (entry.reason, len(entry.body)) == ("too_large", LINE_BYTES_MAX)
    place = len(line(1)) + 1
    assert f"{len(huge)} bytes at byte {place} of s3://b/inbound" in entry.detail
    assert reading.observer.counts["EventsQuarantined"] == 1


def test_when_time_runs_out_the_rest_is_read_on_from_where_it_stands() -> None:
    count = 3 * LINES_AT_ONCE + 5
    reading = Reading(*map(line, range(count)))
    offset, calls, stored = 0, 0, 0
    while True:
        progress = reading(offset, remaining=SPARE_SECONDS - 1)
        calls, stored = calls + 1, stored + progress.results.get(IngestResult.STORED, 0)
        if progress.done:
            break
        assert progress.offset > offset
        offset = progress.offset

    assert (calls, stored) == (5, count)
    assert [figures["done"] for _, figures in reading.observer.notes] == [False] * 4 + [True]


def test_a_store_that_fails_in_the_middle_costs_no_more_than_its_portion() -> None:
    reading = Reading(*map(line, range(2 * LINES_AT_ONCE)))
    taken: list[object] = []
    original = reading.log.append

    def fail_later(event, body, received_at):
        if len(taken) >= LINES_AT_ONCE:
            raise RetriableError("throttled")
        taken.append(event)
        return original(event, body, received_at)

    reading.log.append = fail_later  # type: ignore[method-assign]
    progress = reading()

    assert not progress.done
    assert isinstance(progress.failure, RetriableError)
    assert reading.content[: progress.offset].count(b"\n") == LINES_AT_ONCE
    with pytest.raises(RetriableError):
        reading(progress.offset)
    reading.log.append = original  # type: ignore[method-assign]
    assert reading(progress.offset).results == {IngestResult.STORED: LINES_AT_ONCE}


def test_what_begins_with_no_text_is_refused_whole() -> None:
    reading = Reading(*[b"\x89PNG\x00\x00\x00\x1a %d" % number for number in range(1000)], line(1))

    with pytest.raises(RejectedError, match="no text"):
        reading()
    assert (reading.quarantine.entries, reading.log.refs()) == ([], [])


def test_bad_lines_at_the_beginning_cost_only_themselves() -> None:
    bad = [b"no event %d" % number for number in range(2 * LINES_AT_ONCE)]
    reading = Reading(b"\x00\x01", *bad, *map(line, range(3)))

    assert reading().results == {
        IngestResult.QUARANTINED: 2 * LINES_AT_ONCE + 1,
        IngestResult.STORED: 3,
    }


def test_events_without_newlines_between_them_and_with_a_byte_order_mark_are_all_stored() -> None:
    reading = Reading()
    reading.content = b"\xef\xbb\xbf" + b"".join(map(line, range(200)))

    assert reading().results == {IngestResult.STORED: 200}
    assert reading.quarantine.entries == []


def test_a_file_of_another_kind_is_not_opened() -> None:
    with pytest.raises(RejectedError, match=r"\.export"):
        Reading(line(1)).read(ExportFile(bucket="b", key="inbound/readme.txt"), 0, lambda: 300)


def test_what_lines_count_is_written_out_as_sums() -> None:
    reading = Reading(*map(line, range(100)), b'{"tenant": "acme", "name": "order.created"}')
    reading()

    counts = reading.observer.counts
    assert (counts["EventsStored"], counts["EventsRecovered"]) == (100, 100)
    [(_, figures)] = reading.observer.notes
    assert (figures["lines"], figures["stored"], figures["ignored"]) == (101, 100, 1)


def test_a_large_file_is_read_in_little_memory() -> None:
    """Not one event of it is held once it is stored: four thousand long lines, ignored ones."""
    body = b'{"tenant": "acme", "name": "order.created", "payload": "%s"}' % (b"x" * 5_000)
    reading = Reading()

    @contextmanager
    def many(file: ExportFile, offset: int) -> Iterator[Iterator[bytes]]:
        yield (body + b"\n" for _ in range(4_000))

    reading.chunks = many  # type: ignore[method-assign]
    tracemalloc.start()
    progress = reading()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert progress.results == {IngestResult.IGNORED: 4_000}
    assert progress.offset > 20_000_000
    assert peak < 4_000_000


def test_long_lines_are_held_a_few_at_a_time() -> None:
    body = b'{"tenant": "acme", "name": "order.created", "payload": "%s"}' % (b"x" * 1_000_000)
    reading = Reading()

    @contextmanager
    def many(file: ExportFile, offset: int) -> Iterator[Iterator[bytes]]:
        yield (body + b"\n" for _ in range(64))

    reading.chunks = many  # type: ignore[method-assign]
    tracemalloc.start()
    progress = reading()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert progress.results == {IngestResult.IGNORED: 64}
    assert peak < 10 * PORTION_BYTES_MAX
