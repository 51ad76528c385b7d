"""A real HTTP server on this machine that answers as told, and what calls to it need."""

import json
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import requests
from moto import mock_aws

from inventory_sync.adapters.aws.secrets import Secrets
from inventory_sync.adapters.http.client import JsonHttp
from inventory_sync.adapters.http.request import HttpLimits
from tests.aws import aws_session
from tests.fakes.clock import FakeClock

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
LIMITS = HttpLimits(read_seconds=10, attempts_max=3, body_bytes_max=200_000)
IMPATIENT = replace(LIMITS, read_seconds=0.3)
"""For calls that nobody answers."""
BLOCKING = replace(LIMITS, blocked_seconds=300)
"""For a system that blocks addresses, as NewStore does."""
STUBBORN = replace(IMPATIENT, attempts_max=10)
"""Also gets an answer from a machine under load."""


class StandingClock(FakeClock):
    """Moves only when somebody sleeps; keeps for how long."""

    def __init__(self) -> None:
        super().__init__(NOON)
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        super().sleep(seconds)


@dataclass(frozen=True)
class Reply:
    """`body` other than bytes is sent as JSON."""

    body: object = field(default_factory=dict)
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    silent: bool = False
    """Say nothing until the client has gone."""
    cut: bool = False
    """Reset the connection instead of answering."""


@dataclass(frozen=True)
class Call:
    """What the server was sent."""

    method: str
    path: str
    query: dict[str, str]
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def form(self) -> dict[str, str]:
        return {name: values[0] for name, values in parse_qs(self.body.decode()).items()}

    @property
    def bearer(self) -> str:
        return self.headers.get("Authorization", "").removeprefix("Bearer ")


class LocalServer:
    """Answers with `answer(call)`; keeps the calls."""

    def __init__(self, answer: Callable[[Call], Reply]) -> None:
        self.calls: list[Call] = []
        self._answer = answer
        self._gone = threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1  # an answer in one packet

            def do_GET(self) -> None:
                outer._serve(self)

            do_POST = do_PATCH = do_DELETE = do_GET  # noqa: N815 - http.server looks for them

            def log_message(self, format: str, *args: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def secure(self, certificate: Path) -> None:
        """From now on speak TLS, with this key and certificate."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)

    def _serve(self, handler: BaseHTTPRequestHandler) -> None:
        length = int(handler.headers.get("Content-Length", 0))
        parts = urlsplit(handler.path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        body = handler.rfile.read(length)
        call = Call(handler.command, parts.path, query, dict(handler.headers.items()), body)
        self.calls.append(call)
        reply = self._answer(call)
        if reply.silent:
            self._gone.wait(5)
        if reply.silent or reply.cut:
            handler.close_connection = True
            linger = struct.pack("ii", 1, 0)
            handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            return
        raw = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
        headers = {"Content-Type": "application/json", "Content-Length": str(len(raw))}
        handler.send_response(reply.status)
        for name, value in {**headers, **reply.headers}.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(raw)
        if reply.headers.get("Content-Length", str(len(raw))) != str(len(raw)):
            handler.close_connection = True

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._gone.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def replying(*replies: Reply) -> LocalServer:
    """These replies in turn; the last one for every further call."""
    waiting = list(replies)
    return LocalServer(lambda _: waiting.pop(0) if len(waiting) > 1 else waiting[0])


@contextmanager
def json_http(clock: StandingClock, limits: HttpLimits = LIMITS) -> Iterator[JsonHttp]:
    """A client whose jitter is half of what it may be."""
    with requests.Session() as session:
        yield JsonHttp(clock, limits, lambda: 0.5, session)


@cache
def _secrets_manager() -> "SecretsManagerClient":
    """Slow to make; moto sees to it that no call leaves the process."""
    return aws_session().client("secretsmanager")


class SecretsAccount:
    """A Secrets Manager (moto's) with one secret in it."""

    def __init__(self, content: object) -> None:
        self.client = _secrets_manager()
        text = content if isinstance(content, str) else json.dumps(content)
        name = f"credentials-{uuid4()}"
        self.arn = self.client.create_secret(Name=name, SecretString=text)["ARN"]

    def put(self, content: object) -> None:
        """Rotate it."""
        self.client.put_secret_value(SecretId=self.arn, SecretString=json.dumps(content))

    def secrets(self, clock: StandingClock) -> Secrets:
        return Secrets(self.client, clock)


@contextmanager
def secrets_account(content: object) -> Iterator[SecretsAccount]:
    """For as long as the block runs."""
    with mock_aws():
        yield SecretsAccount(content)
