"""Where a command's AWS clients and its time come from."""

import json
import re
from collections.abc import Mapping
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from urllib3.exceptions import HTTPError

from inventory_sync.adapters.aws.errors import translated
from inventory_sync.adapters.aws.whole_answers import only_whole_answers
from inventory_sync.bootstrap.runtime import Runtime, with_variables
from inventory_sync.domain.errors import FatalError, RetriableError
from inventory_sync.version import USER_AGENT

if TYPE_CHECKING:
    from botocore.session import Session
    from mypy_boto3_dynamodb import DynamoDBClient

_UNTIL_IT_ENDS = {"read_timeout": 920, "retries": {"total_max_attempts": 1}}
"""A function may take fifteen minutes; to ask again would run it twice."""
_DATE_SECONDS_MAX = 10
_FETCH_SECONDS_MAX = 20
_ERROR_BYTES_MAX = 4_000


class Connect:
    """The shell's credentials and region; functions go by their names."""

    def region(self) -> str:
        """What the shell names; empty where it names none."""
        return str(self.runtime({}).new_session().get_config_variable("region") or "")

    def runtime(self, variables: Mapping[str, str]) -> Runtime:
        """What a function with these variables runs on, here."""
        return with_variables(variables)

    def dynamodb(self) -> "DynamoDBClient":
        """For the tables."""
        client: DynamoDBClient = self._client("dynamodb")
        return client

    def cloudformation(self) -> Any:
        """For the names of a stack's resources."""
        return self._client("cloudformation")

    def s3(self) -> Any:
        """For the bucket."""
        return self._client("s3")

    def cloudwatch(self) -> Any:
        """For the metrics."""
        return self._client("cloudwatch")

    def sns(self) -> Any:
        """For the topics that alarms tell."""
        return self._client("sns")

    def account(self) -> Mapping[str, Any]:
        """Lambda's limits of the account, with the answer's headers."""
        with translated("Lambda account settings"):
            answer: Mapping[str, Any] = self._client("lambda").get_account_settings()
        return answer

    def date_of(self, url: str) -> str:
        """The header Date of what answers there, whatever it answers; empty where it has none."""
        import requests

        try:
            answer = requests.head(url, timeout=_DATE_SECONDS_MAX, allow_redirects=False)
        except requests.RequestException as error:
            raise RetriableError(f"{url} does not answer: {type(error).__name__}") from error
        return answer.headers.get("Date", "")

    def fetched(self, url: str) -> tuple[int, str]:
        """The status of the answer to a GET, and where it is no success S3's code for the error.

        The URL is a secret, so no message has it.
        """
        import requests

        try:
            with requests.get(
                url, timeout=_FETCH_SECONDS_MAX, allow_redirects=False, stream=True
            ) as answer:
                body = b"" if answer.ok else answer.raw.read(_ERROR_BYTES_MAX)
        except (requests.RequestException, HTTPError) as error:
            host = urlsplit(url).hostname
            raise RetriableError(f"{host} does not answer: {type(error).__name__}") from None
        code = re.search(rb"<Code>(\w+)</Code>", body)
        return answer.status_code, code[1].decode() if code else ""

    def variables(self, function: str) -> Mapping[str, str]:
        """The environment that a deployed function has."""
        with translated(f"function {function}"):
            answer = self._client("lambda").get_function_configuration(FunctionName=function)
        found: Mapping[str, str] = answer.get("Environment", {}).get("Variables", {})
        return found

    def invoke(self, function: str, event: Mapping[str, Any]) -> Any:
        """A function's answer to an event; FatalError where it raised."""
        with translated(f"function {function}"):
            answer = self._client("lambda", _UNTIL_IT_ENDS).invoke(
                FunctionName=function, Payload=json.dumps(event).encode()
            )
        found = json.loads(answer["Payload"].read() or b"null")
        if answer.get("FunctionError"):
            raise FatalError(f"function {function}: {found}")
        return found

    def now(self) -> datetime:
        """UTC, aware."""
        return self.runtime({}).clock.now()

    def monotonic(self) -> float:
        """Seconds; never steps back."""
        return self.runtime({}).clock.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        self.runtime({}).clock.sleep(seconds)

    @cached_property
    def _shared_session(self) -> "Session":
        """One for all clients: what AWS's services are is read from the disk for each session."""
        session = self.runtime({}).new_session()
        only_whole_answers(session)
        return session

    @cached_property
    def _clients(self) -> dict[tuple[str, bool], Any]:
        return {}

    def _client(self, service: str, settings: Mapping[str, Any] | None = None) -> Any:
        """Made at its first use."""
        key = (service, settings is not None)
        if key not in self._clients:
            self._clients[key] = self._new_client(service, settings)
        return self._clients[key]

    def _new_client(self, service: str, settings: Mapping[str, Any] | None) -> Any:
        from botocore.config import Config

        session = self._shared_session
        with translated(service):
            if session.get_config_variable("region") is None:
                raise FatalError("no AWS region; set AWS_REGION, or AWS_PROFILE to one that has it")
            if session.get_credentials() is None:
                raise FatalError("no AWS credentials; log in, or set AWS_PROFILE")
            return session.create_client(
                service, config=Config(user_agent_extra=USER_AGENT, **(settings or {}))
            )
