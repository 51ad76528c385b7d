"""template.yaml, read as far as the local stack needs it: what is deployed is what runs here."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from local.template_file import read_template

ROOT = Path(__file__).resolve().parents[1]
REGION = "eu-west-1"
ACCOUNT = "123456789012"
_NO_VALUE = object()


class TemplateError(Exception):
    """The template holds something that is not understood here, or lacks what was asked for."""


class GatewayResponse(NamedTuple):
    """What an API answers by itself; `templates` of the body are by content type."""

    status: int
    templates: Mapping[str, str]


class Template:
    """Values with `parameters` put in; a Ref to a resource gives what `physical_id` says.

    `settings` are variables that no parameter sets; every function has them.
    """

    def __init__(
        self,
        path: Path,
        stack_name: str,
        parameters: Mapping[str, str] | None = None,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        self.path = path
        self.stack_name = stack_name
        self._settings = dict(settings or {})
        self._document = read_template(path)
        self.parameters: dict[str, str] = {
            name: str(parameter["Default"])
            for name, parameter in self._document["Parameters"].items()
            if "Default" in parameter
        }
        self.set_parameters(parameters or {})

    def set_parameters(self, parameters: Mapping[str, str]) -> None:
        """TemplateError for one that the template does not have."""
        unknown = sorted(parameters.keys() - self._document["Parameters"].keys())
        if unknown:
            known = ", ".join(sorted(self._document["Parameters"]))
            raise TemplateError(f"no such parameter: {', '.join(unknown)}; there are {known}")
        self.parameters |= parameters

    def of_type(self, type_: str) -> list[str]:
        """Logical ids of the resources of a type."""
        resources = self._document["Resources"].items()
        return [name for name, resource in resources if resource["Type"] == type_]

    def present(self, logical_id: str) -> bool:
        """Whether the parameters call for the resource."""
        condition = self._document["Resources"][logical_id].get("Condition")
        return condition is None or self.resolve(self._document["Conditions"][condition])

    def properties(self, logical_id: str) -> dict[str, Any]:
        """A resource's properties as they are written."""
        try:
            found: dict[str, Any] = self._document["Resources"][logical_id]["Properties"]
        except KeyError as error:
            raise TemplateError(f"{self.path} has no resource {logical_id}") from error
        return found

    def function(self, logical_id: str) -> dict[str, Any]:
        """A function's properties, those of Globals included, but for its environment."""
        functions = self.of_type("AWS::Serverless::Function")
        if logical_id not in functions:
            raise TemplateError(f"no function {logical_id}; there are {', '.join(functions)}")
        return {**self._document["Globals"]["Function"], **self.properties(logical_id)}

    def gateway_responses(self, logical_id: str) -> dict[str, GatewayResponse]:
        """What an API answers by itself, by the kind of gateway response."""
        responses = self.properties(logical_id)["GatewayResponses"]
        return {
            kind: GatewayResponse(response["StatusCode"], response["ResponseTemplates"])
            for kind, response in responses.items()
        }

    def globals_environment(self) -> dict[str, str]:
        """The variables that every function has."""
        variables = self._document["Globals"]["Function"]["Environment"]["Variables"]
        return {name: str(self.resolve(value)) for name, value in variables.items()}

    def environment(self, logical_id: str) -> dict[str, str]:
        """A function's variables as it will find them; those without a value are not there."""
        own = self.resolve(self.function(logical_id)["Environment"]["Variables"])
        written = {name: str(value) for name, value in own.items()}
        return {**self.globals_environment(), **written, **self._settings}

    def physical_id(self, logical_id: str) -> str:
        """The name of a resource; buckets take lower case only."""
        name = f"{self.stack_name}-{logical_id}"
        return name.lower() if logical_id in self.of_type("AWS::S3::Bucket") else name

    def resolve(self, value: Any) -> Any:
        """The value behind Ref, Sub, If, Equals, Not and And; TemplateError for other functions.

        What has no value is left out of the list or mapping it stands in.
        """
        if isinstance(value, list):
            found = [self.resolve(entry) for entry in value]
            return [entry for entry in found if entry is not _NO_VALUE]
        if not isinstance(value, dict):
            return value
        match value:
            case {"Ref": "AWS::NoValue"}:
                return _NO_VALUE
            case {"Ref": name}:
                return self._ref(name)
            case {"Fn::Sub": str(text)}:
                return self._substitute(text)
            case {"Fn::If": [condition, then, otherwise]}:
                met = self.resolve(self._document["Conditions"][condition])
                return self.resolve(then if met else otherwise)
            case {"Fn::Equals": [one, other]}:
                return str(self.resolve(one)) == str(self.resolve(other))
            case {"Fn::Not": [condition]}:
                return not self.resolve(condition)
            case {"Fn::And": conditions}:
                return all(map(self.resolve, conditions))
            case {"Condition": str(condition)} if len(value) == 1:
                return self.resolve(self._document["Conditions"][condition])
        if any(key.startswith("Fn::") for key in value):
            raise TemplateError(f"not understood here: {sorted(value)}")
        entries = {key: self.resolve(entry) for key, entry in value.items()}
        return {key: entry for key, entry in entries.items() if entry is not _NO_VALUE}

    def _ref(self, name: str) -> str:
        pseudo = {
            "AWS::StackName": self.stack_name, "AWS::Region": REGION, "AWS::AccountId": ACCOUNT,
            "AWS::Partition": "aws", "AWS::URLSuffix": "amazonaws.com",
        }  # fmt: skip
        if name in pseudo:
            return pseudo[name]
        if name in self._document["Parameters"]:
            if name not in self.parameters:
                raise TemplateError(f"the parameter {name} has no default and was not given")
            return self.parameters[name]
        self.properties(name)
        return self.physical_id(name)

    def _substitute(self, text: str) -> str:
        head, *rest = text.split("${")
        for part in rest:
            name, _, tail = part.partition("}")
            head += self._ref(name) + tail
        return head
