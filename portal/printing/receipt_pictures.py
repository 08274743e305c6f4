"""A picture of what a receipt printer makes of its bytes: they are read command by command, as the printer does.

So the preview shows the very bytes that will be sent. Only the commands of `receipts` are known.
Lengths are the printer's dots, eight to the millimetre.
"""

from __future__ import annotations

import base64
import struct
import zlib
from dataclasses import dataclass, field
from html import escape

from portal.printing.qr import draw
from portal.printing.receipt_rasters import DOTS_PER_MM

PAPER_DOTS = 80 * DOTS_PER_MM
LINE_DOTS = 576
MARGIN = (PAPER_DOTS - LINE_DOTS) // 2
# Font A, and the feed of a line (ESC 2).
LETTER_WIDTH, LETTER_HEIGHT, LINE_FEED = 12, 24, 30
# How many bytes of parameters follow each command of two bytes.
PARAMETERS = {b"\x1b@": 0, b"\x1bt": 1, b"\x1ba": 1, b"\x1bE": 1, b"\x1bJ": 1, b"\x1d!": 1, b"\x1dV": 2}
SVG = "http://www.w3.org/2000/svg"


@dataclass(slots=True)
class _Printer:
    """Where the head stands, and how it prints; `marks` is the paper so far."""

    y: int = 24
    centred: bool = False
    bold: bool = False
    scale: int = 1
    dots: int = 1
    stored: str = ""
    marks: list[str] = field(default_factory=list)

    def print_line(self, text: str) -> None:
        width = len(text) * LETTER_WIDTH * self.scale
        x = MARGIN + ((LINE_DOTS - width) // 2 if self.centred else 0)
        base = self.y + round(0.8 * LETTER_HEIGHT * self.scale)
        if text:
            weight = ' font-weight="bold"' if self.bold else ""
            self.marks.append(
                f'<text x="{x}" y="{base}" textLength="{width}" lengthAdjust="spacingAndGlyphs" '
                f'font-size="{20 * self.scale}"{weight}>{escape(text)}</text>'
            )
        self.y += max(LINE_FEED, LETTER_HEIGHT * self.scale)

    def print_code(self) -> None:
        code = draw(self.stored)
        side = code.side * self.dots
        x = MARGIN + ((LINE_DOTS - side) // 2 if self.centred else 0)
        self.marks.append(
            f'<path transform="translate({x} {self.y}) scale({self.dots})" d="{code.path}" '
            'shape-rendering="crispEdges"/>'
        )
        self.y += side

    def print_dots(self, across: int, lines: bytes) -> None:
        height = len(lines) // across
        href = f"data:image/png;base64,{base64.b64encode(_png(across, lines)).decode()}"
        self.marks.append(
            f'<image x="{MARGIN}" y="{self.y}" width="{across * 8}" height="{height}" href="{href}"/>'
        )
        self.y += height

    def obey(self, command: bytes, parameters: bytes) -> None:
        match command:
            case b"\x1ba":
                self.centred = parameters == b"\x01"
            case b"\x1bE":
                self.bold = parameters == b"\x01"
            case b"\x1bJ":
                self.y += parameters[0]
            case b"\x1d!":
                self.scale = 1 + (parameters[0] & 0x0F)

    def obey_symbol(self, parameters: bytes) -> None:
        """``GS ( k``: the size of a module, the text to store, the order to print."""
        match parameters[:2]:
            case b"1C":
                self.dots = parameters[2]
            case b"1P":
                self.stored = parameters[3:].decode()
            case b"1Q":
                self.print_code()


def draw_receipt(stream: bytes) -> str:
    """The first receipt of `print_escpos`, up to the cut, as SVG."""
    printer, line, at = _Printer(), bytearray(), 0
    while at < len(stream):
        head = stream[at : at + 2]
        if head == b"\x1d(":
            length = int.from_bytes(stream[at + 3 : at + 5], "little")
            printer.obey_symbol(stream[at + 5 : at + 5 + length])
            at += 5 + length
        elif head == b"\x1dv":
            across, height = (int.from_bytes(stream[at + 4 + n : at + 6 + n], "little") for n in (0, 2))
            printer.print_dots(across, stream[at + 8 : at + 8 + across * height])
            at += 8 + across * height
        elif head in PARAMETERS:
            length = PARAMETERS[head]
            if head == b"\x1dV":
                break
            printer.obey(head, stream[at + 2 : at + 2 + length])
            at += 2 + length
        else:
            if head[:1] == b"\n":
                printer.print_line(line.decode("cp1252"))
                line.clear()
            else:
                line.append(head[0])
            at += 1
    height = printer.y + 24
    return (
        f'<svg xmlns="{SVG}" viewBox="0 0 {PAPER_DOTS} {height}" width="80mm" height="{height / DOTS_PER_MM:g}mm" '
        f'font-family="monospace" xml:space="preserve"><rect width="{PAPER_DOTS}" height="{height}" fill="#fff"/>'
        f"{''.join(printer.marks)}</svg>"
    )


def _png(across: int, lines: bytes) -> bytes:
    """Dots as a PNG of one bit each (ISO/IEC 15948): there a black one is 0."""
    white = bytes(byte ^ 0xFF for byte in lines)
    rows = b"".join(b"\0" + white[start : start + across] for start in range(0, len(white), across))
    head = struct.pack(">IIBBBBB", across * 8, len(lines) // across, 1, 0, 0, 0, 0)
    parts = ((b"IHDR", head), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in parts
    )
