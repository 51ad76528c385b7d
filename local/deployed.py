"""The stack as CloudFormation makes it of template.yaml, in the local AWS, between the simulators.

Time is real here. What would make a story wait for minutes is shortened by `QUICK` and by its plan.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from inventory_sync.adapters.dynamodb.state_table import StateTable
from inventory_sync.bootstrap.system_clock import SystemClock
from inventory_sync.ports.observe import Clock
from local.aws import CLIENT_ID, Aws
from local.deployed_keys import Keys, User, create_secrets, create_user, let_read_imports
from local.deployed_stream import DeployedStream
from local.erp.model import ErpModel
from local.erp.server import erp_server
from local.ministack import LocalAws
from local.newstore.delivery import Delivery, post_over_http
from local.newstore.locations import of_map
from local.newstore.model import NewStoreModel
from local.newstore.server import newstore_server
from local.sam_deploy import deploy
from local.stack import (
    API,
    FORWARD,
    IMPORT,
    RECONCILE,
    STATE,
    TENANT,
    WATCH,
    StackPlan,
    addresses,
    load_map,
    publish_over,
)
from local.template import ROOT, Template

QUICK: Mapping[str, str] = {
    "SWEEP_AGE_SECONDS": "0",
    "JOB_SPACING_SECONDS": "0",
    "POLL_SECONDS_MAX": "2",
}
"""Settings that are no parameters of the template: in production nobody should change them."""
WITH_SETTINGS = (FORWARD, IMPORT, RECONCILE, WATCH)
POST_SECONDS_MAX = 30


class FunctionError(Exception):
    """A deployed function raised; the text is its answer."""


@dataclass
class DeployedStack:
    """Everything at its place; `parameters` are those of the last deployment."""

    local_aws: LocalAws
    name: str
    plan: StackPlan
    parameters: dict[str, str]
    outputs: dict[str, str]
    keys: Keys
    aws: Aws
    clock: Clock
    newstore: NewStoreModel
    erp: ErpModel
    newstore_url: str
    erp_url: str
    delivery: Delivery
    stream: DeployedStream

    def deploy(self, parameters: Mapping[str, str]) -> None:
        """Update it with these parameters besides the earlier ones."""
        self.parameters |= parameters
        self.outputs.update(deploy_quick(self.local_aws, self.name, self.parameters, self.plan))

    def physical_id(self, logical_id: str) -> str:
        """The name of a table, a bucket, a queue or a function."""
        return self.outputs[f"{logical_id}Name"]

    @property
    def event_url(self) -> str:
        """Where the local AWS serves what the output EventUrl names."""
        return local_address(self.local_aws, self.outputs["EventUrl"])

    @property
    def state(self) -> StateTable:
        """The adapter's own records."""
        return StateTable(self.aws.dynamodb, self.physical_id(STATE))

    def count(self, table: str) -> int:
        """How many items a table (by its logical id) has."""
        scan = self.aws.dynamodb.get_paginator("scan")
        name = self.physical_id(table)
        pages = scan.paginate(TableName=name, Select="COUNT", ConsistentRead=True)
        return sum(page["Count"] for page in pages)

    def tick(self, *, full: bool = False) -> dict[str, Any]:
        """One import tick, now."""
        return self.invoke(IMPORT, {"full": True} if full else {})

    def sweep(self) -> dict[str, Any]:
        """Forward what the stream missed, now."""
        return self.invoke(FORWARD, {"sweep": True})

    def invoke(self, function: str, event: Mapping[str, Any]) -> dict[str, Any]:
        """A deployed function's answer; FunctionError where it raised."""
        answer = self.local_aws.client("lambda").invoke(
            FunctionName=self.physical_id(function), Payload=json.dumps(event).encode()
        )
        payload: dict[str, Any] = json.loads(answer["Payload"].read())
        if answer.get("FunctionError"):
            raise FunctionError(json.dumps(payload))
        return payload

    def delivery_with(self, api_key: str) -> Delivery:
        """NewStore's sender, with another key."""
        return delivery_to(self.local_aws, self.event_url, api_key)

    def write_secret(self, parameter: str, content: Mapping[str, object]) -> None:
        """Give the secret that a parameter names a new content."""
        self.aws.secrets.put_secret_value(
            SecretId=self.parameters[parameter], SecretString=json.dumps(content)
        )


@contextmanager
def deployed_stack(local_aws: LocalAws, name: str, plan: StackPlan) -> Iterator[DeployedStack]:
    """Deployed, its location map loaded; the simulators stop when the block ends."""
    clock, keys = SystemClock(), Keys()
    reader, signer = (
        create_user(local_aws, f"{name}-reader"),
        create_user(local_aws, f"{name}-signer"),
    )
    aws = _clients(local_aws, reader)
    newstore = NewStoreModel(
        TENANT,
        clock.now,
        fetch=aws.fetch_file,
        locations=[of_map(p.fulfillment_node_id, p.store_id) for p in plan.locations],
        clients={CLIENT_ID: keys.client_secret},
        **plan.newstore,
    )
    erp = ErpModel(clock.now, **plan.erp)
    for location in plan.locations:
        erp.add_location(location.erp_location)
    with newstore_server(newstore) as at_newstore, erp_server(erp, keys.erp_token) as at_erp:
        contents = {**keys.contents(), **(_signing(signer) if plan.signed_urls else {})}
        parameters = {
            **addresses(at_newstore.base_url, at_erp.base_url),
            **create_secrets(local_aws, name, contents),
            "NewStorePrincipalArn": reader.arn,
            **plan.parameters,
        }
        outputs = deploy_quick(local_aws, name, parameters, plan)
        let_read_imports(local_aws, signer, outputs["ImportBucketName"])
        event_url = local_address(local_aws, outputs["EventUrl"])
        stack = DeployedStack(
            local_aws=local_aws,
            name=name,
            plan=plan,
            parameters=parameters,
            outputs=outputs,
            keys=keys,
            aws=aws,
            clock=clock,
            newstore=newstore,
            erp=erp,
            newstore_url=at_newstore.base_url,
            erp_url=at_erp.base_url,
            delivery=delivery_to(local_aws, event_url, keys.api_key),
            stream=DeployedStream(
                local_aws, outputs["EventsTableName"], outputs["ForwardEventsFunctionName"]
            ),
        )
        publish_over(newstore, stack.delivery, name)
        load_map(stack.state, plan.locations, clock.now())
        yield stack


def deploy_quick(
    aws: LocalAws, name: str, parameters: Mapping[str, str], plan: StackPlan
) -> dict[str, str]:
    """Deploy, then change what is no parameter; returns the stack's outputs."""
    outputs = deploy(aws, name, parameters)
    set_gateway_responses(aws, outputs["EventUrl"])
    client = aws.client("lambda")
    for function in WITH_SETTINGS:
        function_name = outputs[f"{function}Name"]
        settings = client.get_function_configuration(FunctionName=function_name)["Environment"]
        client.update_function_configuration(
            FunctionName=function_name,
            Environment={"Variables": {**settings["Variables"], **QUICK, **plan.settings}},
        )
    for event, expression in plan.schedules.items():
        set_schedule(aws, f"{name}-{event}", expression)
    return outputs


def set_schedule(aws: LocalAws, prefix: str, expression: str) -> None:
    """Of the one schedule whose name begins so."""
    client = aws.client("scheduler")
    [name] = [
        schedule["Name"]
        for schedule in client.list_schedules()["Schedules"]
        if schedule["Name"].startswith(f"{prefix}-")
    ]
    schedule = client.get_schedule(Name=name)
    kept = {field: schedule[field] for field in ("FlexibleTimeWindow", "Target", "State")}
    client.update_schedule(Name=name, ScheduleExpression=expression, **kept)


def set_gateway_responses(aws: LocalAws, event_url: str) -> None:
    """Those of the template, by the API: the local AWS passes over them in the definition."""
    host, _, path = event_url.removeprefix("https://").partition("/")
    client, api_id = aws.client("apigateway"), host.partition(".")[0]
    template = Template(ROOT / "template.yaml", "")
    for kind, response in template.gateway_responses(API).items():
        client.put_gateway_response(
            restApiId=api_id,
            responseType=kind,
            statusCode=str(response.status),
            responseTemplates=dict(response.templates),
        )
    client.create_deployment(restApiId=api_id, stageName=path.partition("/")[0])


def local_address(aws: LocalAws, event_url: str) -> str:
    """Of https://<api id>.execute-api...: a host name that this machine need not know."""
    host, _, path = event_url.removeprefix("https://").partition("/")
    return f"{aws.url}/_aws/execute-api/{host.partition('.')[0]}/{path}"


def delivery_to(aws: LocalAws, event_url: str, api_key: str) -> Delivery:
    """NewStore's sender."""
    post = post_over_http(event_url, POST_SECONDS_MAX, str(aws.certificate))
    return Delivery(post, SystemClock().now, api_key)


def _clients(local_aws: LocalAws, reader: User) -> Aws:
    """Those of the account's root, but for S3: files are fetched as NewStore may fetch them."""
    return Aws(
        dynamodb=local_aws.client("dynamodb"),
        streams=local_aws.client("dynamodbstreams"),
        s3=local_aws.client_of("s3", reader.access_key_id, reader.secret_access_key),
        secrets=local_aws.client("secretsmanager"),
        queues=local_aws.client("sqs"),
        certificate=str(local_aws.certificate),
    )


def _signing(signer: User) -> dict[str, dict[str, object]]:
    key = {
        "access_key_id": signer.access_key_id,
        "secret_access_key": signer.secret_access_key,
    }
    return {"FileSigningSecretArn": dict(key)}
