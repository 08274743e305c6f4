"""The look of a network: its colours, its own words on the first page, its links and its contact. Pure.

It is kept as one small document, `networks.look`. What cannot be shown is refused when it is saved, by whatever way.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from gateways.sentences import Sentence
from sites.colours import DARK_PAPER, LEAST_CONTRAST, LIGHT_PAPER, contrast, is_colour

TITLE_LENGTH, WELCOME_LENGTH, LABEL_LENGTH, URL_LENGTH = 80, 200, 40, 200
# More would be a menu; the page is for getting online.
MOST_LINKS = 4
BETWEEN_LINKS = " | "
ACCENTS = {
    "accent": (LIGHT_PAPER, Sentence("take a darker tone of it")),
    "accent_dark": (DARK_PAPER, Sentence("take a lighter tone of it")),
}
# Texts by language, and what a cell of an imported table may hold of them.
TEXTS = {"title": TITLE_LENGTH, "welcome": WELCOME_LENGTH}
_KEYS = {*ACCENTS, *TEXTS, "links", "contact", "logo", "onward"}
_LANGUAGE = re.compile("[a-z]{2}")
_MAIL = re.compile(r"[^\s@:?&#%/<>\"]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")
_TELEPHONE = re.compile(r"\+?[0-9]{3,15}")
_URL = re.compile(r"https://[!#-;=?-~]+", re.IGNORECASE)


class InvalidLook(ValueError):
    """A look that cannot be shown; the text says why."""


@dataclass(frozen=True, slots=True)
class FooterLink:
    """A link at the foot of every page, to the town's own pages."""

    label: str
    url: str


def contact_link(contact: str) -> str:
    """The link by which to write or call (RFC 6068, RFC 3966); empty where the contact is neither."""
    if "@" in contact:
        return f"mailto:{contact}"
    digits = re.sub(r"[\s.()-]", "", contact)
    return f"tel:{digits}" if _TELEPHONE.fullmatch(digits) else ""


def read_accent(text: str, name: str) -> str:
    """The colour `accent` or `accent_dark`, or nothing. Raises `InvalidLook`, with the contrast if that is too low."""
    text = text.strip()
    if text and not is_colour(text):
        raise InvalidLook(Sentence("'%(text)s' is no colour like #075 or #007755", text=text[:40]))
    paper, advice = ACCENTS[name]
    if text and (ratio := contrast(text, paper)) < LEAST_CONTRAST:
        other, _ = ACCENTS["accent" if name == "accent_dark" else "accent_dark"]
        raise InvalidLook(
            Sentence(
                "%(text)s has a contrast of %(ratio)s:1 with the page's background %(paper)s; %(advice)s, "
                "with %(least)s:1 or more, or leave the cell empty for the portal's own colour "
                "(on the other theme's %(other)s it has %(ratio_there)s:1)",
                text=text,
                ratio=_told(ratio),
                paper=paper,
                advice=advice,
                least=LEAST_CONTRAST,
                other=other,
                ratio_there=_told(contrast(text, other)),
            )
        )
    return text


def read_contact(text: str) -> str:
    """A telephone number or a mail address, or nothing. Raises `InvalidLook`."""
    text = " ".join(text.split())
    link = contact_link(text)
    if text and not (link.startswith("tel:") or _MAIL.fullmatch(text)):
        raise InvalidLook(
            Sentence("'%(text)s' is neither a telephone number nor a mail address", text=text[:60])
        )
    return text


def read_onward(text: str) -> str:
    """Where a guest who has got online may go on to: an https address, or nothing. Raises `InvalidLook`."""
    text = text.strip()
    if text:
        _check_link("onward", text)
    return text


def host_of(url: str) -> str:
    """The name by which people know a site: ``www.besancon.fr`` is ``besancon.fr``."""
    return (urlsplit(url).hostname or "").removeprefix("www.")


def read_links(text: str) -> str:
    """Links as one text, ``Label https://… | Label https://…`` or one to a line, in its tidy form.

    Raises `InvalidLook`.
    """
    parts = [" ".join(part.split()) for part in re.split(r"[|\n]", text) if part.strip()]
    if len(parts) > MOST_LINKS:
        raise InvalidLook(
            Sentence(
                "are %(count)s links; at most %(most)s fit at the foot of a page",
                count=len(parts),
                most=MOST_LINKS,
            )
        )
    for part in parts:
        _check_link(*_split_link(part))
    return BETWEEN_LINKS.join(parts)


def links_of(text: str) -> tuple[FooterLink, ...]:
    """The links of a text that `read_links` gave."""
    return tuple(FooterLink(*_split_link(part)) for part in text.split(BETWEEN_LINKS) if part)


def check_look(look: Mapping[str, Any]) -> None:
    """Raises `InvalidLook` for a look that no page can show."""
    if unknown := sorted(look.keys() - _KEYS):
        raise InvalidLook(f"there is no {unknown[0][:40]!r} in a look")
    for name in ACCENTS.keys() & look.keys():
        _told_of(name, read_accent, _text(look[name]), name)
    _told_of("contact", read_contact, _text(look.get("contact", "")))
    _told_of("onward_url", read_onward, _text(look.get("onward", "")))
    for name in (*TEXTS, "links"):
        for language, text in look.get(name, {}).items():
            if not _LANGUAGE.fullmatch(language):
                raise InvalidLook(f"{name}: {language[:20]!r} is no language of two letters")
            if name == "links":
                _told_of(f"links_{language}", read_links, _text(text))
            elif len(_text(text)) > TEXTS[name] or not text.isprintable():
                raise InvalidLook(f"{name}_{language}: is not one line of at most {TEXTS[name]} characters")


def by_language(texts: Mapping[str, str], language: str, *, otherwise: str) -> tuple[str, str]:
    """The text in this language, else in `otherwise`, else the first there is; with the language that it is in."""
    spoken = next((code for code in (language, otherwise) if texts.get(code)), next(iter(texts), language))
    return spoken, texts.get(spoken, "")


def _split_link(part: str) -> tuple[str, str]:
    label, _, url = part.rpartition(" ")
    return label.strip(), url


def _check_link(label: str, url: str) -> None:
    if not label:
        raise InvalidLook(
            Sentence("'%(url)s' has no label before it: write \"Town hall https://…\"", url=url[:60])
        )
    if len(label) > LABEL_LENGTH or not label.isprintable():
        raise InvalidLook(
            Sentence(
                "the label '%(label)s' is longer than %(most)s characters",
                label=label[:60],
                most=LABEL_LENGTH,
            )
        )
    try:
        host = urlsplit(url).hostname
        has_name = urlsplit(url).username is not None
    except ValueError:
        host, has_name = None, False
    if not _URL.fullmatch(url) or not host or "." not in host or has_name or len(url) > URL_LENGTH:
        raise InvalidLook(
            Sentence(
                "'%(url)s' is no https address of at most %(most)s signs, like https://www.example.org/",
                url=url[:60],
                most=URL_LENGTH,
            )
        )


def _told_of(name: str, read: Any, *arguments: str) -> None:
    try:
        read(*arguments)
    except InvalidLook as error:
        raise InvalidLook(f"{name}: {error}") from error


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise InvalidLook(f"{value!r:.40} is no text")
    return value


def _told(ratio: float) -> str:
    """Rounded down: 4.46 is not told as the 4.5 that it lacks."""
    return f"{math.floor(ratio * 10) / 10:.1f}"
