"""The audit of what is pinned: pip-audit itself, against advisory services of this machine."""

import json
import os
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from werkzeug.wrappers import Request, Response

from cli.web_server import HttpServer
from local.template import ROOT
from tests.e2e.built import REQUIRED

PYTHON = ROOT / ".venv-audit" / "bin" / "python"
CANARY = ("requests", "2.19.0")
FINE, FOUL = ("urllib3", "2.8.0"), ("urllib3", "2.0.0")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not PYTHON.exists() and not os.environ.get(REQUIRED), reason="run `make audit` once"
    ),
]


@dataclass
class Advisories:
    """OSV's query call; `vulnerable` is what it knows of, and it fails for `broken`."""

    vulnerable: set[tuple[str, str]] = field(default_factory=lambda: {CANARY, FOUL})
    broken: tuple[str, str] | None = None
    asked: list[tuple[str, str]] = field(default_factory=list)

    def __call__(self, environ: Any, start_response: Any) -> Any:
        query = json.loads(Request(environ).get_data())
        release = query["package"]["name"], query["version"]
        self.asked.append(release)
        status = 500 if release == self.broken else 200
        body = {"vulns": [advisory(release[0])]} if release in self.vulnerable else {}
        answer = Response(json.dumps(body), status=status, mimetype="application/json")
        return answer(environ, start_response)


def advisory(name: str) -> dict[str, Any]:
    events = [{"introduced": "0"}, {"fixed": "9.9"}]
    affected = {
        "package": {"name": name, "ecosystem": "PyPI"},
        "ranges": [{"type": "ECOSYSTEM", "events": events}],
    }
    return {"id": f"PYSEC-{name}", "summary": "bad", "affected": [affected]}


@pytest.fixture
def service() -> Advisories:
    return Advisories()


@pytest.fixture
def url(service: Advisories) -> Iterator[str]:
    with HttpServer(service) as server:
        yield f"{server.base_url}/v1/query"


def locked(folder: Path, *releases: tuple[str, str]) -> Path:
    path = folder / "lock.txt"
    hashed = f" \\\n    --hash=sha256:{'0' * 64}\n"
    path.write_text("".join(f"{name}=={version}{hashed}" for name, version in releases))
    return path


def audit(lock: Path, environment: Mapping[str, str]) -> tuple[int, str]:
    own = {"PATH": os.environ["PATH"], "NO_PROXY": "127.0.0.1", "HOME": str(lock.parent)}
    done = subprocess.run(
        [PYTHON, "-m", "tools.audit", str(lock)],
        cwd=ROOT,
        env={**own, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def test_what_is_known_to_be_vulnerable_fails_with_its_remedy(tmp_path: Path, url: str) -> None:
    status, said = audit(locked(tmp_path, FINE, FOUL), {"OSV_URL": url})

    assert status == 1
    assert "urllib3 2.0.0: PYSEC-urllib3, fixed in 9.9; pinned in" in said
    assert "urllib3 2.8.0" not in said


def test_what_nothing_is_known_of_passes_and_every_release_was_asked_for(
    tmp_path: Path, url: str, service: Advisories
) -> None:
    status, said = audit(locked(tmp_path, FINE), {"OSV_URL": url, "AUDIT_REQUIRED": "true"})

    assert (status, said) == (0, "Audited 1 releases: 0 known vulnerabilities\n")
    assert service.asked == [CANARY, FINE]


@pytest.mark.parametrize(("required", "status"), [("", 0), ("true", 1)])
def test_a_service_that_cannot_be_reached_is_no_audit(
    tmp_path: Path, url: str, service: Advisories, required: str, status: int
) -> None:
    service.broken = CANARY

    answer, said = audit(locked(tmp_path, FINE), {"OSV_URL": url, "AUDIT_REQUIRED": required})

    assert answer == status
    assert said.startswith(f"NOT AUDITED: {url} could not be asked: ")


def test_a_service_that_knows_of_nothing_clears_nothing(
    tmp_path: Path, url: str, service: Advisories
) -> None:
    service.vulnerable.clear()

    status, said = audit(locked(tmp_path, FINE), {"OSV_URL": url, "AUDIT_REQUIRED": "true"})

    assert status == 1
    assert "knows of nothing wrong with requests 2.19.0, but there is" in said


def test_a_service_that_breaks_on_the_way_is_no_audit(
    tmp_path: Path, url: str, service: Advisories
) -> None:
    service.broken = FINE

    status, said = audit(locked(tmp_path, FINE), {"OSV_URL": url, "AUDIT_REQUIRED": "true"})

    assert status == 1
    assert "NOT AUDITED" in said
