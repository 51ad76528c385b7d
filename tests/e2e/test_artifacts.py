"""What is deployed: what the lock file pins, with bytecode that Lambda's Python takes as it is."""

import json
import os
import shutil
import struct
import subprocess
from pathlib import Path

import pytest

from local.runtime_files import BUILD, SAM
from local.stack import EXPORT, FORWARD, IMPORT, INGEST, WATCH
from local.template import ROOT
from tests.e2e.built import BUILT, LAYER
from tools.pins import SHIPPED, read_pins

pytestmark = BUILT

IN_LAMBDA = {
    LAYER: "/opt/python",
    **{BUILD / name: "/var/task" for name in (INGEST, FORWARD, IMPORT, WATCH, EXPORT)},
}


def lambda_python(*arguments: object) -> str:
    command = [str(SAM / "bin" / "python"), "-B", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, check=True, text=True).stdout


def faults(folder: Path, root: str) -> dict[str, str]:
    """What is wrong, by module."""
    lines = lambda_python(ROOT / "tests" / "e2e" / "bytecode.py", folder, root).splitlines()
    return dict(json.loads(line) for line in lines)


@pytest.mark.parametrize("folder", [pytest.param(path, id=path.name) for path in IN_LAMBDA])
def test_every_module_has_its_bytecode(folder: Path) -> None:
    assert list(folder.rglob("*.py"))
    assert faults(folder, IN_LAMBDA[folder]) == {}


def test_missing_old_and_misnamed_bytecode_is_found(tmp_path: Path) -> None:
    for name in ("right", "missing", "changed"):
        (tmp_path / f"{name}.py").write_text("x = 1\n")
    compile_all = "import sys, pathlib; from tools.artifacts.pack import compile_all;"
    compile_all += "compile_all(pathlib.Path(sys.argv[1]), '/opt/python')"
    lambda_python("-c", compile_all, tmp_path)
    next(tmp_path.glob("__pycache__/missing.*")).unlink()
    (tmp_path / "changed.py").write_text("x = 2\n")

    assert set(faults(tmp_path, "/opt/python")) == {"missing.py", "changed.py"}
    assert faults(tmp_path, "/var/task")["right.py"] == "names another file"


def test_the_layer_has_what_its_bill_of_materials_lists_and_nothing_else() -> None:
    """tools/sbom.py lists the lock file's pins."""
    installed = {path.name.removesuffix(".dist-info") for path in LAYER.glob("*.dist-info")}

    pinned = read_pins(SHIPPED)
    assert installed == {f"{name.replace('-', '_')}-{version}" for name, version in pinned}


ELF_X86_64 = 62
"""The machine in an ELF file's header (e_machine)."""


def test_every_library_in_the_layer_is_for_the_functions_platform() -> None:
    """Whatever machine built it."""
    libraries = [path for path in LAYER.rglob("*.so*") if path.is_file()]

    assert libraries
    for path in libraries:
        head = path.read_bytes()[:20]
        assert head[:4] == b"\x7fELF", path
        assert struct.unpack_from("<H", head, 18) == (ELF_X86_64,), path
        assert "cpython-313-x86_64-linux-gnu" in path.name or "cpython" not in path.name


def test_every_wheel_in_the_layer_is_for_any_platform_or_the_functions() -> None:
    tags = [
        line.removeprefix("Tag: ")
        for wheel in LAYER.glob("*.dist-info/WHEEL")
        for line in wheel.read_text("utf-8").splitlines()
        if line.startswith("Tag: ")
    ]

    assert tags
    assert not [tag for tag in tags if not tag.endswith(("-any", "_x86_64"))]


def test_a_function_is_packed_in_a_path_with_a_blank(tmp_path: Path) -> None:
    tools, source = tmp_path / "the tools", tmp_path / "a function"
    shutil.copytree(ROOT / "tools" / "artifacts", tools)
    shutil.copytree(ROOT / "functions" / "check_stream", source)
    target = tmp_path / "what is packed"
    path = os.pathsep.join([str(SAM / "bin"), os.environ["PATH"]])

    subprocess.run(
        ["make", "--silent", "--makefile", str(tools / "Makefile"), "build-AnyFunction"],
        cwd=source,
        env={**os.environ, "PATH": path, "ARTIFACTS_DIR": str(target)},
        check=True,
    )

    assert (target / "app.py").is_file()
