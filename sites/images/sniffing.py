"""What a file is by its first bytes, before any decoder sees it. Pure.

Everything that is taken is decoded and made anew afterwards; what is refused here is refused early and in clear words.
"""

from __future__ import annotations

import re
from pathlib import PurePath

from sites.images.errors import N_, RefusedImage

MOST_BYTES = 8 * 1024 * 1024
# Pillow's name for each format that is taken, by how its files begin and by how their names end.
SUFFIXES = {
    "JPEG": (".jpg", ".jpeg", ".jpe", ".jfif"),
    "PNG": (".png",),
    "WEBP": (".webp",),
}
# What people hand in by mistake or on purpose, by its first bytes.
_OTHERS = (
    (re.compile(rb"GIF8[79]a"), N_("a GIF")),
    (re.compile(rb"%PDF-"), N_("a PDF")),
    (re.compile(rb"%!PS|\xc5\xd0\xd3\xc6"), N_("a PostScript file")),
    (re.compile(rb"BM....\0\0\0\0", re.DOTALL), N_("a BMP")),
    (re.compile(rb"II\*\0|MM\0\*|II\+\0|MM\0\+"), N_("a TIFF")),
    (re.compile(rb"....ftyp(heic|heix|hevc|mif1|msf1|avif|avis)", re.DOTALL), N_("a HEIC or AVIF")),
    (re.compile(rb"....ftyp", re.DOTALL), N_("a film")),
    (re.compile(rb"\x1aE\xdf\xa3"), N_("a film")),
    (re.compile(rb"\0\0[\x01\x02]\0"), N_("an icon or cursor")),
    (re.compile(rb"PK[\x03\x05]"), N_("a ZIP archive or an office document")),
    (re.compile(rb"8BPS"), N_("a Photoshop file")),
    (re.compile(rb"\x7fELF|MZ"), N_("a program")),
    (re.compile(rb"\xff\x0a|\0\0\0\x0cJXL |\0\0\0\x0cjP"), N_("a JPEG XL or JPEG 2000")),
)
_MARKUP = re.compile(rb"[\s\xef\xbb\xbf\0]*<", re.IGNORECASE)
_SVG = re.compile(rb"<\0?s\0?v\0?g[\s\0>]", re.IGNORECASE)
# Other kinds of files that hide beside a picture, so that one file is read as two things.
_HIDDEN = (
    (re.compile(rb"<(script|html|!doctype|iframe|\?php|svg[\s>])", re.IGNORECASE), N_("a web page")),
    (re.compile(rb"%PDF-1\.|%PDF-2\."), N_("a PDF")),
    (re.compile(rb"PK\x05\x06.{16}", re.DOTALL), N_("a ZIP archive")),
    (re.compile(rb"\x7fELF[\x01\x02][\x01\x02]\x01"), N_("a program")),
)


def check_size(content: bytes, most: int) -> None:
    """Raise `RefusedImage` for nothing, and for more octets than `most`."""
    if not content:
        raise RefusedImage(N_("The file is empty."))
    if len(content) > most:
        raise RefusedImage(
            N_("The file has %(bytes)s bytes; at most %(most)s are taken: save it smaller."),
            bytes=f"{len(content):,}",
            most=f"{most:,}",
        )


def check_ending(filename: str, form: str, endings: tuple[str, ...]) -> None:
    """Raise `RefusedImage` where the name of a file of this `form` says that it is something else."""
    suffix = PurePath(filename).suffix.lower()
    if suffix not in endings:
        raise RefusedImage(
            N_("The file is a %(form)s and its name ends in “%(ending)s”: give it the ending %(right)s."),
            form=form,
            ending=suffix[:12],
            right=endings[0],
        )


def format_of(content: bytes, filename: str) -> str:
    """``JPEG``, ``PNG`` or ``WEBP``. Raises `RefusedImage` for everything else, and for a name that says otherwise."""
    check_size(content, MOST_BYTES)
    found = _format(content)
    if found is None:
        raise _what_it_is(content)
    check_ending(filename, found, SUFFIXES[found])
    for pattern, what in _HIDDEN:
        if pattern.search(content):
            raise RefusedImage(
                N_(
                    "The file holds %(what)s beside the picture: save the picture anew from an image program."
                ),
                what=what,
            )
    return found


def _format(content: bytes) -> str | None:
    if content.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    return "WEBP" if content[:4] == b"RIFF" and content[8:12] == b"WEBP" else None


def _what_it_is(content: bytes) -> RefusedImage:
    if _MARKUP.match(content) or content.startswith((b"\xff\xfe<", b"\xfe\xff\0<")):
        if _SVG.search(content):
            return RefusedImage(
                N_(
                    "The file is an SVG, which may hold programs: export it as PNG, or take a JPEG, PNG or WebP."
                )
            )
        return RefusedImage(N_("The file is a web page or XML, not a picture: take a JPEG, PNG or WebP."))
    for pattern, what in _OTHERS:
        if pattern.match(content):
            return RefusedImage(N_("The file is %(what)s: take a JPEG, PNG or WebP."), what=what)
    return RefusedImage(N_("The file is no picture that is known here: take a JPEG, PNG or WebP."))
