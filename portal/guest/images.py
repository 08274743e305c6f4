"""Pictures of networks, sites and messages, and videos, from our own host, and what a page needs to show a picture."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from flask import Response, abort, request, url_for

from portal.guest.assets import assets
from portal.http.asset_files import CACHE_CONTROL
from portal.i18n.translation import language, town_language
from portal.services import services
from sites.images.store import FileReference, read_reference
from sites.look import by_language

# Even if a browser took a picture for a page, that page could do nothing (CSP level 3, "sandbox").
POLICY = "default-src 'none'; sandbox"
_NAME = re.compile(r"[0-9a-f]{24}\.(avif|webp|png|jpg|mp4|vtt)")
# For browsers that know them; each picture has a file for the others too.
MODERN = ("image/avif", "image/webp")


@dataclass(frozen=True, slots=True)
class Source:
    """One choice for a browser: a media type, and its files by width or by density (HTML, `srcset`)."""

    media_type: str
    srcset: str


@dataclass(frozen=True, slots=True)
class ShownImage:
    """What an `img` element says: the address that every browser reads, the better ones, size, and the text."""

    url: str
    sources: tuple[Source, ...]
    width: int
    height: int
    alt: str
    language: str
    placeholder: str


@dataclass(frozen=True, slots=True)
class ShownIcons:
    """A mark as the icon of a tab and of a home screen: addresses of square PNG files, the latter with their sides."""

    favicon: str
    home_screen: tuple[tuple[str, int], ...]


def shown_icons(document: Mapping[str, Any] | None) -> ShownIcons | None:
    """The icons made of a logo, from its reference; None where there is none."""
    reference = read_reference(document)
    if reference is None:
        return None
    icons = reference.of_use("icon")
    # A logo that an earlier version has taken has none for tabs.
    smallest = (*reference.of_use("favicon"), *icons)[0]
    return ShownIcons(image_url(smallest.name), tuple((image_url(one.name), one.width) for one in icons))


def shown_image(
    document: Mapping[str, Any] | None, *, room: tuple[int, int] | None = None
) -> ShownImage | None:
    """A picture from its reference, in the reader's language; None where there is none.

    With `room`, it is shown as large as it fits into so many pixels, its files being for screens of one and of two dots
    a pixel; else they are for windows of several widths.
    """
    reference = read_reference(document)
    if reference is None:
        return None
    files = reference.of_use("page")
    width, height = _fitted(files[0], room)
    plain = next(one for one in files if one.media_type not in MODERN)
    spoken, alt = by_language(reference.alt, language(), otherwise=town_language())
    sources = tuple(
        Source(media_type, _srcset([one for one in files if one.media_type == media_type], room is not None))
        # As they were made, the smallest form first.
        for media_type in dict.fromkeys(one.media_type for one in files)
    )
    return ShownImage(image_url(plain.name), sources, width, height, alt, spoken, reference.placeholder)


def image_url(name: str) -> str:
    return url_for("assets.image", name=name)


@assets.get("/images/<name>")
def image(name: str) -> Response:
    found = services().images.by_name(name) if _NAME.fullmatch(name) else None
    if found is None:
        abort(HTTPStatus.NOT_FOUND)
    headers = {"Cache-Control": CACHE_CONTROL, "Content-Security-Policy": POLICY}
    response = Response(found.content, content_type=found.media_type, headers=headers)
    # A name is never used for other content. Videos are asked for in parts (RFC 9110, section 14).
    response.set_etag(name.partition(".")[0])
    response.make_conditional(request, accept_ranges=True, complete_length=len(found.content))
    return response


def _fitted(file: FileReference, room: tuple[int, int] | None) -> tuple[int, int]:
    share = 1.0 if room is None else min(room[0] / file.width, room[1] / file.height, 1.0)
    return max(1, round(file.width * share)), max(1, round(file.height * share))


def _srcset(files: list[FileReference], by_density: bool) -> str:
    if by_density:
        return ", ".join(f"{image_url(one.name)} {number}x" for number, one in enumerate(files, start=1))
    return ", ".join(f"{image_url(one.name)} {one.width}w" for one in files)
