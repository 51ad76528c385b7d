"""A month of one stack, in US dollars, by what is paid for."""

import math

from inventory_sync.domain.stock_reads import BATCH_LOCATIONS
from tools.scale import prices
from tools.scale.chain import DAY_SECONDS, MONTH_DAYS
from tools.scale.load import Load
from tools.scale.runs import TICK_SECONDS
from tools.scale.standing import standing_dollars

WEBHOOK_GB = FUNCTION_GB = 1769 / 1024
FORWARD_GB = 512 / 1024
PUT_SECONDS, POST_SECONDS = 0.006, 0.15
"""Assumed: a put into DynamoDB, and a post to the ERP with what is around it."""
LOG_BYTES_AN_EVENT = 1_500
MAP_BYTES_A_LOCATION = 250


def costs(load: Load) -> dict[str, float]:
    """In the order of the events' way."""
    events = load.chain.events_a_day * MONTH_DAYS
    runs = MONTH_DAYS * DAY_SECONDS / load.course.period_seconds
    return {
        "API Gateway": events * prices.API_CALLS,
        "functions: webhook": _webhook(load, events),
        "functions: forward": events * _call(POST_SECONDS * FORWARD_GB),
        "functions: import": _import(load, runs),
        "tables": _tables(load, events, runs),
        "bucket": _bucket(load, runs),
        "logs": events * LOG_BYTES_AN_EVENT / 1e9 * prices.LOG_GB,
        "standing": standing_dollars(),
    }


def fanned_out(load: Load) -> dict[str, float]:
    """What changes where reads fan out: all of it computed.

    A round takes what reading all takes, and five minutes at least. A batch waits for its own
    pages, so its seconds are those of as many invocations as read at once.
    """
    chain, month = load.chain, MONTH_DAYS * DAY_SECONDS
    round_seconds = max(TICK_SECONDS, load.read_seconds * chain.locations)
    rounds = month / round_seconds
    reads, batches = rounds * chain.locations, rounds * math.ceil(chain.locations / BATCH_LOCATIONS)
    waiting = chain.calls_a_location * chain.page_seconds
    imports = month / TICK_SECONDS
    busy = reads * load.build_seconds + imports * chain.job_seconds
    return {
        "functions: import": busy * FUNCTION_GB * prices.FUNCTION_GB_SECONDS,
        "functions: reader": reads * waiting * FUNCTION_GB * prices.FUNCTION_GB_SECONDS
        + batches * prices.FUNCTION_CALLS,
        "state machine": (3 * rounds + 3 * batches) * prices.TRANSITIONS,
        "kept reads": reads * (prices.PUTS + prices.GETS) + imports * chain.locations * prices.GETS,
    }


def _call(gigabyte_seconds: float) -> float:
    return gigabyte_seconds * prices.FUNCTION_GB_SECONDS + prices.FUNCTION_CALLS


def _webhook(load: Load, events: float) -> float:
    name = "warm CPU of an event in ingest against json.loads and put_item"
    seconds = load.measured(name, "us CPU") / 1e6 + PUT_SECONDS
    return events * _call(seconds * WEBHOOK_GB)


def _import(load: Load, runs: float) -> float:
    busy = load.course.busy_seconds_a_day * MONTH_DAYS + runs * load.chain.job_seconds
    return busy * FUNCTION_GB * prices.FUNCTION_GB_SECONDS + runs * prices.FUNCTION_CALLS


def _tables(load: Load, events: float, runs: float) -> float:
    units = "units of an import run with rows to send, 10 locations"
    the_map = load.chain.locations * MAP_BYTES_A_LOCATION / 4096
    writes = events * load.write_units + runs * load.measured(f"write {units}", "units")
    reads = events * load.read_units + runs * (load.measured(f"read {units}", "units") + the_map)
    used = writes * prices.WRITE_UNITS + reads * prices.READ_UNITS
    return used + load.table_gigabytes * prices.TABLE_GB_MONTH


def _bucket(load: Load, runs: float) -> float:
    puts = load.ledgers_a_day * MONTH_DAYS + runs * 5
    gets = runs * load.chain.locations
    kept = load.bucket_gigabytes * prices.BUCKET_GB_MONTH
    return puts * prices.PUTS + gets * prices.GETS + kept
