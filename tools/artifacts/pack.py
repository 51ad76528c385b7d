"""`pack.py SOURCE ARTIFACTS`: what `sam build` ships of a folder, with its bytecode.

A folder with a requirements.txt is the layer, any other is a function. In Lambda the file system
is read-only: without bytecode every cold start would compile every module anew.
"""

import compileall
import shutil
import subprocess
import sys
from pathlib import Path
from py_compile import PycInvalidationMode

PLATFORMS = ("manylinux2014_x86_64", "manylinux_2_28_x86_64")
"""Lambda's Amazon Linux 2023 on the template's architecture."""
PYTHON = (3, 13)
"""The template's runtime."""
REQUIREMENTS = "requirements.txt"
_LEFT_OUT = shutil.ignore_patterns("__pycache__", REQUIREMENTS)


def pack(source: Path, artifacts: Path) -> None:
    """Copy, install, compile."""
    layer = (source / REQUIREMENTS).is_file()
    target, root = (artifacts / "python", "/opt/python") if layer else (artifacts, "/var/task")
    target.mkdir(parents=True, exist_ok=True)
    if layer:
        install(source / REQUIREMENTS, target)
    shutil.copytree(source, target, ignore=_LEFT_OUT, dirs_exist_ok=True)
    compile_all(target, root)


def install(requirements: Path, target: Path) -> None:
    """The pinned packages for Lambda's platform, whatever this machine's is."""
    platforms = [word for platform in PLATFORMS for word in ("--platform", platform)]
    command = [
        *(sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "-qq"),
        *("--no-deps", "--no-compile", "--require-hashes", "--only-binary", ":all:"),
        *("--implementation", "cp", "--python-version", ".".join(map(str, PYTHON))),
        *platforms,
        *("--target", str(target), "--requirement", str(requirements)),
    ]
    subprocess.run(command, check=True)  # noqa: S603  # every part of the command is ours
    shutil.rmtree(target / "bin", ignore_errors=True)


def compile_all(target: Path, root: str) -> None:
    """Bytecode that is taken as it is: nobody changes a source in Lambda.

    It names the sources as they are called there, not by this machine's folders.
    """
    done = compileall.compile_dir(
        target,
        maxlevels=100,
        quiet=1,
        force=True,
        workers=0,
        stripdir=str(target),
        prependdir=root,
        invalidation_mode=PycInvalidationMode.UNCHECKED_HASH,
    )
    if not done:
        raise SystemExit(f"{target}: not every module could be compiled; see above")


if __name__ == "__main__":
    if sys.version_info[:2] != PYTHON:
        raise SystemExit(f"needs Python {PYTHON}, which Lambda runs; `make build` brings it")
    pack(Path(sys.argv[1]), Path(sys.argv[2]))
