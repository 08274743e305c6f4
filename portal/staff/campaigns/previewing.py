"""A campaign's messages as phones show them: the guests' own page, in frames that run and load nothing."""

from __future__ import annotations

from flask import make_response, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from ads import places
from ads.models import Creative
from ads.places import AdPlace
from auth.staff.roles import Action
from db.engine import reading
from portal.i18n.catalogues import name_of
from portal.services import services
from portal.staff import staff
from portal.staff.access import current_staff, needs
from portal.staff.campaigns.pages import find_or_hide
from portal.staff.campaigns.phones import framed, phones_of


@staff.get("/campaigns/<slug>/preview")
@needs(Action.ADS)
def preview_campaign(slug: str) -> AnyResponse:
    """One message at one place, in one language, on three phones."""
    with reading(services().make_session) as db:
        found = find_or_hide(db, slug)
        there = [one for one in places.every(db) if one.has(found)]
        chosen = _chosen(found.creatives), _place(there), _language()
        page = render_template(
            "staff/campaign_preview.html",
            campaign=found,
            messages=found.creatives,
            places=there,
            chosen=chosen,
            tongues={code: name_of(code) for code in services().settings.languages},
            phones=(phones := phones_of(*chosen)),
        )
    return framed(make_response(page), phones)


def _chosen(messages: list[Creative]) -> Creative | None:
    wanted = request.args.get("message")
    return next((one for one in messages if one.slug == wanted), messages[0] if messages else None)


def _place(there: list[AdPlace]) -> AdPlace | None:
    """The place that was asked for, else the first one of this person's networks, else the first."""
    mine, wanted = current_staff().authority.networks, request.args.get("place")
    ranked = sorted(there, key=lambda one: (one.key != wanted, bool(mine) and one.network.slug not in mine))
    return ranked[0] if ranked else None


def _language() -> str:
    languages, wanted = services().settings.languages, request.args.get("spoken", "")
    return wanted if wanted in languages else languages[0]
