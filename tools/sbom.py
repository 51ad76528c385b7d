"""`python -m tools.sbom build/sbom.json`: the bill of materials of what the layer ships.

CycloneDX, from the layer's lock file with its hashes; licences, descriptions and who needs whom
come from the same releases where they are installed, in .venv. Same input, same bytes.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from tools.pins import ROOT, SHIPPED, Pin, read_pins

PROGRAM = Path(sys.executable).with_name("cyclonedx-py")
INSTALLED = ROOT / ".venv"
SCHEMA = "1.6"
LAYER = {"type": "application", "name": "inventory-sync-layer", "bom-ref": "inventory-sync-layer"}
_TAKEN_OVER = ("licenses", "description")


class IncompleteError(Exception):
    """The bill would not say the truth about the layer."""


def main(target: str) -> None:
    """IncompleteError, and no file, if it would not list what is shipped."""
    locked = _run("requirements", str(SHIPPED), "--short-PURLs")
    bill = merged(locked, _run("environment", str(INSTALLED)))
    check(bill, read_pins(SHIPPED))
    text = json.dumps(bill, indent=2, sort_keys=True) + "\n"
    validate(text)
    Path(target).parent.mkdir(parents=True, exist_ok=True)
    Path(target).write_text(text, encoding="utf-8")
    print(f"{target}: {len(bill['components'])} packages, with hashes and licences")


def merged(locked: dict[str, Any], installed: dict[str, Any]) -> dict[str, Any]:
    """The locked one's components, each with what is known of it where it is installed."""
    known = {_pin(component): component for component in installed["components"]}
    components = []
    for component in locked["components"]:
        found = known.get(_pin(component))
        if found is None:
            name, version = _pin(component)
            raise IncompleteError(f"{name} {version} is not installed in .venv; run `make setup`")
        taken = {name: found[name] for name in _TAKEN_OVER if name in found}
        components.append(component | taken | {"bom-ref": found["bom-ref"]})
    refs = {component["bom-ref"] for component in components}
    needs = [
        {**entry, "dependsOn": sorted(refs & set(entry.get("dependsOn", [])))}
        for entry in installed["dependencies"]
        if entry["ref"] in refs
    ]
    needs.append({"ref": LAYER["bom-ref"], "dependsOn": sorted(refs)})
    metadata = locked["metadata"] | {"component": LAYER}
    return locked | {"metadata": metadata, "components": components, "dependencies": needs}


def check(bill: dict[str, Any], pins: list[Pin]) -> None:
    """IncompleteError unless it lists the pins and nothing else, each with hash and licence."""
    listed = sorted(map(_pin, bill["components"]))
    if listed != pins:
        differing = sorted(set(listed) ^ set(pins))
        raise IncompleteError(f"listed and pinned differ: {differing}; run `make lock`")
    for component in bill["components"]:
        references = component.get("externalReferences", [])
        if not any(reference.get("hashes") for reference in references):
            raise IncompleteError(f"{component['name']} has no hash")
        if not component.get("licenses"):
            raise IncompleteError(f"{component['name']} names no licence")


def validate(text: str) -> None:
    """IncompleteError unless the text is what CycloneDX's schema asks for."""
    from cyclonedx.schema import SchemaVersion  # in .venv-audit only, unlike the tests of the rest
    from cyclonedx.validation.json import JsonStrictValidator

    if error := JsonStrictValidator(SchemaVersion.from_version(SCHEMA)).validate_str(text):
        raise IncompleteError(f"not valid CycloneDX: {error}")


def _pin(component: dict[str, Any]) -> Pin:
    return Pin(component["name"].replace("_", "-").lower(), component["version"])


def _run(source: str, path: str, *options: str) -> dict[str, Any]:
    words = [str(PROGRAM), source, path, "--output-reproducible", "--sv", SCHEMA, *options]
    done = subprocess.run(words, capture_output=True, text=True, check=True)  # noqa: S603
    bill: dict[str, Any] = json.loads(done.stdout)
    return bill


if __name__ == "__main__":
    main(*sys.argv[1:])
