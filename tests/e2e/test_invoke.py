"""The built functions, in the Lambda runtime: every sample event gets its answer.

Skipped where nothing is built, or what is built is not of this source.
"""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from local.invoke import built_function, main, seeded_stack
from local.lambda_runtime import BuiltFunction, InvocationError
from local.runtime_files import BUILD, SAM
from local.stack import EXPORT, FORWARD, IMPORT, INGEST, WATCH, LocalStack
from local.template import ROOT
from tests.e2e.built import BUILT, LAYER

SAMPLES = ROOT / "events"
pytestmark = BUILT


@contextmanager
def running(function: str, folder: Path) -> Iterator[tuple[BuiltFunction, LocalStack]]:
    with (
        (folder / "function.log").open("w+") as log,
        seeded_stack() as stack,
        built_function(stack, function, log) as built,
    ):
        yield built, stack


def sample(name: str) -> bytes:
    return (SAMPLES / f"{name}.json").read_bytes()


def test_ingest_answers_every_sample(tmp_path: Path) -> None:
    statuses = {
        "stored_assigned": 200,
        "stored_completed": 200,
        "already_stored": 200,
        "quarantined_conflicting_body": 200,
        "stored_failed": 200,
        "stored_base64": 200,
        "ignored": 200,
        "quarantined_unparsable": 200,
        "quarantined_wrong_tenant": 200,
        "unauthorized_missing_key": 401,
        "unauthorized_wrong_key": 401,
        "stored_large": 200,
    }
    assert {f"ingest_{name}" for name in statuses} == {p.stem for p in SAMPLES.glob("ingest_*")}

    with running(INGEST, tmp_path) as (function, _):
        answers = {name: function.invoke(sample(f"ingest_{name}")) for name in statuses}

    assert {name: answer["statusCode"] for name, answer in answers.items()} == statuses


def test_forward_answers_every_sample(tmp_path: Path) -> None:
    with running(FORWARD, tmp_path) as (function, stack):
        answers = {p.stem: function.invoke(p.read_bytes()) for p in SAMPLES.glob("forward_*")}

        assert stack.erp.on_hand(("DC01", "SKU-1")) == 7  # 10, less 2 of the sample, 1 swept

    assert answers == {
        "forward_stream_stored": {"batchItemFailures": []},
        "forward_stream_rejected": {"batchItemFailures": []},
        "forward_stream_unreadable": {
            "batchItemFailures": [{"itemIdentifier": "5528200000000021764952667"}]
        },
        "forward_sweep": {"forwarded": 2, "rejected": 0, "later": 0},
    }


@pytest.mark.parametrize("name", ["import_tick", "import_full_refresh"])
def test_import_finishes_an_import(tmp_path: Path, name: str) -> None:
    with running(IMPORT, tmp_path) as (function, stack):
        answer = function.invoke(sample(name))

        assert (answer["outcome"], answer["run"]["state"]) == ("ended", "FINALIZED")
        assert stack.newstore.on_hand(("DC01", "SKU-1")) == 9
        assert stack.newstore.completed_unreleased(("DC01", "SKU-1")) == 0


def test_the_export_s_sample_is_read_to_its_end(tmp_path: Path) -> None:
    with running(EXPORT, tmp_path) as (function, _):
        [read] = function.invoke(sample("export_written"))["files"]

    assert (read["lines"], read["stored"], read["ignored"], read["done"]) == (4, 3, 1, True)


def test_the_watch_looks_at_newstore_s_streams(tmp_path: Path) -> None:
    with running(WATCH, tmp_path) as (function, _):
        look = function.invoke(b"{}")

    assert (look["outcome"], look["faults"]) == ("looked", ["missing"])


def test_a_function_that_raises_gives_no_answer(tmp_path: Path) -> None:
    with (
        running(FORWARD, tmp_path) as (function, _),
        pytest.raises(InvocationError, match="errorType"),
    ):
        function.invoke(b'"not an event"')


def test_the_runtime_sees_nothing_but_the_build(tmp_path: Path) -> None:
    """Otherwise a dependency that nobody declared would go unnoticed."""
    code = (
        "import importlib, importlib.util, json;"
        "names = ['inventory_sync', 'boto3', 'pydantic', 'requests', 'aws_lambda_powertools'];"
        "places = [importlib.import_module(name).__file__ for name in names];"
        "print(json.dumps([places, importlib.util.find_spec('samcli') is None]))"
    )
    with running(INGEST, tmp_path) as (function, _):
        command = [str(SAM / "bin" / "python"), "-S", "-c", code]
        output = subprocess.run(command, env=function.environment, capture_output=True, check=True)

    places, sam_is_hidden = json.loads(output.stdout)
    assert all(Path(place).is_relative_to(LAYER) for place in places)
    assert sam_is_hidden


def test_the_command_prints_the_answer(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([FORWARD, str(SAMPLES / "forward_sweep.json")]) == 0

    answer: Any = json.loads(capsys.readouterr().out)
    assert answer["forwarded"] == 2


def test_nothing_is_left_in_the_build_nor_running(tmp_path: Path) -> None:
    before = sorted(BUILD.rglob("*"))

    with running(INGEST, tmp_path) as (function, _):
        function.invoke(sample("ingest_ignored"))

    assert sorted(BUILD.rglob("*")) == before
    with pytest.raises(InvocationError):
        function.invoke(b"{}")


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ([], "usage"),
        (["NoFunction", str(SAMPLES / "forward_sweep.json")], INGEST),
        ([FORWARD, "events/none.json"], "none.json"),
        ([FORWARD, str(SAMPLES / "README.md")], "README.md"),
    ],
)
def test_what_cannot_be_asked_is_said(
    arguments: list[str], named: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2

    assert named in capsys.readouterr().err
