"""A PostgreSQL of our own: a socket in a folder, no port, nothing kept."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from pathlib import Path

from tests.odoo.packages import NotAtHandError

SECONDS = 60
FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class Postgres:
    """A cluster in `folder`; where we are root it belongs to nobody, since root may not run one."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.data = folder / "postgres"
        self._bin = programs()
        self._user = pwd.getpwnam("nobody") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
        os.chown(folder, self._user.pw_uid, self._user.pw_gid)

    def create(self) -> None:
        """An empty cluster, whose only user is `odoo`."""
        options = ["-U", "odoo", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"]
        self._run("initdb", "-D", str(self.data), *options)

    def copy_from(self, template: Path) -> None:
        """A stopped cluster that was saved before."""
        shutil.copytree(template, self.data)
        for path in (self.data, *self.data.rglob("*")):
            os.chown(path, self._user.pw_uid, self._user.pw_gid)
        self.data.chmod(0o700)

    def start(self) -> None:
        settings = {**FAST, "listen_addresses": "", "unix_socket_directories": str(self.folder)}
        options = " ".join(f"-c {name}='{value}'" for name, value in settings.items())
        log = str(self.folder / "postgres.log")
        self._run("pg_ctl", "-D", str(self.data), "-w", "-l", log, "-o", options, "start")

    def stop(self) -> None:
        self._run("pg_ctl", "-D", str(self.data), "-w", "-m", "fast", "stop")

    def sql(self, text: str, database: str = "odoo") -> str:
        """The rows, without heads."""
        where = ["-h", str(self.folder), "-U", "odoo", "-d", database]
        return self._run("psql", *where, "-qAt", "-v", "ON_ERROR_STOP=1", "-c", text)

    def _run(self, program: str, *arguments: str) -> str:
        out = self.folder / "command.log"
        with out.open("w") as log:
            done = subprocess.run(
                [self._bin / program, *arguments],
                cwd=self.folder,
                stdout=log,
                stderr=subprocess.STDOUT,
                timeout=SECONDS * 5,
                user=self._user.pw_uid,
                group=self._user.pw_gid,
                extra_groups=[] if os.geteuid() == 0 else None,
                check=False,
            )
        if done.returncode:
            raise RuntimeError(f"{program}: {out.read_text()[-500:]}")
        return out.read_text()


def programs() -> Path:
    """The newest PostgreSQL here."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda p: int(p.parent.name))
    if not found:
        raise NotAtHandError("no PostgreSQL server here: apt-get install postgresql")
    return found[-1]
