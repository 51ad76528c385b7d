"""A server of docs/erp-openapi.yaml to start from, over Flask and SQLite, for this machine only.

ERP_TOKEN=secret python examples/reference_erp.py erp.db stock.csv   (location,product,units)
Put your ERP's booking into `Books.post` and its stock into `Books.page`: what they say must hold.
"""

import csv
import hmac
import json
import os
import sqlite3
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from flask import Flask, abort, request
from werkzeug.exceptions import BadRequest, HTTPException

BULK_MAX, ROWS_MAX = 100, 5_000
CAPABILITIES = {"dedupe": "native", "reference_length_max": 128, "bulk_max": BULK_MAX,
                "apply_lag_seconds": 0, "reservations": False, "change_feed": "none",
                "consistent_snapshot": False, "absent_means_zero": True}  # fmt: skip
TABLES = """create table if not exists stock
    (location text, product text, units int, primary key (location, product));
create table if not exists movements (id text primary key, content text, applied_at text, document)
"""
KNOWN = {"location": "select 1 from stock where location = ? limit 1",
         "product": "select 1 from stock where product = ? limit 1"}  # fmt: skip
ROWS = "select product, units from stock where location = ? and units != 0 order by product"
BOOK = """insert into stock values (?, ?, ?)
    on conflict (location, product) do update set units = units + excluded.units"""


class Books:
    """One lock for everything: an instant that is given out comes after all that is committed."""

    def __init__(self, path: str) -> None:
        self._db = sqlite3.connect(path, check_same_thread=False)
        self._db.executescript(TABLES)
        self._lock = threading.RLock()
        [(latest,)] = self._sql("select max(applied_at) from movements")
        self._last = datetime.fromisoformat(latest) if latest else datetime.now(UTC)

    def count(self, location: str, product: str, units: int) -> None:
        """A count at the shelf: how stock gets here, and names become known."""
        with self._lock, self._db:
            self._sql("insert or replace into stock values (?, ?, ?)", location, product, units)

    def page(self, location: str, after: str, limit: int) -> dict[str, Any]:
        """`as_of` is taken before the rows are read, on the clock that gives `applied_at`."""
        with self._lock:
            if not self._sql(KNOWN["location"], location):
                abort(404, f"unknown location {location}")
            as_of, rows = self._now(), self._sql(ROWS, location)
        rest = [{"product": p, "on_hand": units} for p, units in rows if p > after]
        page = {"location": location, "as_of": as_of, "row_count": len(rows), "rows": rest[:limit]}
        return {**page, "next_cursor": rest[limit - 1]["product"] if rest[limit:] else None}

    def post(self, reference: str, place: str, units: list[tuple[str, str]]) -> dict[str, Any]:
        """Id, booking and stock are committed together or not at all; a repeat books nothing."""
        lines = [{"item_id": item, "product": p, "quantity": 1} for item, p in units]
        content = json.dumps({"location": place, "lines": lines})
        with self._lock, self._db:
            if booked := self.find(reference):
                if booked[1] == content:
                    return result("repeated", *booked)
                return result("conflict", *booked, reason="booked with other content")
            for column, name in [("location", place), *(("product", p) for _, p in units)]:
                if not self._sql(KNOWN[column], name):
                    return result("rejected", reference, reason=f"unknown {column} {name}")
            for _, product in units:  # a unit that has left: below nothing if need be
                self._sql(BOOK, place, product, -1)
            [(number,)] = self._sql("select count(*) + 1 from movements")
            booked = (reference, content, self._now(), f"DOC-{number:06}")
            self._sql("insert into movements values (?, ?, ?, ?)", *booked)
            return result("applied", *booked)

    def find(self, reference: str) -> Any:
        with self._lock:
            return next(iter(self._sql("select * from movements where id = ?", reference)), None)

    def _sql(self, query: str, *values: Any) -> list[Any]:
        return self._db.execute(query, values).fetchall()

    def _now(self) -> str:
        self._last = max(self._last + timedelta(microseconds=1), datetime.now(UTC))
        return self._last.isoformat(timespec="microseconds").replace("+00:00", "Z")


def result(outcome: str, reference: str, *booked: str, reason: str | None = None) -> dict[str, Any]:
    told = dict(zip(("applied_at", "document_id"), booked[1:] or (None, None), strict=True))
    return {"movement_id": reference, "outcome": outcome, "reason": reason, **told}


def checked(movement: Any) -> tuple[str, str, list[tuple[str, str]]]:
    """What the books use of it; one that is wrong refuses its list, and nothing is booked."""
    match movement:
        case {"movement_id": str(reference), "location": str(place), "lines": [*lines]} if lines:
            lines = [line if isinstance(line, dict) else {} for line in lines]
            units = [(line.get("item_id"), line.get("product")) for line in lines]
            named = all(type(name) is str and name for unit in units for name in unit)
            if named and [line.get("quantity") for line in lines] == [1] * len(dict(units)):
                return reference, place, sorted(units)
    raise BadRequest("a movement_id, location, item_id, product or quantity is missing or wrong")


def erp_app(books: Books, token: str) -> Flask:
    app = Flask("reference_erp")
    app.register_error_handler(HTTPException, lambda e: ({"error": e.description}, e.code))
    app.add_url_rule("/v1/capabilities", "capabilities", lambda: CAPABILITIES)

    @app.before_request
    def check_token() -> None:
        given = request.headers.get("Authorization", "").encode()
        if not hmac.compare_digest(given, f"Bearer {token}".encode()):
            abort(401, "missing or wrong token")

    @app.get("/v1/stock")
    def stock() -> Any:
        location, limit = request.args.get("location"), request.args.get("limit", str(ROWS_MAX))
        if not location or not limit.isdecimal() or int(limit) < 1:
            abort(400, "location is missing, or limit is not a positive integer")
        return books.page(location, request.args.get("cursor", ""), min(int(limit), ROWS_MAX))

    @app.post("/v1/movements")
    def movements() -> Any:
        body: Any = request.get_json(silent=True)
        entries = body.get("movements") if isinstance(body, dict) else None
        if not isinstance(entries, list) or len(entries) > BULK_MAX:
            abort(413 if isinstance(entries, list) else 400, f"a list of {BULK_MAX} at most")
        return {"results": [books.post(*entry) for entry in [checked(e) for e in entries]]}

    @app.get("/v1/movements/<path:reference>")
    def movement(reference: str) -> Any:
        if not (booked := books.find(reference)):
            return {"error": "not booked", "movement_id": reference, "outcome": "absent"}, 404
        return {**result("applied", *booked), **json.loads(booked[1])}

    return app


if __name__ == "__main__":
    own = Books(sys.argv[1])
    for place, product, units in csv.reader(Path(sys.argv[2]).read_text("utf-8").splitlines()):
        own.count(place, product, int(units))
    erp_app(own, os.environ["ERP_TOKEN"]).run("127.0.0.1", 8090)
