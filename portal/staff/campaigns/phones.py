"""A message on phones: the guests' own page in frames, which have the style of that page and run nothing."""

from __future__ import annotations

import re
from dataclasses import dataclass

from flask import Response

from ads.models import Creative
from ads.places import AdPlace
from portal.http.security_headers import content_security_policy
from portal.i18n.translation import say
from portal.services import preview_renderer
from portal.staff.layout import read_style

_STYLE = re.compile(r"<style>(.*?)</style>", re.DOTALL)


@dataclass(frozen=True, slots=True)
class PhonePreview:
    """One page on one phone, `width` CSS pixels wide."""

    name: str
    width: int
    html: str


def phones_of(message: Creative | None, place: AdPlace | None, language: str) -> list[PhonePreview]:
    """The message on a light and a dark phone, and on a narrow one; none where there is nothing to show."""
    if message is None or place is None:
        return []
    pages = {
        theme: preview_renderer().render(
            message, site=place.site, network=place.network, language=language, theme=theme
        )
        for theme in ("light", "dark")
    }
    return [
        PhonePreview(say("light"), 360, pages["light"]),
        PhonePreview(say("dark"), 360, pages["dark"]),
        PhonePreview(say("narrow, 320 pixels"), 320, pages["light"]),
    ]


def framed(response: Response, phones: list[PhonePreview]) -> Response:
    """Let the frames have their own style: they inherit the policy of the page that they stand in."""
    styles = sorted({style for phone in phones for style in _STYLE.findall(phone.html)})
    response.headers["Content-Security-Policy"] = content_security_policy(read_style(), *styles)
    return response
