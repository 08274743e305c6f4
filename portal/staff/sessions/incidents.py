"""One box for what people tell the staff: an incident code, a MAC, an address, a pass. And what is behind a code."""

from __future__ import annotations

from datetime import datetime
from http import HTTPStatus

from flask import abort, make_response, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from auth.audit.actions import INCIDENT_OPENED, LOG_SEARCHED, ObjectKind
from auth.staff.roles import Action
from db.engine import reading
from portal.denials.rendering import Refusal, explanation, facts_in_words
from portal.i18n.translation import say
from portal.services import services, town_zone
from portal.staff import staff
from portal.staff.access import current_staff, needs
from portal.staff.sessions import access_audit, visibility
from portal.staff.sessions.denial_words import device_in_words, step_in_words
from portal.staff.sessions.finding import find_row
from portal.staff.sessions.pages import alike, places_of, search_page
from portal.staff.sessions.words import short
from sessions.log import listing, query
from sessions.log.denials import read_code, show_code
from sessions.log.query import Filter
from sessions.log.search import LogQuery, Same, named_row
from sessions.models import Decision
from sites.models import Site

NEARBY = 10


@staff.post("/sessions/find")
@needs(Action.SESSIONS)
def find_session() -> AnyResponse:
    """Find what was typed. It is posted, so that no MAC stands in an address; it goes on to one that names rows."""
    typed = request.form.get("wanted", "").strip()[:80]
    with reading(services().make_session) as db:
        found = find_row(db, typed)
    access_audit.note(LOG_SEARCHED, ObjectKind.LOG, kind=found.kind, rows=None if found.address else 0)
    if found.address is None:
        return search_page(LogQuery(), refusal=_nothing(found.kind))
    return redirect(found.address, HTTPStatus.SEE_OTHER)


@staff.get("/incidents/<code>")
@needs(Action.SESSIONS)
def incident(code: str) -> AnyResponse:
    bare = read_code(code)
    if bare is None:
        abort(HTTPStatus.NOT_FOUND)
    mine = current_staff().authority.networks
    with reading(services().make_session) as db:
        decision = named_row(db, bare, authority_networks=mine)
        if not isinstance(decision, Decision):
            abort(HTTPStatus.NOT_FOUND)
        places = places_of(db)
        site = db.get(Site, decision.site_id) if decision.site_id else None
        network = places.networks.get(decision.network_id or 0)
        access_audit.note(
            INCIDENT_OPENED,
            ObjectKind.INCIDENT.named(show_code(bare)),
            network=network.slug if network else None,
        )
        zone = site.tzinfo if site else town_zone()

        def tell(at: datetime) -> str:
            return short(at, zone)

        of_device = Filter(mac=decision.mac)
        page = render_template(
            "staff/incident.html",
            decision=decision,
            code=show_code(bare),
            words=explanation(decision.rule),
            step=step_in_words(decision.step),
            knew=facts_in_words(decision.rule, decision.detail, tell),
            device=device_in_words(decision.detail),
            site=site,
            network=network,
            zone=zone,
            sessions=query.page(db, of_device, authority_networks=mine, most=NEARBY).lines
            if decision.mac
            else (),
            refusals=listing.refusals(db, of_device, authority_networks=mine, most=NEARBY)
            if decision.mac
            else (),
            places=places,
            sight=visibility.sight(visibility.of_question(LogQuery(like=bare, same=Same.DEVICE))),
            alike=alike,
        )
    return make_response(page)


def _nothing(kind: str) -> Refusal:
    if kind == "nothing known":
        return Refusal(
            HTTPStatus.BAD_REQUEST,
            say("We cannot tell what that is."),
            say(
                "Type an incident code (K7Q-4MX), a MAC address or its end (0a:01), an address, the number of a pass "
                "(12-7), a session's number or the first digits of a pseudonym."
            ),
            field="wanted",
        )
    return Refusal(
        HTTPStatus.NOT_FOUND,
        say("Nothing in the log has that."),
        say("It was mistyped, its time of keeping is over, or it is of a network that is not yours."),
        field="wanted",
    )
