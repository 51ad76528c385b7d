"""A local AWS in a process of its own (ministack), as strict as it can be.

It speaks TLS only, lets callers do what their IAM policies say and nothing else, and notes every
call. Nothing outlives it.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import requests

from local.aws import AWS_VARIABLES
from local.certificate import make_certificate
from local.lambda_runtime import free_ports
from local.runtime_files import NotBuiltError
from local.template import ACCOUNT, REGION, ROOT

PROGRAM = ROOT / ".venv-e2e" / "bin" / "ministack"
START_SECONDS_MAX = 60
STOP_SECONDS_MAX = 2
RETRIES_WAIT = "0.1"
"""Of what a state machine says: a state that is tried again sooner fails no differently."""
ROOT_SECRET = "local"
MEMORY = Path("/dev/shm")  # noqa: S108  # nosec B108  # a folder of its own is made in it
SCRATCH_BYTES_MIN = 4 * 1024**3
TURN = Path(tempfile.gettempdir()) / "local-aws.lock"
"""Two that start at once both reach for port 443, and one of them ends."""


class LocalAwsError(Exception):
    """It did not start; the text names the log."""


@dataclass(frozen=True)
class LocalAws:
    """Where it is, and the keys of an account's root, whose id they begin with."""

    url: str
    certificate: Path
    folder: Path

    def variables(self, account: str = ACCOUNT) -> dict[str, str]:
        """What an AWS client of any kind needs in its environment."""
        return {
            **AWS_VARIABLES,
            "AWS_ACCESS_KEY_ID": account,
            "AWS_SECRET_ACCESS_KEY": ROOT_SECRET,
            "AWS_ENDPOINT_URL": self.url,
            "AWS_CA_BUNDLE": str(self.certificate),
        }

    def client(self, service: str, account: str = ACCOUNT) -> Any:
        """A client with the rights of the account's root."""
        return self.client_of(service, account, ROOT_SECRET)

    def client_of(self, service: str, access_key_id: str, secret_access_key: str) -> Any:
        """A client with the rights of whoever has the key."""
        session: Any = boto3.Session()
        return session.client(
            service,
            region_name=REGION,
            endpoint_url=self.url,
            verify=str(self.certificate),
            aws_access_key_id=access_key_id,
            aws_secret_access_key=secret_access_key,
        )


@contextmanager
def ministack(folder: Path) -> Iterator[LocalAws]:
    """Up until the block ends. Its log stays in `folder`, what it unpacks does not."""
    if not PROGRAM.exists():
        raise NotBuiltError(f"{PROGRAM} is missing: run `make .venv-e2e/.installed`")
    folder.mkdir(parents=True, exist_ok=True)
    unpacked = _scratch(folder)
    certificate = make_certificate(folder)
    [port] = free_ports(1)
    aws = LocalAws(f"https://127.0.0.1:{port}", certificate.certificate, folder)
    settings = {
        "GATEWAY_PORT": str(port),
        "BIND_HOST": "127.0.0.1",
        "MINISTACK_HOST": "localhost",
        "MINISTACK_REGION": REGION,
        "MINISTACK_ACCOUNT_ID": ACCOUNT,
        "USE_SSL": "1",
        "MINISTACK_SSL_CERT": str(certificate.certificate),
        "MINISTACK_SSL_KEY": str(certificate.key),
        "AUTH": "true",
        "CLOUDTRAIL_RECORDING": "1",
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "SFN_WAIT_SCALE": RETRIES_WAIT,
        "TMPDIR": str(unpacked),
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(folder),
    }
    with TURN.open("w") as turn, (folder / "ministack.log").open("w", encoding="utf-8") as log:
        fcntl.flock(turn, fcntl.LOCK_EX)
        process = subprocess.Popen(  # noqa: S603  # our own program
            [str(PROGRAM)],
            cwd=folder,
            env={**aws.variables(), **settings},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            _await_start(aws, process)
            fcntl.flock(turn, fcntl.LOCK_UN)
            yield aws
        finally:
            _stop(process)
            shutil.rmtree(unpacked, ignore_errors=True)


def _scratch(folder: Path) -> Path:
    """Of its own; in memory where there is room: tens of thousands of files come and go."""
    in_memory = MEMORY.is_dir() and os.access(MEMORY, os.W_OK)
    roomy = in_memory and shutil.disk_usage(MEMORY).free > SCRATCH_BYTES_MIN
    return Path(tempfile.mkdtemp(prefix="ministack-", dir=MEMORY if roomy else folder))


def _await_start(aws: LocalAws, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS_MAX
    while time.monotonic() < deadline and process.poll() is None:
        try:
            health = f"{aws.url}/_ministack/health"
            if requests.get(health, timeout=5, verify=str(aws.certificate)).ok:
                return
        except requests.RequestException:
            time.sleep(0.1)
    raise LocalAwsError(f"the local AWS did not start; see {aws.folder / 'ministack.log'}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    """The program and the functions it runs: they are one process group."""
    for signal_number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, signal_number)
            process.wait(STOP_SECONDS_MAX)
        except (ProcessLookupError, subprocess.TimeoutExpired):
            continue
