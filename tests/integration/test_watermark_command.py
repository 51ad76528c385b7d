"""`watermark`, and `locations check`: what an operator asks before touching either."""

from collections.abc import Iterator

import pytest

from tests.integration.operator import WHO, Operated, operated


@pytest.fixture(scope="module")
def shop() -> Iterator[Operated]:
    """For tests that change nothing."""
    yield from at_rest()


@pytest.fixture
def moved() -> Iterator[Operated]:
    yield from at_rest()


def at_rest() -> Iterator[Operated]:
    """The watermark stands at 12; everything is done with."""
    with operated() as found:
        for request, at in (("ff1", 10), ("ff2", 12)):
            found.ship(request, at=at)
        found.wait(16)
        found.tick()
        found.wait(30)
        found.tick()
        yield found


def test_it_is_shown_with_how_far_back_it_could_go(shop: Operated) -> None:
    text = shop.run("watermark", "show").output

    assert shop.json("watermark", "show") == {"watermark": 12, "lowest": 0, "because": None}
    assert "stands at 12; it can be moved back to 0." in text


def test_it_is_moved_back_after_two_questions_and_signed(moved: Operated) -> None:
    shop = moved
    words = ("watermark", "set", "10", "--force", *WHO)

    text = shop.run(*words, answers="y\n10\n").output
    shop.ship("ff3", at=13)
    shop.wait(16)
    shop.tick()

    assert "stood at 12 and stands at 10" in text
    (location,) = shop.json("run", "last")["locations"]
    assert (location["range"], shop.json("watermark", "show")["watermark"]) == ("10-13", 13)
    (record,) = shop.audited()
    (change,) = record["changes"]
    assert (record["command"], record["who"]) == ("watermark set", "Ada")
    assert (change["before"], change["after"]) == (12, 10)


@pytest.mark.parametrize("answers", ["n\n", "y\n11\n"])
def test_one_wrong_answer_leaves_it(shop: Operated, answers: str) -> None:
    shop.run("watermark", "set", "10", "--force", *WHO, code=1, answers=answers)

    assert shop.json("watermark", "show")["watermark"] == 12
    assert shop.audited() == []


def test_without_force_the_consequences_are_told_and_nothing_is_done(shop: Operated) -> None:
    text = shop.run("watermark", "set", "10", "--yes", *WHO, code=1).output

    assert "released once more" in text
    assert "--force" in text
    assert shop.json("watermark", "show")["watermark"] == 12


def test_scripts_answer_with_yes_and_no_run_on_record_expires_by_it(moved: Operated) -> None:
    found = moved.json("watermark", "set", "10", "--force", "--yes", *WHO)

    assert (found["before"], found["after"]) == (12, 10)
    table = moved.stack.template.physical_id("StateTable")
    items = moved.stack.aws.dynamodb.scan(TableName=table)["Items"]
    ends = [int(item["expires_at"]["N"]) for item in items if item["kind"]["S"] == "run"]
    assert min(ends) > moved.stack.clock.now().timestamp() + 80 * 86_400


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("13", "--force", "--yes", *WHO), "imports alone"),
        (("3", "--force", "--yes", "--who", "Ada"), "--why"),
    ],
)
def test_what_is_not_safe_is_refused(shop: Operated, words: tuple[str, ...], told: str) -> None:
    assert told in shop.run("watermark", "set", *words, code=1).output
