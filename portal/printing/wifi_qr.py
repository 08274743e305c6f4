"""The code that a camera reads to join a network."""

from __future__ import annotations

import re

from markupsafe import Markup

from portal.printing.qr import svg_of

_SPECIAL = re.compile(r'([\\;,":])')


def joining_uri(ssid: str) -> str:
    """The ``WIFI:`` address of an open network, with its name escaped (ZXing, "Wi-Fi Network config")."""
    escaped = _SPECIAL.sub(r"\\\1", ssid)
    return f"WIFI:T:nopass;S:{escaped};;"


def joining_code(ssid: str, label: str) -> Markup:
    """The code as an SVG picture, with `label` as the text for those who do not see it."""
    return svg_of(joining_uri(ssid), label)
