"""What is made of each kind of picture: in which sizes, for which use. Plain values that both processes know."""

from __future__ import annotations

from dataclasses import dataclass, replace

# The header's word, looked at before a pixel is decoded. A phone's photograph has 12 or 24 million.
MOST_PIXELS, LONGEST_SIDE = 25_000_000, 8_000


@dataclass(frozen=True, slots=True)
class Rendition:
    """One file to make. `use` is ``page``, ``print``, ``icon`` (of a home screen) or ``favicon`` (of a tab).

    It fits into `width` and `height`, never enlarged; icons are squares of just this size.

    `formats` are Pillow's names. `most_bytes` bounds each file: quality falls until it fits, then noise is blurred.
    """

    use: str
    width: int
    height: int
    formats: tuple[str, ...]
    most_bytes: int


@dataclass(frozen=True, slots=True)
class ImageShape:
    """A kind of picture. Sides are pixels; what is wider or higher than the proportions allow is cut at its edges."""

    name: str
    least_width: int
    least_height: int
    widest: float
    highest: float
    has_transparency: bool
    renditions: tuple[Rendition, ...]
    # A few pixels that stand inside the page until the picture has come.
    placeholder_width: int = 0


LOGO = ImageShape(
    "logo",
    least_width=96,
    least_height=96,
    widest=6.0,
    highest=2.0,
    has_transparency=True,
    renditions=(
        Rendition("page", 320, 56, ("WEBP", "PNG"), 20_000),
        Rendition("page", 640, 112, ("WEBP", "PNG"), 40_000),
        Rendition("print", 1000, 1000, ("PNG",), 400_000),
        Rendition("icon", 192, 192, ("PNG",), 60_000),
        Rendition("icon", 512, 512, ("PNG",), 200_000),
        Rendition("favicon", 48, 48, ("PNG",), 4_000),
    ),
)
PHOTOGRAPH = ImageShape(
    "photograph",
    least_width=640,
    least_height=320,
    widest=3.0,
    highest=1.0,
    has_transparency=False,
    renditions=(
        Rendition("page", 480, 480, ("WEBP", "JPEG"), 45_000),
        Rendition("page", 960, 960, ("WEBP", "JPEG"), 120_000),
        Rendition("page", 1600, 1600, ("WEBP", "JPEG"), 300_000),
    ),
    placeholder_width=24,
)
# Beside the text of a message. The page, its style and one of these come within 100 kB.
MESSAGE = ImageShape(
    "message",
    least_width=640,
    least_height=320,
    widest=3.0,
    highest=1.0,
    has_transparency=False,
    renditions=(
        Rendition("page", 400, 400, ("AVIF", "WEBP", "JPEG"), 30_000),
        Rendition("page", 800, 800, ("AVIF", "WEBP", "JPEG"), 60_000),
    ),
    placeholder_width=24,
)
# What stands in a video's place until it is played: in the video's own proportions.
POSTER = replace(MESSAGE, name="video", least_width=16, least_height=16, widest=16.0, highest=16.0)
SHAPES = {shape.name: shape for shape in (LOGO, PHOTOGRAPH, MESSAGE, POSTER)}
