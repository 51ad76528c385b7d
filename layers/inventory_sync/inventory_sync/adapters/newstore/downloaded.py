"""Files of NewStore's on this machine's disk, for as long as they are read."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO

from inventory_sync.domain.errors import RetriableError

_MEMORY_BYTES_MAX = 4_000_000


@contextmanager
def downloaded(fetch: Callable[[IO[bytes]], None]) -> Iterator[IO[bytes]]:
    """What `fetch` writes, from its beginning; RetriableError where the disk is too small."""
    with tempfile.SpooledTemporaryFile(max_size=_MEMORY_BYTES_MAX) as file:
        try:
            fetch(file)
            file.seek(0)
        except OSError as error:
            raise RetriableError(
                f"a download could not be kept on disk ({error.strerror}): give the function more"
                " ephemeral storage"
            ) from error
        yield file
