"""The logo of a network as paper bears it: on posters, on tickets, on the cover of a report."""

from __future__ import annotations

from dataclasses import dataclass

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
