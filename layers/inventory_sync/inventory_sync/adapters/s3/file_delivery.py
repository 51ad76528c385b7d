"""Where NewStore fetches an import's archive, possibly days after it was told.

Either an `s3://` URI, with a bucket policy for NewStore's principal, or a URL signed with the
long-lived key of an IAM user made for this. A URL signed with a role's session dies with the
session, whatever its expiry says (docs/newstore.md, "Import").
"""

from collections.abc import Mapping
from urllib.parse import parse_qsl, urlsplit

from inventory_sync.domain.errors import FatalError

SIGNED_DAYS_MAX = 7
"""S3 accepts no longer signature."""
NEWSTORE_WAITS_DAYS = 3
"""NewStore may fetch a file days after it was told of it: no URL may end earlier."""
_DAY_SECONDS = 86_400
_REMEDY = (
    "sign with the access key of an IAM user made for this (access_key_id and secret_access_key"
    " in the secret FILE_SIGNING_SECRET_ARN names), or set none"
)


def s3_uri(bucket: str, key: str) -> str:
    """For a reader the bucket policy lets in; it does not expire."""
    return f"s3://{bucket}/{key}"


def presigned_url(
    secret: Mapping[str, str],
    bucket: str,
    key: str,
    *,
    region: str,
    days: int = SIGNED_DAYS_MAX,
    endpoint_url: str | None = None,
) -> str:
    """Signed on this machine, without a call, with the secret's key.

    `endpoint_url` only where S3 is not AWS's own. FatalError for a URL that would not last: its key
    is not long-lived, or the days are too few.
    """
    missing = [name for name in ("access_key_id", "secret_access_key") if not secret.get(name)]
    if missing:
        raise FatalError(f"the file signing secret lacks {', '.join(missing)}; {_REMEDY}")
    refuse_session_key(secret["access_key_id"])
    import boto3  # heavy, and only this way of delivery needs it
    from botocore.config import Config

    client = boto3.session.Session().client(
        "s3",
        region_name=region,
        endpoint_url=endpoint_url,
        aws_access_key_id=secret["access_key_id"],
        aws_secret_access_key=secret["secret_access_key"],
        config=Config(
            signature_version="s3v4",
            s3={"addressing_style": "path" if endpoint_url else "virtual"},
        ),
    )
    url: str = client.generate_presigned_url(
        "get_object", Params={"Bucket": bucket, "Key": key}, ExpiresIn=days * _DAY_SECONDS
    )
    refuse_short_lived(url)
    return url


def refuse_short_lived(uri: str, days_min: int = NEWSTORE_WAITS_DAYS) -> None:
    """FatalError for a URI that NewStore might fetch too late; its text never has the URI's query.

    An `s3://` URI passes: it does not expire.
    """
    if uri.startswith("s3://"):
        return
    query = {
        name.lower(): value
        for name, value in parse_qsl(urlsplit(uri).query, keep_blank_values=True)
    }
    if "x-amz-security-token" in query:
        raise FatalError(f"the file's URL carries a session token and dies with it; {_REMEDY}")
    if "awsaccesskeyid" in query or "signature" in query:
        raise FatalError(f"the file's URL is not signed with SigV4; {_REMEDY}")
    if "x-amz-signature" not in query:
        raise FatalError(f"the file's URL is not signed at all; {_REMEDY}")
    refuse_session_key(query.get("x-amz-credential", ""))
    _refuse_early_end(query.get("x-amz-expires", ""), days_min)


def refuse_session_key(access_key_id: str) -> None:
    """FatalError for the key of a session: it starts with ASIA, a user's with AKIA."""
    if access_key_id.upper().startswith("ASIA"):
        raise FatalError(f"the file's URL is signed with a session's key; {_REMEDY}")


def _refuse_early_end(expires: str, days_min: int) -> None:
    seconds = int(expires) if expires.isascii() and expires.isdigit() else 0
    if not days_min * _DAY_SECONDS <= seconds <= SIGNED_DAYS_MAX * _DAY_SECONDS:
        raise FatalError(
            f"the file's URL is signed for {seconds} s; it takes {days_min} to"
            f" {SIGNED_DAYS_MAX} days; {_REMEDY}"
        )
