"""Errors of requests and urllib3, in our terms."""

from collections.abc import Iterator
from contextlib import contextmanager

import requests
import urllib3.exceptions

from inventory_sync.adapters.http.answer import OversizeError
from inventory_sync.adapters.http.errors import HttpRetriableError
from inventory_sync.adapters.http.request import HttpRequest
from inventory_sync.adapters.http.status import sent_without_answer
from inventory_sync.domain.errors import FatalError

_NOT_CONNECTED = (
    urllib3.exceptions.NewConnectionError,
    urllib3.exceptions.ConnectTimeoutError,
    urllib3.exceptions.NameResolutionError,
)


@contextmanager
def mapped(request: HttpRequest) -> Iterator[None]:
    """The errors of requests and urllib3, in our terms."""
    try:
        yield
    except OversizeError as error:
        raise sent_without_answer(request, f"the answer is too large: {error}") from error
    except ValueError as error:
        # A wrong address or header. Not chained: its text may quote the token.
        text = f"{request.where}: {type(error).__name__}; check the address and the token"
        raise FatalError(text) from None
    except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
        if obstacle := _obstacle(error):
            text = f"{request.where}: no connection to {request.address}: {obstacle}"
            raise HttpRetriableError(text) from error
        text = f"sent, but no whole answer came: {type(error).__name__}"
        raise sent_without_answer(request, text) from error


def _obstacle(error: Exception) -> str:
    """Why there was no connection to send anything over; empty where there was one."""
    cause = error.args[0] if error.args else None
    reason = cause.reason if isinstance(cause, urllib3.exceptions.MaxRetryError) else None
    if isinstance(reason, urllib3.exceptions.SSLError) and "CERTIFICATE_VERIFY" in str(reason):
        return "the certificate is not valid"
    return type(reason).__name__ if isinstance(reason, _NOT_CONNECTED) else ""
