"""The page around the modules in static/: served, or written as one file with everything in it."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Sequence
from html import escape
from pathlib import Path

from cli.room.history import Moment

STATIC = Path(__file__).parent / "static"
START = 'import { start } from "room/main.js"; start();'
MODULES = sorted(path.name for path in STATIC.glob("*.js"))
ICON = '<link rel="icon" href="data:,">'


def served_page(title: str) -> tuple[str, str]:
    """The page and its Content-Security-Policy: nothing but what this server has."""
    imports = _import_map({f"room/{name}": f"./static/{name}" for name in MODULES})
    policy = (
        f"default-src 'none'; script-src 'self' {_hashes(imports, START)}; style-src 'self';"
        " connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none';"
        " frame-ancestors 'none'"
    )
    head = f'<link rel="stylesheet" href="static/room.css">{_script(imports, "importmap")}'
    return _fill(title, head + _script(START, "module")), policy


def report_page(title: str, moments: Sequence[Moment]) -> str:
    """The same page with data, modules and styles inside; it may ask nothing of anybody."""
    imports = _import_map({f"room/{name}": _data_url(name) for name in MODULES})
    style = _text("room.css")
    data = _safe(f"[{','.join(moment.text for moment in moments)}]")
    policy = (
        f"default-src 'none'; script-src {_hashes(imports, START)} data:;"
        f" style-src {_hashes(style)}; img-src data:; base-uri 'none'; form-action 'none'"
    )
    head = f'<meta http-equiv="Content-Security-Policy" content="{escape(policy)}">'
    head += f"<style>{style}</style>{_script(imports, 'importmap')}"
    head += f'<script type="application/json" id="moments">{data}</script>'
    return _fill(title, head + _script(START, "module"))


def _fill(title: str, head: str) -> str:
    page = _text("room.html").replace("<!--title-->", escape(title))
    return page.replace("<!--head-->", ICON + head)


def _text(name: str) -> str:
    return (STATIC / name).read_text(encoding="utf-8")


def _data_url(name: str) -> str:
    code = base64.b64encode((STATIC / name).read_bytes()).decode()
    return f"data:text/javascript;charset=utf-8;base64,{code}"


def _import_map(addresses: dict[str, str]) -> str:
    return _safe(json.dumps({"imports": addresses}, sort_keys=True))


def _safe(json_text: str) -> str:
    """No text inside can end the script that it stands in."""
    return json_text.replace("<", "\\u003c")


def _script(content: str, kind: str) -> str:
    return f'<script type="{kind}">{content}</script>'


def _hashes(*contents: str) -> str:
    digests = [hashlib.sha256(content.encode()).digest() for content in contents]
    return " ".join(f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests)
