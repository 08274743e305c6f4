"""The list of campaigns, one campaign's page, and the buttons on it: each act is the command line's."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from http import HTTPStatus

from flask import make_response, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from ads import campaigns as service
from ads import directory, slugs
from ads.directory import CampaignQuery
from ads.models import Campaign, CampaignState
from auth.api_tokens.errors import SentBefore
from auth.audit.actor import Actor
from auth.denials import Denial
from auth.staff.roles import Action
from db.engine import reading
from portal.services import services, town_zone
from portal.staff import staff
from portal.staff.access import current_staff, needs
from portal.staff.campaigns.pages import campaign_page, find_or_hide, words
from portal.staff.forms import use_form


@staff.get("/campaigns")
@needs(Action.ADS)
def campaigns() -> AnyResponse:
    query = CampaignQuery(
        request.args.get("words", "").strip()[:80], _state(), current_staff().authority.networks
    )
    with reading(services().make_session) as db:
        page = render_template(
            "staff/campaigns.html",
            query=query,
            found=directory.find(db, query, now=services().clock()),
            states=list(CampaignState),
            **words(),
        )
    return make_response(page)


@staff.get("/campaigns/<slug>")
@needs(Action.ADS)
def campaign(slug: str) -> AnyResponse:
    return campaign_page(slug, None)


@staff.post("/campaigns/<slug>/propose")
@needs(Action.ADS)
def propose_campaign(slug: str) -> AnyResponse:
    return _act(slug, service.propose)


@staff.post("/campaigns/<slug>/approve")
@needs(Action.ADS)
def approve_campaign(slug: str) -> AnyResponse:
    """Let it run: by another person than the one who proposed it."""

    def approve(db: Session, slug: str, *, actor: Actor, now: datetime) -> Campaign:
        return service.approve(db, slug, actor=actor, zone=town_zone(), now=now)

    return _act(slug, approve)


@staff.post("/campaigns/<slug>/pause")
@needs(Action.ADS)
def pause_campaign(slug: str) -> AnyResponse:
    return _act(slug, service.pause)


@staff.post("/campaigns/<slug>/resume")
@needs(Action.ADS)
def resume_campaign(slug: str) -> AnyResponse:
    return _act(slug, service.resume)


@staff.post("/campaigns/<slug>/stop")
@needs(Action.ADS)
def stop_campaign(slug: str) -> AnyResponse:
    """Show it never again: within seconds, everywhere."""
    return _act(slug, service.stop)


@staff.post("/campaigns/<slug>/duplicate")
@needs(Action.ADS)
def duplicate_campaign(slug: str) -> AnyResponse:
    """A draft that says the same, to be changed."""
    with services().make_session.begin() as db:
        found = find_or_hide(db, slug)
        answer = use_form(db)
        copy = service.duplicate(
            db,
            slug,
            slugs.for_campaign(db, found.name),
            actor=current_staff().actor,
            now=services().clock(),
        )
        answer.place = url_for("staff.edit_campaign", slug=copy.slug)
        return redirect(answer.place, HTTPStatus.SEE_OTHER)


def _act(slug: str, act: Callable[..., Campaign]) -> AnyResponse:
    """Do it once, and lead back to the campaign; there it says what was refused."""
    place = url_for("staff.campaign", slug=slug)
    try:
        with services().make_session.begin() as db:
            find_or_hide(db, slug)
            use_form(db, place=place)
            act(db, slug, actor=current_staff().actor, now=services().clock())
    except SentBefore:
        raise
    except Denial as error:
        return campaign_page(slug, error)
    return redirect(place, HTTPStatus.SEE_OTHER)


def _state() -> CampaignState | None:
    word = request.args.get("state", "")
    return CampaignState(word) if word in set(CampaignState) else None
