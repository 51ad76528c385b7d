"""A CloudFormation template read from its file, its loops (`Fn::ForEach`) written out.

Of AWS::LanguageExtensions what template.yaml uses: loops over lists that are written out, and
`Fn::FindInMap` by keys that are known then. tests/e2e/test_expansion.py holds it to SAM's own.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

_LOOP = "Fn::ForEach::"
_PLACEHOLDER = re.compile(r"\$\{(\w+)\}")


class _Yaml(yaml.SafeLoader):
    """Reads !Ref, !Sub, !GetAtt, ... as one-key mappings, as their long forms are written."""


def _long_form(loader: yaml.SafeLoader, tag: str, node: yaml.Node) -> dict[str, Any]:
    value: Any
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)  # type: ignore[arg-type]
    return {tag if tag in ("Ref", "Condition") else f"Fn::{tag}": value}


_Yaml.add_multi_constructor("!", _long_form)


@cache
def read_template(path: Path) -> Any:
    """The document; not to be changed, since who reads it again gets the same."""
    document = yaml.load(path.read_text("utf-8"), _Yaml)  # noqa: S506  # nosec B506  # a SafeLoader
    return _written_out(document, {}, document.get("Mappings", {}))


def _written_out(value: Any, loop: Mapping[str, str], maps: Mapping[str, Any]) -> Any:
    """`loop` has the value of each loop's variable."""
    match value:
        case list():
            return [_written_out(entry, loop, maps) for entry in value]
        case {"Ref": name}:
            inner = _written_out(name, loop, maps)
            return loop.get(inner, {"Ref": inner})
        case {"Fn::GetAtt": [name, attribute]}:
            return {"Fn::GetAtt": f"{_written_out(name, loop, maps)}.{attribute}"}
        case {"Fn::Sub": str(text)} if loop:
            return _substituted(text, loop)
        case {"Fn::Sub": [str(text), variables]} if loop:
            return _substituted(text, {**loop, **_written_out(variables, loop, maps)})
        case {"Fn::FindInMap": [name, *keys]}:
            return _found(maps[name], *_written_out(keys, loop, maps))
        case dict():
            return _entries(value, loop, maps)
    return value


def _entries(value: dict[Any, Any], loop: Mapping[str, str], maps: Mapping[str, Any]) -> Any:
    entries: dict[Any, Any] = {}
    for key, entry in value.items():
        if not str(key).startswith(_LOOP):
            entries[_name(key, loop)] = _written_out(entry, loop, maps)
            continue
        variable, collection, fragment = entry
        for item in collection:
            entries |= _entries(fragment, {**loop, variable: item}, maps)
    return entries


def _name(key: Any, loop: Mapping[str, str]) -> Any:
    return _PLACEHOLDER.sub(lambda found: loop[found[1]], key) if isinstance(key, str) else key


def _substituted(text: str, values: Mapping[str, str]) -> Any:
    """A text, where nothing is left that only the stack can say."""
    known = _PLACEHOLDER.sub(lambda found: values.get(found[1], found[0]), text)
    return {"Fn::Sub": known} if "${" in known else known


def _found(entries: Mapping[str, Any], first: str, second: str, default: Any = None) -> Any:
    found = entries.get(first, {}).get(second)
    if found is None and default is None:
        raise KeyError(f"the mapping has no {first}.{second}")
    return default["DefaultValue"] if found is None else found
