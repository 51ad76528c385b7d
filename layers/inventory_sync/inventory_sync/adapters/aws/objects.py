"""Whether an object of a bucket is not there, for whoever may list the bucket under a prefix only.

S3 answers 404 to whoever may list all of the bucket; to others 403, as for what they may not read.
"""

from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from inventory_sync.adapters.aws.errors import error_code

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_GONE = frozenset({"NoSuchKey", "404"})
_REFUSED = frozenset({"AccessDenied", "403"})


def is_missing(client: "S3Client", bucket: str, key: str, error: ClientError) -> bool:
    """What an answer to a read means; looks into the list of that one key where it leaves it open.

    ClientError where not even that may be listed.
    """
    code = error_code(error)
    return code in _GONE or (code in _REFUSED and not _listed(client, bucket, key))


def _listed(client: "S3Client", bucket: str, key: str) -> bool:
    """Of all keys that begin with it, the key itself comes first."""
    found = client.list_objects_v2(Bucket=bucket, Prefix=key, MaxKeys=1)
    return any(entry["Key"] == key for entry in found.get("Contents", ()))
