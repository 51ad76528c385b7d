"""The bill of materials says the truth about the layer, or is not written."""

from typing import Any

import pytest

from tools.pins import Pin
from tools.sbom import IncompleteError, check, merged

PINS = [Pin("boto3", "1.43"), Pin("typing-extensions", "4.16")]
MIT = [{"license": {"id": "MIT"}}]


def locked() -> dict[str, Any]:
    """As from a lock file: hashes, and no licence."""
    hashed = {"type": "distribution", "hashes": [{"alg": "SHA-256", "content": "0" * 64}]}
    components = [
        {
            "name": n,
            "version": v,
            "bom-ref": f"line-{n}",
            "externalReferences": [hashed],
        }
        for n, v in PINS
    ]
    return {"components": components, "metadata": {"tools": []}}


def installed() -> dict[str, Any]:
    """As from an environment: licences and dependencies, and more than the layer has."""
    found = [*PINS[:1], Pin("typing_extensions", "4.16"), Pin("pytest", "8.4")]
    components = [
        {"name": n, "version": v, "bom-ref": f"{n}=={v}", "licenses": MIT} for n, v in found
    ]
    needs = [component["bom-ref"] for component in components]
    return {
        "components": components,
        "dependencies": [{"ref": r, "dependsOn": needs} for r in needs],
    }


def test_hashes_come_from_the_lock_and_licences_from_what_is_installed() -> None:
    bill = merged(locked(), installed())

    check(bill, PINS)
    assert [component["licenses"] for component in bill["components"]] == [MIT, MIT]
    assert all(component["externalReferences"][0]["hashes"] for component in bill["components"])


def test_only_what_is_shipped_stands_in_the_dependencies() -> None:
    bill = merged(locked(), installed())

    refs = {component["bom-ref"] for component in bill["components"]}
    named = {r for entry in bill["dependencies"] for r in (entry["ref"], *entry["dependsOn"])}
    assert named == {*refs, "inventory-sync-layer"}


def test_another_release_than_the_pinned_one_has_no_say() -> None:
    other = installed()
    other["components"][0]["version"] = "1.42"

    with pytest.raises(IncompleteError, match=r"boto3 1\.43 is not installed .* `make setup`"):
        merged(locked(), other)


def test_what_is_listed_must_be_what_is_pinned() -> None:
    bill = merged(locked(), installed())

    with pytest.raises(IncompleteError, match="urllib3"):
        check(bill, [*PINS, Pin("urllib3", "2.8")])
    with pytest.raises(IncompleteError, match="boto3"):
        check(bill, PINS[1:])


@pytest.mark.parametrize(
    ("left_out", "named"), [("externalReferences", "no hash"), ("licenses", "no licence")]
)
def test_a_package_without_hash_or_licence_is_refused(left_out: str, named: str) -> None:
    bill = merged(locked(), installed())
    del bill["components"][1][left_out]

    with pytest.raises(IncompleteError, match=f"typing-extensions .*{named}"):
        check(bill, PINS)
