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
# How high the outline of a bar is that has no figures yet.
NOTHING_YET = 10.0


@dataclass(frozen=True, slots=True)
class Bar:
    """`value` None: not told, and `text` says so. `label` may be empty.

    `earlier` is what it was a year before, drawn as a line across the bar. `is_open`: it is not over, or has no
    figures yet; it is drawn in outline. Below the axis, `has_outage` is drawn as a triangle, `has_closure` as a square.
    """

    label: str
    value: float | None
    text: str
    has_outage: bool = False
    has_closure: bool = False
    earlier: float | None = None
    is_open: bool = False


def bars(drawn: Sequence[Bar], *, alt: str) -> str:
    """A chart of bars: the greatest ones strong, with their numbers; the others too where there is room."""
    top = max((max(bar.value or 0, bar.earlier or 0) for bar in drawn), default=0)
    most = max((bar.value or 0 for bar in drawn), default=0)
    pitch = (WIDTH - LEFT - RIGHT) / max(1, len(drawn))
    frame = _Frame(pitch, top, most, len(drawn))
    axis = HEIGHT - BOTTOM
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="chart" role="img" aria-label="{escape(alt)}" '
        f'viewBox="0 0 {WIDTH:g} {HEIGHT:g}" font-family="{FONT}" font-size="13" text-anchor="middle">'
        + "".join(_bar(bar, number, frame) for number, bar in enumerate(drawn))
        + f'<line class="axis" x1="{LEFT:g}" x2="{WIDTH - RIGHT:g}" y1="{axis:g}" y2="{axis:g}" stroke="{QUIET}"/>'
        + "</svg>"
    )


@dataclass(frozen=True, slots=True)
class _Frame:
    """What all bars share: their distance, the value at the top, the greatest of their own, and how many they are."""

    pitch: float
    top: float
    most: float
    many: int

    @property
    def width(self) -> float:
        return self.pitch * (0.72 if self.many < 40 else 0.82)

    def height(self, value: float | None) -> float:
        return (value or 0) / self.top * (HEIGHT - TOP - BOTTOM) if self.top else 0.0


def _bar(bar: Bar, number: int, frame: _Frame) -> str:
    middle, axis = LEFT + frame.pitch * (number + 0.5), HEIGHT - BOTTOM
    height, is_top = frame.height(bar.value), bool(frame.most) and bar.value == frame.most
    pieces = []
    if height:
        pieces.append(_column(middle, height, frame.width, is_top=is_top, is_open=bar.is_open))
    elif bar.is_open:
        pieces.append(_column(middle, NOTHING_YET, frame.width, is_top=False, is_open=True))
    if bar.earlier:
        y, half = axis - frame.height(bar.earlier), frame.pitch * 0.46
        pieces.append(
            f'<line class="earlier" x1="{middle - half:.1f}" x2="{middle + half:.1f}" y1="{y:.1f}" y2="{y:.1f}" '
            f'stroke="{INK}" stroke-width="2"/>'
        )
    if bar.text and (frame.many <= MOST_LABELLED or is_top or bar.value is None):
        # The greatest bar's number stays inside the drawing.
        at = min(max(middle, LEFT + 24), WIDTH - RIGHT - 24)
        weight = ' font-weight="700"' if is_top else ""
        y = axis - max(height, frame.height(bar.earlier) if _touches(bar, frame) else 0) - 6
        pieces.append(_text(at, y, bar.text, "value", INK, weight))
    if bar.label:
        pieces.append(_text(middle, axis + 18, bar.label, "label", QUIET))
    apart = 5 if bar.has_outage and bar.has_closure else 0
    if bar.has_outage:
        pieces.append(
            f'<path class="outage" d="M{middle - 4 - apart:.1f} {HEIGHT - 2:g}h8l-4 -7z" fill="{INK}"/>'
        )
    if bar.has_closure:
        pieces.append(
            f'<path class="closure" d="M{middle - 3 + apart:.1f} {HEIGHT - 2:g}h6v-6h-6z" fill="{INK}"/>'
        )
    return "".join(pieces)


def _touches(bar: Bar, frame: _Frame) -> bool:
    """Whether the line of the year before would cross the bar's own number."""
    above = frame.height(bar.earlier) - frame.height(bar.value)
    return 0 < above < 20


def _column(middle: float, height: float, width: float, *, is_top: bool, is_open: bool) -> str:
    kind, colour = ("bar top", STRONG) if is_top else ("bar", BAR)
    paint = f'fill="{colour}"'
    if is_open:
        kind, paint = "bar open", f'fill="none" stroke="{STRONG}" stroke-width="1.4" stroke-dasharray="4 3"'
    return (
        f'<rect class="{kind}" x="{middle - width / 2:.1f}" y="{HEIGHT - BOTTOM - height:.1f}" width="{width:.1f}" '
        f'height="{height:.1f}" {paint}/>'
    )


def _text(x: float, y: float, text: str, kind: str, colour: str, more: str = "") -> str:
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" fill="{colour}"{more}>{escape(text)}</text>'
