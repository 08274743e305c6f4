"""The code that a camera reads to join a network."""

from __future__ import annotations

import re

from markupsafe import Markup

from portal.printing.qr import QUIET_ZONE, draw

_SPECIAL = re.compile(r'([\\;,":])')


def joining_uri(ssid: str) -> str:
    """The ``WIFI:`` address of an open network, with its name escaped (ZXing, "Wi-Fi Network config")."""
    escaped = _SPECIAL.sub(r"\\\1", ssid)
    return f"WIFI:T:nopass;S:{escaped};;"


def joining_code(ssid: str, label: str) -> Markup:
    """The code as an SVG picture, with `label` as the text for those who do not see it."""
    code = draw(joining_uri(ssid), margin=QUIET_ZONE)
    return Markup(
        '<svg class="code" role="img" aria-label="{label}" viewBox="0 0 {side} {side}" shape-rendering="crispEdges">'
        '<rect width="{side}" height="{side}" fill="#fff"/><path d="{path}" fill="#000"/></svg>'
    ).format(label=label, side=code.side, path=code.path)
