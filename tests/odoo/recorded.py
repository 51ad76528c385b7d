"""Odoo's answers, kept test by test: they are played back where no Odoo is at hand.

A test that asks otherwise than when it was recorded fails, and says so: record it anew with
`ODOO=1 ODOO_RECORD=1 .venv/bin/python -m pytest tests/odoo/test_forms.py`.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests

from tests.odoo.server import Odoo, running_odoo
from tests.unit.adapters.http_support import Call, LocalServer, Reply

Exchange = list[Any]
"""Path, what was sent, status, answer."""
FOLDER = Path(__file__).with_name("answers")
NOT_RECORDED = 599


class RecordedOdoo:
    """Before a running Odoo, or in its place; `begin` says whose answers are next."""

    def __init__(self, path: Path, odoo: Odoo | None) -> None:
        self._path, self._odoo = path, odoo
        self._kept: dict[str, list[Exchange]] = {}
        if odoo is None:
            self._kept = json.loads(path.read_text())
        self._test, self._next = "", 0
        self.server = LocalServer(self._answer)
        self.keys = dict.fromkeys(("sync", "admin"), "a key") if odoo is None else odoo.keys

    @property
    def base_url(self) -> str:
        return self.server.url

    def begin(self, test: str) -> None:
        """A test of that name asks from now on."""
        self._test, self._next = test, 0
        if self._odoo is not None:
            self._kept[test] = []

    def save(self) -> None:
        """One exchange on each line."""
        if self._odoo is None or not os.environ.get("ODOO_RECORD"):
            return
        parts = [
            f"{json.dumps(test)}: [\n" + ",\n".join(map(json.dumps, exchanges)) + "\n]"
            for test, exchanges in self._kept.items()
        ]
        self._path.parent.mkdir(exist_ok=True)
        self._path.write_text("{\n" + ",\n".join(parts) + "\n}\n")

    def _answer(self, call: Call) -> Reply:
        if self._odoo is not None:
            return self._asked(self._odoo, call)
        recorded = self._kept.get(self._test, [])
        if self._next >= len(recorded) or recorded[self._next][:2] != [call.path, call.json]:
            return Reply({"message": f"not recorded: {call.path} {call.json}"}, NOT_RECORDED)
        _, _, status, answer = recorded[self._next]
        self._next += 1
        return Reply(answer, status)

    def _asked(self, odoo: Odoo, call: Call) -> Reply:
        headers = {"Authorization": call.headers["Authorization"]}
        answer = requests.post(
            odoo.base_url + call.path, json=call.json, headers=headers, timeout=120
        )
        body = answer.json()
        if isinstance(body, dict):
            body.pop("debug", None)
        self._kept[self._test].append([call.path, call.json, answer.status_code, body])
        return Reply(body, answer.status_code)


@contextmanager
def recorded_odoo(name: str) -> Iterator[RecordedOdoo]:
    """The running one with ODOO=1, else what it answered."""
    path = FOLDER / f"{name}.json"
    if os.environ.get("ODOO"):
        with running_odoo() as odoo:
            recorded = RecordedOdoo(path, odoo)
            with recorded.server:
                yield recorded
            recorded.save()
        return
    recorded = RecordedOdoo(path, None)
    with recorded.server:
        yield recorded
