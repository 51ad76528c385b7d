"""What a command fetches from outside AWS: how S3 answers a URL that a key has signed."""

import pytest

from cli.connect import Connect
from inventory_sync.domain.errors import RetriableError
from tests.unit.adapters.http_support import Reply, replying

REFUSED = b"<Error><Code>SignatureDoesNotMatch</Code><Message>of ours</Message></Error>"


@pytest.mark.parametrize(
    ("reply", "told"),
    [
        (Reply(b"PK archive"), (200, "")),
        (Reply(REFUSED, status=403), (403, "SignatureDoesNotMatch")),
        (Reply(b"no XML", status=502), (502, "")),
    ],
)
def test_a_url_is_fetched_with_the_code_of_a_refusal(reply: Reply, told: tuple[int, str]) -> None:
    with replying(reply) as server:
        assert Connect().fetched(f"{server.url}/imports/a.zip?X-Amz-Signature=5ec2e7") == told


def test_a_url_that_nobody_answers_is_told_without_its_signature() -> None:
    with pytest.raises(RetriableError) as raised:
        Connect().fetched("http://no-such-host.invalid/a.zip?X-Amz-Signature=5ec2e7")

    assert str(raised.value) == "no-such-host.invalid does not answer: ConnectionError"
