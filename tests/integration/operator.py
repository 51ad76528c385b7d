"""The commands over a local stack: real functions, real adapters, simulators of both sides."""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from io import StringIO
from typing import Any, TextIO

from botocore.exceptions import ClientError
from botocore.session import Session
from click.testing import CliRunner, Result
from werkzeug.http import http_date

from cli.connect import Connect
from cli.main import main
from cli.stack import NAMES
from inventory_sync.bootstrap.runtime import Runtime
from inventory_sync.domain.locations import Location
from local.aws import new_session
from local.stack import SETUP, LocalStack, StackPlan, local_stack
from local.template import REGION

DC, SKU = "DC01", "SKU-1"
WHO = ("--who", "Ada", "--why", "test")
PRINCIPAL = "arn:aws:iam::123456789012:role/newstore"


class LocalConnect(Connect):
    """The stack's own clock, its functions in this process."""

    def __init__(
        self,
        stack: LocalStack,
        log: TextIO | None = None,
        session: Callable[[], Session] = new_session,
    ) -> None:
        self._stack, self._session = stack, session
        self._log = log if isinstance(log, StringIO) else None

    def runtime(self, variables: Mapping[str, str]) -> Runtime:
        return Runtime(variables, self._stack.clock, self._session)

    def cloudformation(self) -> "LocalConnect":
        return self

    def describe_stack_resource(self, **asked: str) -> dict[str, Any]:
        """As far as the commands use CloudFormation."""
        name = self._stack.template.physical_id(asked["LogicalResourceId"])
        return {"StackResourceDetail": {"PhysicalResourceId": name}}

    def describe_stacks(self, **asked: str) -> dict[str, Any]:
        """With the parameters that it was made with."""
        parameters = self._stack.template.parameters.items()
        told = [{"ParameterKey": name, "ParameterValue": value} for name, value in parameters]
        return {"Stacks": [{"StackName": asked["StackName"], "Parameters": told}]}

    def cloudwatch(self) -> "LocalConnect":
        return self

    def account(self) -> Mapping[str, Any]:
        """As of an account that has asked for more than a new one gets."""
        limits = {"ConcurrentExecutions": 1000, "UnreservedConcurrentExecutions": 900}
        headers = {"date": http_date(self.now())}
        return {"AccountLimit": limits, "ResponseMetadata": {"HTTPHeaders": headers}}

    def get_metric_data(self, **asked: Any) -> dict[str, Any]:
        """Sums of what the functions have written to their log; it names no time.

        As CloudWatch it refuses a time that does not end after its start.
        """
        start, end = asked.get("StartTime"), asked.get("EndTime")
        if start is not None and end is not None and start >= end:
            refused: Any = {"Error": {"Code": "ValidationError", "Message": "StartTime"}}
            raise ClientError(refused, "GetMetricData")
        sums: Counter[str] = Counter()
        for line in self._log.getvalue().splitlines() if self._log else ():
            if line.startswith('{"_aws"'):
                record = json.loads(line)
                for directive in record["_aws"]["CloudWatchMetrics"]:
                    for name in (metric["Name"] for metric in directive["Metrics"]):
                        found = record[name]
                        sums[name] += sum(found) if isinstance(found, list) else found
        return {
            "MetricDataResults": [
                {"Id": query["Id"], "Values": [sums[query["MetricStat"]["Metric"]["MetricName"]]]}
                for query in asked["MetricDataQueries"]
            ]
        }

    def variables(self, function: str) -> Mapping[str, str]:
        return self._stack.template.environment(self._logical_id(function))

    def invoke(self, function: str, event: Mapping[str, Any]) -> Any:
        return self._stack.functions[self._logical_id(function)](event)

    def _logical_id(self, function: str) -> str:
        template = self._stack.template
        return next(n for n in self._stack.functions if template.physical_id(n) == function)

    def sleep(self, seconds: float) -> None:
        """The table's stream goes on meanwhile."""
        self._stack.stream.pump()
        self._stack.clock.sleep(seconds)


@dataclass(frozen=True)
class Operated:
    """A stack with stock, and an operator's shell."""

    stack: LocalStack
    log: TextIO | None = None
    session: Callable[[], Session] = new_session

    def connect(self) -> LocalConnect:
        return LocalConnect(self.stack, self.log, self.session)

    @property
    def named(self) -> dict[str, str]:
        """The environment of the shell."""
        template = self.stack.template
        return {variable: template.physical_id(name) for name, variable in NAMES.items()}

    def run(self, *words: str, code: int = 0, answers: str = "") -> Result:
        result = CliRunner().invoke(main, words, obj=self.connect(), env=self.named, input=answers)
        assert result.exit_code == code, result.output
        return result

    def answer(self, *words: str) -> Any:
        """Whatever the exit code."""
        found = CliRunner().invoke(main, [*words, "--json"], obj=self.connect(), env=self.named)
        assert found.stdout, found.output or repr(found.exception)
        return json.loads(found.stdout)

    def json(self, *words: str, code: int = 0) -> Any:
        return json.loads(self.run(*words, "--json", code=code).stdout)

    def audited(self) -> list[dict[str, Any]]:
        """What was done since the stack was set up."""
        records: list[dict[str, Any]] = self.json("audit", "list")["records"]
        return [record for record in records if record["who"] != SETUP]

    def ship(self, request: str, *products: str, at: int, delivered: bool = True) -> None:
        """Ordered and shipped now; delivered and forwarded unless the ERP is down."""
        newstore = self.stack.newstore
        items = [(f"{request}-{n}", product) for n, product in enumerate(products or (SKU,), 1)]
        newstore.assign(request, f"order-{request}", DC, items, "STANDARD")
        event = newstore.complete(request, logical_timestamp=at)
        if delivered:
            assert self.stack.delivery.deliver_now(event) == 200
            self.stack.stream.pump()

    def wait(self, minutes: float) -> None:
        self.stack.clock.sleep(60 * minutes)

    def tick(self, **event: Any) -> dict[str, Any]:
        """Six minutes after the last one."""
        self.wait(6)
        return self.stack.tick(**event)


@contextmanager
def operated(log: TextIO | None = None, **units: int) -> Iterator[Operated]:
    """A stack whose one location has these units by product, imported once."""
    place = Location(location_id=DC, fulfillment_node_id=DC, store_id="", erp_location=DC)
    with local_stack(StackPlan(locations=[place]), log=log) as stack:
        operated = Operated(stack, log)
        for product, count in (units or {SKU: 20}).items():
            stack.erp.set_stock((DC, product), count)
        operated.tick()
        yield operated


def set_up(shop: Operated) -> Operated:
    """Everything that docs/deploy.md asks for."""
    shop.run("stream", "register", *WHO)
    sns: Any = new_session().create_client("sns", region_name=REGION)
    topics = {}
    for parameter in ("PageTopicArn", "TicketTopicArn"):
        topics[parameter] = sns.create_topic(Name=parameter)["TopicArn"]
        sns.subscribe(
            TopicArn=topics[parameter],
            Protocol="sqs",
            Endpoint="arn:aws:sqs:eu-west-1:123456789012:page",
        )
    shop.stack.template.set_parameters({"NewStorePrincipalArn": PRINCIPAL, **topics})
    return shop
