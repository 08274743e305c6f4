"""A small line for a number over the last day, drawn on the server: SVG that any width stretches, words beside it."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup, escape

WIDTH, HEIGHT = 480, 64


def sparkline(counts: Sequence[int], *, alt: str) -> Markup:
    """`counts` from left to right over a base of zero."""
    most = max(counts, default=0) or 1
    step = WIDTH / max(1, len(counts) - 1)
    points = " ".join(
        f"{number * step:.1f},{HEIGHT - 2 - count / most * (HEIGHT - 6):.1f}"
        for number, count in enumerate(counts)
    )
    return Markup(
        f'<svg class="sparkline" role="img" aria-label="{escape(alt)}" viewBox="0 0 {WIDTH} {HEIGHT}" '
        f'preserveAspectRatio="none"><polygon points="0,{HEIGHT} {points} {WIDTH},{HEIGHT}"/>'
        f'<polyline points="{points}" vector-effect="non-scaling-stroke"/></svg>'
    )
