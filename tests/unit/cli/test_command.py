"""What all commands share: the table they work on, exit codes, help."""

import json
import os
from collections.abc import Iterator

import click
import pytest
from click.testing import CliRunner

from cli.main import main
from inventory_sync.adapters.dynamodb.audit import AuditedTable, Author, Change
from inventory_sync.domain.errors import RejectedError
from tests.unit.cli.conftest import NOW, Shell


def commands(group: click.Group, *path: str) -> Iterator[tuple[str, click.Command]]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands(command, *path, name)
        else:
            yield " ".join([*path, name]), command


COMMANDS = dict(commands(main))


@pytest.mark.parametrize("path", COMMANDS)
def test_every_help_has_an_example_of_its_command(path: str) -> None:
    assert f"Example: inventory-sync {path}" in (COMMANDS[path].help or "")


@pytest.mark.parametrize("path", COMMANDS)
def test_every_command_can_name_its_table_and_answer_in_json(path: str) -> None:
    options = {option for parameter in COMMANDS[path].params for option in parameter.opts}

    assert {"--table", "--stack", "--json"} <= options


@pytest.mark.parametrize(
    ("words", "env"),
    [
        (["--table", "StateTable"], {}),
        ([], {"STATE_TABLE": "StateTable"}),
        (["--stack", "inventory-sync"], {}),
        ([], {}),
        (["--table", "StateTable", "--stack", "other"], {}),
    ],
)
def test_the_table_is_named_or_found_in_the_stack(
    shell: Shell, words: list[str], env: dict[str, str]
) -> None:
    assert shell.run("locations", "list", *words, **env).exit_code == 0


@pytest.mark.parametrize("words", [["--table", "Missing"], ["--stack", "missing"]])
def test_trouble_with_aws_is_exit_code_3(shell: Shell, words: list[str]) -> None:
    result = shell.run("locations", "list", *words)

    assert result.exit_code == 3
    assert words[1] in result.output or "state table" in result.output
    assert "failed" in json.loads(shell.run("locations", "list", "--json", *words).stdout)


@pytest.mark.parametrize(
    ("env", "named"),
    [({}, "region"), ({"AWS_DEFAULT_REGION": "eu-west-1"}, "credentials")],
)
def test_a_shell_that_is_not_logged_in_is_told_what_is_missing(
    env: dict[str, str], named: str
) -> None:
    nothing = dict.fromkeys([name for name in os.environ if name.startswith("AWS_")])
    files = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
    variables = {**nothing, **files, "AWS_EC2_METADATA_DISABLED": "true", **env}

    result = CliRunner().invoke(main, ["holds", "list", "--table", "any"], env=variables)

    assert result.exit_code == 3
    assert f"no AWS {named}" in result.output


def test_a_missing_file_is_wrong_usage(shell: Shell) -> None:
    assert shell.run("locations", "load", "missing.csv").exit_code == 2


def test_a_refusal_can_be_read_by_a_script(shell: Shell) -> None:
    path = shell.file("location_id,enabled", "A,perhaps")

    result = shell.run("locations", "load", path, "--json")

    (problem,) = json.loads(result.stdout)["refused"]
    assert (result.exit_code, problem["line"], problem["column"]) == (1, 2, "enabled")


def test_a_change_of_what_somebody_else_just_changed_is_refused(shell: Shell) -> None:
    author = Author(who="ada", command="test", why="", at=NOW)
    shell.state.put("product", "P", "changed meanwhile")
    stale = Change(kind="product", item_id="P", before="as I saw it", after="S")

    with pytest.raises(RejectedError):
        AuditedTable(shell.state).apply([stale], author)

    assert shell.store.skus() == {"P": "changed meanwhile"}
    assert not shell.audit


@pytest.mark.parametrize("words", [["--table", "Missing"], ["--stack", "missing"]])
def test_trouble_with_aws_names_region_and_stack(shell: Shell, words: list[str]) -> None:
    told = shell.run("locations", "list", *words, AWS_DEFAULT_REGION="eu-west-1").output

    stack = words[1] if words[0] == "--stack" else "inventory-sync"
    assert f"(eu-west-1, stack {stack})" in told


def test_a_stack_that_is_not_there_is_told_by_its_remedy(shell: Shell) -> None:
    told = shell.run("locations", "list", "--stack", "missing").output

    assert "there is no stack missing with a StateTable here; name another by --stack" in told


def test_the_region_may_be_named_as_for_the_aws_cli() -> None:
    names = [name for name in os.environ if name.startswith("AWS_")]
    variables = {**dict.fromkeys(names), "AWS_EC2_METADATA_DISABLED": "true"}
    files = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
    region = {"AWS_REGION": "eu-west-1", "AWS_DEFAULT_REGION": ""}

    result = CliRunner().invoke(
        main, ["holds", "list", "--table", "any"], env={**variables, **files, **region}
    )

    assert "no AWS credentials" in result.output
