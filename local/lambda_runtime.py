"""A built function in the real Lambda runtime: its Python, its client, the interface emulator.

All of it comes from .venv-sam: the emulator and the client are packages there. The function sees
its own folder, its layers, the standard library and the runtime's client, and nothing else, so
that a dependency nobody declared is missed here as it would be in Lambda.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self, TextIO

import requests

from local.runtime_files import BUILD, SAM, NotBuiltError, emulator, runtime_client
from local.template import Template

START_SECONDS_MAX = 20
STOP_SECONDS_MAX = 5
INVOKE_SECONDS_MAX = 120
"""How long we wait; the function itself is told its own time-out."""


class InvocationError(Exception):
    """The function gave no answer that is one: it raised, ran out of time, or did not start."""


class BuiltFunction:
    """One function, running until the block ends; what it logs goes to `log`."""

    def __init__(
        self, template: Template, logical_id: str, variables: Mapping[str, str], log: TextIO
    ) -> None:
        properties = template.function(logical_id)
        self._folder = BUILD / properties["CodeUri"]
        layers = [template.properties(layer["Ref"]) for layer in properties["Layers"]]
        paths = [self._folder, *(BUILD / layer["ContentUri"] / "python" for layer in layers)]
        missing = [str(path) for path in paths if not path.is_dir()]
        if missing:
            raise NotBuiltError(f"{', '.join(missing)} is missing: run `make build`")
        self._handler = properties["Handler"]
        self._log = log
        self._port, self._api_port = free_ports(2)
        self.environment = {
            **variables,
            "AWS_LAMBDA_FUNCTION_NAME": template.physical_id(logical_id),
            "AWS_LAMBDA_FUNCTION_TIMEOUT": str(properties["Timeout"]),
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(properties["MemorySize"]),
            "LAMBDA_TASK_ROOT": str(self._folder),
            "PATH": os.defpath,
            "PYTHONPATH": os.pathsep.join(map(str, [*paths, runtime_client()])),
            # As in Lambda, whose file system is read-only: what was built serves, nothing is added.
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        # -S: no site-packages. The addresses: without them it listens on every interface.
        command = [
            str(emulator()),
            f"--runtime-interface-emulator-address=127.0.0.1:{self._port}",
            f"--runtime-api-address=127.0.0.1:{self._api_port}",
            *(str(SAM / "bin" / "python"), "-S", "-m", "awslambdaric", self._handler),
        ]
        self._process = subprocess.Popen(  # noqa: S603  # every part of the command is ours
            command,
            cwd=self._folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            self._await_start(self._process)
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop()

    def invoke(self, event: bytes) -> Any:
        """The answer; InvocationError where it is an error, or no JSON (a time-out's text)."""
        url = f"http://127.0.0.1:{self._port}/2015-03-31/functions/function/invocations"
        try:
            answer = requests.post(url, data=event, timeout=INVOKE_SECONDS_MAX)
        except requests.RequestException as error:
            raise InvocationError(f"no answer from the runtime: {type(error).__name__}") from error
        try:
            parsed: Any = json.loads(answer.content)
        except ValueError as error:
            raise InvocationError(f"{answer.status_code} {answer.text.strip()}") from error
        if answer.status_code != 200 or (isinstance(parsed, dict) and "errorType" in parsed):
            raise InvocationError(json.dumps(parsed, indent=2))
        return parsed

    def _await_start(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + START_SECONDS_MAX
        while time.monotonic() < deadline:
            if process.poll() is not None:
                raise InvocationError(f"the emulator ended with {process.returncode}; see the log")
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self._port)) == 0:
                    return
            time.sleep(0.02)
        raise InvocationError(f"the emulator did not start within {START_SECONDS_MAX} s")

    def _stop(self) -> None:
        """The emulator and the function it started: they are one process group."""
        if self._process is None:
            return
        for signal_number in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(self._process.pid, signal_number)
                self._process.wait(STOP_SECONDS_MAX)
            except (ProcessLookupError, subprocess.TimeoutExpired):
                continue
        self._process = None


def free_ports(count: int) -> list[int]:
    """Ports of 127.0.0.1 that nobody listens on."""
    probes = [socket.socket() for _ in range(count)]
    try:
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]
    finally:
        for probe in probes:
            probe.close()
