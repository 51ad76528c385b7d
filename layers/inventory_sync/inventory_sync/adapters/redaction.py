"""Pieces of foreign text that may stand in a log."""

import re
from collections.abc import Iterable

EXCERPT_CHARACTERS_MAX = 80
_LOOKED_AT_MAX = 20_000
_SECRET_CHARACTERS_MIN = 4
"""A shorter secret is no secret, and its letters stand everywhere."""

_NAMES = (
    "access_token|refresh_token|id_token|token|client_secret|secret|password|api_key|authorization"
    "|x-amz-signature|x-amz-security-token|x-amz-credential|signature"
)
_PATTERNS = (
    (re.compile(r"(?i)\b(bearer|basic)\s+[^\s\"',<>]+"), r"\1 ***"),
    (re.compile(rf"(?i)([\"']?\b(?:{_NAMES})[\"']?\s*[:=]\s*)(\"[^\"]*\"?|[^\s&,;<>]+)"), r"\1***"),
    (re.compile(r"\beyJ[\w-]+(?:\.[\w-]*)*"), "***"),
    (re.compile(r"//[^/\s@]+@"), "//***@"),
)


def excerpt(
    text: str, secrets: Iterable[str] = (), characters_max: int = EXCERPT_CHARACTERS_MAX
) -> str:
    """The beginning on one line, without the given secrets and whatever looks like one."""
    text = text[:_LOOKED_AT_MAX]
    for secret in secrets:
        if len(secret) >= _SECRET_CHARACTERS_MIN:
            text = text.replace(secret, "***")
    for pattern, replacement in _PATTERNS:
        text = pattern.sub(replacement, text)
    line = " ".join(text.split())
    return "".join(c if c.isprintable() else "?" for c in line)[:characters_max]
