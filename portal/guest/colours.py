"""The colours of a network, where they can be told from the page behind them. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sites.colours import DARK_PAPER, LEAST_CONTRAST, LIGHT_PAPER, contrast, is_colour

HOUSE_LIGHT, HOUSE_DARK = "#0b5460", "#8bd5dd"


@dataclass(frozen=True, slots=True)
class Accents:
    """A network's colour on light paper, and on dark."""

    light: str
    dark: str


def accents(look: Mapping[str, Any]) -> Accents:
    """The colours to draw a network with: its own where their contrast is 4.5:1 or more, else the house's."""
    return Accents(
        light=_readable(look.get("accent"), LIGHT_PAPER) or HOUSE_LIGHT,
        dark=_readable(look.get("accent_dark"), DARK_PAPER) or HOUSE_DARK,
    )


def _readable(colour: object, paper: str) -> str | None:
    if not isinstance(colour, str) or not is_colour(colour):
        return None
    return colour if contrast(colour, paper) >= LEAST_CONTRAST else None
