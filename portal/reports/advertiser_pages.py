"""The page under an advertiser's link: the figures of its own campaigns, and nothing else."""

from __future__ import annotations

from flask import Blueprint, Response, g, make_response, render_template, request
from markupsafe import Markup

from ads import campaigns
from ads.errors import UnknownLink
from ads.ledger import figures, links
from ads.ledger.figures import CampaignFigures
from ads.models import Campaign, CampaignState
from db.engine import reading
from portal.http.security_headers import TEMPLATES, content_security_policy, read_styles
from portal.i18n.catalogues import name_of
from portal.i18n.translation import chosen_language, whole_languages
from portal.reports import campaign_figures as written
from portal.services import services, town_zone

STYLE = f"{read_styles().whole}\n{(TEMPLATES / 'advertisers' / 'figures.css').read_text(encoding='utf-8').strip()}"
advertisers = Blueprint("figures", __name__)


@advertisers.get("/figures/<secret>")
def page(secret: str) -> Response:
    asked = chosen_language()
    g.language = asked if asked in whole_languages() else whole_languages()[0]
    payer, found = _load(secret)
    today = services().clock().astimezone(town_zone()).date()
    document = written.document(services().settings.town, payer, found, today=today)
    text = render_template(
        "advertisers/figures.html",
        document=document,
        secret=secret,
        figures_style=Markup(STYLE),
        languages={code: name_of(code) for code in whole_languages()},
    )
    answer = _private(make_response(text))
    answer.headers["Content-Security-Policy"] = content_security_policy(STYLE)
    return answer


@advertisers.get("/figures/<secret>/figures.csv")
def table(secret: str) -> Response:
    _, found = _load(secret)
    answer = _private(make_response(written.table(found)))
    answer.headers["Content-Type"] = "text/csv; charset=utf-8"
    answer.headers["Content-Disposition"] = "attachment; filename=figures.csv"
    return answer


def _load(secret: str) -> tuple[str, list[CampaignFigures]]:
    """The advertiser's name and the figures of what it ever had running. Raises `UnknownLink` and `TooManyAttempts`."""
    service, asker = services(), request.remote_addr or ""
    now = service.clock()
    try:
        with reading(service.make_session) as db:
            payer = links.open_link(db, secret, asker=asker, now=now)
            own = [one for one in campaigns.every(db) if one.advertiser_id == payer.id and _was_approved(one)]
            return payer.name, [figures.load(db, one, now=now) for one in own]
    except UnknownLink:
        with service.make_session.begin() as db:
            links.charge(db, asker=asker, now=now)
        raise


def _was_approved(campaign: Campaign) -> bool:
    return campaign.state not in (CampaignState.DRAFT, CampaignState.PROPOSED)


def _private(answer: Response) -> Response:
    """Kept nowhere, found by nobody: the address is the key."""
    answer.headers["Cache-Control"] = "no-store"
    answer.headers["X-Robots-Tag"] = "noindex"
    return answer
