"""Which keys are accepted, and how often Secrets Manager is asked."""

import json

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from inventory_sync.adapters.aws.inbound_keys import SecretInboundKeys
from inventory_sync.domain.errors import FatalError, RetriableError
from tests.fakes.observer import FakeObserver

CURRENT = "local-inbound-key-0001"
NEXT = "local-inbound-key-0002"
OTHER = "local-inbound-key-0003"
ARN = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:inbound-AbCdEf"


class World:
    """A secret that can be changed and taken away, and a monotonic clock."""

    def __init__(self, *api_keys: str) -> None:
        self.put(*api_keys)
        self.error: Exception | None = None
        self.reads = 0
        self.seconds = 1_000.0
        self.observer = FakeObserver()
        self.keys = SecretInboundKeys(self, ARN, lambda: self.seconds, self.observer)  # type: ignore[arg-type]

    def put(self, *api_keys: object) -> None:
        self.content = json.dumps({"api_keys": api_keys})

    def get_secret_value(self, *, SecretId: str) -> dict[str, str]:  # noqa: N803  # AWS's name
        assert SecretId == ARN
        self.reads += 1
        if self.error is not None:
            raise self.error
        return {"SecretString": self.content}


def denied(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "no"}}, "GetSecretValue")


UNREACHABLE = EndpointConnectionError(endpoint_url="https://secretsmanager")


def test_current_and_previous_key_are_accepted() -> None:
    world = World(CURRENT, NEXT)

    assert world.keys.accepts(CURRENT)
    assert world.keys.accepts(NEXT)
    assert not world.keys.accepts(OTHER)


@pytest.mark.parametrize(
    "key", ["", " ", "ключ", "\ud800", CURRENT[:-1], CURRENT + "1", "x" * 10_000]
)
def test_nothing_else_is_accepted(key: str) -> None:
    assert not World(CURRENT).keys.accepts(key)


def test_the_secret_is_read_once_in_five_minutes() -> None:
    world = World(CURRENT)
    for _ in range(10):
        assert world.keys.accepts(CURRENT)
        world.seconds += 29.9
    assert world.reads == 1

    world.seconds += 1
    assert world.keys.accepts(CURRENT)

    assert world.reads == 2


def test_a_key_that_was_just_added_is_accepted() -> None:
    world = World(CURRENT)
    assert world.keys.accepts(CURRENT)
    world.seconds += 30

    world.put(CURRENT, NEXT)

    assert world.keys.accepts(NEXT)


def test_a_key_that_was_taken_out_is_refused_within_five_minutes() -> None:
    world = World(CURRENT, NEXT)
    assert world.keys.accepts(CURRENT)

    world.put(NEXT)
    world.seconds += 300

    assert not world.keys.accepts(CURRENT)


def test_a_flood_of_wrong_keys_reads_the_secret_twice_a_minute() -> None:
    world = World(CURRENT)
    for _ in range(600):
        assert not world.keys.accepts(OTHER)
        world.seconds += 0.1

    assert world.reads == 2


@pytest.mark.parametrize(
    "error", [UNREACHABLE, denied("ThrottlingException"), denied("AccessDeniedException")]
)
def test_while_the_secret_cannot_be_read_the_earlier_keys_serve_on(error: Exception) -> None:
    world = World(CURRENT)
    assert world.keys.accepts(CURRENT)

    world.error = error
    for _ in range(100):
        world.seconds += 299
        assert world.keys.accepts(CURRENT)
        assert not world.keys.accepts(OTHER)

    assert world.observer.counts["InboundKeysNotRefreshed"] > 0


def test_a_secret_that_cannot_be_read_is_asked_for_twice_a_minute() -> None:
    world = World(CURRENT)
    assert world.keys.accepts(CURRENT)
    world.error = UNREACHABLE
    world.seconds += 300

    for _ in range(600):
        assert world.keys.accepts(CURRENT)
        world.seconds += 0.1

    assert world.reads == 1 + 2


@pytest.mark.parametrize("error", [UNREACHABLE, denied("ThrottlingException")])
def test_without_earlier_keys_the_call_is_to_be_repeated(error: Exception) -> None:
    world = World(CURRENT)
    world.error = error
    with pytest.raises(RetriableError):
        world.keys.accepts(CURRENT)

    world.error = None

    assert world.keys.accepts(CURRENT)


@pytest.mark.parametrize(
    "code", ["AccessDeniedException", "ResourceNotFoundException", "DecryptionFailure"]
)
def test_what_no_repeat_mends_is_fatal(code: str) -> None:
    world = World(CURRENT)
    world.error = denied(code)

    with pytest.raises(FatalError) as fatal:
        world.keys.accepts(CURRENT)

    assert code in str(fatal.value)


BAD_CONTENTS = [
    "",
    "local-inbound-key-0009",
    '["local-inbound-key-0009"]',
    '{"api_key": "local-inbound-key-0009"}',
    '{"api_keys": "local-inbound-key-0009"}',
    '{"api_keys": []}',
    '{"api_keys": ["short-0009"]}',
    '{"api_keys": ["local-inbound-key-0009", ""]}',
    '{"api_keys": ["local-inbound-key-0009 "]}',
    '{"api_keys": ["local-inbound-key-0009", 7]}',
    '{"api_keys": ["local-inbound-key-0009", "local-inbound-key-0008", "local-inbound-key-0007"]}',
]


@pytest.mark.parametrize("content", BAD_CONTENTS)
def test_a_wrong_secret_is_fatal_and_not_told(content: str) -> None:
    world = World()
    world.content = content

    with pytest.raises(FatalError) as fatal:
        world.keys.accepts("local-inbound-key-0009")

    assert "api_keys" in str(fatal.value)
    assert "0009" not in repr(fatal.value)
    assert fatal.value.__context__ is None


@pytest.mark.parametrize("content", BAD_CONTENTS)
def test_a_secret_spoilt_while_in_use_changes_nothing(content: str) -> None:
    world = World(CURRENT)
    assert world.keys.accepts(CURRENT)

    world.content = content
    world.seconds += 300

    assert world.keys.accepts(CURRENT)
    assert "0009" not in repr(world.observer.notes)
