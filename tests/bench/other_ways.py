"""What an import's archive is measured against: the usual way, and the floor. Neither compares."""

import json
import tempfile
import zipfile

from tests.bench.generated import locations, on_hand


def usual_way(rows: int) -> int:
    """All rows in a list, one json.dumps, one zip: what integrations usually do."""
    items = [
        {"fulfillment_node_id": place, "product_id": product, "quantity": quantity}
        for number, place in enumerate(locations(rows))
        for product, quantity in on_hand(number).items()
    ]
    text = json.dumps({"head": {}, "items": items})
    with (
        tempfile.TemporaryFile() as file,
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as zipped,
    ):
        zipped.writestr("availabilities.json", text)
    return len(items)


def floor(rows: int) -> int:
    """The same rows through the fastest encoder there is and the deflate that the adapter uses.

    Its bytes are ours but for one line break a row.
    """
    import orjson

    from inventory_sync.adapters.s3.file_store import DEFLATE_LEVEL

    count = 0
    with (
        tempfile.TemporaryFile() as file,
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=DEFLATE_LEVEL) as zipped,
        zipped.open("availabilities.json", "w") as entry,
    ):
        for number, place in enumerate(locations(rows)):
            items = [
                {"fulfillment_node_id": place, "product_id": product, "quantity": quantity}
                for product, quantity in on_hand(number).items()
            ]
            entry.write(orjson.dumps(items))
            count += len(items)
    return count


def rows_alone(rows: int) -> int:
    """Making the rows, which is part of every way and stands for reading the ERP's answers."""
    return sum(len(on_hand(number)) for number, _ in enumerate(locations(rows)))
