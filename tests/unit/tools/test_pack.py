"""What `sam build` ships of a folder."""

import marshal
import re
from pathlib import Path

import pytest

from tests.template.test_template import FUNCTIONS, RESOURCES, ROOT, TEMPLATE
from tools.artifacts.pack import PLATFORMS, PYTHON, compile_all, pack


def test_a_function_is_shipped_with_its_bytecode_and_without_ours(tmp_path: Path) -> None:
    source, artifacts = tmp_path / "source", tmp_path / "artifacts"
    (source / "__pycache__").mkdir(parents=True)
    (source / "__pycache__" / "old.pyc").write_bytes(b"")
    (source / "app.py").write_text("x = 1\n")

    pack(source, artifacts)

    [code] = (path for path in artifacts.rglob("*") if path.suffix == ".pyc")
    assert code.name.startswith("app.")
    assert marshal.loads(code.read_bytes()[16:]).co_filename == "/var/task/app.py"
    assert (artifacts / "app.py").read_text() == "x = 1\n"


def test_what_cannot_be_compiled_is_not_shipped(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text("def\n")

    with pytest.raises(SystemExit, match="not every module"):
        compile_all(tmp_path, "/var/task")


@pytest.mark.parametrize("path", ["Makefile", "tools/artifacts/Makefile"])
def test_a_path_with_a_blank_stays_one_word(path: str) -> None:
    """`tests/e2e/test_artifacts.py` packs a function in such a path."""
    lines = (ROOT / path).read_text("utf-8").splitlines()
    paths = re.compile(r"\$\((?:CURDIR|MAKEFILE_LIST|ARTIFACTS_DIR)\)")
    found = [line for line in lines if paths.search(line)]

    assert found
    assert not [line for line in found if paths.search(re.sub(r"\"[^\"]*\"|'[^']*'", "", line))]


def test_packages_are_fetched_for_the_template_s_platform() -> None:
    globals_ = TEMPLATE["Globals"]["Function"]
    layer = RESOURCES["InventorySyncLayer"]["Properties"]
    [architecture] = globals_["Architectures"]

    assert layer["CompatibleArchitectures"] == [architecture]
    assert {platform.endswith(f"_{architecture}") for platform in PLATFORMS} == {True}
    assert globals_["Runtime"] == "python" + ".".join(map(str, PYTHON))


@pytest.mark.parametrize("name", [*FUNCTIONS, "InventorySyncLayer"])
def test_sam_build_and_no_other_builder_makes_every_artifact(name: str) -> None:
    metadata = RESOURCES[name]["Metadata"]

    assert (metadata["BuildMethod"], metadata["ContextPath"]) == ("makefile", "tools/artifacts")
