"""The client of other systems' HTTP."""

from random import SystemRandom

from inventory_sync.adapters.http.client import JsonHttp
from inventory_sync.adapters.http.rate_limiter import RateLimiter
from inventory_sync.adapters.http.request import HttpLimits
from inventory_sync.ports.observe import Clock


def json_http(
    clock: Clock,
    attempts_max: int,
    *,
    calls_per_second: int | None = None,
    blocked_seconds: float = 0,
) -> JsonHttp:
    """Calls of other systems, at a pace where one is given; `blocked_seconds` as HttpLimits has."""
    limits = HttpLimits(attempts_max=attempts_max, blocked_seconds=blocked_seconds)
    pace = RateLimiter(clock, calls_per_second) if calls_per_second is not None else None
    return JsonHttp(clock, limits, SystemRandom().random, pace=pace)
