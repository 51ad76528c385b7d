"""A secret that can be seen fails the test run; see tests/leaks.py."""

import os
import subprocess
import sys
from pathlib import Path

from tests.apps import ROOT
from tests.leaks import left_in, secrets_in

LEAKING = """
import logging
from pathlib import Path

KEY = "local-inbound-" + "key-0001"

def test_says_nothing():
    logging.getLogger("inventory-sync").warning("said", extra={"figures": {"key": "none"}})

def test_logs_it():
    logging.getLogger("inventory-sync").warning("said", extra={"figures": {"key": KEY}})

def test_logs_it_in_a_trace():
    try:
        raise ValueError(KEY)
    except ValueError:
        logging.getLogger("inventory-sync").exception("failed")

def test_prints_it():
    print(KEY)
"""
LEAVING = """
from pathlib import Path

def test_leaves_it():
    Path("build").mkdir()
    Path("build/some.log").write_text("local-inbound-" + "key-0001")
"""


def run(folder: Path, tests: str, *arguments: str) -> tuple[int, str]:
    (folder / "test_some.py").write_text(tests)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "tests.leaks", "--rootdir", ".", "-q", *arguments],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


def test_a_test_that_shows_a_secret_fails_and_no_other(tmp_path: Path) -> None:
    status, said = run(tmp_path, LEAKING, "-n", "1")

    assert status == 1
    assert "3 failed, 1 passed" in said
    assert said.count("logger inventory-sync: inbound-key-0001") >= 2
    assert "Captured stdout call: inbound-key-0001" in said


def test_a_run_that_leaves_a_secret_in_a_file_fails(tmp_path: Path) -> None:
    status, said = run(tmp_path, LEAVING)

    assert status == 1
    assert "some.log: inbound-key-0001" in said


def test_a_program_in_the_build_folder_may_say_what_it_likes(tmp_path: Path) -> None:
    (tmp_path / "emulator").write_bytes(b"\x7fELF Bearer prefix")
    (tmp_path / "log").write_bytes(b"x\x7fELF Bearer prefix")

    assert list(left_in(tmp_path, 0)) == [f"{tmp_path / 'log'}: Bearer prefix"]


def test_what_the_local_stack_is_given_is_known_as_secret() -> None:
    from local.aws import API_KEY, CLIENT_SECRET, ERP_TOKEN
    from local.deployed_keys import Keys
    from tests.event_bodies import KEY

    keys = Keys()
    planted = (API_KEY, CLIENT_SECRET, ERP_TOKEN, KEY, keys.api_key, keys.client_secret)
    assert all(secrets_in(f"x {secret} y") for secret in (*planted, keys.erp_token))
