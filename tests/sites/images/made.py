"""Pictures for these tests, made here: good ones, and every kind of bad one."""

from __future__ import annotations

import io
import random
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw, PngImagePlugin

SCRIPT = b"<script>alert(1)</script>"


def photograph(form: str = "JPEG", size: tuple[int, int] = (1200, 800), **options: Any) -> bytes:
    """A picture with enough in it to weigh something."""
    picture = Image.linear_gradient("L").resize(size).convert("RGB")
    drawing = ImageDraw.Draw(picture)
    for step in range(0, size[0], 40):
        drawing.line((step, 0, size[0] - step, size[1]), fill=(step % 255, 90, 160), width=5)
    return saved(picture, form, **options)


def noise(size: tuple[int, int]) -> bytes:
    """Every pixel of another colour than its neighbours: what weighs most."""
    return saved(Image.frombytes("RGB", size, random.Random(1).randbytes(3 * size[0] * size[1])), "PNG")


def logo(size: tuple[int, int] = (400, 400)) -> bytes:
    """A disc on nothing."""
    picture = Image.new("RGBA", size, (0, 0, 0, 0))
    ImageDraw.Draw(picture).ellipse((4, 4, size[0] - 4, size[1] - 4), fill="#7a1f5c")
    return saved(picture, "PNG")


def saved(picture: Image.Image, form: str, **options: Any) -> bytes:
    out = io.BytesIO()
    picture.save(out, form, **options)
    return out.getvalue()


def opened(content: bytes) -> Image.Image:
    picture = Image.open(io.BytesIO(content))
    picture.load()
    return picture


def chunk(kind: bytes, content: bytes) -> bytes:
    """One chunk of a PNG (PNG third edition, section 5.3)."""
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png_of_size(width: int, height: int) -> bytes:
    """A PNG of one bit for each pixel, all black: a few kB for as many pixels as one likes."""
    packer = zlib.compressobj(9)
    row = bytes(1 + (width + 7) // 8)
    body = b"".join(packer.compress(row) for _ in range(height)) + packer.flush()
    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def png_that_lies(width: int, height: int) -> bytes:
    """A head of these sides on a picture of 8 x 8."""
    small = saved(Image.new("L", (8, 8)), "PNG")
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return small[:8] + chunk(b"IHDR", head) + small[33:]


def text_bomb() -> bytes:
    """A compressed text of 80 MB in a chunk of a small PNG."""
    whole = logo()
    told = b"Comment\0\0" + zlib.compress(bytes(80_000_000), 9)
    return whole[:33] + chunk(b"zTXt", told) + whole[33:]


def animation(form: str, frames: int = 3) -> bytes:
    pictures = [Image.new("RGB", (640, 480), (step % 256, step // 256, 9)) for step in range(frames)]
    return saved(pictures[0], form, save_all=True, append_images=pictures[1:])


def with_comment(words: str) -> bytes:
    told = PngImagePlugin.PngInfo()
    told.add_text("Comment", words)
    return saved(Image.new("RGB", (640, 480)), "PNG", pnginfo=told)


def bad_checksum() -> bytes:
    whole = bytearray(logo())
    whole[whole.index(b"IDAT") + 20] ^= 0xFF
    return bytes(whole)


ZIP = b"PK\5\6" + bytes(18)
# Name of the file, its content, and a part of the sentence that it is refused with.
# What costs time to make is made where it is looked at, not wherever this module is imported.
HOSTILE: dict[str, tuple[str, bytes | Callable[[], bytes], str]] = {
    "nothing": ("a.png", b"", "The file is empty."),
    "svg": ("a.svg", b'<svg xmlns="http://www.w3.org/2000/svg">' + SCRIPT + b"</svg>", "is an SVG"),
    "svg-as-png": ("a.png", b'<?xml version="1.0"?>\n<svg onload="alert(1)"/>', "is an SVG"),
    "svg-in-utf-16": ("a.png", '<svg onload="alert(1)"/>'.encode("utf-16"), "is an SVG"),
    "html-as-jpeg": ("a.jpg", b"\xef\xbb\xbf  <!DOCTYPE html>" + SCRIPT, "is a web page"),
    "gif": ("a.gif", lambda: photograph("GIF"), "is a GIF"),
    "gif-with-script": ("a.gif", b"GIF89a/*" + bytes(20) + b"*/=1;alert(1)//", "is a GIF"),
    "animated-gif": ("a.gif", lambda: animation("GIF"), "is a GIF"),
    "pdf": ("a.pdf", b"%PDF-1.7\n%\xe2\xe3", "is a PDF"),
    "postscript": ("a.eps", b"%!PS-Adobe-3.0 EPSF-3.0\n", "is a PostScript file"),
    "bmp": ("a.bmp", lambda: photograph("BMP"), "is a BMP"),
    "tiff": ("a.tif", lambda: photograph("TIFF"), "is a TIFF"),
    "avif": ("a.avif", lambda: photograph("AVIF"), "is a HEIC or AVIF"),
    "heic": ("a.heic", b"\0\0\0\x18ftypheic" + bytes(60), "is a HEIC or AVIF"),
    "icon": ("a.ico", lambda: photograph("ICO", (64, 64)), "is an icon"),
    "film": ("a.mp4", b"\0\0\0\x18ftypmp42" + bytes(60), "is a film"),
    "zip": ("a.zip", b"PK\3\4" + bytes(60) + ZIP, "is a ZIP"),
    "program": ("a.png", b"\x7fELF\2\1\1" + bytes(60), "is a program"),
    "noise": ("a.jpg", b"hello, I am a photograph", "no picture that is known here"),
    "jpeg-called-png": ("a.png", photograph, "is a JPEG and its name ends in “.png”"),
    "png-called-txt": ("a.txt", logo, "its name ends in “.txt”"),
    "without-ending": ("photograph", photograph, "its name ends in “”"),
    "jpeg-then-zip": (
        "a.jpg",
        lambda: photograph() + b"PK\3\4" + bytes(60) + ZIP,
        "holds a ZIP archive beside",
    ),
    "jpeg-then-html": ("a.jpg", lambda: photograph() + b"<HTML>" + SCRIPT, "holds a web page beside"),
    "jpeg-then-pdf": ("a.jpg", lambda: photograph() + b"%PDF-1.4 ", "holds a PDF beside"),
    "png-with-script-in-a-comment": (
        "a.png",
        lambda: with_comment("<script>alert(1)</script>"),
        "holds a web page beside",
    ),
    "png-then-php": ("a.png", lambda: logo() + b"<?php system($_GET[0]); ?>", "holds a web page beside"),
    "jpeg-cut-off": ("a.jpg", lambda: photograph()[:4000], "The JPEG is cut off"),
    "png-cut-off": ("a.png", lambda: logo()[:-900], "The PNG is cut off"),
    "webp-cut-off": ("a.webp", lambda: photograph("WEBP")[:-900], "The WEBP cannot be decoded"),
    "png-with-a-wrong-checksum": ("a.png", bad_checksum, "The PNG cannot be decoded"),
    "head-alone": ("a.png", b"\x89PNG\r\n\x1a\n", "begins like a PNG and is none"),
    "jpeg-head-alone": ("a.jpg", b"\xff\xd8\xff\xe0" + bytes(40), "begins like a JPEG and is none"),
    "81-million-pixels": (
        "a.png",
        lambda: png_of_size(9000, 9000),
        "has 9000 × 9000 pixels; at most 25 million",
    ),
    "400-million-pixels": ("a.png", lambda: png_that_lies(20_000, 20_000), "has 20000 × 20000 pixels"),
    "a-long-strip": ("a.png", lambda: png_of_size(9000, 640), "and 8000 on a side"),
    "head-that-lies": ("a.png", lambda: png_that_lies(4000, 4000), "The PNG is cut off"),
    "text-that-swells": ("a.png", text_bomb, "The PNG cannot be decoded"),
    "animated-png": ("a.png", lambda: animation("PNG"), "is an animation"),
    "animated-webp": ("a.webp", lambda: animation("WEBP", 400), "is an animation"),
    "too-many-bytes": ("a.jpg", lambda: photograph() + bytes(8 * 1024 * 1024), "bytes; at most 8,388,608"),
    "too-small": ("a.png", lambda: logo((40, 40)), "has 40 × 40 pixels and needs 96 × 96"),
}


def write(folder: Path, name: str, content: bytes) -> Path:
    path = folder / name
    path.write_bytes(content)
    return path
