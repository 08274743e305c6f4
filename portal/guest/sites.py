"""Pages about places and about us: for everybody, from any network."""

from __future__ import annotations

import json
from functools import partial

from flask import Response, abort
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from auth.tokens import InvalidToken
from db.engine import reading
from portal.guest import guests
from portal.guest.terms import terms_text
from portal.http.clients import ClientContext, ForeignClient, access_of, current
from portal.i18n.retention_periods import term_in_words
from portal.public_values import render_page
from portal.services import services
from sessions.data_classes import DataClass
from sessions.retention.law import LAW
from sessions.retention.periods import in_force
from sites.directory import geojson, hotspot
from sites.directory import hotspots as public_hotspots
from sites.map import draw
from sites.queries import network_by_slug, site_by_slug

# The maps in the very pixels of a phone's page: marks and numbers are read without enlarging.
draw_for_phones = partial(draw, width=340.0, height=340.0, radius=4.5)


@guests.get("/info/<slug>")
def info(slug: str) -> str:
    with reading(services().make_session) as db:
        site = site_by_slug(db, slug)
        if site is None:
            abort(404)
        visit = visit_if_any()
        here = visit is not None and visit.gateway.site_id == site.id
        return render_page(
            "guests/info.html",
            site=site,
            spot=hotspot(site, now=services().clock()),
            networks=site.networks,
            now=services().clock(),
            visit=visit if here else None,
            access=access_of(visit) if visit is not None and here else None,
        )


@guests.get("/hotspots")
def hotspots() -> str:
    background = services().map_background
    with reading(services().make_session) as db:
        spots = public_hotspots(db, now=services().clock())
    parts = [(part, draw_for_phones(spots, background, bounds=part.bounds)) for part in background.parts]
    return render_page(
        "guests/hotspots.html",
        spots=spots,
        map=draw_for_phones(spots, background),
        parts=parts,
        numbered_larger={marker.slug for _, larger in parts for marker in larger.markers},
        visit=visit_if_any(),
    )


@guests.get("/hotspots.geojson")
def hotspots_geojson() -> Response:
    now = services().clock()
    with reading(services().make_session) as db:
        document = geojson(public_hotspots(db, now=now), now=now)
    return Response(json.dumps(document, ensure_ascii=False), content_type="application/geo+json")


@guests.get("/terms/<slug>")
def terms(slug: str) -> str:
    with reading(services().make_session) as db:
        network = network_by_slug(db, slug)
    if network is None:
        abort(404)
    return render_page("guests/terms.html", network=network, terms=terms_text(network), visit=visit_if_any())


@guests.get("/privacy")
def privacy() -> str:
    return render_page("guests/privacy.html", visit=visit_if_any(), terms=_terms_in_words())


@guests.get("/accessibilite")
def accessibility() -> str:
    return render_page("guests/accessibility.html", visit=visit_if_any())


def _terms_in_words() -> dict[DataClass, str]:
    """The term of each class: the table's, or what the law says while the database is away."""
    kept = dict(LAW)
    try:
        with reading(services().make_session) as db:
            kept = in_force(db)
    except (OperationalError, PoolTimeout):
        pass
    return {data_class: term_in_words(one.term) for data_class, one in kept.items()}


def visit_if_any() -> ClientContext | None:
    """The visit of this request. These pages are open to all, so that neither a stale token nor a database that
    is away closes one that needs none."""
    try:
        return current()
    except (ForeignClient, InvalidToken, OperationalError, PoolTimeout):
        return None
