"""What each system holds, read from the systems themselves."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import requests

from local.aws import Aws
from local.stack import EVENTS, QUARANTINE, Stack

TIMEOUT_SECONDS = 10
Key = tuple[str, str]


@dataclass(frozen=True, kw_only=True)
class Figures:
    """Of one location and product, but for the counts of events, jobs and bookings.

    The imported quantity and the range are those of the last finished import; None before one.
    """

    imported_quantity: int | None
    range_start: int | None
    range_end: int | None
    newstore_on_hand: int
    newstore_open_allocations: int
    newstore_completed_unreleased: int
    newstore_atp: int
    erp_on_hand: int
    erp_shown: int
    erp_allocated: int
    erp_double_bookings: int
    events_stored: int
    events_quarantined: int
    watermark: int | None
    jobs_finished: int
    jobs_failed: int
    job_errors_stored: int
    locations_held: int
    physical: int

    def named(self) -> dict[str, int | None]:
        """By name."""
        return asdict(self)


def read_figures(stack: Stack, key: Key, physical: int) -> Figures:
    """`physical` is what stands on the shelf, which no system knows."""
    newstore, erp = _state(stack.newstore_url), _state(stack.erp_url)
    at_newstore = _row(newstore["stock"], key, "fulfillment_node_id", "product_id")
    at_erp = _row(erp["stock"], key, "location", "product")
    jobs = newstore["imports"]
    runs = [json.loads(record) for _, record in stack.state.records("run")]
    return Figures(
        **_imported(stack.aws, jobs, key),
        newstore_on_hand=at_newstore.get("on_hand", 0),
        newstore_open_allocations=at_newstore.get("open_allocations", 0),
        newstore_completed_unreleased=at_newstore.get("completed_unreleased", 0),
        newstore_atp=at_newstore.get("atp", 0),
        erp_on_hand=at_erp.get("on_hand", 0),
        erp_shown=at_erp.get("shown", 0),
        erp_allocated=at_erp.get("allocated", 0),
        erp_double_bookings=erp["double_bookings"],
        events_stored=stack.count(EVENTS),
        events_quarantined=stack.count(QUARANTINE),
        watermark=_watermark(stack),
        jobs_finished=sum(job["state"] == "finished" for job in jobs),
        jobs_failed=sum(job["state"] == "failed" for job in jobs),
        job_errors_stored=sum(len(run["job_errors"]) for run in runs),
        locations_held=len(list(stack.state.records("hold"))),
        physical=physical,
    )


def _state(url: str) -> dict[str, Any]:
    answer = requests.get(f"{url}/_state", timeout=TIMEOUT_SECONDS)
    answer.raise_for_status()
    state: dict[str, Any] = answer.json()
    return state


def _row(rows: list[dict[str, Any]], key: Key, *names: str) -> dict[str, Any]:
    return next((row for row in rows if tuple(row[name] for name in names) == key), {})


def _watermark(stack: Stack) -> int | None:
    for _, record in stack.state.records("head"):
        watermark: int | None = json.loads(record)["watermark"]
        return watermark
    return None


def _imported(aws: Aws, jobs: list[dict[str, Any]], key: Key) -> Mapping[str, int | None]:
    """From the archive that the last finished job fetched: its release, and the key's row."""
    found: dict[str, int | None] = dict.fromkeys(("imported_quantity", "range_start", "range_end"))
    finished = [job for job in jobs if job["state"] == "finished"]
    if not finished:
        return found
    with zipfile.ZipFile(io.BytesIO(aws.fetch_file(finished[-1]["source_uri"]))) as archive:
        files = [json.loads(archive.read(name)) for name in sorted(archive.namelist())]
    released = files[0]["head"]["completed_fulfillment_requests"]
    found["range_start"] = released["logical_timestamp_start"]
    found["range_end"] = released["logical_timestamp_end"]
    for file in files:
        if row := _row(file["items"], key, "fulfillment_node_id", "product_id"):
            found["imported_quantity"] = row["quantity"]
    return found
