"""A retailer's size, and what else is assumed: everything that was not measured stands here."""

from dataclasses import dataclass

DAY_SECONDS = 86_400
MONTH_DAYS = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """`requests_a_day` are fulfilled by each location on an ordinary day, one unit each.

    `hot_share` of all requests falls to the busiest location. On the `peak_day_factor` day,
    `peak_hour_share` of the day's requests comes within one hour.
    """

    locations: int
    products: int = 10_000
    requests_a_day: int = 50
    hot_share: float = 0.2
    peak_day_factor: float = 5.0
    peak_hour_share: float = 0.15
    rows_changed_a_day: int = 300
    page_rows: int = 5_000
    page_seconds: float = 0.25
    reads_at_once: int = 4
    calls_a_second: float = 20.0
    job_seconds: float = 60.0
    retention_days: int = 90

    @property
    def rows(self) -> int:
        """Of stock, in all locations."""
        return self.locations * self.products

    @property
    def events_a_day(self) -> int:
        """Each request is assigned and completed."""
        return 2 * self.requests_a_day * self.locations

    @property
    def peak_events_a_second(self) -> float:
        """In the busiest hour of the busiest day."""
        return self.events_a_day * self.peak_day_factor * self.peak_hour_share / 3600

    @property
    def calls_a_location(self) -> int:
        """To the ERP, where all rows of the location are read."""
        return -(-self.products // self.page_rows)
