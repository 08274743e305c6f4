"""Whether a network's colour can be told from the page behind it (WCAG 2.2, success criteria 1.4.3 and 1.4.11)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

# The pages' own backgrounds: --paper in templates/shared/style.css.
LIGHT_PAPER, DARK_PAPER = "#fbfaf7", "#14161a"
LEAST_CONTRAST = 4.5
HOUSE_LIGHT, HOUSE_DARK = "#0b5460", "#8bd5dd"

_COLOUR = re.compile(r"#(?:[0-9a-f]{3}|[0-9a-f]{6})", re.IGNORECASE)


def is_colour(text: str) -> bool:
    """Whether `text` is a colour as #rgb or #rrggbb."""
    return _COLOUR.fullmatch(text) is not None


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two colours, 1 to 21 (WCAG 2.2, "contrast ratio")."""
    dark, light = sorted((_luminance(one), _luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    digits = colour[1:]
    if len(digits) == 3:
        digits = "".join(2 * digit for digit in digits)
    red, green, blue = (_linear(int(digits[at : at + 2], 16) / 255) for at in (0, 2, 4))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(channel: float) -> float:
    """One channel of sRGB without its gamma (WCAG 2.2, "relative luminance")."""
    return channel / 12.92 if channel <= 0.04045 else float(((channel + 0.055) / 1.055) ** 2.4)


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
