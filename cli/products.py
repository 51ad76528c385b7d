"""`products`: the ERP's names for products, where they differ from NewStore's."""

from collections.abc import Mapping
from pathlib import Path

import click

from cli.command import Operator, connected, signed
from cli.csv_rows import Problems, read_rows
from cli.locations import CSV_FILE, as_figures, in_words

COLUMNS = ("product_id", "sku")


@click.group()
def products() -> None:
    """The ERP's names for products, where they differ from NewStore's."""


@products.command()
@click.argument("file", type=CSV_FILE)
@signed
@connected
def load(operator: Operator, file: Path, who: str, why: str) -> None:
    """Add or change products from a CSV FILE; those it does not list stay as they are.

    The first line names the columns: product_id (NewStore's) and sku (the ERP's). A product that
    is not mapped has the same id on both sides. Two products cannot share a sku. Nothing is
    written unless the whole file is right.

    Example: inventory-sync products load products.csv
    """
    skus = read_skus(file, operator.store.skus())
    loaded = operator.changes.put_skus(
        skus, operator.author(f"products load {file.name}", who, why)
    )
    operator.out.result(as_figures(loaded), *in_words(loaded, "products"))


@products.command("list")
@connected
def list_products(operator: Operator) -> None:
    """Show the products that are mapped.

    Example: inventory-sync products list --json
    """
    rows = [{"product_id": key, "sku": sku} for key, sku in sorted(operator.store.skus().items())]
    operator.out.table("products", rows, "No product is mapped: all ids are the same.")


def read_skus(path: Path, stored: Mapping[str, str]) -> dict[str, str]:
    """Skus by product id; RefusedError with every problem of the file."""
    problems = Problems()
    rows = read_rows(path, required=COLUMNS, optional=())
    in_file = {row["product_id"] for row in rows}
    products: dict[str, str] = {}
    skus = {
        sku: f"product {product_id} of the stored map"
        for product_id, sku in stored.items()
        if product_id not in in_file
    }
    for row in rows:
        for column in COLUMNS:
            problems.check_id(row, column, row[column])
        problems.check_unique("product_id", products, row, row["product_id"])
        problems.check_unique("sku", skus, row, row["sku"])
    problems.refuse()
    return {row["product_id"]: row["sku"] for row in rows}
