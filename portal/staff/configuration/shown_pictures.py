"""The picture that a record has, as its page shows it."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.orm import Session

from portal.i18n.translation import language_in_words
from portal.records.kinds import RecordPages
from portal.records.sites import SITE_PAGES
from portal.services import services
from sites import queries
from sites.models import Network, Site
from sites.pictures import network_mark, photograph

ALT = "alt-"


@dataclass(frozen=True, slots=True)
class ShownPicture:
    """The picture of a record on its page. `alt` has the field, the name and the words of each language."""

    address: str
    width: int
    height: int
    alt: list[tuple[str, str, str]]


def shown_picture(db: Session, key: str, pages: RecordPages) -> ShownPicture:
    """What stands on the page of this record; without an address where it has no picture."""
    owner = owner_of(db, pages, key)
    image = None if owner is None else photograph(owner) if isinstance(owner, Site) else network_mark(owner)
    said = image.alt if image else {}
    fields = [
        (ALT + code, language_in_words(code), said.get(code, "")) for code in services().settings.languages
    ]
    files = image.of_use("page") if image else ()
    if not files:
        return ShownPicture("", 0, 0, fields)
    return ShownPicture(f"/images/{files[0].name}", files[0].width, files[0].height, fields)


def owner_of(db: Session, pages: RecordPages, key: str) -> Site | Network | None:
    """The place or the network whose record this is."""
    return queries.site_by_slug(db, key) if pages is SITE_PAGES else queries.network_by_slug(db, key)
