"""A message on phones: the guests' own page in frames, which have the style of that page and run nothing."""

from __future__ import annotations

import re
from dataclasses import dataclass

from flask import Response, g

from ads import drafting
from ads.drafting import CampaignReading
from ads.models import Advertiser, Creative, CreativeKind
from ads.places import AdPlace
from portal.http.security_headers import STAFF_SCRIPTS, content_security_policy, read_styles
from portal.i18n.translation import language, say
from portal.services import preview_renderer

# What a message shows beside its texts, by the address of its file.
_FILE = re.compile(r"/images/[^\s\"',]+")
_STYLE = re.compile(r"<style>(.*?)</style>", re.DOTALL)


@dataclass(frozen=True, slots=True)
class PhonePreview:
    """One page on one phone, `width` CSS pixels wide."""

    name: str
    width: int
    html: str


def phones_of(message: Creative | None, place: AdPlace | None, language: str) -> list[PhonePreview]:
    """The message on a light and a dark phone, on a narrow one, and where pictures do not load; none where there is
    nothing to show.
    """
    if message is None or place is None:
        return []
    pages = {
        theme: preview_renderer().render(
            message, site=place.site, network=place.network, language=language, theme=theme
        )
        for theme in ("light", "dark")
    }
    phones = [
        PhonePreview(say("light"), 360, pages["light"]),
        PhonePreview(say("dark"), 360, pages["dark"]),
        PhonePreview(say("narrow, 320 pixels"), 320, pages["light"]),
    ]
    if message.media:
        phones.append(
            PhonePreview(say("where pictures do not load"), 360, _FILE.sub("/images/none", pages["light"]))
        )
    return phones


def sample_message(reading: CampaignReading) -> Creative:
    """What stands on the phone before anything is typed; known to no session."""
    words = {"title": say("Title of the message"), "text": say("Its text, as guests will read it.")}
    campaign = drafting.unsaved(reading)
    if reading.payer is None:
        campaign.advertiser = Advertiser(name=say("Advertiser"), is_town=False)
    return Creative(
        slug="", texts={language(): words}, more="", media={}, kind=CreativeKind.TEXT, campaign=campaign
    )


def framed(response: Response, phones: list[PhonePreview]) -> Response:
    """Let the frames have their own style: they inherit the policy of the page that they stand in.

    They are sandboxed: a script of the page's never runs in them.
    """
    styles = sorted({style for phone in phones for style in _STYLE.findall(phone.html)})
    response.headers["Content-Security-Policy"] = content_security_policy(read_styles().staff, *styles) + (
        STAFF_SCRIPTS if g.get("has_scripts") else ""
    )
    return response
