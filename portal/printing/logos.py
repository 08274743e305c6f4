"""The logo of a network on paper: on posters, on tickets, on the cover of a report."""

from __future__ import annotations

import base64
from dataclasses import dataclass

from sqlalchemy.orm import Session

from sites.images import store
from sites.look import by_language
from sites.models import Network
from sites.pictures import network_mark

SVG = "http://www.w3.org/2000/svg"


@dataclass(frozen=True, slots=True)
class PrintedLogo:
    """The town's arms or the network's mark: a picture of `width` and `height`, and what is to be seen on it.

    It is SVG around a PNG of ours: a job is JSON, and Typst draws pictures from text.
    """

    svg: str
    width: int
    height: int
    alt: str


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
