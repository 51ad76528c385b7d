"""Debian's package of Odoo, and Python with what it needs, in a cache of ours."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

VERSION = "19.0.0+dfsg-1"
SHA256 = "9d2f598b0555db17e291d48ed24df184c70823c053c4c5ed53c467ca7f629bbf"
SUITE = "sid"
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
ROOT = Path(__file__).parents[2]
REQUIREMENTS = ROOT / "requirements" / "odoo.txt"
SECONDS = 900


class NotAtHandError(Exception):
    """Odoo cannot be had here; the text says why and what to do."""


def cache() -> Path:
    """$INVENTORY_SYNC_CACHE, else a folder of the user's cache."""
    named = os.environ.get("INVENTORY_SYNC_CACHE")
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(named) if named else Path(base) / "inventory-sync"


def server() -> Path:
    """The unpacked package; fetched once. NotAtHandError where apt or its mirror fails."""
    unpacked = unpacked_server()
    if not unpacked.is_dir():
        folder = unpacked.parent / "unpacking"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        run("dpkg-deb", "-x", str(package(unpacked.parent)), str(folder))
        folder.rename(unpacked)
    return unpacked / "usr" / "lib" / "python3" / "dist-packages"


def unpacked_server() -> Path:
    """Where the unpacked package is, or would be."""
    return cache() / "odoo" / VERSION / "server"


def package(folder: Path) -> Path:
    """The .deb, from the mirror that this machine's apt is set to."""
    found = next(folder.glob("odoo-19_*.deb"), None)
    if found is None:
        apt = folder / "apt"
        options = apt_options(apt)
        run("apt-get", *options, "update")
        run("apt-get", *options, "download", f"odoo-19={VERSION}", folder=folder)
        found = next(folder.glob("odoo-19_*.deb"))
    digest = hashlib.sha256(found.read_bytes()).hexdigest()
    if digest != SHA256:
        found.unlink()
        raise NotAtHandError(f"{found.name} has SHA-256 {digest}, not the pinned one")
    return found


def apt_options(apt: Path) -> list[str]:
    """An apt of our own: the machine's is neither changed nor asked for what is installed."""
    for part in ("lists/partial", "archives/partial", "dpkg"):
        (apt / part).mkdir(parents=True, exist_ok=True)
    (apt / "dpkg" / "status").touch()
    sources = apt / "sources.list"
    sources.write_text(f"deb [signed-by={KEYRING}] {mirror()} {SUITE} main\n")
    settings = {
        "Dir::Etc::sourcelist": sources,
        "Dir::Etc::sourceparts": "/dev/null",
        "Dir::State": apt,
        "Dir::State::lists": apt / "lists",
        "Dir::State::status": apt / "dpkg" / "status",
        "Dir::Cache": apt,
        "Dir::Cache::archives": apt / "archives",
        "Acquire::Languages": "none",
        "APT::Sandbox::User": "",
    }
    return [f"-o{name}={value}" for name, value in settings.items()]


def mirror() -> str:
    """Where this machine gets Debian's main archive from."""
    # --no-release-info: also of what was never updated.
    targets = ("indextargets", "--no-release-info", "--format", "$(REPO_URI)")
    for uri in run("apt-get", *targets).split():
        if uri.rstrip("/").endswith("/debian"):
            return uri
    raise NotAtHandError("apt has no mirror of Debian's main archive; add one to its sources")


def python() -> Path:
    """A Python 3.12 with Odoo's requirements; made once for each state of them."""
    folder = environment()
    interpreter = folder / "bin" / "python"
    if not (folder / ".installed").exists():
        shutil.rmtree(folder, ignore_errors=True)
        base = run(str(ROOT / "tools" / "find_python.sh"), "3.12").strip()
        run(base, "-m", "venv", str(folder))
        install = "-m pip --disable-pip-version-check install -qq --no-deps --require-hashes -r"
        run(str(interpreter), *install.split(), str(REQUIREMENTS))
        (folder / ".installed").touch()
    return interpreter


def environment(requirements: Path = REQUIREMENTS) -> Path:
    """Where that Python is, or would be."""
    pinned = hashlib.sha256(requirements.read_bytes()).hexdigest()[:12]
    return cache() / "odoo" / f"venv-{pinned}"


def run(*command: str, folder: Path | None = None) -> str:
    """Its output; NotAtHandError with what it said where it fails."""
    try:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, timeout=SECONDS, check=True
        )
    except FileNotFoundError as error:
        raise NotAtHandError(f"{command[0]} is not there: a Debian system is needed") from error
    except subprocess.CalledProcessError as error:
        said = (error.stderr or error.stdout).strip()[-500:]
        raise NotAtHandError(f"{command[0]} failed: {said}") from error
    print(f"{Path(command[0]).name}: done", file=sys.stderr)
    return done.stdout
