"""Requests that take two people: asked for by one, granted or refused by the second."""

from __future__ import annotations

from http import HTTPStatus

from flask import abort, make_response, redirect, render_template, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from auth.api_tokens.form_results import CodeSource
from auth.staff import requests
from auth.staff.errors import StaffError
from auth.staff.models import Staff, StaffRequest
from auth.staff.roles import Action, may
from auth.staff.totp import make_recovery_codes
from db.engine import reading
from portal.denials.rendering import staff_page
from portal.services import services
from portal.staff import staff
from portal.staff.access import current_staff, needs
from portal.staff.forms import FormerCodes, drawn_for, source_of, use_form
from portal.staff.layout import SECOND
from portal.staff.login import me


@staff.get("/two-person")
@needs(Action.SECOND, confirmed=True)
def two_person() -> AnyResponse:
    return _page(None)


@staff.post("/two-person/<int(max=2147483647):request_id>/grant")
@needs(Action.SECOND, confirmed=True)
def grant_request(request_id: int) -> AnyResponse:
    """Grant it; it leads to the word that the link needs."""
    service = services()
    try:
        with service.make_session.begin() as db:
            asked = _find(db, request_id)
            answer = use_form(db)
            requests.grant(
                db,
                asked,
                by=db.get_one(Staff, current_staff().id),
                actor=current_staff().actor,
                now=service.clock(),
                word=_word(source_of(answer)),
                digest_word=service.staff.word_digest,
            )
            answer.place = url_for("staff.word_page", request_id=request_id, answer_id=answer.id)
            return redirect(answer.place, HTTPStatus.SEE_OTHER)
    except StaffError as error:
        return _page(error)


@staff.get("/two-person/<int(max=2147483647):request_id>/word/<int(max=2147483647):answer_id>")
@needs(Action.SECOND, confirmed=True)
def word_page(request_id: int, answer_id: int) -> AnyResponse:
    """The word that a form of this sign-in drew, until the link is used. Raises `FormerCodes`."""
    service = services()
    with reading(service.make_session) as db:
        asked = _find(db, request_id)
        person, word = db.get_one(Staff, asked.staff_id), _word(drawn_for(db, answer_id))
        if person.setup_word_digest != service.staff.word_digest(person.id, word):
            raise FormerCodes
        page = render_template("staff/word.html", handover=requests.Handover(person, word), asked=asked)
    return make_response(page)


@staff.post("/two-person/<int(max=2147483647):request_id>/refuse")
@needs(Action.SECOND, confirmed=True)
def refuse_request(request_id: int) -> AnyResponse:
    try:
        with services().make_session.begin() as db:
            asked = _find(db, request_id)
            use_form(db, place=url_for("staff.two_person"))
            requests.refuse(db, asked, actor=current_staff().actor, now=services().clock())
    except StaffError as error:
        return _page(error)
    return redirect(url_for("staff.two_person"), HTTPStatus.SEE_OTHER)


def _word(source: CodeSource) -> str:
    return make_recovery_codes(source.choose("word"))[0]


def open_requests() -> list[tuple[StaffRequest, bool]]:
    """What concerns whoever is signed in, and whether it still waits."""
    person, now = me(), services().clock()
    if person is None:
        return []
    with reading(services().make_session) as db:
        found = requests.visible(db, db.get_one(Staff, person.id), now=now)
    return [(one, requests.waits(one, now=now)) for one in found]


def waiting() -> int:
    """How many requests wait for somebody like whoever is signed in."""
    person = me()
    if person is None or not may(person.authority, Action.SECOND):
        return 0
    return sum(waits and one.asked_by_id != person.id for one, waits in open_requests())


def _page(error: StaffError | None) -> AnyResponse:
    refusal = staff_page(error) if error else None
    page = render_template("staff/two_person.html", refusal=refusal)
    return make_response(page, refusal.status if refusal else HTTPStatus.OK)


def _find(db: Session, request_id: int) -> StaffRequest:
    found = requests.find(db, request_id, visible_to=current_staff().authority)
    if found is None:
        abort(HTTPStatus.NOT_FOUND)
    return found


SECOND.update(open_requests=open_requests, two_person_waiting=waiting)
