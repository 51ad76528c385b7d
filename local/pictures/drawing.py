"""SVG by hand: as much of it as the drawings need, in a light and a dark palette."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

PALETTES: Mapping[str, Mapping[str, str]] = {
    "light": {
        "ground": "#ffffff", "surface": "#f4f5f7", "ink": "#1a1f26", "muted": "#55606d",
        "rule": "#868f9a", "accent": "#0b57d0", "soft": "#e9effb",
    },
    "dark": {
        "ground": "#0e1217", "surface": "#161b22", "ink": "#e7eaee", "muted": "#a0aab6",
        "rule": "#6d7885", "accent": "#8bb6fb", "soft": "#1c2a40",
    },
}  # fmt: skip
"""Colours by their use, for each scheme: those of the room's page."""
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif"


class Drawing:
    """Shapes in the order they are drawn; whole pixels only, so that equal input is equal bytes."""

    def __init__(self, width: int, height: int, told: str, scheme: str) -> None:
        self._size, self._told, self._colours = (width, height), told, PALETTES[scheme]
        self._shapes: list[str] = []

    def box(self, x: int, y: int, width: int, height: int, *, fill: str = "surface") -> None:
        """A rounded box with a rule around it."""
        self._add(
            f'<rect x="{x}" y="{y}" width="{width}" height="{height}" rx="6"'
            f' fill="{self._colour(fill)}" stroke="{self._colour("rule")}"/>'
        )

    def block(self, x: int, y: int, width: int, height: int, *, kind: str) -> None:
        """Units: `full` where they are there, `dashed` where they are taken off again."""
        look = {
            "full": f'fill="{self._colour("soft")}" stroke="{self._colour("accent")}"',
            "dashed": f'fill="none" stroke="{self._colour("muted")}" stroke-dasharray="3 2"',
        }[kind]
        self._add(f'<rect x="{x}" y="{y}" width="{width}" height="{height}" {look}/>')

    def text(
        self, x: int, y: int, text: str, *, size: int = 14, fill: str = "ink",
        anchor: str = "middle", bold: bool = False,
    ) -> None:  # fmt: skip
        """One line; `y` is where it stands on."""
        weight = ' font-weight="600"' if bold else ""
        self._add(
            f'<text x="{x}" y="{y}" font-size="{size}" fill="{self._colour(fill)}"'
            f' text-anchor="{anchor}"{weight}>{escape(text)}</text>'
        )

    def line(self, *points: tuple[int, int], arrow: bool = False, dashed: bool = False) -> None:
        """From point to point; with a head at its end."""
        path = " L".join(f"{x} {y}" for x, y in points)
        look = (' marker-end="url(#head)"' if arrow else "") + (
            ' stroke-dasharray="5 4"' if dashed else ""
        )
        self._add(f'<path d="M{path}" fill="none" stroke="{self._colour("rule")}"{look}/>')

    def svg(self) -> str:
        """The whole file."""
        width, height = self._size
        head = (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}"'
            f' width="{width}" height="{height}" role="img" font-family="{FONT}"'
            ' stroke-width="1.5">'
        )
        arrow = (
            '<defs><marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7"'
            ' markerHeight="7" orient="auto"><path d="M0 0 L8 4 L0 8 Z"'
            f' fill="{self._colour("rule")}" stroke="none"/></marker></defs>'
        )
        ground = f'<rect width="{width}" height="{height}" fill="{self._colour("ground")}"/>'
        title = f"<title>{escape(self._told)}</title>"
        # Lines and arrows have a stroke; words have none.
        style = "<style>text{stroke:none}</style>"
        return "\n".join([head, title, arrow, style, ground, *self._shapes, "</svg>"]) + "\n"

    def _colour(self, use: str) -> str:
        return self._colours[use]

    def _add(self, shape: str) -> None:
        self._shapes.append(shape)
