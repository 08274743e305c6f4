"""Elections of the town, in whose months some campaigns are not shown."""

from __future__ import annotations

from datetime import date
from http import HTTPStatus

from flask import make_response, redirect, render_template, request, url_for
from sqlalchemy.exc import IntegrityError
from werkzeug.wrappers import Response as AnyResponse

from ads import campaigns, rules
from ads.errors import FieldFault, UnfitField
from ads.models import Election
from auth.denials import Denial
from auth.staff.roles import Action
from db.engine import reading
from portal.denials.rendering import staff_page
from portal.reports.numbers import day
from portal.services import services, town_zone
from portal.staff import staff
from portal.staff.access import current_staff, needs
from portal.staff.campaigns.campaign_words import first_day, last_day
from portal.staff.forms import use_form
from sessions.instants import read_day


@staff.get("/elections")
@needs(Action.ADS)
def elections() -> AnyResponse:
    return _page(None)


@staff.post("/elections")
@needs(Action.ADS, town_wide=True)
def add_election() -> AnyResponse:
    try:
        with services().make_session.begin() as db:
            use_form(db, place=url_for("staff.elections"))
            campaigns.note_election(db, _election(), actor=current_staff().actor, now=services().clock())
    except UnfitField as error:
        return _page(error)
    except IntegrityError:
        return _page(UnfitField("first_round", FieldFault.TAKEN))
    return redirect(url_for("staff.elections"), HTTPStatus.SEE_OTHER)


def _election() -> Election:
    """Raises `UnfitField`."""
    name, first, last = request.form.get("name", "").strip()[:80], _day("first_round"), _day("last_round")
    if not name:
        raise UnfitField("name", FieldFault.MISSING)
    if last < first:
        raise UnfitField("last_round", FieldFault.ORDER)
    return Election(name=name, first_round=first, last_round=last)


def _day(name: str) -> date:
    try:
        return read_day(request.form.get(name, ""))
    except ValueError as error:
        raise UnfitField(name, FieldFault.DAY) from error


def _page(error: Denial | None) -> AnyResponse:
    refusal = staff_page(error) if error else None
    with reading(services().make_session) as db:
        periods = [(one, rules.quiet_period(one, town_zone())) for one in campaigns.elections(db)]
        page = render_template(
            "staff/elections.html",
            refusal=refusal,
            elections=[(one, first_day(quiet.since), last_day(quiet.until)) for one, quiet in periods],
            day=day,
            law=rules.ELECTION_LAW,
            typed=request.form,
            is_town_wide=not current_staff().authority.networks,
        )
    return make_response(page, HTTPStatus.BAD_REQUEST if refusal else HTTPStatus.OK)
