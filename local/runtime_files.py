"""What `make build` leaves behind, and the parts of the Lambda runtime in .venv-sam."""

from __future__ import annotations

import platform
import shutil
import subprocess
import tempfile
from pathlib import Path

from local.template import ROOT

BUILD = ROOT / ".aws-sam" / "build"
SAM = ROOT / ".venv-sam"
RUNTIME = ROOT / "build" / "lambda_runtime"
_CLIENT = ("awslambdaric", "simplejson", "snapshot_restore_py*", "runtime_client*")
_EMULATORS = {"x86_64": "x86_64", "amd64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}


class NotBuiltError(Exception):
    """Something is missing that a command makes; the text names the command."""


def built_template() -> Path:
    """The template that `sam build` wrote; NotBuiltError where there is none."""
    path = BUILD / "template.yaml"
    if not path.is_file():
        raise NotBuiltError(f"{path} is missing: run `make build`, then this again")
    if not (SAM / "bin" / "python").exists():
        raise NotBuiltError(f"{SAM} is missing: run `make build`, then this again")
    return path


def _site_packages() -> Path:
    [found] = (SAM / "lib").glob("python3.*/site-packages")
    return found


def emulator() -> Path:
    """An executable copy: in the package it is not executable."""
    machine = _EMULATORS.get(platform.machine().lower(), "x86_64")
    source = _site_packages() / "samcli" / "local" / "rapid" / f"aws-lambda-rie-{machine}"
    target = RUNTIME / source.name
    if not target.exists():
        RUNTIME.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=RUNTIME, delete=False) as copy:
            copy.write(source.read_bytes())
        Path(copy.name).chmod(0o755)
        Path(copy.name).replace(target)
    return target


def runtime_client() -> Path:
    """The runtime's client without the packages around it, compiled as Lambda has it."""
    packages = _site_packages()
    [version] = packages.glob("awslambdaric-*.dist-info")
    target = RUNTIME / f"{version.stem}-compiled"
    if not target.exists():
        RUNTIME.mkdir(parents=True, exist_ok=True)
        copy = Path(tempfile.mkdtemp(dir=RUNTIME))
        for source in (path for pattern in _CLIENT for path in packages.glob(pattern)):
            if source.is_dir() and source.suffix != ".dist-info":
                shutil.copytree(source, copy / source.name)
            elif source.is_file():
                shutil.copy2(source, copy / source.name)
        compiler = [str(SAM / "bin" / "python"), "-m", "compileall", "-q", str(copy)]
        subprocess.run(compiler, check=True)  # noqa: S603  # every part of the command is ours
        try:
            copy.rename(target)
        except OSError:
            shutil.rmtree(copy)  # somebody else was faster
    return target
