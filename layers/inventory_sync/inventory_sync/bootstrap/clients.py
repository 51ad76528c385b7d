"""AWS clients."""

from typing import Any

from botocore.config import Config
from botocore.session import Session

from inventory_sync.adapters.aws.whole_answers import only_whole_answers
from inventory_sync.version import USER_AGENT


class Clients:
    """Makes AWS clients; a few quick attempts each, since every caller has its own way to go on.

    They come from botocore where that will do: boto3 costs the webhook a fifth of its cold start.
    Without `parameter_validation` only AWS checks what is sent: a twentieth of an event's CPU.
    """

    def __init__(
        self, session: Session, read_seconds: float = 10, *, parameter_validation: bool = True
    ) -> None:
        only_whole_answers(session)
        self._session = session
        self._s3: Any = None
        self._config = Config(
            connect_timeout=1.5,
            read_timeout=read_seconds,
            parameter_validation=parameter_validation,
            user_agent_extra=USER_AGENT,
            retries={"mode": "standard", "total_max_attempts": 3},
        )

    def __call__(self, service: str) -> Any:
        """The client of a service."""
        return self._session.create_client(service, config=self._config)

    def s3(self) -> Any:
        """With boto3's uploads in parts; SigV4, as every region wants it by now.

        One for all: a second boto3 session over the same botocore one would add the uploads again.
        """
        from boto3.session import Session as Boto3Session  # the webhook starts without it

        if self._s3 is None:
            config = self._config.merge(Config(signature_version="s3v4"))
            self._s3 = Boto3Session(botocore_session=self._session).client("s3", config=config)
        return self._s3
