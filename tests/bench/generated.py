"""The rows that every way of building starts from, made anew each time they are asked for."""

from datetime import UTC, datetime

ROWS_PER_LOCATION = 10_000
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
CHANGED_ROWS = 1_000
"""What changed by itself before a delta, over all locations."""
SHIPPED_UNITS = 500
"""What was shipped besides, of as many other products."""


def locations(rows: int) -> list[str]:
    """As many as it takes at 10,000 products each."""
    return [f"STORE-{n:05d}" for n in range(max(1, rows // ROWS_PER_LOCATION))]


def product(number: int) -> str:
    """The id of a location's product by its number."""
    return f"SKU-{number:08d}"


def on_hand(location_number: int, changed: int = 0) -> dict[str, int]:
    """A location's stock; the first `changed` products differ from the base."""
    stock = {f"SKU-{n:08d}": (n * 7 + location_number) % 90 + 1 for n in range(ROWS_PER_LOCATION)}
    for number in range(changed):
        stock[product(number)] += 1
    return stock


def some_on_hand(location_number: int, changed: int, products: list[str]) -> dict[str, int]:
    """Of the same stock, these products alone."""
    numbers = {name: int(name.removeprefix("SKU-")) for name in products}
    return {name: (n * 7 + location_number) % 90 + 1 + (n < changed) for name, n in numbers.items()}


def share(total: int, number: int, among: int) -> int:
    """Of a total that is spread over so many locations, what falls to one."""
    return total // among + (number < total % among)
