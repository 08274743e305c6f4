"""Captions in WebVTT (W3C, "WebVTT: The Web Video Text Tracks Format"): read strictly, and written anew. Pure.

Nothing of the file goes into what is written but instants and plain words: no style, no region, no markup.
"""

from __future__ import annotations

import html
import re
from datetime import timedelta

from ads.media.limits import LONGEST_CUE, MOST_CAPTION_BYTES, MOST_CUES, MOST_SECONDS
from sites.images.errors import N_, RefusedImage

_TIMING = re.compile(
    r"((?:\d{2,}:)?\d{2}:\d{2}\.\d{3})[ \t]+-->[ \t]+((?:\d{2,}:)?\d{2}:\d{2}\.\d{3})(?:[ \t].*)?"
)
_TAG = re.compile(r"<[^>]*>")


def clean_captions(content: bytes) -> bytes:
    """The same captions as plain words. Raises `RefusedImage`."""
    if len(content) > MOST_CAPTION_BYTES:
        raise RefusedImage(
            N_("The file has %(bytes)s bytes; at most %(most)s are taken: save it smaller."),
            bytes=f"{len(content):,}",
            most=f"{MOST_CAPTION_BYTES:,}",
        )
    try:
        text = content.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")
    except UnicodeDecodeError as error:
        raise RefusedImage(
            N_("The captions are not in UTF-8: save them anew from a text program.")
        ) from error
    head, *blocks = re.split(r"\n{2,}", text.strip())
    if not re.fullmatch(r"WEBVTT(?:[ \t][^\n]*)?(?:\n[^\n]*)*", head):
        raise RefusedImage(N_("The captions are no WebVTT: their first line is WEBVTT."))
    cues = [cue for block in blocks if (cue := _cue(block))]
    if not cues or len(cues) > MOST_CUES:
        raise RefusedImage(
            N_("The captions have %(count)s lines; between 1 and %(most)s are taken."),
            count=len(cues),
            most=MOST_CUES,
        )
    return ("WEBVTT\n\n" + "\n\n".join(cues) + "\n").encode()


def _cue(block: str) -> str:
    """One cue anew; empty for a note, a style or a region."""
    lines = block.split("\n")
    place = next((number for number, line in enumerate(lines[:2]) if "-->" in line), None)
    if place is None:
        return ""
    timing = _TIMING.fullmatch(lines[place].strip())
    if timing is None:
        raise RefusedImage(
            N_("The captions have an instant that cannot be read: write it like 00:05.000 --> 00:08.000.")
        )
    begins, ends = _instant(timing[1]), _instant(timing[2])
    if not begins < ends <= timedelta(seconds=MOST_SECONDS + 1):
        raise RefusedImage(
            N_("The captions have a line that ends before it begins, or after %(most)s seconds."),
            most=MOST_SECONDS,
        )
    words = html.unescape(_TAG.sub("", " ".join(lines[place + 1 :])))
    plain = html.escape(" ".join(words.replace("-->", "→").split()), quote=False)[:LONGEST_CUE]
    return f"{_written(begins)} --> {_written(ends)}\n{plain}" if plain else ""


def _instant(text: str) -> timedelta:
    *hours, minutes, seconds = text.split(":")
    return timedelta(hours=int(hours[0]) if hours else 0, minutes=int(minutes), seconds=float(seconds))


def _written(at: timedelta) -> str:
    seconds = at.total_seconds()
    return f"{int(seconds // 60):02}:{seconds % 60:06.3f}"
