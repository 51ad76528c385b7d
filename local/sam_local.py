"""`make sam-local`: what `sam local` needs, and the local AWS and simulators its functions call.

SAM gives a function only variables that the template declares, and resolves no `!Ref` or `!If` to a
value. So a template of its own declares every variable, and an env file has the values. Exit code
0, 2 where there is no container engine or nothing is built.
"""

from __future__ import annotations

import json
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from local.aws import AWS_VARIABLES, served_over_http
from local.invoke import seeded_stack
from local.relay import Relay
from local.runtime_files import BUILD, NotBuiltError, built_template
from local.stack import API
from local.template import ROOT, Template

FOLDER = ROOT / "build" / "sam-local"
TEMPLATE, ENV_FILE = FOLDER / "template.json", FOLDER / "env.json"
"""Named in samconfig.toml, so that `sam local` finds them by itself."""
HOST = "host.docker.internal"
"""What a container calls this machine."""
ENGINES = ("docker", "podman", "nerdctl")
ENGINE_SECONDS_MAX = 20
NO_ENGINE = (
    "No container engine answers (docker, podman, nerdctl), and `sam local` needs one;"
    " `make invoke FUNCTION=<Function> EVENT=events/<event>.json` does the same without"
)
_TAKEN = ("Runtime", "Handler", "Architectures", "MemorySize", "Timeout", "Layers")


def engine() -> str | None:
    """The container engine that answers; None where there is none."""
    for name in ENGINES:
        if (program := shutil.which(name)) and _output(program, "info") is not None:
            return program
    return None


def _output(*command: str) -> str | None:
    try:
        ended = subprocess.run(  # noqa: S603  # an engine's own program
            command, capture_output=True, text=True, timeout=ENGINE_SECONDS_MAX, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return ended.stdout.strip() if ended.returncode == 0 else None


def reachable_at(program: str) -> str:
    """Our address for containers: the bridge's on Linux, else what an engine leads to 127.0.0.1."""
    gateway = _output(
        program, "network", "inspect", "bridge", "--format", "{{(index .IPAM.Config 0).Gateway}}"
    )
    try:
        with socket.create_server((gateway or "", 0)) if gateway else socket.socket():
            return gateway or "127.0.0.1"
    except OSError:
        return "127.0.0.1"


def variables_of(template: Template, name: str, aws_url: str) -> dict[str, str]:
    """A function's variables as a container has to have them."""
    own = template.environment(name)
    values = {**own, **AWS_VARIABLES, "AWS_ENDPOINT_URL": aws_url}
    return {key: _from_container(value) for key, value in values.items()}


def _from_container(value: str) -> str:
    url = urlsplit(value)
    if url.scheme != "http" or url.hostname != "127.0.0.1":
        return value
    return url._replace(netloc=f"{HOST}:{url.port}").geturl()


def template_of(template: Template, variables: Mapping[str, Mapping[str, str]]) -> dict[str, Any]:
    """Functions, layer and API, without anything that SAM would have to resolve."""
    resources: dict[str, Any] = {
        API: {"Type": "AWS::Serverless::Api", "Properties": {"StageName": "prod"}}
    }
    for layer in template.of_type("AWS::Serverless::LayerVersion"):
        content = str(BUILD / template.properties(layer)["ContentUri"])
        resources[layer] = {
            "Type": "AWS::Serverless::LayerVersion",
            "Properties": {"ContentUri": content},
        }
    for name, values in variables.items():
        properties = template.function(name)
        events = properties.get("Events", {})
        resources[name] = {
            "Type": "AWS::Serverless::Function",
            "Properties": {
                **{key: properties[key] for key in _TAKEN},
                "CodeUri": str(BUILD / properties["CodeUri"]),
                "Environment": {"Variables": dict.fromkeys(values, "")},
                "Events": {k: event for k, event in events.items() if event["Type"] == "Api"},
            },
        }
    return {"Transform": "AWS::Serverless-2016-10-31", "Resources": resources}


def write_files(template: Template, aws_url: str, folder: Path = FOLDER) -> None:
    """The template and the env file."""
    names = template.of_type("AWS::Serverless::Function")
    variables = {name: variables_of(template, name, aws_url) for name in names}
    folder.mkdir(parents=True, exist_ok=True)
    (folder / ENV_FILE.name).write_text(json.dumps(variables, indent=2) + "\n", "utf-8")
    content = json.dumps(template_of(template, variables), indent=2) + "\n"
    (folder / TEMPLATE.name).write_text(content, "utf-8")


@contextmanager
def served(address: str, folder: Path = FOLDER) -> Iterator[None]:
    """The local stack, within reach of containers; the files say where."""
    with ExitStack() as exits:
        stack = exits.enter_context(seeded_stack())
        aws_url = exits.enter_context(served_over_http())
        built = Template(built_template(), stack.template.stack_name, stack.template.parameters)
        for url in (aws_url, stack.newstore_url, stack.erp_url):
            if address != "127.0.0.1":
                exits.enter_context(Relay(address, urlsplit(url).port or 80))
        write_files(built, aws_url, folder)
        exits.callback(shutil.rmtree, folder, ignore_errors=True)
        yield


def main() -> int:
    """Serve until Ctrl-C."""
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    program = engine()
    if program is None:
        print(NO_ENGINE, file=sys.stderr)
        return 2
    try:
        with served(reachable_at(program)):
            print(
                "Ready. In another shell:\n"
                "    sam local invoke IngestEventFunction -e events/ingest_stored_completed.json\n"
                "    sam local start-api\n"
                "sam is .venv-sam/bin/sam where you have no other. Ctrl-C stops it all.",
                flush=True,
            )
            stopped.wait()
    except NotBuiltError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
