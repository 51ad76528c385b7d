"""Where NewStore is follows from the tenant, or from the one address that is given."""

import pytest

from inventory_sync.config import Environment, NewStoreSettings, StreamSettings
from inventory_sync.domain.errors import FatalError

TENANT = {"NEWSTORE_TENANT": "acme", "NEWSTORE_SECRET_ARN": "arn"}
REALM = "auth/realms/acme/protocol/openid-connect/token"


@pytest.mark.parametrize(
    ("given", "api", "tokens"),
    [
        ("", "https://acme.p.newstore.net", f"https://id.p.newstore.net/{REALM}"),
        (
            "https://acme.x.newstore.net/",
            "https://acme.x.newstore.net",
            f"https://id.x.newstore.net/{REALM}",
        ),
        ("http://127.0.0.1:81", "http://127.0.0.1:81", f"http://127.0.0.1:81/{REALM}"),
    ],
)
def test_tokens_come_from_the_identity_provider_of_the_same_domain(
    given: str, api: str, tokens: str
) -> None:
    settings = NewStoreSettings.read(Environment({**TENANT, "NEWSTORE_BASE_URL": given}))

    assert (settings.base_url, settings.token_url) == (api, tokens)


STREAM = {**TENANT, "EVENT_URL": "https://x.example/prod/event"}


def test_the_stream_bears_the_stack_s_name_in_newstore_s_letters() -> None:
    settings = StreamSettings.read(Environment({**STREAM, "STREAM_ID": "Inventory-Sync-2"}))

    assert settings.stream_id == "inventory-sync-2"


@pytest.mark.parametrize("name", ["x" * 51, "inventory_sync"])
def test_a_stack_name_that_newstore_would_refuse_is_named(name: str) -> None:
    with pytest.raises(FatalError, match=r"STREAM_ID=.*shorter stack name"):
        StreamSettings.read(Environment({**STREAM, "STREAM_ID": name}))
