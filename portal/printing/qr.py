"""The squares of a QR code: one making of them for the pages and for paper.

qrcode is imported by who draws one: it loads Pillow, wherever it finds it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal

from markupsafe import Markup

# Fixed: the code stays the same from page to page, and is made five times faster.
MASK = 3
# The blank modules that a reader needs on each side (ISO/IEC 18004).
QUIET_ZONE = 4


@dataclass(frozen=True, slots=True)
class Drawing:
    """A square of `side` modules, margin included; `path` is the dark ones as SVG, with a module as the unit."""

    side: int
    path: str


def draw(text: str, *, margin: int = 0) -> Drawing:
    """The code of `text` at level M. Text in capitals, digits and ``:/.-`` alone makes the coarser, easier code."""
    import qrcode
    from qrcode.util import QRData

    content = QRData(text)
    version = _version(content.mode, len(content))
    code = qrcode.QRCode(version, error_correction=qrcode.ERROR_CORRECT_M, border=margin, mask_pattern=MASK)
    code.add_data(content)
    code.make(fit=False)
    matrix = code.get_matrix()
    return Drawing(len(matrix), "".join(_runs(matrix)))


def svg_of(text: str, label: str) -> Markup:
    """The code of `text` as an SVG element for a page, with `label` for those who do not see it."""
    code = draw(text, margin=QUIET_ZONE)
    return Markup(
        '<svg class="code" role="img" aria-label="{label}" viewBox="0 0 {side} {side}" shape-rendering="crispEdges">'
        '<rect width="{side}" height="{side}" fill="#fff"/><path d="{path}" fill="#000"/></svg>'
    ).format(label=label, side=code.side, path=code.path)


def modules(text: str) -> int:
    """How many modules the side of this code has, without drawing it."""
    from qrcode.util import QRData

    content = QRData(text)
    return 17 + 4 * _version(content.mode, len(content))


@cache
def _version(mode: Literal[1, 2, 4], length: int) -> int:
    """The smallest that holds so much. To look for it takes a third of the making, so a batch looks once."""
    import qrcode
    from qrcode.util import QRData

    code = qrcode.QRCode(error_correction=qrcode.ERROR_CORRECT_M)
    code.add_data(QRData("0" * length, mode=mode))
    return code.best_fit()


def _runs(matrix: Sequence[Sequence[bool]]) -> Iterator[str]:
    """One rectangle for each unbroken run of dark modules in a row."""
    for y, row in enumerate(matrix):
        start: int | None = None
        for x, dark in enumerate([*row, False]):
            if dark and start is None:
                start = x
            elif not dark and start is not None:
                yield f"M{start} {y}h{x - start}v1h-{x - start}z"
                start = None
