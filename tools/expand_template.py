"""Write the CloudFormation template that SAM makes of template.yaml.

The security linter reads this one: the roles, permissions and stages that SAM generates, and what
its loops stand for, are not in the source. Parameters and conditions stay: both sides of a
condition are looked at.
Usage: python -m tools.expand_template template.yaml build/template.expanded.json
"""

import json
import logging
import os
import sys
from pathlib import Path
from typing import Any

from samtranslator.translator.transform import transform

from local.template_file import read_template

# SAM takes local folders only from its own command line; the linter does not look inside.
_PLACEHOLDER = "s3://placeholder/code.zip"
_CODE_PROPERTIES = ("CodeUri", "ContentUri")
_WRITTEN_OUT = ("Mappings",)
SWITCHED_ON = {"GradualDeployment": "true"}
"""Parameters that SAM itself goes by: what is off by default is looked at too."""


class _NoManagedPolicies:
    """The template names managed policies by ARN only, so there is nothing to look up."""

    def load(self) -> dict[str, str]:
        return {}


def prepared(source: Path) -> dict[str, Any]:
    """What SAM takes: its loops written out, its code named as if it were uploaded."""
    template = {key: _json(value) for key, value in read_template(source).items()}
    for resource in template["Resources"].values():
        properties = resource.get("Properties", {})
        properties.update((name, _PLACEHOLDER) for name in _CODE_PROPERTIES if name in properties)
    return template


def expand(source: Path) -> dict[str, Any]:
    expanded: dict[str, Any] = transform(prepared(source), SWITCHED_ON, _NoManagedPolicies())
    return {key: value for key, value in expanded.items() if key not in _WRITTEN_OUT}


def _json(value: Any) -> Any:
    """As JSON has it, where the short form of `Fn::GetAtt` is not known."""
    match value:
        case list():
            return [_json(entry) for entry in value]
        case {"Fn::GetAtt": str(path)}:
            return {"Fn::GetAtt": path.split(".", 1)}
        case dict():
            return {key: _json(entry) for key, entry in value.items()}
    return value


def main(source: str, target: str) -> None:
    os.environ.setdefault("AWS_DEFAULT_REGION", "eu-west-1")  # any: the transform asks for one
    logging.disable(logging.WARNING)
    Path(target).parent.mkdir(parents=True, exist_ok=True)
    Path(target).write_text(json.dumps(expand(Path(source)), indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
