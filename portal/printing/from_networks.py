"""From a network's record to what is printed of it."""

from __future__ import annotations

import base64

from sqlalchemy.orm import Session

from portal.printing.logos import SVG, PrintedLogo
from sites.images import store
from sites.look import by_language
from sites.models import Network
from sites.pictures import network_mark


def logo_of(db: Session, network: Network, language: str) -> PrintedLogo | None:
    """The logo of this network, with its words in this language where it has them; None where it has no logo."""
    mark = network_mark(network)
    file = mark.of_use("print")[-1] if mark else None
    row = store.find(db, file.name) if file else None
    if mark is None or file is None or row is None:
        return None
    _, alt = by_language(mark.alt, language, otherwise=language)
    href = f"data:image/png;base64,{base64.b64encode(row.content).decode()}"
    size = f'width="{file.width}" height="{file.height}"'
    box = f'viewBox="0 0 {file.width} {file.height}"'
    svg = f'<svg xmlns="{SVG}" {box}><image {size} href="{href}"/></svg>'
    return PrintedLogo(svg, file.width, file.height, alt)
