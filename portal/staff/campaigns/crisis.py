"""Crisis messages: one button puts the town's message in the place of all others and opens the access meanwhile."""

from __future__ import annotations

from datetime import timedelta
from http import HTTPStatus

from flask import make_response, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from ads import overrides
from ads.drafting import LONGEST
from ads.errors import FieldFault, NoSuchOverride, UnfitField, WrongOverrideEnd
from auth.denials import Denial
from auth.staff.roles import Action
from db.engine import reading
from portal.denials.rendering import staff_page
from portal.i18n.catalogues import name_of
from portal.services import services
from portal.staff import staff
from portal.staff.access import current_staff, needs
from portal.staff.forms import use_form
from sites import queries

USUAL_HOURS = "6"


@staff.get("/crisis")
@needs(Action.ADS)
def crisis() -> AnyResponse:
    return _page(None)


@staff.post("/crisis")
@needs(Action.ADS, town_wide=True)
def start_crisis() -> AnyResponse:
    """Show it within seconds, also where no ads are; whoever is online stays online."""
    service, now = services(), services().clock()
    try:
        with service.make_session.begin() as db:
            use_form(db, place=url_for("staff.crisis"))
            ends_at, actor = now + _length(), current_staff().actor
            overrides.start(db, _texts(), sites=_sites(db), ends_at=ends_at, actor=actor, now=now)
            overrides.carry_on(db, now=now)
    except (UnfitField, WrongOverrideEnd) as error:
        return _page(error)
    return redirect(url_for("staff.crisis"), HTTPStatus.SEE_OTHER)


@staff.post("/crisis/<int(max=2147483647):override_id>/stop")
@needs(Action.ADS, town_wide=True)
def stop_crisis(override_id: int) -> AnyResponse:
    """End it before its time; sessions end as they do otherwise."""
    try:
        with services().make_session.begin() as db:
            use_form(db, place=url_for("staff.crisis"))
            overrides.stop(db, override_id, actor=current_staff().actor, now=services().clock())
    except NoSuchOverride as error:
        return _page(error)
    return redirect(url_for("staff.crisis"), HTTPStatus.SEE_OTHER)


def _page(error: Denial | None) -> AnyResponse:
    refusal, now = staff_page(error) if error else None, services().clock()
    with reading(services().make_session) as db:
        page = render_template(
            "staff/crisis.html",
            refusal=refusal,
            standing=overrides.standing(db, now=now),
            past=[one for one in overrides.recent(db) if one.stopped_at or one.ends_at <= now],
            sites=queries.site_names(db),
            tongues={code: name_of(code) for code in services().settings.languages},
            typed=request.form,
            hours=request.form.get("hours", USUAL_HOURS)[:6],
            longest=LONGEST,
            is_town_wide=not current_staff().authority.networks,
        )
    # What is over is not there, whatever its page says: the list that follows is good.
    status = HTTPStatus.CONFLICT if isinstance(error, NoSuchOverride) else HTTPStatus.BAD_REQUEST
    return make_response(page, status if refusal else HTTPStatus.OK)


def _length() -> timedelta:
    text = request.form.get("hours", "").strip()
    if not (text.isascii() and text.isdigit() and len(text) < 5):
        raise UnfitField("hours", FieldFault.NUMBER)
    return timedelta(hours=int(text))


def _texts() -> dict[str, dict[str, str]]:
    """A title and a text in each language that has one of them; in one language at least."""
    found = {}
    for code in services().settings.languages:
        said = {part: request.form.get(f"{part}-{code}", "").strip() for part in ("title", "text")}
        for part, words in said.items():
            if not words and (any(said.values()) or code == services().settings.languages[0]):
                raise UnfitField(f"{part}-{code}", FieldFault.MISSING)
            if len(words) > LONGEST[part]:
                raise UnfitField(f"{part}-{code}", FieldFault.LONG)
        if any(said.values()):
            found[code] = said
    return found


def _sites(db: Session) -> list[str]:
    """The chosen ones; all of them only where the form says so."""
    chosen, known = request.form.getlist("sites"), queries.site_names(db)
    if request.form.get("where") == "everywhere":
        return []
    if not chosen or not set(chosen) <= set(known):
        raise UnfitField("sites", FieldFault.MISSING if not chosen else FieldFault.UNKNOWN)
    return chosen
