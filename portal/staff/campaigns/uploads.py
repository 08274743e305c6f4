"""The picture of a draft's message: handed in on the campaign's page, and taken away there."""

from __future__ import annotations

import hashlib
from http import HTTPStatus

from flask import abort, redirect, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from ads.media import store
from ads.media.preparing import prepare_picture
from auth.api_tokens.errors import SentBefore
from auth.denials import Denial
from auth.staff.roles import Action
from db.engine import reading
from portal.http.security_headers import LARGEST_UPLOAD
from portal.services import services
from portal.staff import staff
from portal.staff.access import current_staff, needs
from portal.staff.campaigns.pages import campaign_page, find_or_hide
from portal.staff.forms import use_form

ALT = "alt-"


@staff.post("/campaigns/<slug>/picture")
@needs(Action.ADS, largest_form=LARGEST_UPLOAD)
def set_message_picture(slug: str) -> AnyResponse:
    """Make the handed-in picture anew, outside of any transaction, and show it with the message that is named."""
    handed, place = request.files.get("picture"), url_for("staff.campaign", slug=slug)
    content = handed.read() if handed else b""
    try:
        with reading(services().make_session) as db:
            message = _message(db, slug)
        prepared = prepare_picture(content, (handed.filename if handed else "") or "")
        with services().make_session.begin() as db:
            _message(db, slug)
            use_form(db, place=place, beside=hashlib.sha256(content).hexdigest())
            actor, now = current_staff().actor, services().clock()
            store.set_picture(db, message, prepared, alt=_alt(), actor=actor, now=now)
    except SentBefore:
        raise
    except Denial as error:
        return campaign_page(slug, error)
    return redirect(place, HTTPStatus.SEE_OTHER)


@staff.post("/campaigns/<slug>/text-alone")
@needs(Action.ADS)
def remove_message_picture(slug: str) -> AnyResponse:
    """Leave the message that is named its texts alone."""
    place = url_for("staff.campaign", slug=slug)
    try:
        with services().make_session.begin() as db:
            message = _message(db, slug)
            use_form(db, place=place)
            store.remove(db, message, actor=current_staff().actor, now=services().clock())
    except SentBefore:
        raise
    except Denial as error:
        return campaign_page(slug, error)
    return redirect(place, HTTPStatus.SEE_OTHER)


def _message(db: Session, slug: str) -> str:
    """The message that the form names, if it is one of this campaign's."""
    named = request.form.get("message", "")
    if named not in {one.slug for one in find_or_hide(db, slug).creatives}:
        abort(HTTPStatus.NOT_FOUND)
    return named


def _alt() -> dict[str, str]:
    """What is to be seen, by language, as it was typed."""
    return {name.removeprefix(ALT): text for name, text in request.form.items() if name.startswith(ALT)}
