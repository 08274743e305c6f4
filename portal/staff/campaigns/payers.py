"""Advertisers: who speaks and pays, with what the register and the town's staff need of each."""

from __future__ import annotations

from http import HTTPStatus

from flask import abort, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from ads import advertisers as service
from ads.advertisers import AdvertiserFields
from ads.errors import UnfitField, UnidentifiedAdvertiser
from auth.denials import Denial
from auth.staff.roles import Action
from db.engine import reading
from portal.denials.rendering import staff_page
from portal.services import services
from portal.staff import staff
from portal.staff.access import current_staff, needs
from portal.staff.forms import use_form


@staff.get("/payers")
@needs(Action.ADS)
def payers() -> AnyResponse:
    return _list_page(None)


@staff.post("/payers")
@needs(Action.ADS)
def add_payer() -> AnyResponse:
    try:
        with services().make_session.begin() as db:
            use_form(db, place=url_for("staff.payers"))
            service.add(db, _fields(), actor=current_staff().actor, now=services().clock())
    except (UnfitField, UnidentifiedAdvertiser) as error:
        return _list_page(error)
    return redirect(url_for("staff.payers"), HTTPStatus.SEE_OTHER)


@staff.get("/payers/<payer>")
@needs(Action.ADS)
def payer(payer: str) -> AnyResponse:
    return _one_page(payer, None)


@staff.post("/payers/<payer>")
@needs(Action.ADS, town_wide=True)
def change_payer(payer: str) -> AnyResponse:
    """Its name stands on every network's messages: somebody who works for all of them changes it."""
    try:
        with services().make_session.begin() as db:
            found = service.find(db, payer) or abort(HTTPStatus.NOT_FOUND)
            use_form(db, place=url_for("staff.payers"))
            service.change(db, found, _fields(), actor=current_staff().actor, now=services().clock())
    except (UnfitField, UnidentifiedAdvertiser) as error:
        return _one_page(payer, error)
    return redirect(url_for("staff.payers"), HTTPStatus.SEE_OTHER)


def _fields() -> AdvertiserFields:
    typed = {name: request.form.get(name, "").strip() for name in service.LONGEST}
    return AdvertiserFields(**typed, is_town=request.form.get("municipal") == "yes")


def _list_page(error: Denial | None) -> AnyResponse:
    refusal = staff_page(error) if error else None
    with reading(services().make_session) as db:
        page = render_template(
            "staff/advertisers.html",
            refusal=refusal,
            advertisers=service.every(db),
            counts=service.campaign_counts(db),
            shown=_fields(),
            longest=service.LONGEST,
        )
    return make_response(page, HTTPStatus.BAD_REQUEST if refusal else HTTPStatus.OK)


def _one_page(slug: str, error: Denial | None) -> AnyResponse:
    refusal = staff_page(error) if error else None
    with reading(services().make_session) as db:
        found = service.find(db, slug) or abort(HTTPStatus.NOT_FOUND)
        page = render_template(
            "staff/advertiser.html",
            refusal=refusal,
            advertiser=found,
            shown=_fields() if error else found,
            longest=service.LONGEST,
            is_town_wide=not current_staff().authority.networks,
        )
    return make_response(page, HTTPStatus.BAD_REQUEST if refusal else HTTPStatus.OK)
