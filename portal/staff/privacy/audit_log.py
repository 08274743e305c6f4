"""The audit log, for those who answer for it: who did what, to what, when."""

from __future__ import annotations

from datetime import datetime, time, timedelta

from flask import make_response, render_template, request
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from auth.audit import search
from auth.audit.search import Query
from auth.staff import lookup
from auth.staff.roles import Action
from db.engine import reading
from portal.services import services, town_zone
from portal.staff import staff
from portal.staff.access import current_staff, needs, older_than
from portal.staff.privacy.audit_words import every_action
from sessions.instants import read_day

ASKED = ("actor", "deed", "object", "from", "to")
MOST = 50


@staff.get("/trail")
@needs(Action.TRAIL)
def trail() -> AnyResponse:
    with reading(services().make_session) as db:
        entries = search.read(db, _query(db), networks=current_staff().authority.networks)
    page = render_template(
        "staff/trail.html",
        asked={name: request.args.get(name, "") for name in ASKED},
        entries=entries[:MOST],
        older=len(entries) > MOST,
        every_action=every_action(),
    )
    return make_response(page)


def _query(db: Session) -> Query:
    """What the form asks for. `actor` is a login, a name, or a part of one; a day that is none bounds nothing."""
    actor = request.args.get("actor", "").strip()[:80]
    object = request.args.get("object", "").strip()[:80]
    last = _day("to")
    return Query(
        actors=(actor, *lookup.logins_like(db, actor)) if actor else None,
        action=request.args.get("deed", "")[:80],
        objects=(object,) if object else (),
        since=_day("from"),
        until=last + timedelta(days=1) if last else None,
        before=older_than(),
        most=MOST + 1,
    )


def _day(name: str) -> datetime | None:
    try:
        return datetime.combine(read_day(request.args.get(name, "")), time.min, town_zone())
    except (ValueError, OverflowError):
        return None
