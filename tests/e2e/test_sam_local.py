"""`sam local`: the command itself where there is a container engine, what SAM reads everywhere."""

import json
import socket
import subprocess
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from inventory_sync.config import Environment
from inventory_sync.domain.errors import FatalError
from local.aws import AWS_VARIABLES
from local.lambda_runtime import BuiltFunction, free_ports
from local.relay import Relay
from local.runtime_files import SAM, built_template
from local.sam_local import (
    ENV_FILE,
    HOST,
    NO_ENGINE,
    TEMPLATE,
    engine,
    main,
    reachable_at,
    served,
    write_files,
)
from local.stack import FORWARD, IMPORT, INGEST
from local.template import ROOT, Template
from tests.e2e.built import BUILT
from tests.e2e.test_invoke import SAMPLES
from tests.unit.adapters.http_support import Reply, replying

ENGINE = engine()
PARAMETERS = {
    "Tenant": "acme",
    "NewStoreBaseUrl": "http://127.0.0.1:81",
    "ErpBaseUrl": "http://127.0.0.1:82",
    "NewStoreSecretArn": "arn:newstore",
    "InboundKeysSecretArn": "arn:inbound",
    "ErpSecretArn": "arn:erp",
}
READ_BY_SAM = """
import json, sys
from samcli.commands.local.lib.local_lambda import LocalLambdaRunner
from samcli.lib.providers.api_provider import ApiProvider
from samcli.lib.providers.sam_function_provider import SamFunctionProvider
from samcli.lib.providers.sam_stack_provider import SamLocalStackProvider
template, env_file = sys.argv[1:]
stacks, _ = SamLocalStackProvider.get_stacks(template)
provider = SamFunctionProvider(stacks)
runner = LocalLambdaRunner(None, provider, ".", ".", env_vars_values=json.load(open(env_file)))
functions, routes = list(provider.get_all()), ApiProvider(stacks).api.routes
print(json.dumps({
    "variables": {f.name: runner._make_env_vars(f).resolve() for f in functions},
    "code": {f.name: [f.codeuri, *(layer.codeuri for layer in f.layers)] for f in functions},
    "routes": [[r.path, sorted(r.methods), r.function_name] for r in routes],
}))
"""


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sam-local")
    template = Template(built_template(), "local-sam", PARAMETERS)
    write_files(template, "http://127.0.0.1:80", folder)
    return folder


@pytest.fixture(scope="module")
def read(files: Path) -> Any:
    """What SAM makes of the files, without starting anything."""
    names = [str(files / TEMPLATE.name), str(files / ENV_FILE.name)]
    ended = subprocess.run(
        [SAM / "bin" / "python", "-c", READ_BY_SAM, *names],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    return json.loads(ended.stdout.splitlines()[-1])


def wait_for(port: int) -> None:
    """Until something listens there."""
    for _ in range(600):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise AssertionError("sam local start-api does not listen after a minute")


def names_in_template(name: str) -> set[str]:
    template = Template(ROOT / "template.yaml", "local-sam", PARAMETERS)
    return set(template.environment(name))


class TestFiles:
    """Of what is built."""

    pytestmark = BUILT

    def test_the_env_file_has_the_functions_and_variables_of_the_template(
        self, files: Path
    ) -> None:
        template = Template(ROOT / "template.yaml", "local-sam", PARAMETERS)
        env = json.loads((files / ENV_FILE.name).read_text())

        assert env.keys() == set(template.of_type("AWS::Serverless::Function"))
        ours = {"AWS_ENDPOINT_URL", *AWS_VARIABLES}
        for name, variables in env.items():
            assert variables.keys() - ours == names_in_template(name) - ours

    def test_sam_gives_each_function_the_variables_of_the_env_file(
        self, files: Path, read: Any
    ) -> None:
        env = json.loads((files / ENV_FILE.name).read_text())
        for name, wanted in env.items():
            given = read["variables"][name]
            assert {key: given[key] for key in wanted} == wanted
            assert given["AWS_ENDPOINT_URL"] == f"http://{HOST}:80"

    @pytest.mark.parametrize(
        ("name", "sample", "answer"),
        [
            (
                INGEST,
                "ingest_stored_completed",
                {"statusCode": 200, "body": '{"outcome": "stored"}'},
            ),
            (FORWARD, "forward_sweep", {"forwarded": 2, "rejected": 0, "later": 0}),
            (IMPORT, "import_tick", {"outcome": "ended"}),
        ],
    )
    def test_with_the_env_file_s_variables_a_function_answers(
        self, name: str, sample: str, answer: dict[str, Any], tmp_path: Path
    ) -> None:
        """In Lambda's runtime, which reaches this machine under its own name."""
        files = tmp_path / "files"
        with served("127.0.0.1", files), (tmp_path / "log").open("w+") as log:
            written = (files / ENV_FILE.name).read_text()
            env = json.loads(written.replace(HOST, "127.0.0.1"))
            template = Template(built_template(), "local-sam", PARAMETERS)
            with BuiltFunction(template, name, env[name], log) as function:
                found = function.invoke((SAMPLES / f"{sample}.json").read_bytes())
        assert {key: found[key] for key in answer} == answer

    def test_sam_finds_what_is_built_and_the_one_route(self, read: Any) -> None:
        assert all(Path(folder).is_dir() for code in read["code"].values() for folder in code)
        assert read["routes"] == [["/event", ["POST"], INGEST]]


def test_samconfig_names_the_files() -> None:
    config = tomllib.loads((ROOT / "samconfig.toml").read_text())["default"]
    for command in ("local_invoke", "local_start_api", "local_start_lambda"):
        parameters = config[command]["parameters"]
        assert parameters["template_file"] == str(TEMPLATE.relative_to(ROOT))
        assert parameters["env_vars"] == str(ENV_FILE.relative_to(ROOT))
        assert parameters["add_host"] == [f"{HOST}:host-gateway"]


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        (f"http://{HOST}:81", True),
        ("http://127.0.0.1.example.com", False),
        ("http://localhost.example.com", False),
        ("http://example.com", False),
    ],
)
def test_only_this_machine_is_called_without_tls(url: str, allowed: bool) -> None:
    env = Environment({"ERP_BASE_URL": url})
    if allowed:
        assert env.url("ERP_BASE_URL") == url
    else:
        with pytest.raises(FatalError, match="https"):
            env.url("ERP_BASE_URL")


def test_a_relay_passes_on_to_the_same_port_of_127_0_0_1() -> None:
    with replying(Reply({"fine": True})) as server:
        port = int(server.url.rpartition(":")[2])
        with Relay("127.0.0.2", port):
            answer = requests.get(f"http://127.0.0.2:{port}/x", timeout=5)
    assert answer.json() == {"fine": True}


@pytest.mark.skipif(ENGINE is not None, reason="there is a container engine")
def test_without_an_engine_it_names_what_needs_none(capsys: pytest.CaptureFixture[str]) -> None:
    assert main() == 2
    assert capsys.readouterr().err == f"{NO_ENGINE}\n"
    assert "make invoke" in NO_ENGINE


@pytest.mark.skipif(ENGINE is None, reason="no container engine answers")
class TestInContainers:
    """The commands as they are documented; the base image is fetched at the first."""

    pytestmark = BUILT

    @pytest.fixture
    def serving(self) -> Iterator[None]:
        assert ENGINE is not None
        with served(reachable_at(ENGINE)):
            yield

    def test_sam_local_invoke_answers_as_documented(self, serving: None) -> None:
        event = SAMPLES / "ingest_stored_completed.json"
        ended = subprocess.run(
            [SAM / "bin" / "sam", "local", "invoke", INGEST, "-e", event],
            capture_output=True,
            text=True,
            check=True,
            cwd=ROOT,
        )
        answer = json.loads(ended.stdout.splitlines()[-1])
        assert (answer["statusCode"], json.loads(answer["body"])) == (200, {"outcome": "stored"})

    def test_sam_local_start_api_answers_as_documented(self, serving: None) -> None:
        event = json.loads((SAMPLES / "ingest_stored_completed.json").read_text())
        [port] = free_ports(1)
        command = [str(SAM / "bin" / "sam"), "local", "start-api", "-p", str(port)]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL) as api:
            try:
                wait_for(port)
                answer = requests.post(
                    f"http://127.0.0.1:{port}/event",
                    data=event["body"],
                    headers={"Authorization": event["headers"]["Authorization"]},
                    timeout=120,
                )
            finally:
                api.terminate()
        assert (answer.status_code, answer.json()) == (200, {"outcome": "stored"})
