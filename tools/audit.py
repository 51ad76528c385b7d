"""`python -m tools.audit [LOCK_FILE...]`: does anything that is pinned have a known vulnerability?

pip-audit asks OSV, the open database of advisories, or the mirror of it that OSV_URL names. It is
first asked about a release that is known to be vulnerable: a service that has nothing on that one,
or cannot be reached, clears nothing. That is a failure where AUDIT_REQUIRED is set, and said
elsewhere (docs/decisions/0023-an-audit-that-could-not-ask-says-so.md).
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from tools.pins import ROOT, Pin, by_pin, lock_files

OSV_URL = "https://api.osv.dev/v1/query"
KNOWN_VULNERABLE = Pin("requests", "2.19.0")  # CVE-2018-18074
ANSWER_SECONDS_MAX = 10


class Finding(NamedTuple):
    """A release and an advisory that it is affected by."""

    pin: Pin
    advisory: str
    fixed_in: str


class NotAuditedError(Exception):
    """The service did not say anything that can be relied on."""


def main(arguments: list[str], environment: Mapping[str, str]) -> int:
    """The exit status: 1 for a vulnerability, or for no audit where there must be one."""
    paths = by_pin(map(Path, arguments) if arguments else lock_files())
    url = environment.get("OSV_URL") or OSV_URL
    try:
        prove(url)
        findings = [finding for pins in one_of_each_name(paths) for finding in ask(pins, url)]
    except NotAuditedError as error:
        print(f"NOT AUDITED: {error}")
        return 1 if environment.get("AUDIT_REQUIRED") else 0
    for pin, advisory, fixed_in in findings:
        files = ", ".join(os.path.relpath(path, ROOT) for path in paths[pin])
        print(f"{pin.name} {pin.version}: {advisory}, fixed in {fixed_in}; pinned in {files}")
    print(f"Audited {len(paths)} releases: {len(findings)} known vulnerabilities")
    return 1 if findings else 0


def prove(url: str) -> None:
    """NotAuditedError unless the service finds what there is to find."""
    if not ask([KNOWN_VULNERABLE], url):
        name, version = KNOWN_VULNERABLE
        raise NotAuditedError(f"{url} knows of nothing wrong with {name} {version}, but there is")


def one_of_each_name(pins: Iterable[Pin]) -> Iterator[list[Pin]]:
    """Lists in which each name stands once: pip-audit takes no other."""
    rounds: list[dict[str, Pin]] = []
    for pin in pins:
        free = next((taken for taken in rounds if pin.name not in taken), None)
        if free is None:
            rounds.append(free := {})
        free[pin.name] = pin
    for taken in rounds:
        yield list(taken.values())


def ask(pins: list[Pin], url: str) -> list[Finding]:
    """What the service knows of each of them; NotAuditedError if it left one out."""
    answers: dict[tuple[str, str], list[dict[str, Any]]] = {
        (answer["name"], answer["version"]): answer["vulns"]
        for answer in _pip_audit(pins, url)
        if "vulns" in answer
    }
    left_out = [f"{pin.name} {pin.version}" for pin in pins if pin not in answers]
    if left_out:
        raise NotAuditedError(f"{url} did not answer for {', '.join(left_out)}")
    return [
        Finding(pin, vulnerability["id"], ", ".join(vulnerability["fix_versions"]) or "no release")
        for pin in pins
        for vulnerability in answers[pin]
    ]


def _pip_audit(pins: list[Pin], url: str) -> list[dict[str, Any]]:
    command = [
        *(sys.executable, "-m", "pip_audit", "--format", "json", "--progress-spinner", "off"),
        *("--vulnerability-service", "osv", "--osv-url", url),
        *("--timeout", str(ANSWER_SECONDS_MAX), "--no-deps", "--disable-pip"),
    ]
    with tempfile.TemporaryDirectory() as folder:
        listed = Path(folder, "requirements.txt")
        listed.write_text("".join(f"{name}=={version}\n" for name, version in pins), "utf-8")
        done = subprocess.run(  # noqa: S603  # every part of the command is ours
            [*command, "--requirement", str(listed)],
            capture_output=True,
            text=True,
            check=False,
        )
    try:
        dependencies: list[dict[str, Any]] = json.loads(done.stdout)["dependencies"]
    except ValueError:
        reason = (done.stderr.strip() or "no answer").splitlines()[-1]
        raise NotAuditedError(f"{url} could not be asked: {reason}") from None
    return dependencies


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:], os.environ))
