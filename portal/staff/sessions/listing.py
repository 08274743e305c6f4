"""The log as a list: asked in words that stand in the address, sessions and refusals by the hour, masked."""

from __future__ import annotations

from flask import request
from werkzeug.wrappers import Response as AnyResponse

from auth.audit.actions import LOG_LISTED, ObjectKind
from auth.staff.roles import Action
from db.engine import reading
from portal.services import services, town_zone
from portal.staff import staff
from portal.staff.access import current_staff, needs
from portal.staff.sessions import access_audit, visibility
from portal.staff.sessions.pages import (
    SiteChoices,
    filter_of,
    no_such_row,
    places_of,
    search_page,
    unreadable,
)
from sessions.log import listing
from sessions.log.listing import Mixed, Place, UnreadablePlace, read_place
from sessions.log.search import LogQuery, NoSuchRow, UnreadableWord, parse


@staff.get("/sessions")
@needs(Action.SESSIONS)
def sessions() -> AnyResponse:
    now = services().clock()
    try:
        asked = parse(request.args, zone=town_zone(), now=now)
        place = read_place(request.args["after"]) if "after" in request.args else None
    except UnreadableWord as error:
        return search_page(LogQuery(), refusal=unreadable(error))
    except UnreadablePlace:
        return search_page(LogQuery(), refusal=no_such_row())
    if asked.is_empty:
        # Nothing was asked, and nothing is shown.
        return search_page(asked)
    try:
        found, places = look(asked, place)
    except NoSuchRow:
        return search_page(asked, refusal=no_such_row())
    sight = visibility.sight(visibility.of_question(asked))
    access_audit.note(
        LOG_LISTED,
        ObjectKind.LOG,
        network=asked.network,
        sight=sight,
        asked=access_audit.words_of(asked),
        rows=len(found.lines),
    )
    return search_page(asked, found=found, places=places, place=place)


def look(asked: LogQuery, place: Place | None) -> tuple[Mixed, SiteChoices]:
    """What this person may see of what is asked. Raises `NoSuchRow`."""
    with reading(services().make_session) as db:
        filter = filter_of(db, asked)
        mine = current_staff().authority.networks
        return listing.mixed(db, filter, asked.show, authority_networks=mine, after=place), places_of(db)
