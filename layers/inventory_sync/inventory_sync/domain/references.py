"""The reference under which an ERP keeps a movement."""

from base64 import b32encode
from hashlib import sha256

LENGTH_MIN = 16
"""What SAP has room for; 16 of 32 signs are 80 bits, so a billion movements do not collide."""
_LENGTH_MAX = 32


def reference_of(movement_id: str, length_max: int) -> str:
    """The movement id where the ERP has room for it, else 16 to 32 signs made from all of it.

    The same id always gives the same one. Capital letters and digits only: some ERPs keep no
    others. `length_max` is at least LENGTH_MIN.
    """
    if len(movement_id) <= length_max:
        return movement_id
    digest = b32encode(sha256(movement_id.encode()).digest()).decode()
    return digest[: min(length_max, _LENGTH_MAX)]
