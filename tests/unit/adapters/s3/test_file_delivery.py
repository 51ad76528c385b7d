"""Where NewStore fetches a file: what is signed lives for days, and nothing shorter passes."""

from urllib.parse import parse_qsl, urlsplit

import pytest

from inventory_sync.adapters.s3.file_delivery import presigned_url, refuse_short_lived, s3_uri
from inventory_sync.domain.errors import FatalError

KEY = {"access_key_id": "AKIAEXAMPLE", "secret_access_key": "a-long-lived-secret"}
FILE = "https://bucket.s3.eu-west-1.amazonaws.com/imports/1/availabilities.zip"
DAY = 86_400


def signed(**query: object) -> str:
    given = {
        "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
        "X-Amz-Credential": "AKIAEXAMPLE/20260302/eu-west-1/s3/aws4_request",
        "X-Amz-Expires": 7 * DAY,
        "X-Amz-Signature": "0123456789abcdef",
        **{name.replace("_", "-"): value for name, value in query.items()},
    }
    return FILE + "?" + "&".join(f"{name}={value}" for name, value in given.items())


def test_s3_uri_names_bucket_and_key_and_does_not_expire() -> None:
    uri = s3_uri("bucket", "imports/1/availabilities.zip")
    assert uri == "s3://bucket/imports/1/availabilities.zip"
    refuse_short_lived(uri, 7)


def test_url_signed_with_a_long_lived_key_lives_seven_days() -> None:
    url = presigned_url(KEY, "bucket", "imports/1/availabilities.zip", region="eu-west-1")
    refuse_short_lived(url, 7)
    assert url.startswith(FILE + "?")


@pytest.mark.parametrize("days", [2, 8])
def test_no_url_is_signed_for_too_few_days_or_for_more_than_s3_takes(days: int) -> None:
    with pytest.raises(FatalError, match=f"signed for {days * DAY} s"):
        presigned_url(KEY, "bucket", "key", region="eu-west-1", days=days)


def test_url_is_signed_with_sigv4_and_without_the_secret() -> None:
    url = presigned_url(KEY, "bucket", "key", region="us-east-1")
    assert dict(parse_qsl(urlsplit(url).query))["X-Amz-Algorithm"] == "AWS4-HMAC-SHA256"
    assert KEY["secret_access_key"] not in url


def test_other_s3_is_addressed_by_path() -> None:
    url = presigned_url(
        KEY, "bucket", "key", region="eu-west-1", endpoint_url="http://127.0.0.1:5000"
    )
    assert url.startswith("http://127.0.0.1:5000/bucket/key?")


def test_session_in_the_environment_does_not_sign(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "ASIAEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "session-secret")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "session-token")
    refuse_short_lived(presigned_url(KEY, "bucket", "key", region="eu-west-1"), 7)


def test_session_key_in_the_secret_is_refused() -> None:
    with pytest.raises(FatalError):
        presigned_url({**KEY, "access_key_id": "ASIAEXAMPLE"}, "bucket", "key", region="eu-west-1")


@pytest.mark.parametrize("missing", KEY)
def test_incomplete_secret_is_refused(missing: str) -> None:
    with pytest.raises(FatalError):
        presigned_url({**KEY, missing: ""}, "bucket", "key", region="eu-west-1")


@pytest.mark.parametrize(
    "url",
    [
        signed(X_Amz_Security_Token="session"),
        signed(x_amz_security_token="session"),
        signed(X_Amz_Security_Token=""),
        signed(X_Amz_Credential="ASIAEXAMPLE/20260302/eu-west-1/s3/aws4_request"),
        signed(X_Amz_Credential="ASIAEXAMPLE%2F20260302%2Feu-west-1%2Fs3%2Faws4_request"),
        f"{FILE}?AWSAccessKeyId=AKIAEXAMPLE&Signature=abc&Expires=1900000000",
        f"{FILE}?Signature=abc&Expires=1900000000",
        FILE,
        signed(X_Amz_Expires=3 * DAY - 1),
        signed(X_Amz_Expires=8 * DAY),
        signed(X_Amz_Expires="soon"),
        signed(X_Amz_Expires=""),
    ],
)
def test_url_that_may_die_too_early_is_refused_without_being_quoted(url: str) -> None:
    with pytest.raises(FatalError) as raised:
        refuse_short_lived(url, 3)
    assert "FILE_" in str(raised.value)
    assert "Signature=" not in str(raised.value)


def test_url_that_lives_just_long_enough_passes() -> None:
    refuse_short_lived(signed(X_Amz_Expires=3 * DAY), 3)
