"""What a guest's page looks like: name, logo, colours, links and contact of the network that the guest is on.

The same on every page, on errors and on pages that are for everybody too; off our wifi it is the town's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import g
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from portal.guest.images import ShownIcons, ShownImage, shown_icons, shown_image
from portal.http.client_evidence import seen_behind
from portal.http.clients import gateways_here, remote_address
from portal.i18n.translation import language, say, town_language
from portal.services import services
from sites.colours import Accents, accents
from sites.look import FooterLink, by_language, links_of
from sites.models import Network

# The head is 44 pixels high, so that a thumb finds it; the name stands beside the logo.
LOGO_ROOM = (140, 44)


@dataclass(frozen=True, slots=True)
class Face:
    """`contact` is the network's own, else the portal's. The links are in `links_language`.

    `icons` are those of the network of this slug; None stands for ours.
    """

    name: str
    accents: Accents
    contact: str
    links: tuple[FooterLink, ...] = ()
    links_language: str = ""
    logo: ShownImage | None = None
    network: str | None = None
    icons: ShownIcons | None = None


@dataclass(frozen=True, slots=True)
class OwnText:
    """A text that a network has for itself, and the language that it is in."""

    language: str
    text: str


def face_here() -> Face:
    """The face of the network that this request comes from, else the town's."""
    return face_of(network_here())


def face_of(network: Network | None) -> Face:
    settings = services().settings
    if network is None:
        return Face(say("Wifi in %(town)s", town=settings.town), accents({}), settings.contact)
    look = network.look
    logo = shown_image(look.get("logo"), room=LOGO_ROOM)
    spoken, links = by_language(look.get("links", {}), language(), otherwise=town_language())
    contact = look.get("contact") or settings.contact
    icons = shown_icons(look.get("logo"))
    return Face(network.name, accents(look), contact, links_of(links), spoken, logo, network.slug, icons)


def own_text(look: Mapping[str, Any], name: str) -> OwnText | None:
    """The network's own ``title`` or ``welcome``, in the reader's language where there is one."""
    spoken, text = by_language(look.get(name, {}), language(), otherwise=town_language())
    return OwnText(spoken, text) if text else None


def network_here() -> Network | None:
    """The network that this request comes from, as far as that can be told. For how a page looks, and for nothing else.

    Whose request it is may be unknown: the address at the other end is enough.
    """
    visit = g.get("visit")
    if visit is not None:
        network: Network = visit.gateway.network
        return network
    try:
        return _by_address()
    except (OperationalError, PoolTimeout):
        # A page is shown without the database, too.
        return None


def _by_address() -> Network | None:
    doors, address = gateways_here(), remote_address()
    found = {gateway.network_id: gateway.network for gateway in doors}
    if len(found) > 1 and address is not None:
        seen = seen_behind(doors, address)
        return None if seen is None else seen[0].network
    return next(iter(found.values()), None)
