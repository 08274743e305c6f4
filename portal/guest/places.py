"""The places in a list: by kind, numbered, and each with the address that opens the map of the reader's phone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

from flask import request
from sqlalchemy.orm import Session

from portal.i18n.labels import kinds_in_words
from portal.i18n.translation import language
from portal.services import services
from sessions.troubles.places import measured
from sites.directory import Hotspot, alphabetical, hotspots
from sites.models import SiteKind


@dataclass(frozen=True, slots=True)
class KindOfPlaces:
    """Places of one kind, with their numbers in the list and on the map."""

    kind: SiteKind
    spots: tuple[tuple[int, Hotspot], ...]


def places_now(db: Session) -> Sequence[Hotspot]:
    """All places with their state as it is measured, by their names in the language of this request."""
    return hotspots(db, now=services().clock(), language=language(), measured=measured(db))


def by_kind(spots: Sequence[Hotspot]) -> list[KindOfPlaces]:
    """Kinds in the order of their words in the reader's language, the places of each by name, numbered through."""
    kinds = sorted({spot.kind for spot in spots}, key=lambda kind: alphabetical(kinds_in_words(kind)))
    ordered = [spot for kind in kinds for spot in spots if spot.kind is kind]
    numbered = list(enumerate(ordered, start=1))
    return [KindOfPlaces(kind, tuple(one for one in numbered if one[1].kind is kind)) for kind in kinds]


def map_address(spot: Hotspot) -> str:
    """Opens the map of the phone at this place, without script.

    ``geo:`` (RFC 5870; the name in ``q`` is Android's). Apple's systems do not know it: there a link to Maps, which
    they open in the application itself.
    """
    where = f"{spot.latitude:.6g},{spot.longitude:.6g}"
    name = quote(spot.name, safe="")
    if any(system in request.user_agent.string for system in ("iPhone", "iPad", "Macintosh")):
        return f"https://maps.apple.com/?ll={where}&q={name}"
    return f"geo:{where}?q={where}({name})"
