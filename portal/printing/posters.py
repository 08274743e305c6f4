"""A poster for the door of a place: how to join, and how to know the true page from somebody else's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum

from sqlalchemy.orm import Session

from auth.denials import N_
from config import Settings
from portal.i18n.catalogues import SOURCE, is_rtl
from portal.i18n.translation import say_in
from portal.printing.from_networks import logo_of
from portal.printing.logos import SVG, PrintedLogo
from portal.printing.qr import draw
from portal.printing.tickets import MOST_QR_BYTES, UnprintableVoucher, plain
from portal.printing.typesetter import typeset_poster
from portal.printing.wifi_qr import joining_uri
from sites.colours import accents
from sites.look import by_language
from sites.models import Network, Site

HELP = N_("Rules of use, privacy, accessibility: on that page. Help: %(contact)s")


class PosterPaper(StrEnum):
    """A4 and A3, upright (ISO 216)."""

    A4 = "a4"
    A3 = "a3"


@dataclass(frozen=True, slots=True)
class PosterWords:
    """What stands on the poster in one language. `real` says how to know the true page."""

    language: str
    headline: str
    network: str
    join: str
    open: str
    real: str
    never: str
    help: str
    pictogram: str


@dataclass(frozen=True, slots=True)
class Poster:
    """One poster. `languages` are the town's own first, then English where that is another."""

    network: Network
    site: Site
    town: str
    portal_url: str
    contact: str
    languages: Sequence[str]
    logo: PrintedLogo | None = None

    @property
    def address(self) -> str:
        """The address as people read it, without its scheme."""
        return self.portal_url.partition("://")[2].rstrip("/")


def poster_of(
    db: Session, site: Site, network: Network, *, settings: Settings, languages: Sequence[str]
) -> Poster:
    """The poster of this network at this site, with the network's logo where it has one."""
    return Poster(
        network,
        site,
        town=settings.town,
        portal_url=settings.portal_url,
        contact=network.look.get("contact") or settings.contact,
        languages=tuple(dict.fromkeys((languages[0], SOURCE))),
        logo=logo_of(db, network, languages[0]),
    )


def print_poster(poster: Poster, paper: PosterPaper) -> bytes:
    """The poster as a tagged PDF. Raises `UnprintableVoucher` for what no camera could read, and as the press does."""
    join, url = joining_uri(poster.network.ssid), poster.portal_url.rstrip("/") + "/"
    if max(len(join.encode()), len(url.encode())) > MOST_QR_BYTES:
        raise UnprintableVoucher("The name of the network or the portal's address is too long for a QR code.")
    place = poster.site.name_in(poster.languages[0])
    words = [_words(poster, language) for language in poster.languages]
    return typeset_poster(
        {
            "paper": paper.value,
            "title": f"{poster.network.name} · {place}",
            "author": poster.town,
            "rtl": is_rtl(poster.languages[0]),
            "accent": accents(poster.network.look).light,
            "network": plain(poster.network.name),
            "ssid": plain(poster.network.ssid),
            "site": plain(place),
            "address": poster.address,
            "logo": None if poster.logo is None else asdict(poster.logo),
            "join": _code(join),
            "open": _code(url.upper() if url.isascii() else url),
            "words": [asdict(one) for one in words],
        }
    )


def _words(poster: Poster, language: str) -> PosterWords:
    own, title = by_language(poster.network.look.get("title", {}), language, otherwise=language)
    return PosterWords(
        language=language,
        headline=plain(title) if own == language and title else say_in(language, "Free wifi"),
        network=say_in(language, "Network"),
        join=say_in(language, "Join the wifi"),
        open=say_in(language, "Open the page"),
        real=say_in(language, "The page of the town's wifi has this address, and no other:"),
        never=say_in(
            language, "It asks for no bank card, no e-mail address and no password but the library's."
        ),
        help=say_in(
            language,
            "Rules of use, privacy, accessibility: on that page. Help: %(contact)s",
            contact=poster.contact,
        ),
        pictogram=say_in(language, "Sign: wifi for the public"),
    )


def _code(text: str) -> str:
    code = draw(text)
    return f'<svg xmlns="{SVG}" viewBox="0 0 {code.side} {code.side}"><path d="{code.path}"/></svg>'
