"""Receipts as pictures, for languages that a receipt printer has no letters for: the 80 mm paper in dots."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from portal.printing.pages import Job, fit
from portal.printing.papers import MUST, Paper, UnfitText

if TYPE_CHECKING:
    from portal.printing.tickets import PrintedVoucher

# 203 dots to the inch, on the 72 of 80 mm that the head reaches.
DOTS_PER_MM, PAPER_MM, LINE_DOTS = 8, 80, 576
PIXELS_PER_INCH = 25.4 * DOTS_PER_MM
# What is darker than this is black.
THRESHOLD = 150
# A printer takes in so many lines at a time.
BAND = 128
MARGIN_DOTS = 16


def raster_job(tickets: Sequence[PrintedVoucher]) -> Job:
    """The job for the press. Raises `UnfitText` where a receipt has no room for what it must say."""
    fitting = fit(tickets, paper=Paper.RECEIPT, large=False)
    if fitting.cut & MUST:
        raise UnfitText(Paper.RECEIPT, fitting.cut & MUST)
    return Job(tickets, Paper.RECEIPT, (0.0, 0.0), 0, False, "", "dots", fitting.roomy)


def dots(pages: Sequence[bytes]) -> bytes:
    """Of pages as PNG at `PIXELS_PER_INCH` the dots, as JSON: a bit for each, line by line, down to the last black."""
    # Only what prints a receipt as a picture pays for the library.
    from PIL import Image, ImageOps

    drawn = []
    for page in pages:
        with Image.open(io.BytesIO(page)) as picture:
            grey = ImageOps.invert(picture.convert("RGB").convert("L"))
        black = grey.point(lambda value: 255 if value > THRESHOLD else 0)
        left, box = (grey.width - LINE_DOTS) // 2, black.getbbox()
        bottom = min(grey.height, (box[3] if box else 0) + MARGIN_DOTS)
        lines = black.crop((left, 0, left + LINE_DOTS, bottom)).convert("1", dither=Image.Dither.NONE)
        drawn.append(base64.b64encode(lines.tobytes()).decode())
    return json.dumps(drawn).encode()


def read_dots(answer: bytes) -> list[bytes]:
    """What the press has answered: the dots of each receipt."""
    return [base64.b64decode(one) for one in json.loads(answer)]


def commands(lines: bytes) -> Iterator[bytes]:
    """``GS v 0``: the dots in bands, as many as a printer takes in at once."""
    across = LINE_DOTS // 8
    for start in range(0, len(lines), across * BAND):
        band = lines[start : start + across * BAND]
        size = across.to_bytes(2, "little") + (len(band) // across).to_bytes(2, "little")
        yield b"\x1dv0\x00" + size + band
