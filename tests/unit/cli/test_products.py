"""`products`: a sku stands for one product only."""

import json

import pytest

from tests.unit.cli.conftest import Shell


def test_products_are_mapped(shell: Shell) -> None:
    result = shell.run("products", "load", shell.file("product_id,sku", "P1,S1", "P2,S2"))

    assert result.exit_code == 0, result.output
    assert shell.store.skus() == {"P1": "S1", "P2": "S2"}
    assert len(shell.audit) == 1


@pytest.mark.parametrize(
    ("rows", "problem"),
    [
        (["P1,S1", "P2,S1"], "line 3, sku: 'S1' is that of line 2"),
        (["P1,S1", "P1,S2"], "line 3, product_id: 'P1' is that of line 2"),
        (["P1,OLD"], "line 2, sku: 'OLD' is that of product P0 of the stored map"),
        (["P1,"], "line 2, sku: is empty"),
    ],
)
def test_what_is_ambiguous_is_refused(shell: Shell, rows: list[str], problem: str) -> None:
    shell.state.put("product", "P0", "OLD")

    result = shell.run("products", "load", shell.file("product_id,sku", *rows))

    assert result.exit_code == 1
    assert problem in result.output
    assert shell.store.skus() == {"P0": "OLD"}


def test_a_sku_may_pass_to_another_product_in_one_file(shell: Shell) -> None:
    shell.state.put("product", "P0", "S")

    result = shell.run("products", "load", shell.file("product_id,sku", "P0,NEW", "P1,S"))

    assert result.exit_code == 0, result.output
    assert shell.store.skus() == {"P0": "NEW", "P1": "S"}


def test_products_are_listed(shell: Shell) -> None:
    shell.state.put("product", "P0", "S")

    listed = json.loads(shell.run("products", "list", "--json").stdout)

    assert listed == {"products": [{"product_id": "P0", "sku": "S"}]}
