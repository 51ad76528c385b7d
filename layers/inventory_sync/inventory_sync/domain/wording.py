"""Numbers in sentences for people."""


def counted(count: float, noun: str) -> str:
    """`1 row`, `2 rows`; a noun with another plural names it after a stroke: `entry/entries`."""
    one, _, many = noun.partition("/")
    number = f"{count:.0f}"
    return f"{number} {one}" if number == "1" else f"{number} {many or one + 's'}"
