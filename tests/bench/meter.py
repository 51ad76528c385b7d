"""Counts capacity units by what the engine itself answers, between the functions and the engine.

dynoxide, since it counts a local index's writes as DynamoDB documents them (a put into the index,
an update of what it projects, a removal; nothing where what it projects stays); moto does not.
"""

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import Any
from urllib.parse import urlsplit

WRITES = {"PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "TransactWriteItems"}
READS = {"GetItem", "BatchGetItem", "Query", "Scan", "TransactGetItems"}


@dataclass
class Units:
    """Since the last `take`, by operation and table."""

    writes: Counter[tuple[str, str]] = field(default_factory=Counter)
    reads: Counter[tuple[str, str]] = field(default_factory=Counter)
    refused: int = 0
    """Conditional writes that were refused: AWS bills them, their answers do not say how much."""

    def __sub__(self, other: "Units") -> "Units":
        writes, reads = Counter(self.writes), Counter(self.reads)
        writes.subtract(other.writes)
        reads.subtract(other.reads)
        return Units(writes, reads, self.refused - other.refused)


class Meter:
    """The proxy's memory."""

    def __init__(self) -> None:
        self._units = Units()
        self._lock = Lock()

    def note(self, operation: str, status: int, answer: dict[str, Any]) -> None:
        """One call's answer."""
        with self._lock:
            if status != 200:
                self._units.refused += "ConditionalCheckFailed" in str(answer.get("__type"))
                return
            counter = self._units.writes if operation in WRITES else self._units.reads
            consumed = answer.get("ConsumedCapacity", [])
            for entry in consumed if isinstance(consumed, list) else [consumed]:
                table = entry["TableName"].rpartition("-")[2]
                counter[operation, table] += entry["CapacityUnits"]

    def take(self) -> Units:
        """What has come together, and begin anew."""
        with self._lock:
            taken, self._units = self._units, Units()
        return taken


@contextmanager
def metered(endpoint_url: str) -> Iterator[tuple[str, Meter]]:
    """A URL in front of the engine's, and what passes through it."""
    meter, engine = Meter(), urlsplit(endpoint_url)

    class Proxy(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            operation = self.headers.get("X-Amz-Target", "").rpartition(".")[2]
            counted = operation in WRITES | READS
            if counted:
                asked = {**json.loads(body), "ReturnConsumedCapacity": "INDEXES"}
                body = json.dumps(asked).encode()
            status, headers, answer = self._forward(body)
            if counted:
                meter.note(operation, status, json.loads(answer))
            self.send_response(status)
            for name, value in headers:
                if name.lower() not in {"content-length", "transfer-encoding", "connection"}:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def _forward(self, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
            connection = HTTPConnection(engine.hostname or "", engine.port, timeout=30)
            kept = {
                name: value
                for name, value in self.headers.items()
                if name.lower() not in {"content-length", "host", "connection"}
            }
            connection.request("POST", "/", body, kept)
            answer = connection.getresponse()
            content = answer.read()
            connection.close()
            return answer.status, answer.getheaders(), content

        def log_message(self, *_: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Proxy)
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", meter
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
