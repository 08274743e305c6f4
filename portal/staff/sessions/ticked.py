"""Ending the sessions that were ticked in the log: asked with the count, then told row by row."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus

from flask import make_response, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response as AnyResponse

from auth.audit.actions import SESSION_OPENED, ObjectKind
from auth.staff.roles import Action
from db.engine import reading
from portal.gateway_api import notify_gateway
from portal.services import services
from portal.staff import staff
from portal.staff.access import current_staff, needs
from portal.staff.sessions import access_audit
from portal.staff.sessions.pages import LARGEST, find_or_hide
from sessions import end, leases
from sessions.log.masks import Visibility
from sessions.log.query import MOST
from sessions.models import AccessSession, EndReason


@dataclass(frozen=True, slots=True)
class TickedSession:
    """`is_open`: it can still be ended. `is_done`: staff ended it."""

    access: AccessSession
    is_open: bool
    is_done: bool


@staff.get("/sessions/ticked")
@needs(Action.DISCONNECT)
def ticked_sessions() -> AnyResponse:
    """How many it is about and the button; with ``done`` what came of each. Each session shown is on record."""
    with reading(services().make_session) as db:
        rows = _rows(db, _ids(request.args))
        for row in rows:
            seen = ObjectKind.SESSION.named(row.access.id)
            access_audit.note(SESSION_OPENED, seen, network=row.access.network.slug)
        page = render_template(
            "staff/sessions_ticked.html",
            is_done="done" in request.args,
            rows=rows,
            open=[row for row in rows if row.is_open],
            finished=[row for row in rows if row.is_done],
            sight=Visibility(),
        )
    return make_response(page)


@staff.post("/sessions/ticked/end")
@needs(Action.DISCONNECT)
def end_ticked() -> AnyResponse:
    """End those of the ticked sessions that are open, and tell their gateways."""
    service = services()
    with service.make_session.begin() as db:
        ids = _ids(request.form)
        _rows(db, ids)
        ended = end.end_all_by(db, ids, actor=current_staff().actor, now=service.clock())
        told = {one.id: one for number in ended for one in leases.gateways_of(db, number)}
    for gateway in told.values():
        notify_gateway(gateway)
    place = url_for("staff.ticked_sessions", session=ids, done="yes")
    return redirect(place, HTTPStatus.SEE_OTHER)


def _ids(said: MultiDict[str, str]) -> list[int]:
    """As many as the list shows at once."""
    typed = dict.fromkeys(said.getlist("session")[:MOST])
    return [int(one) for one in typed if one.isascii() and one.isdigit() and len(one) < len(str(LARGEST))]


def _rows(db: Session, ids: list[int]) -> list[TickedSession]:
    """The ticked sessions. One of a network that is not this person's ends it all (404): nothing is done to others."""
    return [_row(find_or_hide(db, one)) for one in ids]


def _row(access: AccessSession) -> TickedSession:
    return TickedSession(access, access.ended_at is None, access.end_reason is EndReason.STAFF)
