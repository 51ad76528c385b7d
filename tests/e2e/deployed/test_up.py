"""`make local`: what it prints works, and it stops cleanly."""

import json
import shlex
import signal
import subprocess
from itertools import pairwise
from typing import Any

import pytest
import requests

from local.template import ROOT
from local.up import FOLDER, SETTINGS

SECONDS = 30


def read_until_ready(process: subprocess.Popen[str]) -> list[str]:
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line.rstrip("\n"))
        if line.startswith("Ready"):
            return lines
    raise AssertionError("\n".join(lines))


def obey(command: str) -> requests.Response:
    """Do what the curl line says, without curl."""
    words = shlex.split(command)
    headers = dict(h.split(": ", 1) for f, h in pairwise(words) if f == "-H")
    body = words[words.index("-d") + 1] if "-d" in words else None
    certificate: Any = words[words.index("--cacert") + 1] if "--cacert" in words else True
    return requests.request(
        "POST" if body else "GET",
        words[-1],
        data=body,
        headers=headers,
        timeout=SECONDS,
        verify=certificate,
    )


def test_every_line_it_prints_does_what_it_says(left_running: subprocess.Popen[str]) -> None:
    lines = read_until_ready(left_running)
    commands = [line for line in lines if line.startswith("curl ")]

    statuses = [obey(command).status_code for command in commands]

    assert statuses == [*[200] * 10, 401, 200, 200], lines
    assert (FOLDER / "certificate.pem").is_file()
    operator = ".venv/bin/python -m cli status --json"
    command = [
        "bash",
        "-c",
        f"{lines[lines.index(f'. {SETTINGS.relative_to(ROOT)}')]} && {operator}",
    ]
    told = subprocess.run(  # our own command
        command, cwd=ROOT, capture_output=True, text=True, timeout=2 * SECONDS, check=False
    )
    assert json.loads(told.stdout)["stream"]["status"] == "running", told

    left_running.send_signal(signal.SIGINT)
    rest, _ = left_running.communicate(timeout=SECONDS)
    assert (left_running.returncode, rest) == (0, "Stopping.\n")
    with pytest.raises(requests.ConnectionError):
        obey(commands[-1])
