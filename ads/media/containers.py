"""What a video file is by its bytes, before any decoder sees it: MP4, or Matroska and WebM. Pure.

A container may name other files, hold other files, and go on behind its end: all three are refused here. What is taken
is decoded and made anew afterwards. ISO/IEC 14496-12 section 4.2 (boxes), RFC 8794 sections 4 and 5 (EBML).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ads.media.limits import MOST_BYTES
from sites.images.errors import N_, RefusedImage
from sites.images.sniffing import check_ending, check_size

# The demuxer of ffmpeg for each, and how the names of such files end.
SUFFIXES = {"mov": (".mp4", ".m4v", ".mov"), "matroska": (".webm", ".mkv")}
FORMS = {"mov": "MP4", "matroska": "WebM"}
_PLAYLIST = re.compile(
    rb"[\s\xef\xbb\xbf]*(#EXTM3U|#EXTINF|ffconcat|\[playlist\]|\[Reference\]|<\?xml[^>]*>\s*<(MPD|smil|asx)|<(MPD|smil|asx)"
    rb"|v=0\r?\n|file\s+['\"/\w])",
    re.IGNORECASE,
)
_MARKUP = re.compile(rb"[\s\xef\xbb\xbf\0]*<")
_OTHERS = (
    (re.compile(rb"RIFF....AVI ", re.DOTALL), N_("an AVI")),
    (re.compile(rb"RIFF....WEBP|\xff\xd8\xff|\x89PNG|GIF8", re.DOTALL), N_("a picture")),
    (re.compile(rb"....ftyp(heic|heix|hevc|mif1|msf1|avif|avis)", re.DOTALL), N_("a picture")),
    (re.compile(rb"....ftypM4A|ID3|\xff[\xf2-\xfb]|fLaC|RIFF....WAVE", re.DOTALL), N_("a sound recording")),
    (re.compile(rb"OggS"), N_("an Ogg")),
    (re.compile(rb"FLV\x01|[FCZ]WS"), N_("a Flash file")),
    (re.compile(rb"\x30\x26\xb2\x75\x8e\x66\xcf\x11"), N_("a Windows Media file")),
    (re.compile(rb"\0\0\x01[\xba\xb3]|\x47.{187}\x47", re.DOTALL), N_("an MPEG")),
    (re.compile(rb"\.RMF"), N_("a RealMedia file")),
    (re.compile(rb"%PDF-"), N_("a PDF")),
    (re.compile(rb"PK[\x03\x05]"), N_("a ZIP archive or an office document")),
    (re.compile(rb"\x7fELF|MZ|#!"), N_("a program")),
)
_HIDDEN = (
    (re.compile(rb"<(script|html|!doctype|iframe|\?php|svg[\s>])", re.IGNORECASE), N_("a web page")),
    (re.compile(rb"%PDF-[12]\."), N_("a PDF")),
    (re.compile(rb"PK\x05\x06.{16}", re.DOTALL), N_("a ZIP archive")),
    (re.compile(rb"\x7fELF[\x01\x02][\x01\x02]\x01"), N_("a program")),
)
# Boxes that stand in a file itself, and those that hold others on the way to what is looked at.
_TOP = frozenset(
    [
        *(b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"uuid", b"meta", b"udta", b"moof", b"mfra"),
        *(b"sidx", b"styp", b"pdin", b"prft", b"emsg", b"ssix", b"mfro"),
    ]
)
_PARENTS = frozenset((b"moov", b"trak", b"mdia", b"minf", b"dinf"))
_EBML, _SEGMENT = b"\x1aE\xdf\xa3", b"\x18\x53\x80\x67"
# How much of either end is looked at in a file whose inside is not walked.
_EDGE = 256 * 1024


def container_of(content: bytes, filename: str) -> str:
    """``mov`` or ``matroska``. Raises `RefusedImage` for everything else, and for a name that says otherwise."""
    check_size(content, MOST_BYTES)
    found = _container(content)
    check_ending(filename, FORMS[found], SUFFIXES[found])
    looked_at = _outside_of_media(content) if found == "mov" else _edges(content)
    for pattern, what in _HIDDEN:
        if pattern.search(looked_at):
            raise RefusedImage(
                N_("The file holds %(what)s beside the video: export the video anew from a video program."),
                what=what,
            )
    return found


def _container(content: bytes) -> str:
    if _PLAYLIST.match(content):
        raise RefusedImage(
            N_("The file is a list that names other files, not a video: take the MP4 or WebM itself.")
        )
    for pattern, what in _OTHERS:
        if pattern.match(content):
            raise RefusedImage(N_("The file is %(what)s: take an MP4 or WebM."), what=what)
    if content[4:8] in (b"ftyp", b"moov", b"wide", b"mdat", b"free", b"skip"):
        return "mov"
    if content.startswith(_EBML):
        return "matroska"
    if _MARKUP.match(content):
        raise RefusedImage(N_("The file is a web page or XML, not a video: take an MP4 or WebM."))
    raise RefusedImage(N_("The file is no video that is known here: take an MP4 or WebM."))


def _outside_of_media(content: bytes) -> bytes:
    """All of an MP4 but its media data. Raises `RefusedImage` for one that is cut off, goes on, or names others."""
    found, kinds = [], set()
    for kind, start, end in _boxes(content, 0, len(content), is_top=True):
        kinds.add(kind)
        if kind != b"mdat":
            found.append(content[start:end])
        if kind == b"moov":
            _look_into(content, start, end)
    if b"moov" not in kinds or not kinds & {b"mdat", b"moof"}:
        raise _cut_off("MP4")
    return b"\0".join(found)


def _boxes(content: bytes, start: int, end: int, *, is_top: bool = False) -> Iterator[tuple[bytes, int, int]]:
    """Each box of this stretch: its type, and where its content begins and ends."""
    while start < end:
        size, kind, head = (
            int.from_bytes(content[start : start + 4], "big"),
            content[start + 4 : start + 8],
            8,
        )
        if size == 1:
            size, head = int.from_bytes(content[start + 8 : start + 16], "big"), 16
        elif size == 0 and is_top:
            size = end - start
        if is_top and kind not in _TOP:
            raise RefusedImage(
                N_("The file goes on behind its video: export the video anew from a video program.")
            )
        if size < head or start + size > end:
            raise _cut_off("MP4")
        yield kind, start + head, start + size
        start += size


def _look_into(content: bytes, start: int, end: int) -> None:
    for kind, inside, until in _boxes(content, start, end):
        if kind in (b"rmra", b"rmda", b"rdrf"):
            raise _elsewhere()
        if kind == b"cmov":
            raise RefusedImage(
                N_("The head of the video is compressed: export the video anew from a video program.")
            )
        if kind == b"dref":
            # Version, flags and how many; each entry says by its lowest flag that its media are in this very file.
            for _, entry, _ in _boxes(content, inside + 8, until):
                if not content[entry + 3] & 1:
                    raise _elsewhere()
        elif kind in _PARENTS:
            _look_into(content, inside, until)


def _edges(content: bytes) -> bytes:
    """Both ends of a Matroska. Raises `RefusedImage` for one that is cut off, or goes on behind its end."""
    size, at = _vint(content, 4)
    at += size
    if content[at : at + 4] != _SEGMENT:
        raise _cut_off("WebM")
    size, begins = _vint(content, at + 4)
    if size >= 0 and begins + size > len(content):
        raise _cut_off("WebM")
    if size >= 0 and begins + size < len(content):
        raise RefusedImage(
            N_("The file goes on behind its video: export the video anew from a video program.")
        )
    return content[:_EDGE] + b"\0" + content[max(_EDGE, len(content) - _EDGE) :]


def _vint(content: bytes, at: int) -> tuple[int, int]:
    """A size of EBML and where it ends; -1 for one that is not known (RFC 8794 section 6)."""
    first = content[at] if at < len(content) else 0
    length = 9 - first.bit_length()
    if not first or at + length > len(content):
        raise _cut_off("WebM")
    value = int.from_bytes(content[at : at + length], "big") & ((1 << 7 * length) - 1)
    return (-1 if value == (1 << 7 * length) - 1 else value), at + length


def _cut_off(form: str) -> RefusedImage:
    return RefusedImage(
        N_("The %(form)s is cut off: copy it again, or export the video anew from a video program."),
        form=form,
    )


def _elsewhere() -> RefusedImage:
    return RefusedImage(N_("The video stands in another file that this one names: export it as one file."))
