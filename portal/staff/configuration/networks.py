"""A network on its form: what guests would see of it before it is saved, and its terms version by version."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from flask import Response, g, request
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from auth.staff.roles import Action
from db.engine import reading
from portal.i18n.translation import language_in_words, say
from portal.records.networks import NETWORK_PAGES
from portal.services import preview_renderer, services, town_zone
from portal.staff import staff
from portal.staff.access import needs
from portal.staff.campaigns.phones import PhonePreview, framed
from portal.staff.configuration import record
from portal.staff.configuration.differences import Piece, differences
from portal.staff.configuration.shown_pictures import shown_picture
from portal.staff.configuration.typed import Cells
from sites import queries
from sites.import_export import history
from sites.import_export.networks import NETWORKS, put_values
from sites.import_export.records import values_of
from sites.models import Network, NetworkKind, Site, SiteKind, SiteState

MOST_VERSIONS = 20
# A long page of the library's is looked at in its upper part.
WIDTH = 360


@dataclass(frozen=True, slots=True)
class TermsVersion:
    """The terms as one change left them. `texts` has each language whose text changed, and what changed in it."""

    version: str
    at: datetime
    by: str
    is_first: bool
    texts: Sequence[tuple[str, Sequence[Piece]]]


@staff.post("/records/networks/-/preview")
@needs(Action.NETWORKS)
def network_preview() -> AnyResponse:
    """The form as it was typed, with the first page that guests would get. Nothing is written."""
    answer = record.look_first(NETWORK_PAGES)
    return framed(answer, g.get("phones", [])) if isinstance(answer, Response) else answer


def _more(cells: Cells) -> dict[str, object]:
    g.phones = []
    with reading(services().make_session) as db:
        if request.endpoint == "staff.network_preview":
            g.phones = _phones(db, cells)
        slug = cells.get("slug", "")
        picture = shown_picture(db, slug, NETWORK_PAGES)
        return {"phones": g.phones, "versions": versions(db, slug), "picture": picture}


def versions(db: Session, key: str) -> list[TermsVersion]:
    """The versions of a network's terms, the newest first, as far as its history goes."""
    found = []
    for change in history.of_record(db, NETWORKS.name, key):
        if "terms_version" not in change.after:
            continue
        before = change.before or {}
        texts = [
            (language_in_words(name[6:]), differences(before.get(name, ""), text))
            for name, text in sorted(change.after.items())
            if name.startswith("terms_") and name != "terms_version"
        ]
        found.append(
            TermsVersion(change.after["terms_version"], change.at, change.by, change.before is None, texts)
        )
    return found[:MOST_VERSIONS]


def _phones(db: Session, cells: Cells) -> list[PhonePreview]:
    """The first page on a light and a dark phone, then in each other language that the network speaks."""
    network = _unsaved(db, cells)
    if network is None:
        return []
    site = _a_place(network)
    codes = [code for code in services().settings.languages if network.terms.get(code)]
    looks = (
        [(codes[0], "light"), (codes[0], "dark"), *((code, "light") for code in codes[1:])] if codes else []
    )
    words = {"light": say("light"), "dark": say("dark")}
    return [
        PhonePreview(
            f"{language_in_words(code)}, {words[theme]}",
            WIDTH,
            preview_renderer().first_page(site=site, network=network, language=code, theme=theme),
        )
        for code, theme in looks
    ]


def _unsaved(db: Session, cells: Cells) -> Network | None:
    """A network with these cells that no session knows; None where they make none."""
    values = values_of(NETWORKS, cells)
    if values is None:
        return None
    known = queries.network_by_slug(db, cells.get("slug", ""))
    network = Network(look=dict(known.look) if known else {})
    put_values(network, values)
    return network


def _a_place(network: Network) -> Site:
    """A place to stand at, that no session knows: the first page is a place's."""
    return Site(
        slug="preview",
        name=say("A place of this network"),
        names={},
        kind=SiteKind.LIBRARY if network.kind is NetworkKind.LIBRARY else SiteKind.SQUARE,
        address="",
        latitude=0.0,
        longitude=0.0,
        zone=town_zone().key,
        opening_hours="24/7",
        school_zone="",
        state=SiteState.LIVE,
        photo={},
        ads_allowed=False,
        eu_funded=False,
        networks=[],
    )


record.EXTRAS[NETWORK_PAGES.slug] = ("staff/configuration/network.html", _more)
