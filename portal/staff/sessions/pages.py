"""What several pages of the log share: the form to search it, the sites to choose from, addresses of questions."""

from __future__ import annotations

from dataclasses import dataclass, replace
from http import HTTPStatus

from flask import abort, make_response, render_template
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from auth.staff.roles import Action, covers, may
from db.engine import reading
from portal.denials.rendering import Refusal
from portal.i18n.translation import say
from portal.services import services, town_zone
from portal.staff.access import current_staff
from portal.staff.sessions import visibility
from portal.staff.sessions.access_audit import address_of
from sessions.log import query
from sessions.log.listing import Mixed, Place
from sessions.log.query import Filter, ListedSession, State
from sessions.log.search import (
    Last,
    LogQuery,
    Same,
    Show,
    UnreadableWord,
    format,
    on_the_clock,
    resolve,
)
from sessions.models import AccessSession, Decision, EndReason
from sites import queries
from sites.models import Network, SigninMethod, Site

# What a number of the database can be.
LARGEST = 2**63 - 1
WORDS = {
    "lasts": list(Last),
    "states": list(State),
    "reasons": list(EndReason),
    "methods": list(SigninMethod),
    "shows": list(Show),
}


@dataclass(frozen=True, slots=True)
class SiteChoices:
    """What the list names by number, and what may be chosen."""

    sites: dict[int, Site]
    networks: dict[int, Network]


def filter_of(db: Session, asked: LogQuery) -> Filter:
    service = services()
    return resolve(
        db,
        asked,
        authority_networks=current_staff().authority.networks,
        keys=service.voucher_keys,
        zone=town_zone(),
        now=service.clock(),
    )


def places_of(db: Session) -> SiteChoices:
    """The networks of this person, and the sites that have one of them."""
    authority = current_staff().authority
    mine = {one.id: one for one in queries.networks(db) if covers(authority, one.slug)}
    return SiteChoices({one.id: one for one in queries.sites(db, network_ids=mine)}, mine)


def search_page(
    asked: LogQuery,
    *,
    refusal: Refusal | None = None,
    found: Mixed | None = None,
    places: SiteChoices | None = None,
    place: Place | None = None,
) -> AnyResponse:
    if places is None:
        with reading(services().make_session) as db:
            places = places_of(db)
    scope = visibility.of_question(asked)
    may_end = may(current_staff().authority, Action.DISCONNECT)
    page = render_template(
        "staff/sessions.html",
        asked=asked,
        said=format(asked),
        span=(on_the_clock(asked.since, town_zone()), on_the_clock(asked.until, town_zone())),
        refusal=refusal,
        found=found,
        places=places,
        place=place,
        scope=scope,
        sight=visibility.sight(scope),
        may_end=may_end,
        may_tick=may_end and found is not None and any(map(_is_open, found.lines)),
        now=services().clock(),
        zone=town_zone(),
        narrower=lambda **changes: address_of(replace(asked, **changes)),
        alike=alike,
        **WORDS,
    )
    return make_response(page, refusal.status if refusal else HTTPStatus.OK)


def _is_open(line: ListedSession | Decision) -> bool:
    return isinstance(line, ListedSession) and line.ended_at is None


def alike(like: str | int, same: Same | str) -> str:
    """The address of everything that shares device, address or person with one row."""
    return address_of(LogQuery(like=str(like), same=Same(same)))


def unreadable(error: UnreadableWord) -> Refusal:
    """What is wrong with a word of the address."""
    title = {
        "from": say("That is not a time."),
        "to": say("That is not a time after the first one."),
        "about": say("That is not a time of day."),
        "ends": say("That is not the end of a MAC address."),
        "pass": say("That is not the number of a pass."),
    }.get(error.name, say("That is no filter of this list."))
    text = {
        "from": say("Write it as 27/11/2026 14:10."),
        "to": say("Write it as 27/11/2026 14:10."),
        "about": say("Write it as 14:10, or as 27/11/2026 14:10."),
        "ends": say("Write the last two pairs, as 0a:01."),
        "pass": say("Write it as on the ticket, as 12-7."),
    }.get(error.name, say("Choose from the lists below."))
    return Refusal(HTTPStatus.BAD_REQUEST, title, text, field=error.name)


def no_such_row() -> Refusal:
    return Refusal(
        HTTPStatus.NOT_FOUND,
        say("There is no such row in the log."),
        say("It never was, its time of keeping is over, or it is of a network that is not yours."),
    )


def find_or_hide(db: Session, access_id: int) -> AccessSession:
    access = query.find(db, access_id, authority_networks=current_staff().authority.networks)
    if access is None:
        abort(HTTPStatus.NOT_FOUND)
    return access
