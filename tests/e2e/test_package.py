"""`make package`: what is built goes into a bucket whole, and its template needs no checkout."""

import io
import os
import subprocess
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from local.aws import AWS_VARIABLES, Aws, embedded_aws, served_over_http
from local.template import REGION, ROOT
from local.template_file import read_template
from tests.e2e.built import BUILT
from tests.template.test_template import FUNCTIONS, RESOURCES, TEMPLATE

pytestmark = BUILT

BUCKET = "packages"
URI = f"s3://{BUCKET}/"
CODE = {**dict.fromkeys(FUNCTIONS, "CodeUri"), "InventorySyncLayer": "ContentUri"}


@dataclass(frozen=True)
class Packaged:
    """The template that was written, and what the bucket has."""

    template: dict[str, Any]
    aws: Aws

    def names(self, uri: str) -> list[str]:
        """The files in an archive of the bucket."""
        body = self.aws.s3.get_object(Bucket=BUCKET, Key=uri.removeprefix(URI))["Body"].read()
        return zipfile.ZipFile(io.BytesIO(body)).namelist()


def recipe_of(target: str, bucket: str, output: Path) -> str:
    """The line that does it, as `make` hands it to the shell."""
    recipe = (ROOT / "Makefile").read_text("utf-8").partition(f"\n{target}:")[2].split("\n\n")[0]
    [line] = [line.strip() for line in recipe.splitlines() if "sam package" in line]
    return line.replace("$(BUCKET)", bucket).replace("build/packaged.yaml", str(output))


@pytest.fixture(scope="module")
def packaged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Packaged]:
    output = tmp_path_factory.mktemp("package") / "packaged.yaml"
    with embedded_aws(AWS_VARIABLES) as aws, served_over_http() as url:
        location: Any = {"LocationConstraint": REGION}
        aws.s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration=location)
        own = {"AWS_ENDPOINT_URL": url, "SAM_CLI_TELEMETRY": "0"}
        subprocess.run(
            ["sh", "-c", recipe_of("package", BUCKET, output)],
            cwd=ROOT,
            env={**os.environ, **AWS_VARIABLES, **own},
            check=True,
            capture_output=True,
        )
        yield Packaged(read_template(output), aws)


@pytest.mark.parametrize("name", CODE)
def test_the_code_is_in_the_bucket_with_its_bytecode(packaged: Packaged, name: str) -> None:
    uri = packaged.template["Resources"][name]["Properties"][CODE[name]]
    names = packaged.names(uri)

    assert uri.startswith(f"{URI}inventory-sync/")
    assert {path.rpartition(".")[2] for path in names} >= {"py", "pyc"}
    main = "python/inventory_sync/config.py" if name == "InventorySyncLayer" else "app.py"
    assert main in names


def test_nothing_else_of_the_template_has_changed(packaged: Packaged) -> None:
    assert packaged.template["Parameters"] == TEMPLATE["Parameters"]
    assert packaged.template["Rules"] == TEMPLATE["Rules"]
    assert packaged.template["Resources"].keys() == RESOURCES.keys()
    for name, resource in packaged.template["Resources"].items():
        changed = {CODE[name]} if name in CODE else set()
        for key, value in RESOURCES[name].get("Properties", {}).items():
            assert key in changed or resource["Properties"][key] == value, (name, key)


def test_what_the_repository_shows_is_in_the_bucket(packaged: Packaged) -> None:
    application = packaged.template["Metadata"]["AWS::ServerlessRepo::Application"]

    for url, file in {"LicenseUrl": "LICENSE", "ReadmeUrl": "README.md"}.items():
        key = application[url].removeprefix(URI)
        body = packaged.aws.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()
        assert body == (ROOT / file).read_bytes()
