"""Pages about places and about us: for everybody, from any network."""

from __future__ import annotations

from datetime import timedelta

from flask import abort
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from db.engine import reading
from portal.guest import guests
from portal.guest.open_pages import visit_if_any
from portal.guest.terms import terms_text
from portal.http.clients import access_of
from portal.i18n.retention_periods import term_in_words
from portal.i18n.translation import language
from portal.public_values import render_page
from portal.services import services
from sessions.data_classes import DataClass
from sessions.retention.law import LAW
from sessions.retention.periods import in_force
from sessions.troubles.places import interruptions, measured
from sites.directory import hotspot
from sites.queries import network_by_slug, site_by_slug

MONTH = timedelta(days=30)


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
            spot=hotspot(
                site, now=services().clock(), language=language(), measured=measured(db).get(site.slug)
            ),
            networks=site.networks,
            now=services().clock(),
            interruptions=interruptions(db, slug, since=services().clock() - MONTH),
            visit=visit if here else None,
            access=access_of(visit) if visit is not None and here else None,
        )


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
