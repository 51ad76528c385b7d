"""All pages of a reading, however many; what a condition refuses is no error."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from inventory_sync.adapters.dynamodb.calls import Refused, items_of, write_if
from inventory_sync.domain.errors import FatalError, RetriableError


class Pages:
    """A table of one item to a page; `read` is the client's method."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.starts: list[int] = []

    def read(self, *, start: int = 0, **arguments: Any) -> dict[str, Any]:
        number = arguments.get("ExclusiveStartKey", start)
        self.starts.append(number)
        more = number + 1 < self.count
        return {"Items": [{"n": number}], "LastEvaluatedKey": number + 1 if more else None}


def test_each_page_is_read_from_where_the_one_before_ended() -> None:
    pages = Pages(3)

    assert [item["n"] for item in items_of("table", pages.read, {})] == [0, 1, 2]
    assert pages.starts == [0, 1, 2]


def test_no_page_is_read_before_it_is_asked_for() -> None:
    pages = Pages(3)

    assert next(items_of("table", pages.read, {})) == {"n": 0}
    assert pages.starts == [0]


def test_a_reading_of_too_many_pages_is_no_shorter_reading() -> None:
    with pytest.raises(FatalError, match="table: more than 2 pages"):
        list(items_of("table", Pages(3).read, {}, pages_max=2))


def refuse(code: str, **response: Any) -> Any:
    def write(**_: Any) -> Any:
        answer: Any = {"Error": {"Code": code}, **response}
        raise ClientError(answer, "PutItem")

    return write


def test_a_condition_that_does_not_hold_brings_back_what_stands_there() -> None:
    refused = write_if("table", refuse("ConditionalCheckFailedException", Item={"a": 1}), {})

    assert refused == Refused({"a": 1})


def test_another_failure_of_a_conditional_write_is_an_error() -> None:
    with pytest.raises(RetriableError, match="table: InternalServerError"):
        write_if("table", refuse("InternalServerError"), {})
