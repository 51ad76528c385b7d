"""What an id of a location, request, item or product may be: the same wherever one is taken.

Ids are opaque. One that an event may have can be mapped, held, released and shown as it stands, a
blank at its end included.
"""

import re

ID_CHARACTERS_MAX = 200
"""At four bytes a character an event's key stays within DynamoDB's 1,024 bytes."""
UNUSABLE = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
"""Control characters and half surrogate pairs."""
