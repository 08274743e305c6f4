"""Bars, drawn on the server as SVG: the same for the page and for print, readable in grey, no script.

Colours are presentation attributes, which the page's style sheet overrides by class in light and dark.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import escape

WIDTH, HEIGHT = 680.0, 230.0
LEFT, RIGHT, TOP, BOTTOM = 8.0, 8.0, 26.0, 30.0
INK, QUIET, BAR, STRONG = "#17191e", "#565b65", "#7fb3bb", "#0b5460"
FONT = "Atkinson Hyperlegible Next, system-ui, sans-serif"
# Beyond so many bars a number above each of them would touch the next.
MOST_LABELLED = 14


@dataclass(frozen=True, slots=True)
class Bar:
    """`value` None: not told, and `text` says so. `label` may be empty; `mark` is drawn below the axis (an outage)."""

    label: str
    value: float | None
    text: str
    mark: bool = False


def bars(drawn: Sequence[Bar], *, alt: str) -> str:
    """A chart of bars: the greatest ones strong, with their numbers; the others too where there is room."""
    top = max((bar.value or 0 for bar in drawn), default=0)
    pitch = (WIDTH - LEFT - RIGHT) / max(1, len(drawn))
    pieces = [_bar(bar, number, pitch, top, len(drawn)) for number, bar in enumerate(drawn)]
    axis = HEIGHT - BOTTOM
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="chart" role="img" aria-label="{escape(alt)}" '
        f'viewBox="0 0 {WIDTH:g} {HEIGHT:g}" font-family="{FONT}" font-size="13" text-anchor="middle">'
        + "".join(pieces)
        + f'<line class="axis" x1="{LEFT:g}" x2="{WIDTH - RIGHT:g}" y1="{axis:g}" y2="{axis:g}" stroke="{QUIET}"/>'
        + "</svg>"
    )


def _bar(bar: Bar, number: int, pitch: float, top: float, many: int) -> str:
    middle = LEFT + pitch * (number + 0.5)
    height = (bar.value or 0) / top * (HEIGHT - TOP - BOTTOM) if top else 0.0
    is_top = bool(top) and bar.value == top
    width = pitch * (0.72 if many < 40 else 0.82)
    y = HEIGHT - BOTTOM - height
    pieces = []
    if height:
        kind, colour = ("bar top", STRONG) if is_top else ("bar", BAR)
        pieces.append(
            f'<rect class="{kind}" x="{middle - width / 2:.1f}" y="{y:.1f}" width="{width:.1f}" '
            f'height="{height:.1f}" fill="{colour}"/>'
        )
    if bar.text and (many <= MOST_LABELLED or is_top or bar.value is None):
        # The greatest bar's number stays inside the drawing.
        at = min(max(middle, LEFT + 24), WIDTH - RIGHT - 24)
        weight = ' font-weight="700"' if is_top else ""
        pieces.append(_text(at, y - 6, bar.text, "value", INK, weight))
    if bar.label:
        pieces.append(_text(middle, HEIGHT - BOTTOM + 18, bar.label, "label", QUIET))
    if bar.mark:
        pieces.append(f'<path class="outage" d="M{middle - 4:.1f} {HEIGHT - 2:g}h8l-4 -7z" fill="{INK}"/>')
    return "".join(pieces)


def _text(x: float, y: float, text: str, kind: str, colour: str, more: str = "") -> str:
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" fill="{colour}"{more}>{escape(text)}</text>'
