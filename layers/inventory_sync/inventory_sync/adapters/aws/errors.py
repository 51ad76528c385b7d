"""Errors of botocore, and of the streams it hands out, in our terms; mapped once."""

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import BotoCoreError, ClientError
from urllib3.exceptions import HTTPError

from inventory_sync.domain.errors import FatalError, RetriableError, StoreFullError

_FATAL_CODES = frozenset(
    {
        "AccessDenied",
        "AccessDeniedException",
        "NoSuchBucket",
        "ResourceNotFoundException",
        "StateMachineDoesNotExist",
        "UnrecognizedClientException",
        "ValidationException",
    }
)
"""What no repeat mends: a missing permission or resource, a wrong request."""
_FULL_CODE = "ItemCollectionSizeLimitExceededException"
"""One partition and its entries in a local index take the 10 GB that DynamoDB allows."""


def error_code(error: ClientError) -> str:
    """AWS's name for what went wrong."""
    return str(error.response.get("Error", {}).get("Code", ""))


@contextmanager
def translated(what: str) -> Iterator[None]:
    """Raise FatalError, RetriableError or StoreFullError, naming `what`, for errors of both."""
    try:
        yield
    except ClientError as error:
        code = error_code(error)
        if code == _FULL_CODE:
            raise StoreFullError(
                f"{what}: the location has the 10 GB that DynamoDB takes"
            ) from error
        if code in _FATAL_CODES:
            raise FatalError(f"{what}: {code}; check the stack's permissions and names") from error
        raise RetriableError(f"{what}: {code}") from error
    except (BotoCoreError, HTTPError) as error:
        raise RetriableError(f"{what}: {type(error).__name__}") from error
