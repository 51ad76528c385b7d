"""Write the CloudFormation template that SAM makes of template.yaml.

The security linter reads this one: the roles, permissions and stages that SAM generates are not
in the source. Usage: expand_template.py template.yaml build/template.expanded.json
"""

import json
import logging
import os
import sys
from pathlib import Path
from typing import Any

from samcli.yamlhelper import yaml_parse
from samtranslator.translator.transform import transform

# SAM takes local folders only from its own command line; the linter does not look inside.
_PLACEHOLDER = "s3://placeholder/code.zip"
_CODE_PROPERTIES = ("CodeUri", "ContentUri")


class _NoManagedPolicies:
    """The template names managed policies by ARN only, so there is nothing to look up."""

    def load(self) -> dict[str, str]:
        return {}


def expand(source: str) -> dict[str, Any]:
    template = yaml_parse(source)
    for resource in template["Resources"].values():
        properties = resource.get("Properties", {})
        properties.update((name, _PLACEHOLDER) for name in _CODE_PROPERTIES if name in properties)
    expanded: dict[str, Any] = transform(template, {}, _NoManagedPolicies())
    return expanded


def main(source: str, target: str) -> None:
    os.environ.setdefault("AWS_DEFAULT_REGION", "eu-west-1")  # any: the transform asks for one
    logging.disable(logging.WARNING)
    Path(target).parent.mkdir(parents=True, exist_ok=True)
    expanded = expand(Path(source).read_text(encoding="utf-8"))
    Path(target).write_text(json.dumps(expanded, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
