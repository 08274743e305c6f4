"""Shared by the pages of campaigns: the campaign of an address, and its own page with what was refused, if anything."""

from __future__ import annotations

from datetime import datetime
from http import HTTPStatus
from typing import Any

from flask import abort, make_response, render_template
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from ads import campaigns, counting, directory, outlook, results
from ads.errors import UnknownCampaign
from ads.models import Campaign
from auth.audit import search
from auth.audit.actions import ObjectKind
from auth.audit.search import Query
from auth.denials import Denial
from db.engine import reading
from portal.denials.rendering import staff_page
from portal.i18n.labels import kinds_in_words
from portal.reports import numbers
from portal.services import services, town_zone
from portal.staff.access import current_staff
from portal.staff.campaigns import campaign_words, figures
from sites import queries
from sites.models import SiteKind


def find_or_hide(db: Session, slug: str) -> Campaign:
    """The campaign, if it is for networks of this person's alone; to others there is no such page."""
    try:
        found = campaigns.by_slug(db, slug)
    except UnknownCampaign:
        abort(HTTPStatus.NOT_FOUND)
    if not directory.is_within(found, current_staff().authority.networks):
        abort(HTTPStatus.NOT_FOUND)
    return found


def campaign_page(slug: str, error: Denial | None) -> AnyResponse:
    refusal, now = staff_page(error) if error else None, services().clock()
    with reading(services().make_session) as db:
        found = find_or_hide(db, slug)
        page = render_template(
            "staff/campaign.html",
            refusal=refusal,
            campaign=found,
            state=campaigns.state_at(found, now),
            accepted=counting.counted(db, found.id),
            places=places_in_words(db, found),
            outlook=outlook.of_campaign(db, found, zone=town_zone(), now=now)
            if is_ahead(found, now)
            else None,
            results=results.of_campaign(db, found, now=now),
            site_names=queries.site_names(db),
            deeds=search.read(db, Query(objects=(ObjectKind.CAMPAIGN.named(slug),), most=50)),
            **words(),
        )
    return make_response(page, refusal.status if refusal else HTTPStatus.OK)


def is_ahead(campaign: Campaign, now: datetime) -> bool:
    """Whether it is still to be shown."""
    return campaigns.state_at(campaign, now) in campaigns.LIVING and bool(campaign.creatives)


def places_in_words(db: Session, campaign: Campaign) -> dict[str, list[str]]:
    """The names of its networks and sites and of its kinds of site; what has no name any more as it is written."""
    network_names = {one.slug: one.name for one in queries.networks(db)}
    site_names = queries.site_names(db)
    kinds = {kind.value: kinds_in_words(kind) for kind in SiteKind}
    return {
        "networks": [network_names.get(one, one) for one in campaign.networks],
        "sites": [site_names.get(one, one) for one in campaign.sites],
        "kinds": [kinds.get(one, one) for one in campaign.site_kinds],
    }


def words() -> dict[str, Any]:
    return {
        "campaign_state": campaign_words.state_in_words,
        "category_in_words": campaign_words.category_in_words,
        "term_in_words": campaign_words.term_in_words,
        "euros": numbers.euros,
        "number": numbers.count,
        "short_day": numbers.short_day,
        "figures": figures,
    }
