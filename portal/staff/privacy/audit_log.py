"""The audit log, for those who answer for it: who did what, to what, when."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, time, timedelta

from flask import make_response, render_template, request
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from auth.audit import exports, search
from auth.audit.log import AuditEntry
from auth.audit.search import Query
from auth.staff import lookup
from auth.staff.roles import Action
from db.engine import reading
from portal.i18n.translation import say
from portal.services import services, town_zone
from portal.staff import staff
from portal.staff.access import current_staff, needs, older_than
from portal.staff.privacy.audit_detail_words import detail_in_words
from portal.staff.privacy.audit_objects import object_in_words, objects_asked
from portal.staff.privacy.audit_words import action_in_words, actor_asked, actor_in_words, every_action
from portal.staff.vouchers.pages import csv_file
from sessions.instants import read_day
from sites.import_export.rows import Cell
from sites.import_export.tables import write_table

ASKED = ("actor", "deed", "object", "from", "to")
MOST = 50
MOST_IN_A_FILE = 20_000


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


@staff.get("/trail.csv")
@needs(Action.TRAIL)
def trail_csv() -> AnyResponse:
    """The entries that the page would show, page by page, for a spreadsheet: in words, on the town's clock."""
    me, now = current_staff(), services().clock()
    asked = "&".join(f"{name}={value}" for name in ASKED if (value := request.args.get(name, "")))
    with services().make_session.begin() as db:
        query = replace(_query(db), most=MOST_IN_A_FILE)
        entries = exports.take_away(db, query, asked=asked, actor=me.actor, now=now)
        table = write_table(_heads(), [_cells(entry) for entry in entries], excel=True)
    return csv_file(table, "audit.csv")


def _heads() -> list[str]:
    return [say("No."), say("When"), say("Who"), say("What"), say("To what"), say("Details")]


def _cells(entry: AuditEntry) -> dict[str, Cell]:
    told = (
        entry.number,
        entry.at.astimezone(town_zone()).strftime("%Y-%m-%d %H:%M:%S"),
        actor_in_words(entry.actor),
        action_in_words(entry.action),
        object_in_words(entry.object),
        detail_in_words(entry.detail),
    )
    return dict(zip(_heads(), told, strict=True))


def _query(db: Session) -> Query:
    """What the form asks for. `actor` is a login, a name, or a part of one; a day that is none bounds nothing."""
    actor = actor_asked(request.args.get("actor", "").strip()[:80])
    object = request.args.get("object", "").strip()[:80]
    last = _day("to")
    return Query(
        actors=(actor, *lookup.logins_like(db, actor)) if actor else None,
        action=request.args.get("deed", "")[:80],
        objects=objects_asked(object),
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
