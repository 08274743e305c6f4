"""A network's colour is used only where it can be told from the page."""

from __future__ import annotations

from pathlib import Path

import pytest

from sites.colours import (
    DARK_PAPER,
    HOUSE_DARK,
    HOUSE_LIGHT,
    LEAST_CONTRAST,
    LIGHT_PAPER,
    Accents,
    accents,
    contrast,
)

STYLE = Path(__file__).parents[2] / "templates" / "shared" / "style.css"


def test_black_on_white_is_21_to_1() -> None:
    assert contrast("#000", "#ffffff") == pytest.approx(21)
    assert contrast("#fff", "#fff") == pytest.approx(1)


def test_a_readable_colour_is_taken() -> None:
    assert accents({"accent": "#7a1f5c", "accent_dark": "#e79ccb"}) == Accents("#7a1f5c", "#e79ccb")


@pytest.mark.parametrize(
    "colour", ["#e79ccb", "#fbfaf7", "red", "#12", "#gggggg", '"/><script>', "", None, 7]
)
def test_a_pale_or_broken_colour_is_replaced_by_the_houses(colour: object) -> None:
    assert accents({"accent": colour}).light == HOUSE_LIGHT


def test_a_dark_colour_is_not_drawn_on_dark() -> None:
    assert accents({"accent_dark": "#7a1f5c"}).dark == HOUSE_DARK


def test_the_houses_own_colours_are_readable() -> None:
    assert contrast(HOUSE_LIGHT, LIGHT_PAPER) >= LEAST_CONTRAST
    assert contrast(HOUSE_DARK, DARK_PAPER) >= LEAST_CONTRAST


def test_the_papers_are_those_of_the_style() -> None:
    style = STYLE.read_text(encoding="utf-8")
    assert f"--paper:{LIGHT_PAPER}" in style
    assert f"--paper:{DARK_PAPER}" in style
