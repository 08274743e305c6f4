"""How the gateways do: all of one's networks, and one with its silences."""

from __future__ import annotations

from datetime import datetime
from http import HTTPStatus

from flask import abort, make_response, render_template
from werkzeug.wrappers import Response as AnyResponse

from auth.staff.roles import Action
from db.engine import reading
from gateways.registry import kinds
from portal.gateway_api.self_tests import self_test
from portal.i18n.gateway_capabilities import in_words_of, product_of
from portal.i18n.gateway_distance import distance_in_words
from portal.i18n.gateway_faults import fault_in_words
from portal.i18n.gateway_findings import finding_in_words
from portal.i18n.translation import in_words
from portal.services import services, town_zone
from portal.staff import staff
from portal.staff.access import current_staff, needs
from portal.staff.operations.gateway_words import offset, refusal_in_words, verdict_in_words
from portal.staff.sessions.words import at_length, day, instant
from sessions.gateway_health import dialogues, outages
from sessions.gateway_health.overview import look
from sites.checks import WORST_FIRST
from sites.gateways import every


@staff.get("/gateways")
@needs(Action.GATEWAYS)
def gateways() -> AnyResponse:
    with reading(services().make_session) as db:
        found = look(db, now=services().clock(), networks=current_staff().authority.networks)
    found = sorted(found, key=lambda one: WORST_FIRST.index(one.verdict))
    return make_response(render_template("staff/gateways.html", gateways=found, **_words()))


@staff.get("/gateways/<identity>")
@needs(Action.GATEWAYS)
def gateway(identity: str) -> AnyResponse:
    """One gateway. To somebody of another network there is none of that name."""
    now = services().clock()
    with reading(services().make_session) as db:
        mine = look(db, now=now, networks=current_staff().authority.networks)
        one = next((each for each in mine if each.check.identity == identity), None)
        if one is None:
            abort(HTTPStatus.NOT_FOUND)
        silences = outages.recent(db, gateway_id=one.id)
        exchanges = dialogues.recent(db, gateway_id=one.id)
        record = next(each for each in every(db) if each.id == one.id)
    page = render_template(
        "staff/gateway.html",
        one=one,
        is_known=record.kind in kinds(),
        missing=[finding_in_words(finding) for finding in self_test(record)],
        distance=distance_in_words(one),
        exchanges=exchanges,
        silences=silences,
        now=now,
        **_words(),
    )
    return make_response(page)


def _words() -> dict[str, object]:
    return {
        "verdict_in_words": verdict_in_words,
        "refusal_in_words": refusal_in_words,
        "fault_in_words": fault_in_words,
        "product_of": product_of,
        "capabilities": in_words_of,
        "offset": offset,
        "in_words": in_words,
        "at_length": _at_length,
        "instant": lambda at: instant(at, town_zone()),
        "day": lambda at: day(at, town_zone()),
    }


def _at_length(at: datetime) -> str:
    return at_length(at, town_zone())
