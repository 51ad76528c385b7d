"""Where NewStore is follows from the tenant, or from the one address that is given."""

import pytest

from inventory_sync.config import Environment, NewStoreSettings

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
