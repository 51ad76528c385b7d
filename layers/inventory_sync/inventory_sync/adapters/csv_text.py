"""CSV in the forms that spreadsheets, Windows shells and SAP give it."""

import codecs
import re
from collections.abc import Sequence

DELIMITERS = ",;\t|"
"""Those that are looked for where a header is not as expected."""

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_SEP_LINE = re.compile(r'"?sep=([^\w\r\n])"?\1*\s*', re.IGNORECASE)
_HEADERS_SHOWN = 8
_HEADER_CHARACTERS_SHOWN = 40


def encoding_of(begin: bytes, otherwise: str) -> str:
    """What a byte order mark at the beginning of a file says, whatever was agreed."""
    return next((name for mark, name in _MARKS if begin.startswith(mark)), otherwise)


def decoded(body: bytes) -> str:
    """A small text, UTF-8 without a byte order mark; UnicodeDecodeError for what it is not."""
    return body.decode(encoding_of(body, "utf-8"))


def delimiter_of(first_line: str) -> str | None:
    """What a `sep=;` line says, which Excel reads and other programs take for the header."""
    found = _SEP_LINE.fullmatch(first_line)
    return found[1] if found else None


def plain(header: str) -> str:
    """A header for comparison: without regard to case and to blanks, no-break ones included."""
    return " ".join(header.replace("\ufeff", "").split()).casefold()


def places(header: Sequence[str], required: Sequence[str], delimiter: str) -> list[int]:
    """Where these columns stand; ValueError that says what is missing and what stands there.

    Columns that nobody asked for are passed over, and may stand there twice.
    """
    found = optional_places(header, required)
    if missing := [name for name, place in zip(required, found, strict=True) if place is None]:
        raise ValueError(
            f"no column {', '.join(missing)}: expected {', '.join(required)} with {delimiter!r}"
            f" between, found {shown(header)}{_hint(header)}"
        )
    return [place for place in found if place is not None]


def optional_places(header: Sequence[str], columns: Sequence[str]) -> list[int | None]:
    """None for a column that is not there; ValueError for one that stands there twice."""
    names = [plain(name) for name in header]
    if doubled := [name for name in columns if names.count(plain(name)) > 1]:
        text = ", ".join(doubled)
        raise ValueError(f"column {text} stands there more than once: {shown(header)}; keep one")
    return [names.index(plain(name)) if plain(name) in names else None for name in columns]


def shown(header: Sequence[str]) -> str:
    """The first headers, as they stand there."""
    if not any(name.strip() for name in header):
        return "no header"
    named = [repr(name.strip()[:_HEADER_CHARACTERS_SHOWN]) for name in header[:_HEADERS_SHOWN]]
    rest = f" and {len(header) - _HEADERS_SHOWN} more" if len(header) > _HEADERS_SHOWN else ""
    return ", ".join(named) + rest


def _hint(header: Sequence[str]) -> str:
    others = [sign for sign in DELIMITERS if len(header) == 1 and sign in header[0]]
    return f"; is {others[0]!r} the delimiter?" if others else ""
