"""What a call over HTTP can end in, drawn from `domain/errors.py`.

RetriableError
`-- HttpRetriableError         a repeat is safe: not sent, not taken, or the call harms nothing
    `-- ThrottledError         429 or 425: the other side did not take it
BlockedError                   403 without JSON, where that means too many calls (domain/errors.py)
OutcomeUnknownError            sent, and the repeat of the call is not safe
RejectedError
`-- HttpRejectedError          any other status below 500; `status` says which
    `-- CredentialsRefusedError    401 or 403
FatalError                     the request cannot even be sent: a wrong address
"""

from collections.abc import Mapping
from typing import Any

from inventory_sync.domain.errors import RejectedError, RetriableError


class HttpRetriableError(RetriableError):
    """`retry_after_seconds` is what the other side asked for, None where it did not."""

    def __init__(self, text: str, retry_after_seconds: float | None = None) -> None:
        super().__init__(text)
        self.retry_after_seconds = retry_after_seconds


class ThrottledError(HttpRetriableError):
    """Too many calls, or too many open things."""


class HttpRejectedError(RejectedError):
    """`body` is the answer where it was a JSON object: a sign that the application itself spoke."""

    def __init__(self, text: str, status: int, body: Mapping[str, Any] | None = None) -> None:
        super().__init__(text)
        self.status = status
        self.body = body


class CredentialsRefusedError(HttpRejectedError):
    """The token is wrong, has expired, or may not do this."""
