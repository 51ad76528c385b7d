"""Odoo as a process: made once as a template, copied for each run, killed and started at will."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import requests

from tests.odoo import packages
from tests.odoo.postgres import Postgres

SETUP = Path(__file__).with_name("setup_odoo.py")
START_SECONDS = 120


class Odoo:
    """One database `odoo` behind one HTTP server; `keys` are API keys by who holds them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.postgres = Postgres(folder)
        self.keys: dict[str, str] = {}
        self._python, self._server = packages.python(), packages.server()
        self._process: subprocess.Popen[bytes] | None = None
        self._port = free_port()

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def install(self) -> None:
        """From nothing: the Stock app, and what `setup_odoo.py` adds."""
        self.postgres.create()
        self.postgres.start()
        self._odoo("server", "-i", "stock", "--without-demo=True", "--stop-after-init", "--no-http")
        output = self._odoo("shell", "--no-http", given=SETUP)
        found = next(line for line in output.splitlines() if line.startswith("KEYS "))
        self.keys = json.loads(found.removeprefix("KEYS "))

    def start(self) -> None:
        """Until it answers."""
        with (self.folder / "odoo.log").open("ab") as log:
            self._process = subprocess.Popen(
                self._command("server", "--http-interface=127.0.0.1", f"--http-port={self._port}"),
                env=self._environment(),
                stdout=log,
                stderr=log,
            )
        until = time.monotonic() + START_SECONDS
        while not self._answers():
            if time.monotonic() > until or self._process.poll() is not None:
                raise RuntimeError((self.folder / "odoo.log").read_text()[-2000:])
            time.sleep(0.1)

    def kill(self) -> None:
        """At once, whatever it is doing."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()
            self._process = None

    def _answers(self) -> bool:
        try:
            return requests.get(f"{self.base_url}/web/health", timeout=2).ok
        except requests.RequestException:
            return False

    def _odoo(self, command: str, *arguments: str, given: Path | None = None) -> str:
        done = subprocess.run(
            self._command(command, *arguments),
            env=self._environment(),
            input=given.read_bytes() if given else None,
            stdin=None if given else subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(done.stderr.decode()[-2000:])
        return done.stdout.decode()

    def _command(self, command: str, *arguments: str) -> list[str]:
        options = {
            "db_host": self.folder,
            "db_user": "odoo",
            "database": "odoo",
            "db-filter": "^odoo$",
            "addons-path": self._server / "addons",
            "data-dir": self.folder / "data",
            "max-cron-threads": 0,
            "log-level": "warn",
        }
        given = [f"--{name}={value}" for name, value in options.items()]
        return [str(self._python), "-m", "odoo", command, *given, *arguments]

    def _environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
        return {**kept, "PYTHONPATH": str(self._server), "PYTHONWARNINGS": "ignore"}


@contextmanager
def running_odoo() -> Iterator[Odoo]:
    """An Odoo of this run's own, from the template. NotAtHandError where none can be had."""
    template = saved_template()
    with _folder() as folder:
        odoo = Odoo(folder)
        odoo.postgres.copy_from(template / "postgres")
        shutil.copytree(template / "data", folder / "data")
        odoo.keys = json.loads((template / "keys.json").read_text())
        odoo.postgres.start()
        try:
            odoo.start()
            yield odoo
        finally:
            odoo.kill()
            odoo.postgres.stop()


def saved_template() -> Path:
    """A stopped database with the Stock app; made once for each package, Python and set-up."""
    template = template_folder()
    if template.is_dir():
        return template
    with _folder() as folder:
        odoo = Odoo(folder)
        try:
            odoo.install()
        finally:
            odoo.postgres.stop()
        making = template.with_suffix(".making")
        shutil.rmtree(making, ignore_errors=True)
        making.mkdir()
        shutil.copytree(folder / "postgres", making / "postgres")
        (folder / "data").mkdir(exist_ok=True)
        shutil.copytree(folder / "data", making / "data")
        (making / "keys.json").write_text(json.dumps(odoo.keys))
        making.rename(template)
    return template


def template_folder() -> Path:
    """Where that database is, or would be."""
    made_of = packages.SHA256.encode() + packages.REQUIREMENTS.read_bytes() + SETUP.read_bytes()
    name = f"template-{hashlib.sha256(made_of).hexdigest()[:12]}"
    return packages.cache() / "odoo" / name


@contextmanager
def _folder() -> Iterator[Path]:
    """Short, since a socket's path may have 107 bytes only."""
    folder = Path(tempfile.mkdtemp(prefix="odoo-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
